"""What several threads have to write, in one transaction: a commit costs the most, however small.

Whoever comes while another thread commits waits, and all who have come meanwhile are written
together. A fact that fails takes no other with it: each of them is then written by itself.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Connection

R = TypeVar("R")


class _Fact(Generic[R]):
    """What one thread wants written about something, and what came of it."""

    def __init__(self, about: str, make: Callable[[Connection], R]) -> None:
        self.about = about
        self.make = make
        self.committed: list[R] = []
        self.alone = False


class Joining:
    """Commits facts of several threads, together where they meet. `write` gives a transaction."""

    def __init__(self, write: Callable[[str], AbstractContextManager[Connection]]) -> None:
        self._write = write
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Fact[Any]] = []

    def commit(self, about: str, make: Callable[[Connection], R]) -> R:
        """What `make` gave, now that it is committed. If it raises, nothing of it is written.

        `make` is called again if the transaction that it shared came to nothing.
        """
        fact = _Fact(about, make)
        with self._lock:
            self._waiting.append(fact)
        with self._turn:
            if not fact.committed and not fact.alone:
                self._commit_all(self._take(about))
            if not fact.committed:
                self._commit([fact])
        return fact.committed[0]

    def _take(self, about: str) -> Sequence[_Fact[Any]]:
        """Those that wait to write about the same thing: other things have locks of their own."""
        with self._lock:
            met = [fact for fact in self._waiting if fact.about == about]
            self._waiting = [fact for fact in self._waiting if fact.about != about]
        return met

    def _commit_all(self, facts: Sequence[_Fact[Any]]) -> None:
        try:
            if len(facts) > 1:
                self._commit(facts)
        except Exception:
            for fact in facts:  # whosever fault it is hears of it when it is tried alone
                fact.alone = True

    def _commit(self, facts: Sequence[_Fact[Any]]) -> None:
        with self._write(facts[0].about) as connection:
            results = [fact.make(connection) for fact in facts]
        for fact, result in zip(facts, results, strict=True):
            fact.committed.append(result)
