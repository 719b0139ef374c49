"""A ledger that can't be written: what is said, what is kept, and who may go on."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from ozodial.clock import boot_id
from ozodial.database import BUSY_SECONDS, open_engine
from ozodial.errors import LedgerFullError, OzodialError
from ozodial.ledger import Ledger
from ozodial.models import Instant
from ozodial.owners import register, this_host
from ozodial.postgres import DatabaseClock
from ozodial.slots import Slots, Turn
from tests.book import KEY, Book, Desk
from tests.conftest import FakeClock
from tests.harness.server import NoServerError, Postgres

PHONES = ["9810000000", "9810000001"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def desk(path: Path, clock: FakeClock) -> Iterator[Desk]:
    with Book(path, clock).opened() as desk:
        yield desk


@contextmanager
def written_by_another(path: Path, ledger: Ledger) -> Iterator[None]:
    """Another process is in the middle of a transaction, and nobody has the patience for it."""
    with ledger.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    with ledger.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 60000")


def test_a_lock_that_lasts_is_a_sentence(desk: Desk, path: Path) -> None:
    run = desk.run(PHONES)
    with written_by_another(path, desk.ledger), pytest.raises(LedgerFullError) as told:
        desk.claim(run)
    assert told.value.message == (
        f"Another process has kept the ledger locked for {BUSY_SECONDS:.0f} s."
    )
    assert told.value.hint == (
        "if one of ozodial is stopped, let it go on (fg, kill -CONT): ozodial resume"
    )
    assert told.value.exit_code == 7
    assert len(desk.claim(run).rows) == 2


def test_reading_waits_for_nobody(desk: Desk, path: Path) -> None:
    run = desk.run(PHONES)
    with written_by_another(path, desk.ledger):
        assert desk.states(run) == {"ready": 2}
        assert desk.of(run).any_ready()
        assert desk.ledger.reap() == []
        assert desk.ledger.abandon() == []


def test_a_full_disk_is_a_sentence(desk: Desk) -> None:
    with desk.ledger.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerFullError) as told:
        desk.run(f"98{number:08}" for number in range(1_000))
    assert told.value.message == "The ledger can't be used any more: database or disk is full."
    assert told.value.hint == "make room or access for the ledger, then: ozodial resume"


def test_a_ledger_that_was_moved_is_a_sentence(desk: Desk, path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(LedgerFullError) as told, desk.ledger.write():
        raise AssertionError("never here")
    path.with_name("elsewhere.db").rename(path)
    assert told.value.message == "The ledger's file was moved or deleted while it was in use."
    assert told.value.hint == "put it back, then: ozodial resume"


def test_a_bug_of_ours_is_no_full_disk(desk: Desk) -> None:
    twice = "INSERT INTO meta VALUES ('version', 'twice')"
    with pytest.raises(sa.exc.IntegrityError), desk.ledger.write() as connection:
        connection.exec_driver_sql(twice)


def raised(desk: Desk, kind: type[sa.exc.DBAPIError], error: psycopg.Error) -> None:
    """A PostgreSQL's error in a transaction, as SQLAlchemy passes it on."""
    with desk.ledger.write():
        raise kind("UPDATE rows", None, error)


@pytest.mark.parametrize(
    ("kind", "error", "message", "hint"),
    [
        (
            sa.exc.OperationalError,
            psycopg.OperationalError("connection refused\n\tIs the server running on X."),
            "The ledger's server can't be reached: connection refused Is the server running on X.",
            "see that it runs, then: ozodial resume",
        ),
        (
            sa.exc.OperationalError,
            psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
            f"Another process has kept the ledger locked for {BUSY_SECONDS:.0f} s.",
            "if one of ozodial is stopped, let it go on (fg, kill -CONT): ozodial resume",
        ),
        (
            sa.exc.ProgrammingError,
            psycopg.errors.InsufficientPrivilege("permission denied for table rows"),
            "The ledger can't be used any more: permission denied for table rows.",
            "make room or access for the ledger, then: ozodial resume",
        ),
    ],
    ids=["away", "locked", "denied"],
)
def test_a_servers_error_is_a_sentence(
    desk: Desk,
    kind: type[sa.exc.DBAPIError],
    error: psycopg.Error,
    message: str,
    hint: str,
) -> None:
    with pytest.raises(OzodialError) as told:
        raised(desk, kind, error)
    assert (told.value.message, told.value.hint) == (message, hint)
    assert isinstance(told.value.__cause__, kind)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (sa.exc.IntegrityError, psycopg.errors.UniqueViolation("duplicate key")),
        (sa.exc.ProgrammingError, psycopg.errors.UndefinedTable("no such table")),
    ],
    ids=["twice", "no table"],
)
def test_a_servers_error_that_is_our_bug_stays_one(
    desk: Desk, kind: type[sa.exc.DBAPIError], error: psycopg.Error
) -> None:
    with pytest.raises(kind):
        raised(desk, kind, error)


def test_an_owner_that_can_not_leave_is_no_owner_any_more(path: Path, clock: FakeClock) -> None:
    ledger = Book(path, clock).ledger()
    with ledger.lease():
        assert ledger.owner > 0
        path.rename(path.with_name("elsewhere.db"))
    assert ledger.owner == 0
    path.with_name("elsewhere.db").rename(path)
    ledger.close()


