"""What `undo` does, from settings to exit code: shows what it would do, asks, takes it back."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ozodial import settings as config
from ozodial.client import Client
from ozodial.commands import access_of_run
from ozodial.crew import Wire
from ozodial.deletes import DeleteCall, delete_call
from ozodial.endpoints import SANDBOX_SHORTENS_PACE_BY, Access
from ozodial.errors import ExitCode, UsageError
from ozodial.events import NoticeEvent, SummaryEvent
from ozodial.holders import purged_holder
from ozodial.jsonl import Json, write_record
from ozodial.ledger import Ledger
from ozodial.looking import check_kept
from ozodial.models import Reason
from ozodial.opening import Given, Place, guarded, open_ledger, open_place
from ozodial.removals import Outlook, Removals
from ozodial.remover import undo_command
from ozodial.render import Viewer, Viewing
from ozodial.signals import catch_signals
from ozodial.staging import Run, Staging
from ozodial.streams import Sink
from ozodial.telling import now_there
from ozodial.undo import Undo, undo_exit
from ozodial.words import clipped, duration, endpoint_name, plural

Ask = Callable[[str], bool]
"""A question for a person -> whether the answer was yes."""


def undo(run_id: int, given: Given, *, yes: bool, ask: Ask | None) -> ExitCode:
    """Take back what a run put in. `ask` is None where there is no terminal to ask at."""
    return guarded(given.view, lambda viewer: _undo(run_id, given, viewer, yes, ask))


def _undo(run_id: int, given: Given, viewer: Viewer, yes: bool, ask: Ask | None) -> ExitCode:
    first = config.load(given.flags, given.profile)
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(first, given.sandbox))
        ledger.reap()
        run = Staging(ledger).run(run_id)
        check_kept(run)
        settings = config.load(given.flags, given.profile or run.options.profile)
        call = _call(run, settings)
        if not call.by_row_id:
            _check_purged(run, ledger)
        outlook = Removals(ledger, run, call).outlook(now_there(run, ledger))
        pace = _pace(call, settings, given.sandbox)
        _show(given.view, run, call, outlook, pace)
        if given.dry_run:
            return ExitCode.OK
        if not outlook.remove and run.state != "undoing":
            return _nothing(run, ledger, outlook, viewer)
        place = stack.enter_context(open_place(given, settings, run))
        access = access_of_run(settings, run, place, undo_command(run))
        if outlook.remove and not yes and not _agreed(run, outlook, ask):
            viewer.show(NoticeEvent(f"nothing was taken back of run {run.id}"))
            return ExitCode.STOPPED
        wire = stack.enter_context(_open_wire(settings, place, access, pace))
        stop = stack.enter_context(catch_signals())
        stack.enter_context(ledger.lease())
        code = ExitCode.BUG
        if not given.sandbox and pace < call.pace:
            said = f"pace {pace:g} s is below the vendor's {call.pace:g} s for {call.name}"
            viewer.show(NoticeEvent(f"{said}; it may refuse requests"))
        undo = Undo(ledger, run, call, wire, stop, undo_command(run) + (" --yes" if yes else ""))
        for event in undo.take_back(outlook, sandbox=place.sandbox):
            if isinstance(event, SummaryEvent):
                code = event.exit_code
            viewer.show(event)
        return code


def _call(run: Run, settings: config.Settings) -> DeleteCall:
    """The vendor's call for a run, at the path that the profile gives it."""
    call = delete_call(run.target.endpoint)
    path = settings.paths.get(call.name)
    return replace(call, path=path) if path else call


def _pace(call: DeleteCall, settings: config.Settings, sandbox: bool) -> float:
    if settings.text("pace") is not None:
        return settings.number("pace", 0)
    return call.pace / SANDBOX_SHORTENS_PACE_BY if sandbox else call.pace


