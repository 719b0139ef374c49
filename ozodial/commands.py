"""What the upload commands do, from settings to exit code; `cli` only parses.

One call a command: settings in, the run prepared and sent, events to the viewer, the exit code out.
Heavy rooms are imported when a command needs them, not before.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.address import SANDBOX
from ozodial.endpoints import (
    Access,
    Endpoint,
)
from ozodial.errors import ExitCode, LedgerAwayError, OzodialError, UsageError
from ozodial.events import (
    ErrorEvent,
    NoticeEvent,
    RunEvent,
    SummaryEvent,
)
from ozodial.models import State, Target
from ozodial.opening import (
    Given,
    Place,
    check_files,
    chosen_endpoint,
    name_missing,
    open_ledger,
    open_place,
    pace_of,
    recipe_of,
    time_limit,
)
from ozodial.origins import origins
from ozodial.outlets import told
from ozodial.render import Viewer
from ozodial.signals import catch_signals

if TYPE_CHECKING:
    from ozodial.asking import Asking
    from ozodial.crew import Stop, Wire
    from ozodial.ledger import Ledger
    from ozodial.limits import Limit
    from ozodial.prepare import Recipe
    from ozodial.staging import Run, Staging
    from ozodial.upload import Job


def upload(command: str, given: Given) -> ExitCode:
    """`schedule` and `bulk-add`: stage the file, send it, tell what became of every row."""
    return told(given, lambda viewer: _upload(command, given, viewer))


def resume(run_id: int | None, given: Given) -> ExitCode:
    """Send what a run still has ready."""
    return told(given, lambda viewer: _resume(run_id, given, viewer))


def _upload(command: str, given: Given, viewer: Viewer) -> ExitCode:
    settings = config.load(given.flags, given.profile)
    entry = chosen_endpoint(command, settings)
    check_files(given)
    with ExitStack() as stack:
        place = stack.enter_context(open_place(given, settings))
        access = _access(settings, given.sandbox)
        recipe = recipe_of(given, settings, entry)
        job = _job(given, settings, recipe, place, access)
        sender = _Sender(given, settings, entry, place, access, viewer, time_limit(settings))
        ledger = stack.enter_context(open_ledger(settings, given.sandbox))
        stop = stack.enter_context(catch_signals())
        stack.enter_context(ledger.lease())
        return sender.stage_and_send(job, ledger, stop)


def _resume(run_id: int | None, given: Given, viewer: Viewer) -> ExitCode:
    from ozodial.staging import Staging

    first = config.load(given.flags, given.profile)
    check_files(given)
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(first, given.sandbox))
        ledger.reap()
        run = _wanted_run(Staging(ledger), run_id, given)
        if run is None:
            said = "no run has rows that are ready to be sent; `ozodial runs` lists what was"
            viewer.show(NoticeEvent(said))
            return ExitCode.OK
        stop = stack.enter_context(catch_signals())
        stack.enter_context(ledger.lease())
        return take_part(run, given, ledger, viewer, stop)


def take_part(run: "Run", given: Given, ledger: "Ledger", viewer: Viewer, stop: "Stop") -> ExitCode:
    """Send what a run has ready, as it was begun: with its profile, to its address."""
    settings = config.load(given.flags, given.profile or run.options.profile)
    with open_place(given, settings, run) as place:
        access = access_of_run(settings, run, place, run.resume_command)
        entry = chosen_endpoint(run.target.endpoint, settings, run.api)
        sender = _Sender(given, settings, entry, place, access, viewer, time_limit(settings))
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
    limit: "Limit | None"

    def stage_and_send(self, job: "Job", ledger: "Ledger", stop: "Stop") -> ExitCode:
        from ozodial.shift import HaltError
        from ozodial.staging import Staging
        from ozodial.upload import prepare

        asking = self._asking(stop)
        agreed = asking if asking.may_ask else None
        staging = prepare(job, ledger, stop, dry=self.given.dry_run, agreed=agreed)
        try:
            while True:
                self.viewer.show(next(staging))
        except StopIteration as end:
            prepared = end.value
        except HaltError:
            return self._nothing_sent(stop, "the same command starts again")
        run = prepared.run
        if self.given.dry_run:
            return self._show_dry(run, ledger)
        if prepared.continued and not asking(run, Staging(ledger).counts(run.id)):
            return self._nothing_sent(stop, run.resume_command)
        return self._send(run, ledger, stop, continued=prepared.continued)

    def _asking(self, stop: "Stop") -> "Asking":
        from ozodial.asking import Asking

        return Asking(
            view=self.given.view,
            viewer=self.viewer,
            stop=stop,
            endpoint=self.entry,
            pace=pace_of(self.entry, self.settings, self.place.sandbox),
            above=self.settings.number("confirm_above", 0),
            yes=self.given.yes,
            sandbox=self.place.sandbox,
            now=datetime.now().astimezone(),
        )

    def _nothing_sent(self, stop: "Stop", again: str) -> ExitCode:
        why = "Interrupted" if stop.exit_code else "Not confirmed"
        self.viewer.show(ErrorEvent(f"{why}: nothing was sent.", again))
        return stop.exit_code or ExitCode.INTERRUPTED

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
                if isinstance(event, RunEvent) and event.ready:
                    now = ledger.clock.instant()
                    left = None if wire.limit is None else wire.limit.left(now)
                    self.viewer.show(replace(event, stops_in=left))
                    self._tell_pace(wire.pace)
                else:
                    self.viewer.show(event)
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
                limit=self.limit,
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
        from ozodial.staging import Staging
        from ozodial.telling import row_event
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
        left_out = start.left_out
        self.viewer.show(SummaryEvent(None, start.rows, counts, 0.0, code, left_out=left_out))
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
        settings=tuple(origins(given, settings, entry)),
        when=str(recipe.spread or recipe.at) if recipe.when else None,
    )
    target = Target(place.account(access.user_name), entry.command, campaign)
    return Job(recipe, target, options)


def _access(settings: config.Settings, sandbox: bool) -> Access:
    if not sandbox:
        name_missing(settings)
        return config.access(settings)
    # the simulator must never see the real key
    return Access(settings.text("user_name") or SANDBOX, "sandbox-key")


def access_of_run(settings: config.Settings, run: "Run", place: Place, again: str) -> Access:
    """Who put a run in; UsageError, with `again` as the way out, where that was elsewhere."""
    user_name = run.options.user_name
    if place.account(user_name) != run.target.account:
        where = run.target.account.rpartition("@")[2]
        flag = "" if where == SANDBOX else f" --base-url {run.options.base_url}"
        raise UsageError(f"Run {run.id} belongs to {where}, not to {place.url}.", again + flag)
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
        hint = f"ozodial undo {run_id}" if run.state == "undoing" else "ozodial runs"
        raise UsageError(f"Run {run_id} is {run.state}.", hint)
    return run
