"""prepare() and send(): the steps joined, from a file to a recorded outcome for every row.

Both yield events and do no I/O of their own. `prepare` stages the whole file as a run, or finds the
run of the same command on the same file; `send` sends what is ready and ends with the summary.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from ozodial.claims import Claims
from ozodial.crew import Events, Stop, Wire, new_shift, outlast, run_workers
from ozodial.endpoints import Endpoint
from ozodial.errors import (
    ExitCode,
    LedgerFullError,
    OzodialError,
    RefusedError,
    StoppedError,
    UsageError,
)
from ozodial.events import (
    ErrorEvent,
    Event,
    NoticeEvent,
    ReadingEvent,
    RunEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.history import settled_rows
from ozodial.ledger import Ledger
from ozodial.models import State, Target
from ozodial.pacing import POLL_SECONDS
from ozodial.prepare import Leads, Recipe, check_times, open_leads
from ozodial.shift import HaltError
from ozodial.staging import PART, NewRun, Run, RunOptions, Staging
from ozodial.telling import given_up, row_event

_WHOLE = 48
"""Hexadecimal digits of a fingerprint; behind them there is room for a --limit."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file to be staged: how to read it, where its leads go, what shapes the sending."""

    recipe: Recipe
    target: Target
    options: RunOptions


Agreed = Callable[[Run, Mapping[State, int]], bool]
"""Asks a person whether a run of such counts is to be sent."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run to send; `continued`: it was staged by an earlier command."""

    run: Run
    continued: bool


def prepare(
    job: Job, ledger: Ledger, stop: Stop, *, dry: bool = False, agreed: Agreed | None = None
) -> Generator[Event, None, Prepared]:
    """Stage the file as a run, or find the one that the same command staged before.

    `dry` stages for a look only: the run is never opened, and discarded by the caller. A run that
    is not `agreed` to is discarded too, and HaltError raised.
    """
    staging = Staging(ledger)
    ledger.outage.halt = stop.halt
    ledger.reap()
    with open_leads(job.recipe) as leads:
        new = _new_run(job, leads, dry)
        run_id, told = None, False
        while run_id is None:
            found = staging.find(new.fingerprint)
            if found is not None and not found[1]:
                run = staging.run(found[0])
                yield from _other_times(run, job)
                return Prepared(run, continued=True)
            if found is not None:
                if not told:
                    said = f"another process is reading the file into run {found[0]}"
                    yield WaitEvent(POLL_SECONDS, "busy", said)
                told = True
                _await_other(ledger, stop)
            else:
                check_times(job.recipe)
                _check_part(staging, new, job)
                run_id = staging.begin(new)
        yield from _fill(staging, run_id, leads, stop, dry, agreed)
    if not dry:
        for older, file in staging.unfinished(run_id):
            yield NoticeEvent(
                f"run {older} ({file}) still has rows to send: ozodial resume {older}"
            )
    return Prepared(staging.run(run_id), continued=False)


def _new_run(job: Job, leads: Leads, dry: bool) -> NewRun:
    target, endpoint, options = job.target, job.recipe.endpoint, job.options
    same = [
        leads.content,
        target.account,
        endpoint.name,
        target.campaign,
        options.check_duplicate,
        options.resend,
        dry,
    ]
    whole = hashlib.sha256(json.dumps(same).encode()).hexdigest()[:_WHOLE]
    limit = job.recipe.limit
    return NewRun(
        target=target,
        api=endpoint.api,
        file=leads.file,
        fingerprint=whole if limit is None else f"{whole}{PART}{limit}",
        header=leads.columns.header,
        columns=leads.sent,
        options=options,
    )


def _check_part(staging: Staging, new: NewRun, job: Job) -> None:
    """UsageError if another part of the file was sent (--limit) when `tomorrow` was another day:
    its leads would be sent again, for that day.
    """
    part = staging.part_of_same(new.fingerprint)
    before = part.options.when if part is not None else None
    if part is not None and before is not None and before != job.options.when:
        raise UsageError(
            f'"{job.recipe.when}" meant {before} when run {part.id} took a part of this file.',
            f"name the day in --{'spread' if job.recipe.spread is not None else 'at'}",
        )


def _other_times(run: Run, job: Job) -> Iterator[Event]:
    """`tomorrow` has moved on since the run was made; its leads have not."""
    before, now = run.options.when, job.options.when
    if before is not None and now is not None and before != now:
        yield NoticeEvent(
            f'"{job.recipe.when}" meant {before} when run {run.id} was made, and that stands; '
            f"to schedule the same file once more, name the day: {now}"
        )


def _await_other(ledger: Ledger, stop: Stop) -> None:
    """Another process is staging the very same run: wait for it, then share its work."""
    ledger.reap()
    if ledger.clock.wait(POLL_SECONDS, stop.halt):
        raise HaltError


def _fill(
    staging: Staging, run_id: int, leads: Leads, stop: Stop, dry: bool, agreed: Agreed | None
) -> Iterator[Event]:
    try:
        for done in staging.add(run_id, leads.rows()):
            yield ReadingEvent(done)
            if stop.halt.is_set():
                raise HaltError
        for said, quotes in leads.findings.notices():
            yield NoticeEvent(said, quotes)
        left_out = leads.findings.left_out_rows
        if dry:
            staging.preview(run_id, left_out)
            return
        if agreed is not None:
            # a run is not open while a person thinks: no `resume` may send it meanwhile
            run = staging.preview(run_id, left_out)
            if not agreed(run, staging.counts(run_id)):
                raise HaltError
        staging.finish(run_id, left_out)
    except (OzodialError, HaltError) as error:
        with suppress(OzodialError):  # the first error is the one to tell
            staging.discard(run_id)
        if isinstance(error, LedgerFullError):
            again = "make room or access for the ledger, then the same command again"
            raise LedgerFullError(f"Nothing was sent. {error.message}", again) from error
        raise


