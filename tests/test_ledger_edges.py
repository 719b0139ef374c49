"""The ledger's rare moments: a process stood still, a write fails, a fact is a bug."""

import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from ozodial.errors import LedgerFullError, StoppedError
from ozodial.keys import settle_keys
from ozodial.models import Outcome, State
from ozodial.schema import meta
from ozodial.staging import CHUNK
from tests.book import Book, staged
from tests.conftest import FakeClock


def test_a_process_that_stood_still_while_it_staged_says_so(book: Book, clock: FakeClock) -> None:
    with book.opened() as frozen, book.opened() as other:
        run_id = frozen.staging.begin(frozen.new_run())
        assert run_id is not None
        parts = frozen.staging.add(run_id, staged(f"98{n:08}" for n in range(CHUNK + 1)))
        assert next(parts) == CHUNK
        clock.advance(31)
        other.ledger.reap()
        with pytest.raises(StoppedError, match="stood still for so long"):
            next(parts)
        with pytest.raises(StoppedError, match="stood still for so long"):
            frozen.staging.finish(run_id)
        assert other.all("SELECT count(*) FROM runs") == [(0,)]
        assert other.all("SELECT count(*) FROM rows") == [(0,)]


def test_a_fact_that_can_not_be_is_a_bug_and_no_full_disk(book: Book) -> None:
    with book.opened() as desk:
        with pytest.raises(sa.exc.IntegrityError), desk.ledger.write() as connection:
            connection.execute(meta.insert().values(name="version", value="again"))
        assert len(desk.all("SELECT * FROM meta")) == 1


def test_a_lease_that_could_not_be_renewed_is_renewed_as_soon_as_it_can(
    tmp_path: Path, clock: FakeClock
) -> None:
    path = tmp_path / "ledger.db"
    with Book(path, clock, lease_seconds=0.09).opened() as desk:
        elsewhere = path.rename(path.with_name("elsewhere.db"))
        threading.Event().wait(0.2)  # some renewals
        with pytest.raises(LedgerFullError, match="moved or deleted"), desk.ledger.write(""):
            raise AssertionError("the file is not there")
        clock.advance(10)
        elsewhere.rename(path)
        with closing(Book(path, clock).ledger()) as other, other.read() as connection:
            renewed = sa.text("SELECT renewed_mono FROM owners")
            while connection.scalar(renewed) != 5_010.0:
                connection.rollback()
                threading.Event().wait(0.01)


def test_a_lock_that_another_process_keeps_is_a_sentence(book: Book) -> None:
    postgres = "://" in str(book.path)
    with closing(book.ledger()) as ours, closing(book.ledger()) as theirs:
        with ours.read() as connection:  # not a whole minute
            soon = "SET lock_timeout = '50ms'" if postgres else "PRAGMA busy_timeout = 50"
            connection.exec_driver_sql(soon)
            connection.commit()
        with (
            theirs.write(),
            pytest.raises(LedgerFullError, match="has kept the ledger locked"),
            ours.write(),
        ):
            raise AssertionError("two wrote at once")
        with ours.write() as connection:
            connection.execute(meta.insert().values(name="mine", value="now"))


def test_a_row_does_not_give_back_another_rows_key(book: Book) -> None:
    with book.opened() as desk:
        run = desk.run(["9810000001", "9810000001"])
        (lead,) = desk.claim(run).rows
        with desk.ledger.write() as connection:
            again = [lead._replace(row=3)]
            assert settle_keys(connection, run, [Outcome(3, State.REJECTED)], again)
        assert desk.all('SELECT state, "row" FROM deliveries') == [("sending", 2)]