@contextmanager
def _open_wire(
    settings: config.Settings, place: Place, access: Access, pace: float
) -> Iterator[Wire]:
    timeout = settings.number("timeout", 0.001)
    with Client(place.url, timeout, environment=not place.sandbox) as client:
        yield Wire(
            client=client,
            access=access,
            auth=settings.choice("auth", ("token", "basic")),
            pace=pace,
            timeout=timeout,
            patience=settings.number("patience", 0),
        )


def _agreed(run: Run, outlook: Outlook, ask: Ask | None) -> bool:
    if ask is None:
        raise UsageError(
            f"Nobody is at a terminal to say yes to taking back run {run.id}.",
            f"{undo_command(run)} --yes",
        )
    return ask(f"Take back {plural(outlook.remove, 'lead')} of run {run.id}?")


def _nothing(run: Run, ledger: Ledger, outlook: Outlook, viewer: Viewer) -> ExitCode:
    """There is nothing to ask the vendor for; the run is told as it is."""
    counts = Staging(ledger).counts(run.id)
    code = undo_exit(counts, sum(outlook.left.values()), None, None)
    viewer.show(NoticeEvent(f"run {run.id} has nothing that can be taken back"))
    viewer.show(SummaryEvent(run.id, sum(counts.values()), counts, 0.0, code))
    return code


# --- showing what it would do ---


def _check_purged(run: Run, ledger: Ledger) -> None:
    """The vendor deletes a number whoever put it in: all who did have to be known."""
    with ledger.read() as connection:
        other = purged_holder(connection, run)
    if other is not None:
        raise UsageError(
            f"Run {other} put leads into this campaign, too, and `runs purge` removed their "
            "numbers: nobody can tell which ones must stay.",
            "delete them in CloudAgent",
        )


def _show(view: Viewing, run: Run, call: DeleteCall, outlook: Outlook, pace: float) -> None:
    seconds = call.estimated_seconds(outlook.requests, pace)
    if view.json:
        record: dict[str, Json] = {
            "event": "undo",
            "run": run.id,
            "command": run.target.endpoint,
            "campaign": run.target.campaign,
            "file": run.file,
            "remove": outlook.remove,
            "kept": sum(outlook.kept.values()),
            "left": sum(outlook.left.values()),
            "unsent": outlook.unsent,
            "requests": outlook.requests,
            "estimated_seconds": round(seconds, 1),
        }
        write_record(Sink(view.stdout), record)
    elif not view.quiet:
        err = Sink(view.stderr)
        for line in _lines(run, call, outlook, pace, seconds):
            err.line(line)


def _lines(
    run: Run, call: DeleteCall, outlook: Outlook, pace: float, seconds: float
) -> Iterator[str]:
    what = endpoint_name(run.target.endpoint, run.api)
    where = clipped(run.target.campaign)
    yield f"undo of run {run.id}: {what} to campaign {where}, file {clipped(run.file)}"
    if outlook.remove:
        waits = f", {pace:g} s between them" if pace else ""
        requests = plural(outlook.requests, "request")
        told = f"{requests} of at most {call.per_request}{waits}, about {duration(seconds)}"
        yield f"  takes back {plural(outlook.remove, 'lead')} in {told}"
        if call.by_row_id:
            yield "  the vendor deletes them by its rowId, as long as their time has not come"
        else:
            yield (
                "  the vendor deletes these numbers whatever their status, "
                "called or not, and whoever put them in"
            )
    if outlook.queued:
        yield (
            f"  {outlook.queued} of them are queued: what the vendor has not worked off yet "
            "can't be deleted"
        )
    for other, count in sorted(outlook.kept.items()):
        yield f"  keeps {plural(count, 'lead')} that run {other} put in, too"
    for reason, count in outlook.left.items():
        yield f"  leaves {plural(count, 'lead')}: {_LEFT[reason]}"
    if outlook.unsent:
        yield f"  of its rows {outlook.unsent} are ready still: never sent from now on"


_LEFT = {
    Reason.TIME_PAST: "their time has passed, they are in the campaign now",
    Reason.NO_ROW_ID: "the vendor's rowId of them is not known",
}