def test_a_new_owner_of_a_transaction_that_failed_is_forgotten(
    desk: Desk, path: Path, clock: FakeClock
) -> None:
    before = desk.ledger.owner
    with Book(path, clock).opened() as other:
        clock.advance(31)
        other.ledger.reap()
        with suppress(ZeroDivisionError), desk.ledger.write() as connection:
            assert not desk.ledger.hold(connection)
            assert desk.ledger.owner not in (before, other.ledger.owner)
            raise ZeroDivisionError
    assert desk.ledger.owner == before


def test_what_several_dead_processes_held_is_found_at_once(path: Path, clock: FakeClock) -> None:
    book = Book(path, clock)
    with book.opened() as first, book.opened() as second, book.opened() as other:
        run = first.run([*PHONES, "9810000002"])
        lost = [first.claim(run, 1).batch_id, second.claim(run, 1).batch_id]
        clock.advance(31)
        assert other.ledger.reap() == lost
        assert other.ledger.reaped == lost
        claim = other.claim(run, 1)
        clock.advance(31)
        # its own lease ended as well, but nobody else is there to see it
        assert other.ledger.reap() == []
        assert other.ledger.abandon() == [claim.batch_id]
        assert other.ledger.abandon() == []


class Pauses(threading.Event):
    """A stop that ends after some waits, none of which takes any time."""

    def __init__(self, times: int, between: Callable[[int], object]) -> None:
        super().__init__()
        self.seconds: list[float | None] = []
        self._times, self._between = times, between

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        self._between(len(self.seconds))
        return len(self.seconds) > self._times


def test_a_lease_is_renewed_three_times_in_its_length(desk: Desk, clock: FakeClock) -> None:
    stop = Pauses(3, lambda _: clock.advance(10))
    desk.ledger._keep_renewing(stop)
    assert stop.seconds == [10, 10, 10, 10]
    assert desk.all("SELECT renewed_mono FROM owners") == [(5_030.0,)]


def test_a_lease_that_could_not_be_renewed_is_tried_soon_again(desk: Desk, path: Path) -> None:
    moved = path.with_name("elsewhere.db")

    def between(wait: int) -> None:
        if wait == 2:
            path.rename(moved)
        elif wait == 4:
            moved.rename(path)

    stop = Pauses(5, between)
    desk.ledger._keep_renewing(stop)
    assert stop.seconds == [10, 10, 1, 1, 10, 10]


def test_who_died_later_is_found_later(path: Path, clock: FakeClock) -> None:
    book = Book(path, clock)
    with book.opened() as other, book.opened() as first:
        run = other.run(PHONES)
        one = first.claim(run, 1).batch_id
        clock.advance(31)
        assert other.ledger.reap() == [one]
        with book.opened() as second:
            two = second.claim(run, 1).batch_id
            clock.advance(31)
            assert other.ledger.reap() == [two]
    assert other.ledger.reaped == [one, two]


def test_a_dead_owners_turn_ends_when_it_is_found_dead(path: Path, clock: FakeClock) -> None:
    book = Book(path, clock)
    with book.opened() as dead, book.opened() as other:
        assert Slots(dead.ledger).take(KEY, 30, 60) == Turn(0.0)
        clock.advance(31)
        other.ledger.reap()
        assert Slots(other.ledger).take(KEY, 30, 60) == Turn(30.0, "pace")


def test_a_lease_ends_after_its_seconds(path: Path, clock: FakeClock) -> None:
    open_engine(str(path)).dispose()
    ledger = Ledger.open(str(path), clock)
    assert ledger.lease_seconds == 30
    assert ledger.clock is clock
    assert ledger.outage.patience == 300
    ledger.close()
    ledger = Ledger(open_engine(str(path)), clock, lease_seconds=7)
    assert ledger.lease_seconds == 7
    ledger.close()


def test_containers_of_one_machine_are_hosts_of_their_own(desk: Desk) -> None:
    assert Ledger.host_of(desk.ledger.engine) == this_host()
    assert desk.all("SELECT host FROM owners") == [(this_host(),)]
    space = Path("/proc/self/ns/pid")
    if space.exists():
        assert this_host().endswith(f"/{space.stat().st_ino}")


# --- by a server's clock ---


def test_on_a_server_a_lease_ends_by_its_clock(clock: FakeClock) -> None:
    try:
        server = Postgres()
    except NoServerError as error:
        pytest.skip(str(error))
    with server, closing(Ledger.open(server.database(), clock)) as ledger:
        assert isinstance(ledger.clock, DatabaseClock)
        # the server was asked at once: nothing is reckoned by this host's clock, which says 5,000 s
        assert ledger.clock.instant().wall > 1_000_000_000
        assert Ledger.host_of(ledger.engine) == f"{this_host()}/{boot_id()}"
        with ledger.lease(), ledger.write() as connection:
            now = ledger.now(connection)
            long_ago = Instant(now.wall - 7_200, now.mono - 7_200, now.boot)
            silent = register(connection, "elsewhere", long_ago)
        with ledger.lease():
            # a server that was away: nobody could renew until it came back, a moment ago
            ledger.lease_seconds = 3_600
            assert ledger.reap() == []
            assert owners(ledger)[silent] is False
            ledger.lease_seconds = 0.001
            assert ledger.reap() == []
            assert owners(ledger)[silent] is True
            assert owners(ledger)[ledger.owner] is False
        assert set(owners(ledger).values()) == {True}


def owners(ledger: Ledger) -> dict[int, bool]:
    """By number, whether they are gone."""
    with ledger.read() as connection:
        found = connection.execute(sa.text("SELECT id, gone FROM owners")).all()
    return {number: bool(gone) for number, gone in found}
