"""Runs: staged whole or not at all, found again, cancelled."""

from collections.abc import Iterator

import pytest

from ozodial.errors import StoppedError, UsageError
from ozodial.models import StagedRow, State
from ozodial.staging import CHUNK
from tests.book import Book, staged
from tests.conftest import FakeClock

PHONES = [f"98100000{i:02}" for i in range(20)]


def test_a_run_comes_out_as_it_went_in(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        run = desk.run(PHONES)
        new = desk.new_run()
        assert (run.target, run.api, run.file, run.state) == (new.target, "", "leads.csv", "open")
        assert (run.header, run.columns, run.options) == (new.header, new.columns, new.options)
        assert run.created == clock.wall
        assert desk.states(run) == {"ready": 20}
        assert run.resume_command == "ozodial resume 1"


def test_runs_of_one_target_share_it(book: Book) -> None:
    with book.opened() as desk:
        first, second = desk.run(PHONES[:2]), desk.run(PHONES[2:4])
        other = desk.run(PHONES, campaign="Holi")
        assert first.target_id == second.target_id != other.target_id


def test_the_same_command_finds_its_run(book: Book) -> None:
    with book.opened() as desk:
        new = desk.new_run()
        assert desk.staging.find(new.fingerprint) is None
        run_id = desk.staging.begin(new)
        assert run_id is not None
        assert desk.staging.find(new.fingerprint) == (run_id, True)
        assert desk.staging.begin(new) is None
        desk.staging.finish(run_id)
        assert desk.staging.find(new.fingerprint) == (run_id, False)
        assert desk.staging.begin(new) is None
        desk.staging.cancel(run_id)
        assert desk.staging.find(new.fingerprint) is None
        assert desk.staging.begin(new) == run_id + 1


def test_what_a_row_has_not_is_null_and_every_row_is_there(book: Book) -> None:
    with book.opened() as desk:
        run_id = desk.staging.begin(desk.new_run())
        assert run_id is not None
        rows = [row._replace(name=f"Lead {row.row}") for row in many(113)]
        rows[7] = rows[7]._replace(reason="", message="", remark="", name="")
        rows[60] = rows[60]._replace(state="invalid", reason="phone_invalid", lead_hash=None)
        rows[61] = rows[61]._replace(message='B63: "x" is odd', remark="extension 5 was left out")
        assert list(desk.staging.add(run_id, rows)) == [113]
        columns = ", ".join(f'"{name}"' for name in StagedRow._fields)
        kept = desk.all(f"SELECT {columns} FROM rows ORDER BY 1")
        wanted = [tuple(row) for row in rows]
        wanted[7] = (*rows[7][:2], None, None, *rows[7][4:10], None)
        assert kept == wanted


def test_a_run_that_was_never_opened_leaves_nothing(book: Book) -> None:
    with book.opened() as desk:
        run_id = desk.staging.begin(desk.new_run())
        assert run_id is not None
        list(desk.staging.add(run_id, staged(PHONES)))
        desk.staging.discard(run_id)
        assert desk.all("SELECT * FROM runs") == []
        assert desk.all("SELECT * FROM rows") == []
        assert desk.run(PHONES).id == run_id + 1  # a number is never given twice


def test_a_run_that_was_opened_can_not_be_discarded(book: Book) -> None:
    with book.opened() as desk:
        run = desk.run(PHONES)
        desk.staging.discard(run.id)
        assert desk.states(run) == {"ready": 20}


def test_a_dead_process_s_half_run_is_discarded(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        new = desk.new_run()
        run_id = desk.staging.begin(new)
        assert run_id is not None
        rows = desk.staging.add(run_id, many(CHUNK + 2_000))
        assert next(rows) == CHUNK
        clock.advance(31)
        other.ledger.reap()
        assert other.all("SELECT * FROM rows") == []
        assert other.staging.begin(new) == run_id + 1
        # the frozen process notices before it writes more
        with pytest.raises(StoppedError, match="half-staged run was discarded"):
            next(rows)
        for step in (desk.staging.finish, desk.staging.preview):
            with pytest.raises(StoppedError):
                step(run_id)
        desk.staging.discard(run_id)
        assert other.staging.find(new.fingerprint) == (run_id + 1, True)


def many(count: int) -> Iterator[StagedRow]:
    return staged(str(9_810_000_000 + i) for i in range(count))


# --- what went in before ---


def test_leads_that_went_in_earlier_are_already_accepted(book: Book) -> None:
    with book.opened() as desk:
        first = desk.run(PHONES[:3])
        desk.send(first, [State.ACCEPTED, State.QUEUED, State.REJECTED])
        second = desk.run(PHONES[:5])
        assert desk.states(second) == {"already_accepted": 2, "ready": 3}
        assert desk.messages(second) == {f"accepted in run {first.id}": 2, None: 3}
        assert desk.states(desk.run(PHONES[:5], campaign="Holi")) == {"ready": 5}
        assert desk.states(desk.run(PHONES[:5], scheduled="2026-12-01 10:00:00")) == {"ready": 5}


def test_unless_they_are_to_be_sent_again(book: Book) -> None:
    with book.opened() as desk:
        desk.send(desk.run(PHONES[:3]))
        assert desk.states(desk.run(PHONES[:5], resend=True)) == {"ready": 5}


def test_a_preview_shows_what_opening_would_do(book: Book) -> None:
    with book.opened() as desk:
        desk.send(desk.run(PHONES[:3]))
        run_id = desk.staging.begin(desk.new_run())
        assert run_id is not None
        list(desk.staging.add(run_id, staged(PHONES[:5])))
        desk.staging.preview(run_id)
        run = desk.staging.run(run_id)
        assert desk.states(run) == {"already_accepted": 3, "ready": 2}
        assert run.state == "staging"
        assert desk.claim(run).rows == ()


# --- which run ---


def test_the_latest_with_rows_to_send(book: Book) -> None:
    with book.opened() as desk:
        assert desk.staging.latest_ready() is None
        first, second, third = desk.run(PHONES[:2]), desk.run(PHONES[2:4]), desk.run(PHONES[4:6])
        desk.send(third)
        assert desk.staging.latest_ready() == second.id
        desk.staging.cancel(second.id)
        assert desk.staging.latest_ready() == first.id


def test_older_unfinished_runs_are_named(book: Book) -> None:
    with book.opened() as desk:
        first = desk.run(PHONES[:2])
        desk.send(desk.run(PHONES[2:4]))
        desk.run(PHONES[4:6], campaign="Holi")
        last = desk.run(PHONES[6:8])
        assert desk.staging.unfinished(last.id) == [(first.id, "leads.csv")]


def test_a_run_that_is_not_there_is_a_sentence(book: Book) -> None:
    with book.opened() as desk:
        for look in (desk.staging.run, desk.staging.cancel):
            with pytest.raises(UsageError, match="no run 7"):
                look(7)


# --- cancelling ---


def test_a_cancelled_run_is_not_sent(book: Book) -> None:
    with book.opened() as desk:
        run = desk.run(PHONES[:5])
        claim = desk.claim(run, 2)
        assert desk.staging.cancel(run.id) == 3
        assert desk.claim(run).rows == ()
        assert not desk.of(run).any_ready()
        desk.record(run, claim, State.ACCEPTED)  # what was in flight counts
        assert desk.states(run) == {"accepted": 2, "ready": 3}
        with pytest.raises(UsageError, match="is cancelled, not open"):
            desk.staging.cancel(run.id)


def test_what_a_cancelled_run_had_not_sent_may_go_elsewhere(book: Book) -> None:
    with book.opened() as desk:
        run = desk.run(PHONES[:5])
        desk.record(run, desk.claim(run, 2), State.ACCEPTED)
        desk.staging.cancel(run.id)
        again = desk.run(PHONES[:5])
        assert desk.states(again) == {"already_accepted": 2, "ready": 3}
        assert len(desk.send(again).rows) == 3
