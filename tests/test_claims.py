"""Claims: the delivery key, what an answer may still settle, and every way of sending again."""

from collections.abc import Iterator

import pytest

from ozodial.models import State
from ozodial.sorting import MOST_SETTLED
from tests.book import NOW, Book, Desk
from tests.conftest import FakeClock

PHONES = [f"98100000{i:02}" for i in range(20)]
LATER = "2026-11-22 18:30:00"

A, R, U, D = State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.DUPLICATE
READY = State.READY


@pytest.fixture
def desk(book: Book) -> Iterator[Desk]:
    with book.opened() as opened:
        yield opened


def rows(claim_rows: object) -> list[int]:
    return [lead.row for lead in claim_rows]  # type: ignore[attr-defined]


def keys(desk: Desk) -> list[tuple[object, ...]]:
    """(state, run, row) of every key, in the order of rows."""
    found = desk.all('SELECT state, run_id, "row" FROM deliveries ORDER BY "row", run_id')
    return [tuple(key) for key in found]


# --- claiming ---


def test_a_claim_is_committed_before_anything_leaves(desk: Desk, book: Book) -> None:
    run = desk.run(PHONES)
    claim = desk.claim(run, 8)
    assert rows(claim.rows) == list(range(2, 10))
    assert claim.rows[0].phone == PHONES[0]
    assert claim.rows[0].values == (PHONES[0], "", "")
    with book.opened() as other:
        assert other.states(run) == {"sending": 8, "ready": 12}
        assert keys(other) == [("sending", run.id, row) for row in range(2, 10)]
        assert other.all("SELECT outcome, rows, number FROM batches") == [("sending", 8, 1)]


def test_two_claims_never_share_a_row(desk: Desk, book: Book) -> None:
    run = desk.run(PHONES)
    with book.opened() as other:
        first, second, third = desk.claim(run, 8), other.claim(run, 8), desk.claim(run, 8)
        claimed = rows(first.rows) + rows(second.rows) + rows(third.rows)
        assert sorted(claimed) == list(range(2, 22))
        assert [first.number, second.number, third.number] == [1, 2, 3]
        assert desk.claim(run).rows == other.claim(run).rows == ()
        assert desk.of(run).in_flight() == (12, 8)
        assert other.of(run).in_flight() == (8, 12)


@pytest.mark.parametrize(
    ("ended", "row", "key"),
    [
        (A, "accepted", [("accepted", 1, 2)]),
        (State.QUEUED, "queued", [("queued", 1, 2)]),
        (U, "unknown", [("unknown", 1, 2)]),
        (D, "duplicate", [("duplicate", 1, 2)]),
        (R, "rejected", []),
        (READY, "ready", []),
    ],
)
def test_the_key_is_kept_while_the_lead_is_in_or_may_be(
    desk: Desk, ended: State, row: str, key: object
) -> None:
    run = desk.run(PHONES[:1])
    desk.send(run, ended)
    assert desk.states(run) == {row: 1}
    assert keys(desk) == key


@pytest.mark.parametrize(
    ("ended", "then", "message"),
    [
        (A, "already_accepted", "accepted in run 1"),
        (State.QUEUED, "already_accepted", "accepted in run 1"),
        (U, "unknown", "run 1 sent this lead (row 2) and got no readable answer"),
        (D, "duplicate", "the vendor said in run 1 that it has this lead"),
        (R, "sending", None),
        (READY, "sending", None),
    ],
)
def test_what_another_run_did_meanwhile_settles_a_lead(
    desk: Desk, ended: State, then: str, message: str | None
) -> None:
    first, second = desk.run(PHONES[:1]), desk.run(PHONES[:1])
    desk.send(first, ended)
    claim = desk.claim(second)
    assert desk.states(second) == {then: 1}
    assert set(desk.messages(second)) == {message}
    assert [(row.state, row.message) for row in claim.settled] == (
        [(then, message)] if message else []
    )


def test_a_lead_in_flight_elsewhere_waits(desk: Desk) -> None:
    first, second = desk.run(PHONES[:3]), desk.run(PHONES[1:6])
    flying = desk.claim(first)
    claim = desk.claim(second)
    assert rows(claim.rows) == [4, 5, 6]
    assert claim.blocked == 2
    assert desk.claim(second).blocked == 2
    desk.record(first, flying, [A, R, A])
    claim = desk.claim(second)
    assert rows(claim.rows) == [2]
    assert [row.row for row in claim.settled] == [3]


