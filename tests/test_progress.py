import dataclasses

import pytest

from ozodial.endpoints import ENDPOINTS, Endpoint
from ozodial.events import BatchEvent, Event, ReadingEvent, RunEvent, SendingEvent, WaitEvent
from ozodial.models import State
from ozodial.progress import Progress
from tests.scenes import long_run, row, run_event, short_run


def progress(*events: Event, now: float = 100.0) -> Progress:
    """Where a run stands after these events, all at one moment."""
    run = Progress(now)
    for event in events:
        run.take(event, now)
    return run


def plan(endpoint: Endpoint, rows: int) -> RunEvent:
    """A fresh run of so many good rows."""
    batches = -(-rows // endpoint.rows_per_request)
    seconds = endpoint.estimated_seconds(batches, endpoint.pace)
    return RunEvent(1, endpoint.command, "C", "f", rows, rows, batches, seconds, pace=endpoint.pace)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda entry: entry.name)
@pytest.mark.parametrize("rows", [1, 99, 450, 1200, 100_000])
def test_the_time_left_begins_at_the_plan(endpoint: Endpoint, rows: int) -> None:
    event = plan(endpoint, rows)
    assert progress(event).left(100.0) == pytest.approx(event.estimated_seconds)


def test_the_time_left_follows_the_requests() -> None:
    run = progress(run_event(rows=4, ready=4, batches=2), SendingEvent(12, 1, 2))
    run.take(BatchEvent(12, 1, 2, "answered", 0.5), 101)
    run.take(row(2, State.ACCEPTED), 101)
    run.take(row(3, State.ACCEPTED), 101)
    run.take(WaitEvent(30, "pace"), 101)
    assert run.left(101) == pytest.approx(30.5)
    assert run.left(121) == pytest.approx(10.5)
    waiting = run.waiting(121)
    assert waiting is not None
    assert waiting[1] == pytest.approx(10)
    run.take(SendingEvent(12, 2, 2), 131)
    assert run.waiting(131) is None
    assert run.left(131) == pytest.approx(0.5)
    run.take(row(4, State.ACCEPTED), 132)
    run.take(row(5, State.REJECTED), 132)
    assert run.left(132) == 0


def test_a_batch_that_was_not_sent_brings_the_end_no_nearer() -> None:
    run = progress(run_event(rows=4, ready=4, batches=2), BatchEvent(12, 1, 2, "not_sent", 0.1))
    assert run.requests_left() == 2
    assert run.rate(200.0) is None


def test_the_rate_counts_the_pause_that_follows() -> None:
    run = progress(run_event(rows=400, ready=400, batches=2), now=0)
    run.take(BatchEvent(12, 1, 200, "answered", 1.0), 1)
    run.take(WaitEvent(30, "pace"), 1)
    assert run.rate(1) == pytest.approx(200 / 31 * 60)
    assert run.rate(20) == pytest.approx(200 / 31 * 60)


def test_counts_start_from_the_file_and_end_with_the_summary() -> None:
    assert progress(ReadingEvent(3)).rows() == 3
    events = list(short_run())
    begun = progress(*events[:3])
    assert (begun.counts()[State.READY], begun.counts()[State.INVALID], begun.done()) == (4, 1, 1)
    assert progress(*events[:-1]).counts()[State.ACCEPTED] == 3
    assert progress(*events).counts() == {
        State.ACCEPTED: 3,
        State.REJECTED: 1,
        State.INVALID: 1,
    }


def test_a_run_that_goes_on_counts_what_was_done_before() -> None:
    counts = {State.ACCEPTED: 6, State.READY: 4}
    event = RunEvent(3, "schedule", "C", "f", 10, 4, 1, 0.5, continued=True, counts=counts)
    run = progress(event, row(9, State.ACCEPTED))
    assert (run.counts()[State.ACCEPTED], run.counts()[State.READY]) == (7, 3)
    assert run.settled() == 1


def test_no_state_crowds_out_another() -> None:
    run = progress(*long_run(5000))
    shown = run.problems(20)
    assert [problem.state for problem in shown] == [State.REJECTED] + [State.INVALID] * 19
    assert [problem.row for problem in shown[1:4]] == [2, 3, 4]
    assert run.problem_total() == 5001
    assert len(run.latest) == 60


def test_requests_are_counted_with_those_that_are_repeated() -> None:
    run = progress(run_event(rows=500, ready=500, batches=3))
    told = []
    for number, rows, outcome in ((1, 200, "refused"), (2, 200, "answered"), (3, 200, "not_sent")):
        run.take(SendingEvent(12, number, rows), 0)
        told.append(run.batches())
        run.take(BatchEvent(12, number, rows, outcome, 0.5), 0)
        told.append(run.batches())
        if outcome == "answered":
            for each in range(rows):
                run.take(row(2 + each, State.ACCEPTED), 0)
    # a refused request makes one more; what is on its way and what is answered counts once
    assert told == [3, 4, 4, 4, 4, 5]


def test_requests_in_parallel_and_of_a_run_that_goes_on_are_counted_once() -> None:
    counts = {State.ACCEPTED: 200, State.READY: 300}
    event = RunEvent(12, "schedule", "D", "f", 500, 300, 3, 1.5, continued=True, counts=counts)
    run = progress(event)
    for number in (3, 4, 5):
        run.take(SendingEvent(12, number, 100), 0)
    assert run.batches() == 5
    run.take(BatchEvent(12, 4, 100, "answered", 0.5), 0)
    run.take(row(300, State.ACCEPTED), 0)
    assert run.batches() == 5


def test_a_run_that_stops_by_itself_says_when() -> None:
    event = run_event()
    assert progress(event).stops(1) is None
    stops = progress(dataclasses.replace(event, stops_in=60.0))
    assert (stops.stops(120), stops.stops(190)) == (40, 0)
