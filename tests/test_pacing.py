"""When the next request may start: by a clock that never waits, in the slot and in whole runs."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from ozodial.errors import StoppedError
from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.pacing import BUSY, PACE, RETRY, Pacer, Patience
from ozodial.sandbox_server import ServerHandle
from ozodial.slots import POLL_SECONDS, SlotKey, Slots, answered
from tests.clockwork import Office, slow_vendor
from tests.conftest import FakeClock
from tests.wire import closed_port

HOUR, DAY = 3600.0, 86400.0
V1 = SlotKey("ops@loopback", "bulk-add v1", exclusive=True)
SCHEDULE = SlotKey("ops@loopback", "schedule", exclusive=False)

OpenLedger = Callable[[], Ledger]


@pytest.fixture
def ledger_of(tmp_path: Path, clock: FakeClock) -> Iterator[OpenLedger]:
    """Opens the same ledger as another process would."""
    opened: list[Ledger] = []

    def new() -> Ledger:
        ledger = Ledger.open(str(tmp_path / "ledger.db"), clock)
        with ledger.write() as connection:
            ledger.hold(connection)
        opened.append(ledger)
        return ledger

    yield new
    for ledger in opened:
        ledger.close()


class Process:
    """One process's pacer, with a log of what it was told to wait for."""

    def __init__(
        self, ledger: Ledger, clock: FakeClock, key: SlotKey = V1, pace: float = 30.0
    ) -> None:
        self.ledger, self.key, self._clock = ledger, key, clock
        self.pacer = Pacer(Slots(ledger), key, pace, 60.0)
        self.waits: list[tuple[str, float]] = []
        self.said: list[str] = []

    def turn(self) -> float:
        """Wait for the turn; the seconds that it took."""
        before = self._clock.mono
        self.waits.clear()
        self.pacer.await_turn(self._pause, self.ledger.reap)
        return self._clock.mono - before

    def answer(self, delay: float = 0.0, *, arrived: bool = True) -> None:
        """The answer to this process's request came just now."""
        with self.ledger.write() as connection:
            now, owner = self._clock.instant(), self.ledger.owner
            answered(connection, self.key, now, delay, owner, arrived=arrived)

    def _pause(self, seconds: float, why: str, message: str) -> None:
        self.waits.append((why, round(seconds, 6)))
        self.said.append(message)
        self._clock.wait(seconds, threading.Event())


@pytest.fixture
def process(ledger_of: OpenLedger, clock: FakeClock) -> Process:
    return Process(ledger_of(), clock)


def test_the_first_request_ever_does_not_wait(process: Process) -> None:
    assert process.turn() == 0
    assert process.waits == []


def test_the_pace_counts_from_the_answer_to_the_next_request(
    process: Process, clock: FakeClock
) -> None:
    process.turn()
    clock.advance(7)  # a slow server
    process.answer()
    clock.advance(4)  # our own work
    assert process.turn() == pytest.approx(26)
    assert process.waits == [("pace", 26.0)]
    assert process.said == [PACE]


def test_a_pace_that_has_passed_is_not_waited_for(process: Process, clock: FakeClock) -> None:
    process.turn()
    process.answer()
    clock.advance(30)
    assert process.turn() == 0


def test_the_first_request_of_another_process_waits_too(
    process: Process, ledger_of: OpenLedger, clock: FakeClock
) -> None:
    process.turn()
    process.answer()
    clock.advance(10)
    assert Process(ledger_of(), clock).turn() == pytest.approx(20)


@pytest.mark.parametrize(
    ("account", "endpoint"), [("asha@loopback", "bulk-add v1"), ("ops@loopback", "bulk-add v4")]
)
def test_another_account_or_endpoint_has_a_pace_of_its_own(
    process: Process, ledger_of: OpenLedger, clock: FakeClock, account: str, endpoint: str
) -> None:
    process.turn()
    process.answer()
    assert Process(ledger_of(), clock, SlotKey(account, endpoint, exclusive=True)).turn() == 0


def test_one_request_in_flight_at_a_time(
    process: Process, ledger_of: OpenLedger, clock: FakeClock
) -> None:
    process.turn()
    other = Process(ledger_of(), clock)
    assert Slots(other.ledger).take(V1, 30.0, 60.0).why == "busy"
    process.answer()
    assert other.turn() == pytest.approx(30)


def test_who_waits_for_another_process_says_so(
    process: Process, ledger_of: OpenLedger, clock: FakeClock
) -> None:
    process.turn()
    other = Process(ledger_of(), clock)

    class AnsweredError(Exception):
        """Enough was heard."""

    def pause(seconds: float, why: str, message: str) -> None:
        assert (seconds, why, message) == (POLL_SECONDS, "busy", BUSY)
        raise AnsweredError

    with pytest.raises(AnsweredError):
        other.pacer.await_turn(pause, lambda: None)