def test_other_campaigns_and_times_are_other_leads(desk: Desk) -> None:
    for run in (
        desk.run(PHONES[:1]),
        desk.run(PHONES[:1], campaign="Holi"),
        desk.run(PHONES[:1], scheduled=LATER),
        desk.run(PHONES[:1], expiry=LATER),
    ):
        assert len(desk.claim(run).rows) == 1


def test_the_same_lead_twice_in_a_file_goes_once(desk: Desk) -> None:
    """Reading a file finds its duplicates; the ledger does not rely on it."""
    run = desk.run([PHONES[0], PHONES[1], PHONES[0], PHONES[2], PHONES[1]])
    claim = desk.claim(run, 3)
    assert rows(claim.rows) == [2, 3, 5]
    desk.record(run, claim, A)
    desk.claim(run)
    assert desk.states(run) == {"accepted": 3, "duplicate": 2}


def test_not_even_with_resend(desk: Desk) -> None:
    run = desk.run([PHONES[0], PHONES[0]], resend=True)
    desk.record(run, desk.claim(run, 1), A)
    assert desk.claim(run).rows == ()
    assert desk.states(run) == {"accepted": 1, "duplicate": 1}


def test_what_is_settled_at_the_claim_is_committed_a_portion_at_a_time(desk: Desk) -> None:
    phones = [str(9_820_000_000 + i) for i in range(MOST_SETTLED + 700)]
    second = desk.run(phones)
    first = desk.run(phones)
    while desk.send(first).rows:
        pass
    settled = [len(desk.claim(second).settled) for _ in range(3)]
    assert settled == [MOST_SETTLED, 700, 0]
    assert desk.states(second) == {"already_accepted": len(phones)}


# --- times ---


@pytest.mark.parametrize(("scheduled", "expiry"), [(LATER, ""), (LATER, LATER), ("", LATER)])
def test_a_time_that_has_passed_since_is_not_sent(desk: Desk, scheduled: str, expiry: str) -> None:
    run = desk.run(PHONES[:3], scheduled=scheduled, expiry=expiry)
    claim = desk.claim(run, 1)
    assert len(claim.rows) == 1
    desk.record(run, claim, READY)
    settled = desk.claim(run, past=LATER).settled
    assert {row.reason for row in settled} == {"time_past" if scheduled else "expiry_past"}
    assert desk.states(run) == {"invalid": 3}
    assert f"{LATER} has passed since the file was read" in str(next(iter(desk.messages(run))))
    assert keys(desk) == []


# --- refused as a whole ---


def test_a_refused_batch_is_halved_until_the_guilty_row_stands_alone(desk: Desk) -> None:
    run = desk.run(PHONES[:8])
    guilty, sizes = 5, []
    while (claim := desk.claim(run)).rows:
        sizes.append(len(claim.rows))
        if guilty not in rows(claim.rows):
            desk.record(run, claim, A)
        elif len(claim.rows) == 1:
            desk.record(run, claim, R)
        else:
            desk.record(run, claim, READY, split=True)
    assert sizes == [8, 4, 2, 2, 1, 1, 4]
    assert desk.states(run) == {"accepted": 7, "rejected": 1}


def test_rows_under_suspicion_do_not_hold_up_the_others(desk: Desk) -> None:
    run, other = desk.run(PHONES[:4]), desk.run(PHONES[:2])
    desk.record(run, desk.claim(run), READY, split=True)
    flying = desk.claim(other)
    claim = desk.claim(run)
    assert (rows(claim.rows), claim.blocked) == ([4, 5], 2)
    desk.record(other, flying, R)
    assert rows(desk.claim(run).rows) == [2, 3]


# --- --resend ---


def test_resend_takes_a_lead_over(desk: Desk) -> None:
    first = desk.run(PHONES[:2])
    desk.send(first)
    second = desk.run(PHONES[:2], resend=True)
    desk.send(second)
    assert desk.states(second) == {"accepted": 2}
    assert keys(desk) == [("accepted", second.id, 2), ("accepted", second.id, 3)]
    assert desk.states(desk.run(PHONES[:2])) == {"already_accepted": 2}


