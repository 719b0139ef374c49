"""Facts of several threads in one transaction: all or each for itself, never one for another."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.clock import SystemClock
from ozodial.errors import LedgerFullError
from ozodial.ledger import Ledger
from ozodial.schema import meta


class Desk:
    """A ledger at which threads wait for each other; it counts the commits."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.commits = 0
        self.pool = ThreadPoolExecutor(12)
        sa.event.listen(ledger.engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def ask(self, make: Callable[[Connection], Any], about: str = "run") -> Future[Any]:
        return self.pool.submit(self.ledger.write_joined, about, make)

    @contextmanager
    def busy(self, waiting: int) -> Iterator[None]:
        """Somebody writes until so many wait behind."""
        began, end = threading.Event(), threading.Event()

        def slow(connection: Connection) -> None:
            began.set()
            assert end.wait(30)

        first = self.ask(slow)
        assert began.wait(30)
        yield
        joining = self.ledger._joining
        while len(joining._waiting) < waiting:
            time.sleep(0.001)
        end.set()
        first.result(30)

    def names(self) -> list[str]:
        with self.ledger.read() as connection:
            found = connection.scalars(sa.select(meta.c.name).where(meta.c.name != "version"))
            return sorted(found)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Ledger.open(str(tmp_path / "ledger.db"), SystemClock()))
    yield desk
    desk.pool.shutdown()
    desk.ledger.close()


def note(name: str) -> Callable[[Connection], str]:
    def make(connection: Connection) -> str:
        connection.execute(meta.insert().values(name=name, value=""))
        return name

    return make


def test_a_fact_alone_is_committed_at_once(desk: Desk) -> None:
    assert desk.ask(note("one")).result(30) == "one"
    assert desk.names() == ["one"]
    assert desk.commits == 1


def test_all_who_wait_are_written_by_one_commit(desk: Desk) -> None:
    with desk.busy(8):
        asked = [desk.ask(note(f"fact {number}")) for number in range(8)]
    assert [fact.result(30) for fact in asked] == [f"fact {number}" for number in range(8)]
    assert len(desk.names()) == 8
    assert desk.commits == 2  # the slow one, and theirs


def test_a_fact_that_fails_takes_no_other_with_it(desk: Desk) -> None:
    def broken(connection: Connection) -> None:
        note("never")(connection)
        raise LedgerFullError("no room", "make some")

    with desk.busy(5):
        asked = [desk.ask(note("a")), desk.ask(note("b")), desk.ask(broken)]
        asked += [desk.ask(note("c")), desk.ask(note("d"))]
    with pytest.raises(LedgerFullError):
        asked[2].result(30)
    assert [fact.result(30) for fact in asked if fact is not asked[2]] == ["a", "b", "c", "d"]
    assert desk.names() == ["a", "b", "c", "d"]


def test_a_bug_is_raised_where_it_belongs_and_the_turn_goes_on(desk: Desk) -> None:
    def bug(_connection: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.ask(bug).result(30)
    assert desk.ask(note("after")).result(30) == "after"
    assert desk.names() == ["after"]


def test_facts_about_different_things_are_not_written_together(desk: Desk) -> None:
    with desk.busy(4):
        asked = [desk.ask(note(f"{about} {n}"), about) for about in ("x", "y") for n in range(2)]
    assert len({fact.result(30) for fact in asked}) == 4
    assert desk.commits == 3
