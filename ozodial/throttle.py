"""How many requests of a run may be in flight at once, as far as the vendor can take them. Pure.

`--parallel N` begins with N. "Max limit exceeded", 429 and busy halve it; as many answers in a row
as there may be requests let one more begin, up to N again.
"""

import threading


class Throttle:
    """Shared by the workers of a run."""

    def __init__(self, most: int) -> None:
        self.width = self.most = most
        self._lock = threading.Lock()
        self._open = 0
        self._wave = 0
        self._answered = 0

    def enter(self) -> int | None:
        """Begin a request: its wave, for `busy`; None while as many as may be are in flight."""
        with self._lock:
            if self._open >= self.width:
                return None
            self._open += 1
            return self._wave

    def leave(self) -> None:
        """The request is over."""
        with self._lock:
            self._open -= 1

    def busy(self, wave: int) -> bool:
        """The vendor had no room for a request; whether that changed anything.

        Those that were in flight together when it first said so count once.
        """
        with self._lock:
            self._answered = 0
            if wave != self._wave or self.width == 1:
                return False
            self._wave += 1
            self.width //= 2
            return True

    def answered(self) -> None:
        """The vendor had room for a request."""
        with self._lock:
            self._answered += 1
            if self._answered >= self.width and self.width < self.most:
                self.width += 1
                self._answered = 0