@pytest.mark.parametrize("ended", [R, READY, D])
def test_a_lead_refused_the_second_time_is_the_earlier_run_s_again(
    desk: Desk, ended: State
) -> None:
    first = desk.run(PHONES[:1])
    desk.send(first)
    second = desk.run(PHONES[:1], resend=True)
    desk.send(second, ended)
    assert keys(desk) == [("accepted", first.id, 2)]
    assert desk.states(desk.run(PHONES[:1])) == {"already_accepted": 1}


def test_resend_waits_for_a_request_in_flight_and_for_doubts(desk: Desk) -> None:
    first = desk.run(PHONES[:2])
    flying = desk.claim(first)
    second = desk.run(PHONES[:2], resend=True)
    assert desk.claim(second).blocked == 2
    desk.record(first, flying, U)
    assert desk.claim(second).rows == ()
    assert desk.states(second) == {"unknown": 2}


def test_resends_of_resends_give_back_one_after_the_other(desk: Desk) -> None:
    runs = [desk.run(PHONES[:1], resend=True) for _ in range(3)]
    desk.send(runs[0])
    desk.send(runs[1], U)
    desk.of(runs[1]).make_unknown_ready()
    desk.send(runs[1], R)
    assert keys(desk) == [("accepted", runs[0].id, 2)]
    desk.send(runs[2], READY)
    assert keys(desk) == [("accepted", runs[0].id, 2)]
    desk.send(runs[2])
    assert keys(desk) == [("accepted", runs[2].id, 2)]


# --- --resend-unknown ---


def test_unknown_rows_are_sent_again_when_a_person_says_so(desk: Desk) -> None:
    run = desk.run(PHONES[:3])
    desk.send(run, [A, U, R])
    assert desk.claim(run).rows == ()
    assert desk.of(run).make_unknown_ready() == 1
    assert desk.of(run).make_unknown_ready() == 0
    assert desk.states(run) == {"accepted": 1, "ready": 1, "rejected": 1}
    assert rows(desk.send(run).rows) == [3]
    assert desk.states(run) == {"accepted": 2, "rejected": 1}
    assert keys(desk) == [("accepted", run.id, 2), ("accepted", run.id, 3)]


def test_nobody_else_sends_them_meanwhile(desk: Desk) -> None:
    """The doubt stays, whatever becomes of the second try, until an answer ends it."""
    run, other = desk.run(PHONES[:1]), desk.run(PHONES[:1])
    desk.send(run, U)
    desk.of(run).make_unknown_ready()
    assert desk.claim(other).rows == ()
    assert desk.states(other) == {"unknown": 1}
    desk.send(run, READY)  # refused, connection: nothing arrived this time
    assert keys(desk) == [("unknown", run.id, 2)]
    assert len(desk.send(run).rows) == 1
    assert desk.states(run) == {"accepted": 1}


@pytest.mark.parametrize(("ended", "left"), [(R, []), (D, [("duplicate", 1, 2)])])
def test_an_answer_ends_the_doubt(desk: Desk, ended: State, left: object) -> None:
    run = desk.run(PHONES[:1])
    desk.send(run, U)
    desk.of(run).make_unknown_ready()
    desk.send(run, ended)
    assert keys(desk) == left


def test_in_a_run_whose_leads_are_another_run_s_doubt(desk: Desk) -> None:
    first, second = desk.run(PHONES[:2]), desk.run(PHONES[:2])
    desk.send(first, U)
    desk.claim(second)
    assert desk.states(second) == {"unknown": 2}
    desk.of(second).make_unknown_ready()
    desk.send(second, [A, R])
    assert desk.states(second) == {"accepted": 1, "rejected": 1}
    assert keys(desk) == [("accepted", second.id, 2), ("unknown", first.id, 3)]
    # the first run's rows are still what they were, and are sent once more only if told
    desk.of(first).make_unknown_ready()
    assert rows(desk.send(first).rows) == [3]
    assert desk.states(first) == {"already_accepted": 1, "accepted": 1}


@pytest.mark.parametrize(
    ("ended", "then"), [(A, {"already_accepted": 1}), (R, {"sending": 1}), (U, {"unknown": 1})]
)
def test_a_doubt_that_was_another_run_s_ends_with_it(
    desk: Desk, ended: State, then: object
) -> None:
    first, second = desk.run(PHONES[:1]), desk.run(PHONES[:1])
    desk.send(first, U)
    desk.claim(second)
    desk.of(second).look_again()
    assert desk.states(second) == {"unknown": 1}
    desk.of(first).make_unknown_ready()
    desk.send(first, ended)
    desk.of(second).look_again()
    desk.claim(second)
    assert desk.states(second) == then


