"""Turns: the pace holds across processes, restarts and clocks that are set."""

import pytest

from ozodial.claims import BatchResult
from ozodial.models import Outcome, State
from ozodial.slots import POLL_SECONDS, SlotKey, Slots, Turn, answered
from tests.book import FREE, KEY, Book, Desk
from tests.conftest import FakeClock

PACE = 30.0


def take(desk: Desk, key: SlotKey = KEY, pace: float = PACE) -> Turn:
    return Slots(desk.ledger).take(key, pace, 60.0)


def answer(desk: Desk, key: SlotKey = KEY, delay: float = 0.0, owner: int | None = None) -> None:
    with desk.ledger.write() as connection:
        now = desk.ledger.clock.instant()
        answered(connection, key, now, delay, desk.ledger.owner if owner is None else owner)


def test_the_pace_counts_from_the_last_answer(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        assert take(desk) == Turn(0.0)
        clock.advance(7)
        answer(desk)
        assert take(desk) == Turn(30.0, "pace")
        clock.advance(29.5)
        assert take(desk) == Turn(0.5, "pace")
        clock.advance(0.5)
        assert take(desk) == Turn(0.0)


def test_it_holds_for_the_next_process_and_after_a_boot(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        take(desk)
        answer(desk)
    clock.advance(10)
    with book.opened() as desk:
        assert take(desk) == Turn(20.0, "pace")
    clock.boot, clock.mono = "the-next-boot", 3.0
    clock.wall += 5
    with book.opened() as desk:
        assert take(desk) == Turn(15.0, "pace")


def test_one_request_at_a_time(book: Book) -> None:
    with book.opened() as desk, book.opened() as other:
        assert take(desk) == Turn(0.0)
        assert take(other) == Turn(POLL_SECONDS, "busy")
        assert take(desk) == Turn(0.0)  # whose turn it is may ask again
        answer(desk)
        assert take(other) == Turn(30.0, "pace")


def test_accounts_and_endpoints_have_turns_of_their_own(book: Book) -> None:
    with book.opened() as desk, book.opened() as other:
        assert take(desk) == Turn(0.0)
        assert take(other, SlotKey("ops@host", "bulk-add v4", True)) == Turn(0.0)
        assert take(other, SlotKey("asha@host", "bulk-add v1", True)) == Turn(0.0)


def test_without_a_pace_nobody_waits_for_anybody(book: Book) -> None:
    with book.opened() as desk, book.opened() as other:
        for at in (desk, other, desk):
            assert take(at, FREE, 0.0) == Turn(0.0)
            answer(at, FREE)
        assert desk.all("SELECT owner_id FROM slots") == [(None,)]


@pytest.mark.parametrize("key", [KEY, FREE])
def test_the_vendor_asks_all_to_wait(book: Book, clock: FakeClock, key: SlotKey) -> None:
    with book.opened() as desk, book.opened() as other:
        take(desk, key, 0.0)
        answer(desk, key, delay=90)
        clock.advance(60)
        assert take(other, key, 0.0) == Turn(30.0, "retry")
        clock.advance(30)
        assert take(other, key, 0.0) == Turn(0.0)


def test_the_longer_wait_counts(book: Book) -> None:
    with book.opened() as desk:
        take(desk)
        answer(desk, delay=10)
        assert take(desk) == Turn(30.0, "pace")
        assert take(desk, pace=5) == Turn(10.0, "retry")


def test_a_turn_that_was_not_used_changes_nothing(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        take(desk)
        answer(desk)
        clock.advance(40)
        assert take(desk) == Turn(0.0)
        Slots(other.ledger).give_back(KEY)  # not theirs to give
        assert take(other) == Turn(POLL_SECONDS, "busy")
        Slots(desk.ledger).give_back(KEY)
        assert take(other) == Turn(0.0)


# --- clocks ---


def test_a_clock_set_back_within_a_boot_changes_nothing(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        take(desk)
        answer(desk)
        clock.wall -= 3_600
        clock.advance(10)
        assert take(desk) == Turn(20.0, "pace")


@pytest.mark.parametrize("key", [KEY, FREE])
def test_a_clock_set_back_over_a_boot_waits_one_pace_and_no_more(
    book: Book, clock: FakeClock, key: SlotKey
) -> None:
    with book.opened() as desk:
        take(desk, key)
        answer(desk, key, delay=20)
    clock.boot, clock.mono = "the-next-boot", 3.0
    clock.wall -= 3_600
    with book.opened() as desk:
        assert take(desk, key) == Turn(30.0, "pace")
        clock.advance(12)
        assert take(desk, key) == Turn(18.0, "pace")
        clock.advance(18)
        assert take(desk, key) == Turn(0.0)


def test_a_clock_set_forward_a_day_over_a_boot(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        take(desk)
        answer(desk)
    clock.boot, clock.mono = "the-next-boot", 3.0
    clock.wall += 86_400
    with book.opened() as desk:
        assert take(desk) == Turn(0.0)
        answer(desk)
        assert take(desk) == Turn(30.0, "pace")


def test_tokens_asked_for_in_the_future_count_for_an_hour_at_most(
    book: Book, clock: FakeClock
) -> None:
    with book.opened() as desk:
        slots = Slots(desk.ledger)
        for _ in range(10):
            assert slots.begin_renewal("ops@host", None) == Turn(0.0)
            slots.finish_renewal("ops@host", None, 0.0)
        clock.boot, clock.mono = "the-next-boot", 3.0
        clock.wall -= 86_400
        assert slots.begin_renewal("ops@host", None) == Turn(3_600.0, "retry")
        clock.advance(3_599)
        assert slots.begin_renewal("ops@host", None) == Turn(1.0, "retry")
        clock.advance(1)
        assert slots.begin_renewal("ops@host", None) == Turn(0.0)


# --- the dead and the frozen ---


def test_a_dead_process_s_turn_ends_when_it_is_found_dead(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        take(desk)
        clock.advance(31)
        other.ledger.reap()
        assert take(other) == Turn(30.0, "pace")


def test_or_when_it_would_have_given_up_by_itself(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        take(desk)
        clock.advance(75)
        other.ledger.reap()
        assert take(other) == Turn(15.0, "pace")


def test_a_late_answer_does_not_end_somebody_elses_turn(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other, book.opened() as third:
        run = desk.run(["9810000000"])
        take(desk)
        claim = desk.claim(run)
        clock.advance(200)
        other.ledger.reap()
        assert take(other) == Turn(0.0)
        outcome = [Outcome(2, State.ACCEPTED)]
        result = BatchResult("answered", 200.0, clock.instant())
        assert desk.of(run).record(claim, outcome, result, KEY) == outcome
        third.ledger.reap()
        assert take(third) == Turn(POLL_SECONDS, "busy")


def test_answers_may_be_recorded_in_another_order(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        early = clock.instant()
        clock.advance(5)
        answer(desk, FREE)
        with desk.ledger.write() as connection:
            answered(connection, FREE, early, 0.0, desk.ledger.owner)
        assert take(desk, FREE) == Turn(30.0, "pace")