def begin_events(
    prepared: Prepared, ledger: Ledger, endpoint: Endpoint, wire_pace: float, *, sandbox: bool
) -> Iterator[Event]:
    """The run event, then every row that this command settled by staging it."""
    run = prepared.run
    counts = Staging(ledger).counts(run.id)
    yield run_event(run, endpoint, counts, wire_pace, sandbox=sandbox, continued=prepared.continued)
    if not prepared.continued:
        for row in settled_rows(ledger, run.id):
            yield row_event(run.id, row)


def run_event(
    run: Run,
    endpoint: Endpoint,
    counts: Mapping[State, int],
    pace: float,
    *,
    sandbox: bool,
    continued: bool,
) -> RunEvent:
    """A run as its viewer is told of it, with how long the rest of it will take."""
    ready = counts.get(State.READY, 0)
    batches = ceil(ready / endpoint.rows_per_request)
    return RunEvent(
        run=run.id,
        command=endpoint.command,
        campaign=run.target.campaign,
        file=run.file,
        rows=sum(counts.values()),
        ready=ready,
        batches=batches,
        estimated_seconds=endpoint.estimated_seconds(batches, pace),
        api=run.api,
        account=run.target.account,
        sandbox=sandbox,
        continued=continued,
        counts=counts,
        pace=pace,
        left_out=run.options.left_out,
    )


def send(run: Run, ledger: Ledger, endpoint: Endpoint, wire: Wire, stop: Stop) -> Iterator[Event]:
    """Send what is ready in a run; the last event is the summary, with the exit code."""
    started = ledger.clock.instant()
    events = Events()
    shift = new_shift(run, ledger, endpoint, wire, events.put, stop.halt)
    stop.wake = lambda: events.put(None)
    ledger.outage.halt = stop.halt
    ledger.outage.tell = lambda wait, said: events.put([WaitEvent(wait, "retry", said)])
    ledger.reap()
    yield from given_up(run, ledger, ledger.reaped)
    trouble: OzodialError | None = None
    try:
        Claims(ledger, run).look_again()
        for event in run_workers(shift, events, stop):
            if isinstance(event, OzodialError):
                trouble = trouble or event
            else:
                yield event
    except OzodialError as error:
        trouble = error
    outlast(ledger, stop)
    with suppress(LedgerFullError):  # they are `unknown` at the next start
        yield from given_up(run, ledger, ledger.abandon())
    seconds = max(0.0, ledger.clock.instant().since(started))
    trouble = trouble or _cancelled(run, ledger)
    end = summary(run, ledger, seconds, trouble, stop.exit_code)
    if trouble is not None:
        yield ErrorEvent(trouble.message, trouble.hint or end.hint)
    yield end


def _cancelled(run: Run, ledger: Ledger) -> StoppedError | None:
    """What a person did to the run meanwhile, if that is why rows are left."""
    staging = Staging(ledger)
    left = staging.counts(run.id).get(State.READY)
    state = staging.run(run.id).state
    if not left or state == "open":
        return None
    what = "cancelled" if state == "cancelled" else "taken back by undo"
    said = f"Run {run.id} was {what}; {left} rows were not sent."
    return StoppedError(said, f"ozodial runs show {run.id}")


def summary(
    run: Run,
    ledger: Ledger,
    seconds: float,
    trouble: OzodialError | None,
    interrupted: ExitCode | None,
) -> SummaryEvent:
    """The whole run as the ledger has it, and the exit code that follows from it."""
    counts = Staging(ledger).counts(run.id)
    lost = Claims(ledger, run).in_flight()[0]
    if lost:  # nobody waits for them any more, though it could not be recorded
        counts[State.SENDING] -= lost
        counts[State.UNKNOWN] = counts.get(State.UNKNOWN, 0) + lost
    code = exit_code(counts, trouble, interrupted)
    hint = _hint(Staging(ledger).run(run.id), counts)
    left_out = run.options.left_out
    return SummaryEvent(run.id, sum(counts.values()), counts, seconds, code, hint, left_out)


def exit_code(
    counts: Mapping[State, int], trouble: OzodialError | None, interrupted: ExitCode | None
) -> ExitCode:
    """The first that applies: interrupted, 1, 5, 7, 6, 4, 0 (design section 5)."""
    if interrupted is not None:
        return interrupted
    if counts.get(State.UNKNOWN):
        return ExitCode.UNKNOWN_ROWS
    if isinstance(trouble, StoppedError):
        return ExitCode.STOPPED
    if isinstance(trouble, RefusedError):
        return ExitCode.REFUSED
    if trouble is not None:
        return trouble.exit_code
    if counts.get(State.READY) or counts.get(State.SENDING):
        return ExitCode.STOPPED
    if counts.get(State.INVALID) or counts.get(State.REJECTED):
        return ExitCode.PROBLEM_ROWS
    return ExitCode.OK


def _hint(run: Run, counts: Mapping[State, int]) -> str | None:
    if counts.get(State.READY) and run.state == "open":
        return run.resume_command
    if counts.get(State.UNKNOWN):
        return f"{run.resume_command} --resend-unknown"
    problems = [s for s in (State.REJECTED, State.INVALID) if counts.get(s)]
    if problems:
        return f"ozodial runs export {run.id} problems.csv --only {','.join(problems)}"
    return None