def test_ones_own_doubt_does_not_end_by_looking_again(desk: Desk) -> None:
    run = desk.run(PHONES[:1])
    desk.send(run, U)
    desk.of(run).look_again()
    assert desk.states(run) == {"unknown": 1}


# --- lost claims and late answers ---


def test_a_frozen_process_claims_nothing_at_first(desk: Desk, book: Book, clock: FakeClock) -> None:
    with book.opened() as other:
        run = desk.run(PHONES)
        clock.advance(31)
        other.ledger.reap()
        claim = desk.claim(run)
        assert (claim.lost, claim.rows) == (True, ())
        assert len(desk.claim(run).rows) == 20


def test_a_claim_holds_unless_it_was_given_up_on(desk: Desk, book: Book, clock: FakeClock) -> None:
    with book.opened() as other:
        run = desk.run(PHONES)
        claim = desk.claim(run, 8)
        clock.advance(20)
        assert desk.of(run).still_mine(claim)
        clock.advance(20)
        other.ledger.reap()
        assert desk.of(run).still_mine(claim)
        clock.advance(31)
        other.ledger.reap()
        assert not desk.of(run).still_mine(claim)
        desk.of(run).hand_back(claim)
        assert desk.states(run) == {"ready": 20}
        assert keys(desk) == []
        assert desk.all("SELECT outcome FROM batches") == [("not_sent",)]


@pytest.mark.parametrize("ended", [A, R, READY, U])
def test_an_answer_that_comes_late_counts(
    desk: Desk, book: Book, clock: FakeClock, ended: State
) -> None:
    with book.opened() as other:
        run = desk.run(PHONES[:2])
        claim = desk.claim(run)
        clock.advance(31)
        other.ledger.reap()
        assert other.states(run) == {"unknown": 2}
        assert len(desk.record(run, claim, ended)) == 2
        assert other.states(run) == {str(ended): 2}


def test_it_still_does_when_the_rows_only_wait_to_be_sent_again(
    desk: Desk, book: Book, clock: FakeClock
) -> None:
    with book.opened() as other:
        run = desk.run(PHONES[:3])
        claim = desk.claim(run)
        clock.advance(31)
        other.ledger.reap()
        other.of(run).make_unknown_ready()
        kept = desk.record(run, claim, [A, R, U])
        assert [outcome.row for outcome in kept] == [2, 3]  # a person has decided about the doubt
        assert other.states(run) == {"accepted": 1, "rejected": 1, "ready": 1}
        assert rows(other.send(run).rows) == [4]


def test_but_not_when_they_were_claimed_again(desk: Desk, book: Book, clock: FakeClock) -> None:
    with book.opened() as other:
        run = desk.run(PHONES[:2])
        claim = desk.claim(run)
        clock.advance(31)
        other.ledger.reap()
        other.of(run).make_unknown_ready()
        again = other.claim(run, 1)
        assert [outcome.row for outcome in desk.record(run, claim, R)] == [3]
        assert other.states(run) == {"sending": 1, "rejected": 1}
        desk.of(run).hand_back(claim)
        assert other.states(run) == {"sending": 1, "rejected": 1}
        other.record(run, again, A)
        assert other.states(run) == {"accepted": 1, "rejected": 1}
        assert keys(other) == [("accepted", run.id, 2)]


def test_the_rows_of_batches_that_were_given_up_on(
    desk: Desk, book: Book, clock: FakeClock
) -> None:
    with book.opened() as other:
        run, second = desk.run(PHONES[:4]), desk.run(PHONES[4:])
        desk.claim(run, 2)
        desk.claim(second, 2)
        clock.advance(31)
        lost = other.ledger.reap()
        assert len(lost) == 2
        assert [row.row for row in other.of(run).of_batches(lost)] == [2, 3]


def test_past_is_compared_with_the_second(desk: Desk) -> None:
    run = desk.run(PHONES[:1], scheduled=NOW)
    assert desk.claim(run, past="2026-11-22 11:59:59").rows
