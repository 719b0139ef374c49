"""Runs as their viewer sees them: the events that the tests of the screens feed."""

from collections.abc import Iterator

from ozodial.errors import ExitCode
from ozodial.events import (
    BatchEvent,
    Event,
    NoticeEvent,
    ReadingEvent,
    RowEvent,
    RunEvent,
    SendingEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.models import State


def run_event(rows: int = 5, ready: int = 4, batches: int = 2, pace: float = 30.0) -> RunEvent:
    """A run of `bulk-add`."""
    seconds = (batches - 1) * pace + 0.5 * batches
    return RunEvent(
        12, "bulk-add", "Diwali", "leads.csv", rows, ready, batches, seconds, api="v1", pace=pace
    )


def row(
    number: int, state: State, message: str = "SuccessFully Updated", name: str = ""
) -> RowEvent:
    """One settled row."""
    reason = "phone_invalid" if state is State.INVALID else None
    return RowEvent(12, number, f"98765{number:05}", state, reason, message, name)


def short_run(name: str = "Sita", message: str = "Number is in DND") -> Iterator[Event]:
    """Five rows in two requests: three accepted, one rejected, one invalid."""
    yield ReadingEvent(5)
    yield run_event()
    yield row(2, State.INVALID, "too short", name)
    yield SendingEvent(12, 1, 2)
    yield BatchEvent(12, 1, 2, "answered", 0.81234)
    yield row(3, State.ACCEPTED, name=name)
    yield row(4, State.REJECTED, message, name)
    yield WaitEvent(29.21, "pace")
    yield NoticeEvent(f"the server is slow: {message}")
    yield SendingEvent(12, 2, 2)
    yield BatchEvent(12, 2, 2, "answered", 0.8)
    yield row(5, State.ACCEPTED, name=name)
    yield row(6, State.ACCEPTED, name=name)
    counts = {State.ACCEPTED: 3, State.REJECTED: 1, State.INVALID: 1}
    yield SummaryEvent(12, 5, counts, 30.84, ExitCode.PROBLEM_ROWS)


def long_run(problems: int) -> Iterator[Event]:
    """Many invalid rows, and one that the vendor refused."""
    rows = problems + 1
    yield run_event(rows=rows, ready=1, batches=1)
    for number in range(2, rows + 1):
        yield row(number, State.INVALID, "too short")
    yield row(rows + 1, State.REJECTED, "Number is in DND")
    counts = {State.REJECTED: 1, State.INVALID: problems}
    yield SummaryEvent(12, rows, counts, 0.5, ExitCode.PROBLEM_ROWS)
