"""The ledger as a whole: status, upgrade and copy, on either database."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from ozodial.database import open_engine
from ozodial.errors import LedgerError, UsageError
from ozodial.schema import VERSION, tables
from ozodial.upkeep import copy, status, upgrade
from tests.book import Book
from tests.command import Desk, sheet
from tests.conftest import FakeClock
from tests.harness.audit import query
from tests.harness.server import Postgres

PHONES = [f"98100000{i:02}" for i in range(20)]


@pytest.fixture
def other(place: str, tmp_path: Path, postgres: Postgres) -> str:
    """An empty place of the other kind."""
    return str(tmp_path / "copied.db") if "://" in place else postgres.database()


def add_colour(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN colour TEXT")


def break_half_way(connection: Connection) -> None:
    add_colour(connection)
    connection.exec_driver_sql("ALTER TABLE no_such_table ADD COLUMN colour TEXT")


# --- status ---


def test_it_tells_who_is_at_work_and_what_waits(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        first, second = desk.run(PHONES), desk.run(PHONES, campaign="Holi")
        desk.send(first)
        desk.claim(second, 4)
        clock.advance(7)
        found = status(other.ledger)
    assert found.place.partition("?")[0] == str(book.path).partition("?")[0]
    assert found.bytes > 10_000
    assert found.version == VERSION
    assert found.runs == {"open": 1, "finished": 1}
    assert found.rows == {"accepted": 20, "sending": 4, "ready": 16}
    assert [lease.in_flight for lease in found.leases] == [1, 0]
    assert [lease.renewed for lease in found.leases] == [7.0, 7.0]
    assert (found.waiting_run, found.waiting_row) == (second.id, 6)
    assert found.waiting_since == clock.wall - 7


def test_the_command_tells_it_too(desk: Desk, place: str) -> None:
    desk.write("leads.csv", sheet(120))
    assert desk.run("bulk-add", "leads.csv", OZODIAL_LEDGER=place).code == 0
    told = desk.run("ledger", "status", OZODIAL_LEDGER=place)
    assert told.code == 0
    assert "rows:    120 accepted" in told.out
    assert "at work: nobody" in told.out
    record = json.loads(desk.run("ledger", "status", "--json", OZODIAL_LEDGER=place).out)
    assert record["rows"] == {"accepted": 120}
    assert record["oldest_waiting"] is None
    assert ("PostgreSQL" in record["database"]) == ("://" in place)


def test_a_password_is_not_told(desk: Desk) -> None:
    url = "postgresql+psycopg://ops:s3cret@127.0.0.1:1/ledger"
    told = desk.run("ledger", "status", OZODIAL_LEDGER=url)
    assert told.code == 6
    assert "s3cret" not in told.out + told.err
    assert "next: see that the server runs" in told.err


# --- upgrade ---


def test_one_transaction_or_nothing(place: str) -> None:
    open_engine(place).dispose()
    with pytest.raises(LedgerError, match="no_such_table"):
        upgrade(place, {VERSION: break_half_way}, VERSION + 1)
    assert query(place, "SELECT value FROM meta") == [(str(VERSION),)]
    upgrade(place, {VERSION: add_colour}, VERSION + 1)
    assert query(place, "SELECT value FROM meta") == [(str(VERSION + 1),)]
    assert query(place, "SELECT colour FROM runs") == []


def test_refused_while_somebody_is_at_work(place: str, tmp_path: Path) -> None:
    from ozodial.clock import SystemClock
    from ozodial.ledger import Ledger

    ledger = Ledger.open(place, SystemClock())
    with ledger.lease(), pytest.raises(LedgerError, match="in use by process"):
        upgrade(place, {VERSION: add_colour}, VERSION + 1)
    target = tmp_path / "copy.db"
    with ledger.lease(), pytest.raises(LedgerError, match="in use by process"):
        copy(ledger, str(target))
    assert not target.exists()
    ledger.close()
    assert query(place, "SELECT value FROM meta") == [(str(VERSION),)]
    upgrade(place, {VERSION: add_colour}, VERSION + 1)


def test_a_shared_one_is_not_upgraded_by_the_way(postgres: Postgres) -> None:
    """Other hosts may still have the older ozodial."""
    place = postgres.database()
    open_engine(place).dispose()
    with pytest.raises(LedgerError, match="of an older ozodial") as told:
        open_engine(place, {VERSION: add_colour}, VERSION + 1)
    assert told.value.hint == "ozodial ledger upgrade"


def test_nothing_to_do_is_no_error(desk: Desk, place: str) -> None:
    told = desk.run("ledger", "upgrade", OZODIAL_LEDGER=place)
    assert (told.code, told.out) == (0, "")
    assert f"version {VERSION}" in told.err


# --- copy ---


def content(place: str) -> dict[str, Sequence[object]]:
    return {
        table.name: sorted(
            (
                tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                for row in query(place, f"SELECT * FROM {table.name}")
            ),
            key=repr,
        )
        for table in tables.sorted_tables
    }


def test_there_and_back(
    book: Book, other: str, clock: FakeClock, tmp_path: Path, postgres: Postgres
) -> None:
    place = str(book.path)
    with book.opened() as desk:
        first = desk.run([*PHONES, "नमस्ते", "\\N"])
        desk.send(first)
        second = desk.run(PHONES[:5], campaign="Holi")
    ledger = book.ledger()
    counts = copy(ledger, other)
    ledger.close()
    assert counts["rows"] == 27
    assert counts["deliveries"] == 22
    assert _plain(content(other)) == _plain(content(place))

    back = postgres.database() if "://" in place else str(tmp_path / "back.db")
    with Book(other, clock, made=10).opened() as desk:
        # numbers go on where they were
        assert desk.run(PHONES[5:]).id == second.id + 1
        assert desk.send(second).rows
        assert desk.claim(first).rows == ()
    ledger = Book(other, clock).ledger()
    assert copy(ledger, back)["runs"] == 3
    ledger.close()
    assert _plain(content(back)) == _plain(content(other))


def _plain(found: dict[str, Sequence[object]]) -> dict[str, list[str]]:
    """SQLite has no booleans of its own."""
    return {
        name: sorted(repr(row).replace("True", "1").replace("False", "0") for row in kept)
        for name, kept in found.items()
    }


def test_a_place_with_runs_is_left_alone(book: Book, other: str, clock: FakeClock) -> None:
    for at in (book, Book(other, clock)):
        with at.opened() as desk:
            desk.run(PHONES)
    before = content(other)
    ledger = book.ledger()
    with pytest.raises(LedgerError, match="has runs already"):
        copy(ledger, other)
    ledger.close()
    assert content(other) == before


def test_onto_itself_it_is_not_copied(book: Book, tmp_path: Path) -> None:
    place = str(book.path)
    same = f"{place}&application_name=x" if "://" in place else f"{tmp_path}/../{tmp_path.name}"
    ledger = book.ledger()
    with pytest.raises(UsageError, match="onto itself"):
        copy(ledger, same if "://" in place else f"{same}/ledger.db")
    ledger.close()


def test_the_command_copies_and_says_what_follows(desk: Desk, place: str, other: str) -> None:
    desk.write("leads.csv", sheet(120))
    assert desk.run("bulk-add", "leads.csv", OZODIAL_LEDGER=place).code == 0
    told = desk.run("ledger", "copy", other, OZODIAL_LEDGER=place)
    assert told.code == 0, told.err
    assert "120 rows" in told.out
    assert "use one of the two only" in told.err
    again = desk.run("bulk-add", "leads.csv", "--json", OZODIAL_LEDGER=other)
    assert again.summary["accepted"] == 120
    assert again.of("batch") == []
