"""What the upload commands do, from settings to exit code; `cli` only parses.

One call a command: settings in, the run prepared and sent, events to the viewer, the exit code out.
Heavy rooms are imported when a command needs them, not before.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.address import SANDBOX
from ozodial.endpoints import (
    Access,
    Endpoint,
)
from ozodial.errors import ExitCode, LedgerAwayError, OzodialError, SettingError, UsageError
from ozodial.events import (
    ErrorEvent,
    NoticeEvent,
    SummaryEvent,
)
from ozodial.models import State, Target
from ozodial.opening import (
    Given,
    Place,
    catch_signals,
    chosen_endpoint,
    guarded,
    open_ledger,
    open_place,
    pace_of,
    recipe_of,
)
from ozodial.render import Viewer

if TYPE_CHECKING:
    from ozodial.crew import Stop, Wire
    from ozodial.ledger import Ledger
    from ozodial.prepare import Recipe
    from ozodial.staging import Run, Staging
    from ozodial.upload import Job


def upload(command: str, given: Given) -> ExitCode:
    """`schedule` and `bulk-add`: stage the file, send it, tell what became of every row."""
    return guarded(given.view, lambda viewer: _upload(command, given, viewer))


def resume(run_id: int | None, given: Given) -> ExitCode:
    """Send what a run still has ready."""
    return guarded(given.view, lambda viewer: _resume(run_id, given, viewer))


def _upload(command: str, given: Given, viewer: Viewer) -> ExitCode:
    settings = config.load(given.flags, given.profile)
    entry = chosen_endpoint(command, settings)
    _check_files(given)
    with ExitStack() as stack:
        place = stack.enter_context(open_place(given, settings))
        access = _access(settings, given.sandbox)
        recipe = recipe_of(given, settings, entry)
        job = _job(given, settings, recipe, place, access)
        sender = _Sender(given, settings, entry, place, access, viewer)
        ledger = stack.enter_context(open_ledger(settings, given.sandbox))
        stop = stack.enter_context(catch_signals())
        stack.enter_context(ledger.lease())
        return sender.stage_and_send(job, ledger, stop)


def _resume(run_id: int | None, given: Given, viewer: Viewer) -> ExitCode:
    from ozodial.staging import Staging

    first = config.load(given.flags, given.profile)
    _check_files(given)
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(first, given.sandbox))
        ledger.reap()
        run = _wanted_run(Staging(ledger), run_id, given)
        if run is None:
            viewer.show(NoticeEvent("no run has rows that are ready to be sent"))
            return ExitCode.OK
        stop = stack.enter_context(catch_signals())
        stack.enter_context(ledger.lease())
        return take_part(run, given, ledger, viewer, stop)


def take_part(run: "Run", given: Given, ledger: "Ledger", viewer: Viewer, stop: "Stop") -> ExitCode:
    """Send what a run has ready, as it was begun: with its profile, to its address."""
    settings = config.load(given.flags, given.profile or run.options.profile)
    with open_place(given, settings, run) as place:
        access = access_of_run(settings, run, place)
        entry = chosen_endpoint(run.target.endpoint, settings, run.api)
        sender = _Sender(given, settings, entry, place, access, viewer)
        return sender.go_on(run, ledger, stop)


@dataclass(frozen=True, slots=True)
class _Sender:
    """The part that `schedule`, `bulk-add` and `resume` share."""

    given: Given
    settings: config.Settings
    entry: Endpoint
    place: Place
    access: Access
    viewer: Viewer

    def stage_and_send(self, job: "Job", ledger: "Ledger", stop: "Stop") -> ExitCode:
        from ozodial.sending import HaltError
        from ozodial.upload import prepare

        staging = prepare(job, ledger, stop, dry=self.given.dry_run)
        try:
            while True:
                self.viewer.show(next(staging))
        except StopIteration as end:
            prepared = end.value
        except HaltError:
            message = "Interrupted while the file was read; nothing was sent."
            self.viewer.show(ErrorEvent(message, "the same command starts again"))
            return stop.exit_code or ExitCode.INTERRUPTED
        if self.given.dry_run:
            return self._show_dry(prepared.run, ledger)
        return self._send(prepared.run, ledger, stop, continued=prepared.continued)

    def go_on(self, run: "Run", ledger: "Ledger", stop: "Stop") -> ExitCode:
        if self.given.resend_unknown:
            from ozodial.claims import Claims

            Claims(ledger, run).make_unknown_ready()
        return self._send(run, ledger, stop, continued=True)

    def _send(self, run: "Run", ledger: "Ledger", stop: "Stop", *, continued: bool) -> ExitCode:
        from ozodial.upload import Prepared, begin_events, send

        code = ExitCode.BUG
        throw_away = self.place.sandbox and config.named_ledger(self.settings) is None
        with self._wire() as wire:
            prepared = Prepared(run, continued)
            begin = begin_events(
                prepared, ledger, self.entry, wire.pace, sandbox=self.place.sandbox
            )
            for event in begin:
                self.viewer.show(event)
            self._tell_pace(wire.pace)
            try:
                for event in send(run, ledger, self.entry, wire, stop):
                    if isinstance(event, SummaryEvent):
                        code = event.exit_code
                        self._write_files(run, ledger)
                    if throw_away and isinstance(event, SummaryEvent | ErrorEvent):
                        event = replace(event, hint=None)  # that ledger can't be resumed
                    self.viewer.show(event)
            except LedgerAwayError as error:  # nobody can say how the run stands
                self.viewer.show(ErrorEvent(error.message, run.resume_command))
                return stop.exit_code or error.exit_code
        return code

    @contextmanager
    def _wire(self) -> "Iterator[Wire]":
        from ozodial.client import Client
        from ozodial.crew import Wire

        timeout = self.settings.number("timeout", 0.001)
        with Client(self.place.url, timeout, environment=not self.place.sandbox) as client:
            yield Wire(
                client=client,
                access=self.access,
                auth=self.settings.choice("auth", ("token", "basic")),
                pace=pace_of(self.entry, self.settings, self.place.sandbox),
                timeout=timeout,
                patience=self.settings.number("patience", 0),
                parallel=int(self.settings.number("parallel", 1)),
            )

    def _tell_pace(self, pace: float) -> None:
        if not self.place.sandbox and pace < self.entry.pace:
            self.viewer.show(
                NoticeEvent(
                    f"pace {pace:g} s is below the vendor's {self.entry.pace:g} s for "
                    f"{self.entry.name}; it may refuse requests"
                )
            )

    def _show_dry(self, run: "Run", ledger: "Ledger") -> ExitCode:
        from ozodial.history import all_rows
        from ozodial.sending import row_event
        from ozodial.staging import Staging
        from ozodial.upload import exit_code, run_event

        staging = Staging(ledger)
        counts = staging.counts(run.id)
        pace = pace_of(self.entry, self.settings, self.place.sandbox)
        start = run_event(
            run, self.entry, counts, pace, sandbox=self.place.sandbox, continued=False
        )
        self.viewer.show(replace(start, run=None, dry=True))
        for row in all_rows(ledger, run.id):
            self.viewer.show(replace(row_event(run.id, row), run=None))
        staging.discard(run.id)
        code = exit_code({**counts, State.READY: 0}, None, None)
        self.viewer.show(SummaryEvent(None, start.rows, counts, 0.0, code))
        return code

    def _write_files(self, run: "Run", ledger: "Ledger") -> None:
        from ozodial.export import export
        from ozodial.history import export_rows

        wanted = (
            (self.given.rejects, (State.INVALID, State.REJECTED)),
            (self.given.results, None),
        )
        for path, states in wanted:
            if path is not None:
                try:
                    export(path, run.header, export_rows(ledger, run.id, states))
                except OzodialError as error:
                    # the leads are where they are, whatever becomes of this file
                    self.viewer.show(NoticeEvent(f"{error.message}: ozodial runs export {run.id}"))


def _job(
    given: Given,
    settings: config.Settings,
    recipe: "Recipe",
    place: Place,
    access: Access,
) -> "Job":
    from ozodial.staging import RunOptions
    from ozodial.upload import Job

    entry = recipe.endpoint
    campaign = settings.text("campaign") or (SANDBOX if place.sandbox else None)
    if campaign is None:
        campaign = settings.needed("campaign", "--campaign NAME")
    options = RunOptions(
        user_name=access.user_name,
        base_url=place.url,
        timezone=recipe.timezone,
        check_duplicate=entry.check_duplicate and settings.truth("check_duplicate", True),
        resend=given.resend,
        profile=settings.profile,
    )
    target = Target(place.account(access.user_name), entry.command, campaign)
    return Job(recipe, target, options)


def _access(settings: config.Settings, sandbox: bool) -> Access:
    if not sandbox:
        _name_missing(settings)
        return config.access(settings)
    # the simulator must never see the real key
    return Access(settings.text("user_name") or SANDBOX, "sandbox-key")


def _name_missing(settings: config.Settings) -> None:
    """All settings that a run needs and that nobody gave, in one sentence."""
    missing: list[SettingError] = []
    checks: tuple[Callable[[], object], ...] = (
        lambda: settings.needed("user_name", "--user-name NAME"),
        lambda: config.api_key(settings),
        lambda: settings.needed("campaign", "--campaign NAME"),
    )
    for check in checks:
        try:
            check()
        except SettingError as error:
            missing.append(error)
    if len(missing) > 1:
        hints = "; ".join(error.hint for error in missing if error.hint)
        raise SettingError(" ".join(error.message for error in missing), hints)


def access_of_run(settings: config.Settings, run: "Run", place: Place) -> Access:
    """The run's user name, and its key (UsageError where the run was sent to another address)."""
    user_name = run.options.user_name
    if place.account(user_name) != run.target.account:
        where = run.target.account.rpartition("@")[2]
        flag = "" if where == SANDBOX else f" --base-url {run.options.base_url}"
        raise UsageError(
            f"Run {run.id} belongs to {where}, not to {place.url}.", run.resume_command + flag
        )
    if place.sandbox:
        return Access(user_name, "sandbox-key")
    given = dict(settings.given)
    given["user_name"] = config.Setting(user_name, f"run {run.id}")
    return config.access(replace(settings, given=given))


def _wanted_run(staging: "Staging", run_id: int | None, given: Given) -> "Run | None":
    if run_id is None:
        if given.resend_unknown:
            raise UsageError(
                "Name the run whose unknown rows are to be sent again.", "ozodial runs"
            )
        run_id = staging.latest_ready() or staging.latest_in_flight()
        return staging.run(run_id) if run_id is not None else None
    run = staging.run(run_id)
    if run.state != "open":
        raise UsageError(f"Run {run_id} is {run.state}.", "ozodial runs")
    return run


def _check_files(given: Given) -> None:
    """What can't be written, or must not be written over, is better known before than after."""
    from ozodial.export import check_target

    taken = [Path(name) for name in (given.file, given.map_file, *given.suppress) if name]
    for flag, path in (("--rejects", given.rejects), ("--results", given.results)):
        if path is None:
            continue
        check_target(path)
        if any(_same_file(path, other) for other in taken):
            raise UsageError(
                f"{flag} {path} would be written over a file of this command.",
                f"{flag} {path.with_stem(path.stem + '-' + flag[2:])}",
            )
        taken.append(path)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()
