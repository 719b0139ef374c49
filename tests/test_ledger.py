"""Owners and leases: who stands behind what, and what becomes of it when they are gone."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from ozodial.clock import boot_id
from ozodial.database import many
from ozodial.errors import LedgerFullError
from ozodial.ledger import Ledger
from ozodial.owners import register
from ozodial.postgres import DATABASE
from ozodial.slots import Slots
from ozodial.staging import CHUNK
from tests.book import KEY, Book, Desk, staged
from tests.conftest import FakeClock

ROOT = Path(__file__).parents[1]

HOLD = """
import sys
from ozodial.clock import SystemClock
from ozodial.ledger import Ledger
ledger = Ledger.open(sys.argv[1], SystemClock())
with ledger.lease():
    print(ledger.owner, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(book: Book) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """A process that is an owner in this ledger, and that owner's number."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(book.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
        process.kill()


def boot_of(book: Book) -> str:
    """What a real process's moments count in."""
    return DATABASE if "://" in str(book.path) else boot_id()


def is_gone(desk: Desk, owner: int) -> bool:
    return desk.all(f"SELECT gone FROM owners WHERE id = {owner}") == [(1,)]


def make_owner(desk: Desk, host: str, *, boot: str = "a-boot", pid: int = 1) -> int:
    """An owner as another process would have written it."""
    with desk.ledger.write() as connection:
        owner = register(connection, host, desk.ledger.clock.instant())
        values = [(pid, boot, owner)]
        many(connection, "UPDATE owners SET pid = ?, renewed_boot = ? WHERE id = ?", values)
    return owner


# --- who is dead ---


def test_a_process_that_died_is_noticed_at_once(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, another_process(book) as (process, owner):
        clock.boot = boot_of(book)
        desk.ledger.reap()
        assert not is_gone(desk, owner)
        process.send_signal(signal.SIGKILL)
        process.wait()
        desk.ledger.reap()
        assert is_gone(desk, owner)


def test_a_dead_process_that_nobody_has_waited_for_is_dead(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, another_process(book) as (process, owner):
        clock.boot = boot_of(book)
        os.kill(process.pid, signal.SIGKILL)  # from here on it is a zombie
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        desk.ledger.reap()
        assert is_gone(desk, owner)


def test_another_process_with_the_same_number_is_another(book: Book) -> None:
    with book.opened() as desk:
        host = str(desk.all("SELECT host FROM owners")[0][0])
        owner = make_owner(desk, host, pid=os.getpid())
        desk.ledger.reap()
        assert not is_gone(desk, owner)
        with desk.ledger.write() as connection:
            many(connection, "UPDATE owners SET started = '1' WHERE id = ?", [(owner,)])
        desk.ledger.reap()
        assert is_gone(desk, owner)


def test_before_the_last_boot_nobody_lives(book: Book) -> None:
    with book.opened() as desk:
        host = str(desk.all("SELECT host FROM owners")[0][0])
        owner = make_owner(desk, host, boot="an-earlier-boot", pid=os.getpid())
        desk.ledger.reap()
        assert is_gone(desk, owner)


@pytest.mark.parametrize("boot", ["a-boot", "its-own-boot"])
def test_on_another_host_only_the_lease_tells(book: Book, clock: FakeClock, boot: str) -> None:
    with book.opened() as desk:
        owner = make_owner(desk, "elsewhere", boot=boot)
        clock.advance(29.9)
        desk.ledger.reap()
        assert not is_gone(desk, owner)
        clock.advance(0.2)
        desk.ledger.reap()
        assert is_gone(desk, owner)


def test_a_clock_set_forward_ends_no_lease(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        clock.wall += 86_400
        desk.ledger.reap()
        assert not is_gone(desk, other.ledger.owner)


def test_a_sleeping_machine_ends_no_lease(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        clock.wall += 7_200  # the monotonic clock sleeps, too
        desk.ledger.reap()
        assert not is_gone(desk, other.ledger.owner)


# --- leases ---


def test_an_owner_that_was_given_up_on_becomes_another_one(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk, book.opened() as other:
        before = desk.ledger.owner
        clock.advance(31)
        other.ledger.reap()
        assert is_gone(other, before)
        with desk.ledger.write() as connection:
            assert not desk.ledger.hold(connection)
        after = desk.ledger.owner
        assert after not in (before, other.ledger.owner)
        with desk.ledger.write() as connection:
            assert desk.ledger.hold(connection)
        assert desk.ledger.owner == after


def test_a_lease_that_ended_unseen_goes_on(book: Book, clock: FakeClock) -> None:
    with book.opened() as desk:
        before = desk.ledger.owner
        clock.advance(3_600)
        with desk.ledger.write() as connection:
            assert desk.ledger.hold(connection)
        assert desk.ledger.owner == before


def test_a_new_owner_in_a_transaction_that_failed_is_nobody(book: Book, clock: FakeClock) -> None:
    """Its number goes to the next process: leaving by it would bury a stranger."""
    with book.opened() as other, book.opened() as desk:
        clock.advance(31)
        other.ledger.reap()
        with suppress(ZeroDivisionError), desk.ledger.write() as connection:
            desk.ledger.hold(connection)
            raise ZeroDivisionError
        with closing(book.ledger()) as stranger, stranger.lease():
            desk.ledger._leave()
            assert not is_gone(other, stranger.owner)


def test_it_is_renewed_while_a_request_takes_long(place: str, clock: FakeClock) -> None:
    book = Book(place, clock, lease_seconds=0.03)
    with book.opened() as desk, closing(book.ledger()) as other, other.read() as _:
        clock.advance(10)
        until = threading.Event()
        for _ in range(500):
            if desk.all("SELECT renewed_mono FROM owners") == [(5_010.0,)]:
                break
            until.wait(0.01)
        else:
            raise AssertionError("nobody renewed the lease")


def test_who_leaves_holds_nothing(book: Book) -> None:
    with book.opened() as other:
        with book.opened() as desk:
            run = desk.run(["9810000000", "9810000001"])
            Slots(desk.ledger).take(KEY, 30, 60)
            Slots(desk.ledger).begin_renewal("ops@host", None)
            desk.claim(run, 1)
            desk.staging.begin(desk.new_run())
            assert len(desk.all("SELECT * FROM runs")) == 2
        assert other.states(run) == {"unknown": 1, "ready": 1}
        assert other.all("SELECT id FROM runs") == [(run.id,)]
        assert other.all("SELECT owner_id FROM slots") == [(None,)]
        assert other.all("SELECT owner_id FROM tokens") == [(None,)]
        assert other.all("SELECT state FROM deliveries") == [("unknown",)]


def test_what_a_dead_process_held_is_settled_once(book: Book, clock: FakeClock) -> None:
    with book.opened() as other:
        with book.opened() as desk:
            run = desk.run([f"981000000{i}" for i in range(3)])
            claim = desk.claim(run, 2)
            clock.advance(31)
            assert other.ledger.reap() == [claim.batch_id]
            assert other.ledger.reap() == []
            assert other.ledger.reaped == [claim.batch_id]
            assert other.states(run) == {"unknown": 2, "ready": 1}
            assert (
                other.messages(run)["the process that sent it ended before an answer was recorded"]
                == 2
            )
        assert other.states(run) == {"unknown": 2, "ready": 1}


def test_giving_up_on_ones_own_requests(book: Book) -> None:
    with book.opened() as desk:
        run = desk.run(["9810000000", "9810000001"])
        assert desk.ledger.abandon() == []
        claim = desk.claim(run, 1)
        assert desk.ledger.abandon() == [claim.batch_id]
        assert desk.states(run) == {"unknown": 1, "ready": 1}
        assert desk.claim(run).rows  # it is still an owner


# --- what can't be written ---


def test_a_ledger_that_vanished_takes_no_more_facts(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "ledger.db"
    with Book(path, clock).opened() as desk:
        run = desk.run(["9810000000"])
        path.rename(path.with_name("elsewhere.db"))
        with pytest.raises(LedgerFullError, match="moved or deleted"):
            desk.claim(run)
        path.with_name("elsewhere.db").rename(path)
        assert desk.claim(run).rows


def test_a_bug_in_a_transaction_leaves_no_trace(book: Book) -> None:
    with book.opened() as desk:
        with suppress(ZeroDivisionError), desk.ledger.write() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
            raise ZeroDivisionError
        assert len(desk.all("SELECT * FROM meta")) == 1


def test_many_threads_never_find_it_locked(book: Book) -> None:
    with book.opened() as desk, book.opened() as other:
        runs = [desk.run([f"98{i}00{j:05}" for j in range(40)]) for i in range(8)]
        errors: list[BaseException] = []

        def work(at: Desk, number: int) -> None:
            try:
                while at.send(runs[number]).rows:
                    pass
            except BaseException as error:
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=(at, number))
            for at in (desk, other)
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert errors == []
        assert all(desk.states(run) == {"accepted": 40} for run in runs)


def test_opening_says_where_it_is(tmp_path: Path, clock: FakeClock) -> None:
    ledger = Ledger.open(str(tmp_path / "l.db"), clock)
    assert ledger.owner == 0
    assert ledger.reap() == []
    ledger.close()


def test_what_is_staged_is_on_the_disk_when_its_run_is_open(
    tmp_path: Path, clock: FakeClock
) -> None:
    with Book(tmp_path / "ledger.db", clock).opened() as desk:
        said: list[object] = []

        @sa.event.listens_for(desk.ledger.engine, "commit")
        def committing(connection: sa.Connection) -> None:
            said.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())

        run_id = desk.staging.begin(desk.new_run())
        assert run_id is not None
        assert len(list(desk.staging.add(run_id, staged(map(str, range(CHUNK + 1)))))) == 2
        desk.staging.preview(run_id)
        desk.staging.finish(run_id)
        # SQLite's own words: a full commit syncs the log, and with it all that stands before
        normal, full = 1, 2
        assert said == [full, normal, normal, full, full]