def test_a_turn_ends_when_its_dead_holder_would_have_given_up(
    process: Process, ledger_of: OpenLedger, clock: FakeClock
) -> None:
    process.turn()
    clock.advance(75)  # 15 s after the 60 that a request may take
    other = Process(ledger_of(), clock)
    other.ledger.reap()
    assert other.turn() == pytest.approx(15)


def test_a_turn_that_is_given_back_costs_nothing(
    process: Process, ledger_of: OpenLedger, clock: FakeClock
) -> None:
    process.turn()
    process.answer()
    clock.advance(30)
    process.turn()
    process.pacer.give_back()
    assert Process(ledger_of(), clock).turn() == 0


def test_a_request_that_never_arrived_leaves_the_pace_as_it_was(
    process: Process, clock: FakeClock
) -> None:
    process.turn()
    process.answer()
    clock.advance(30)
    process.turn()
    process.answer(1.0, arrived=False)
    assert process.turn() == pytest.approx(1)
    assert process.waits == [("retry", 1.0)]


@pytest.mark.parametrize("pace", [0.1, 1 / 3, 12.7, 29.999])
def test_rounding_keeps_nobody_waiting(
    ledger_of: OpenLedger, clock: FakeClock, pace: float
) -> None:
    process = Process(ledger_of(), clock, pace=pace)
    for number in range(20):
        clock.advance(0.1 * number)
        process.turn()
        process.answer()
        assert len(process.waits) <= 2


@pytest.mark.parametrize("boot", ["a-boot", "another-boot", ""])
@pytest.mark.parametrize("change", [-HOUR, -DAY, -1.0, DAY, HOUR])
def test_the_pace_holds_whatever_happens_to_the_wall_clock(
    process: Process, ledger_of: OpenLedger, clock: FakeClock, boot: str, change: float
) -> None:
    clock.boot = boot and "a-boot"
    process.turn()
    process.answer()
    true_time = clock.mono
    clock.advance(5)
    clock.wall += change
    clock.boot = boot
    if boot == "another-boot":
        clock.mono = 17.0  # a new boot counts from its own start
    waited = Process(ledger_of(), clock).turn()
    if boot == "a-boot":
        assert clock.mono - true_time == pytest.approx(30)
    elif change < 0:
        assert 25 <= waited <= 30  # nobody can say how long it was: at least the pace, no more
    else:
        assert waited == 0  # a clock set forward can't be told from time that passed


def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_ever(
    process: Process, clock: FakeClock
) -> None:
    clock.boot = ""
    process.turn()
    process.answer(delay=100.0)
    clock.wall -= 10 * DAY
    assert process.turn() == pytest.approx(100)
    assert len(process.waits) <= 2


def test_what_the_vendor_asks_for_holds_for_all_processes(
    process: Process, ledger_of: OpenLedger, clock: FakeClock
) -> None:
    process.turn()
    process.answer(delay=90.0)
    clock.advance(10)
    other = Process(ledger_of(), clock)
    assert other.turn() == pytest.approx(80)
    assert other.waits == [("retry", 80.0)]
    assert other.said == [RETRY]


def test_a_wish_that_is_shorter_than_the_pace_does_not_shorten_it(
    process: Process, clock: FakeClock
) -> None:
    process.turn()
    process.answer(delay=5.0)
    assert process.turn() == pytest.approx(30)


def test_an_endpoint_without_a_pace_is_anybodys_turn_but_for_a_wish(
    ledger_of: OpenLedger, clock: FakeClock
) -> None:
    one = Process(ledger_of(), clock, SCHEDULE, pace=0.0)
    two = Process(ledger_of(), clock, SCHEDULE, pace=0.0)
    assert one.turn() == two.turn() == 0
    one.answer()
    assert two.turn() == 0
    one.answer(delay=8.0)
    assert two.turn() == pytest.approx(8)


# --- patience ---


def test_the_wait_grows_up_to_a_minute(clock: FakeClock) -> None:
    patience, waits = Patience(clock, 1000), []
    for _ in range(9):
        waits.append(patience.back_off(0.0, "HTTP 503"))
        clock.advance(waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_wait_grows_from_one_pace(clock: FakeClock) -> None:
    patience, waits = Patience(clock, 1000), []
    for _ in range(3):
        waits.append(patience.back_off(30.0, "busy"))
        clock.advance(waits[-1])
    assert waits == [30, 60, 60]


def test_retry_after_is_taken_as_it_is_but_for_the_least_second(clock: FakeClock) -> None:
    patience = Patience(clock, 100)
    assert patience.back_off(0.0, "HTTP 503", 17.0) == 17.0
    clock.advance(17)
    assert patience.back_off(0.0, "HTTP 503", 0.0) == 1.0


def test_patience_ends(clock: FakeClock) -> None:
    patience, begun = Patience(clock, 10), clock.mono
    for wait in (1, 2, 4, 3):
        assert patience.back_off(0.0, "HTTP 503") == wait
        clock.advance(wait)
    assert clock.mono - begun == 10
    with pytest.raises(StoppedError) as caught:
        patience.back_off(0.0, "HTTP 503")
    assert "--patience 10" in caught.value.message
    assert "HTTP 503" in caught.value.message


@pytest.mark.parametrize(
    ("least", "asked", "said"),
    [
        (0.0, 11.0, "asks to wait 11 s"),
        (0.0, 1e9, "asks to wait 1000000000 s"),
        (30.0, None, "no time for a second try"),
        (30.0, 5.0, "no time for a second try"),
    ],
)
def test_a_try_that_would_come_too_late_is_not_waited_for(
    clock: FakeClock, least: float, asked: float | None, said: str
) -> None:
    with pytest.raises(StoppedError) as caught:
        Patience(clock, 10).back_off(least, "HTTP 503", asked)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("begun", "least", "asked", "said"),
    [
        (0, 0.0, 11.0, "The API asks to wait 11 s (--patience 10): it is at its MAX."),
        (4, 0.0, 7.0, "The API asks to wait 7 s (--patience 10): it is at its MAX."),
        (0, 11.0, 3.0, "There is no time for a second try (--patience 10): it is at its MAX."),
        (4, 7.0, None, "The API could not be used for 4 s (--patience 10): it is at its MAX."),
        (4, 10.0, 6.0, "The API could not be used for 4 s (--patience 10): it is at its MAX."),
        (4.25, 7.0, None, "The API could not be used for 4.2 s (--patience 10): it is at its MAX."),
        (10, 0.0, None, "The API could not be used for 10 s (--patience 10): it is at its MAX."),
    ],
)  # fmt: skip
def test_the_end_of_patience_says_what_is_true(
    clock: FakeClock, begun: float, least: float, asked: float | None, said: str
) -> None:
    patience = Patience(clock, 10)
    if begun:
        patience.back_off(0.0, "HTTP 503")
        clock.advance(begun)
    with pytest.raises(StoppedError) as caught:
        patience.back_off(least, "it is at its MAX. ", asked)
    assert caught.value.message == said


def test_a_wish_that_just_fits_is_waited_for(clock: FakeClock) -> None:
    patience = Patience(clock, 10)
    assert patience.back_off(0.0, "HTTP 503", 10.0) == 10.0
    assert Patience(clock, 10).back_off(10.0, "busy") == 10.0


def test_an_answer_ends_the_trouble(clock: FakeClock) -> None:
    patience = Patience(clock, 10)
    for _ in range(5):
        assert patience.back_off(0.0, "HTTP 503") == 1.0
        assert patience.in_trouble
        clock.advance(8)
        patience.answered()
        assert not patience.in_trouble


def test_refusals_of_requests_that_were_in_flight_together_count_once(clock: FakeClock) -> None:
    patience = Patience(clock, 100)
    assert [patience.back_off(0.0, "HTTP 429") for _ in range(8)] == [1.0] * 8
    clock.advance(1)
    assert [patience.back_off(0.0, "HTTP 429") for _ in range(8)] == [2.0] * 8


def test_the_last_wait_ends_with_patience(clock: FakeClock) -> None:
    patience = Patience(clock, 0.4)
    assert patience.back_off(0.0, "HTTP 503") == 0.4
    clock.advance(0.4)
    with pytest.raises(StoppedError):
        patience.back_off(0.0, "HTTP 503")


def test_no_patience_is_no_second_try(clock: FakeClock) -> None:
    with pytest.raises(StoppedError):
        Patience(clock, 0).back_off(0.0, "HTTP 503")


@pytest.mark.parametrize("boot", ["a-boot", ""])
@pytest.mark.parametrize("change", [-HOUR, HOUR])
def test_patience_is_not_changed_by_the_wall_clock(
    clock: FakeClock, change: float, boot: str
) -> None:
    clock.boot = boot
    patience = Patience(clock, 10)
    patience.back_off(0.0, "HTTP 503")
    clock.wall += change
    clock.advance(9)
    assert patience.back_off(0.0, "HTTP 503") == 1.0


# --- whole runs at the vendor's pace ---


def office(tmp_path: Path, clock: FakeClock, vendor: ServerHandle) -> Office:
    return Office(tmp_path, clock, vendor.url)


@pytest.mark.parametrize("server_seconds", [0.0, 0.8, 12.0])
def test_450_leads_by_bulk_add_take_two_paces_and_the_servers_time(
    tmp_path: Path, clock: FakeClock, server_seconds: float
) -> None:
    with slow_vendor(clock, server_seconds) as vendor:
        desk, begun = office(tmp_path, clock, vendor), clock.mono
        assert desk.run("bulk-add", 450).counts == {State.ACCEPTED: 450}
        requests = vendor.sandbox.requests
        assert [request.rows for request in requests] == [200, 200, 50]
        assert vendor.sandbox.violations == ()
        taken, bound = clock.mono - begun, 2 * 30 + 3 * server_seconds
        assert bound <= taken + 1e-6
        assert taken <= 1.001 * bound
        for before, after in pairwise(requests):
            assert after.arrived - (before.answered or 0.0) >= 30 - 1e-6


def test_the_pace_holds_between_runs(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        desk = office(tmp_path, clock, vendor)
        desk.run("bulk-add", 10)
        clock.advance(5)
        clock.wall -= HOUR
        assert desk.run("bulk-add", 10, start=10).counts == {State.ACCEPTED: 10}
        assert desk.waits == [("pace", 25.0)]
        assert vendor.sandbox.violations == ()


def test_250_leads_by_schedule_take_3_requests_and_one_token(
    tmp_path: Path, clock: FakeClock
) -> None:
    with slow_vendor(clock, 0.5) as vendor:
        desk = office(tmp_path, clock, vendor)
        assert desk.run("schedule", 250).counts == {State.ACCEPTED: 250}
        assert [request.rows for request in vendor.sandbox.requests] == [100, 100, 50]
        assert len(vendor.sandbox.token_calls) == 1
        assert desk.waits == []


def test_1200_leads_by_v4_take_3_requests(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock, 1.0) as vendor:
        desk, begun = office(tmp_path, clock, vendor), clock.mono
        assert desk.run("bulk-add", 1200, "v4").counts == {State.QUEUED: 1200}
        assert [request.rows for request in vendor.sandbox.requests] == [500, 500, 200]
        assert vendor.sandbox.violations == ()
        assert clock.mono - begun <= 1.001 * (2 * 12 + 3)


def test_4000_leads_by_v4_never_break_its_minute(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        assert office(tmp_path, clock, vendor).run("bulk-add", 4000, "v4").exit_code == 0
        assert len(vendor.sandbox.requests) == 8
        assert vendor.sandbox.violations == ()


def test_trouble_is_waited_for_with_a_growing_wait(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave("http-503@1-3", "http-429=200@4")
        desk = office(tmp_path, clock, vendor)
        desk.patience = 1000
        assert desk.run("bulk-add", 10).counts == {State.ACCEPTED: 10}
        waits = [("pace", 30.0), ("retry", 60.0), ("retry", 60.0), ("retry", 200.0)]
        assert desk.waits == waits
        assert desk.run("schedule", 10).exit_code == 0


def test_patience_ends_a_run_that_goes_on_later(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave("http-503")
        desk, begun = office(tmp_path, clock, vendor), clock.mono
        summary = desk.run("bulk-add", 10)
        assert (summary.exit_code, summary.counts) == (7, {State.READY: 10})
        assert 270 <= clock.mono - begun <= 300
        vendor.sandbox.behave()
        assert desk.run("bulk-add", 10).counts == {State.ACCEPTED: 10}


def test_a_server_that_is_down_is_tried_without_the_pace(tmp_path: Path, clock: FakeClock) -> None:
    desk = Office(tmp_path, clock, closed_port(), patience=20)
    assert desk.run("bulk-add", 10).exit_code == 7
    assert [seconds for _, seconds in desk.waits] == [1, 2, 4, 8, 5]


def test_the_retry_after_of_a_run_that_gave_up_does_not_hold_the_next_one(
    tmp_path: Path, clock: FakeClock
) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave("http-503=86400@1")
        desk = office(tmp_path, clock, vendor)
        assert desk.run("schedule", 10).exit_code == 7
        assert desk.run("schedule", 10).exit_code == 0
        assert desk.waits == []


def test_a_refused_request_is_a_batch_of_its_own(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave("busy@1")
        desk = office(tmp_path, clock, vendor)
        desk.run("bulk-add", 10)
    with closing(sqlite3.connect(desk.ledger)) as ledger, ledger:
        outcomes = [row[0] for row in ledger.execute("SELECT outcome FROM batches ORDER BY id")]
        states = {row[0] for row in ledger.execute("SELECT DISTINCT state FROM rows")}
    assert outcomes == ["refused", "answered"]
    assert states == {"accepted"}
