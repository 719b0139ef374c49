"""When the next request may start: whose turn it is, how long to wait, how long to be patient.

Waiting itself is done by the `pause` it is given, which tells the viewer and ends early when the
run is stopped. Nothing here sends or records.
"""

import threading
from collections.abc import Callable

from ozodial.clock import Clock
from ozodial.errors import StoppedError
from ozodial.slots import SlotKey, Slots

Pause = Callable[[float, str, str], None]
"""(seconds, why, message for a person): waits, or raises when the run is to stop."""

FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 60.0
POLL_SECONDS = 0.5
SHORTEST_WAIT = 0.001
"""What is left of a wait by rounding is no wait of its own."""

BUSY = "another ozodial process is sending to this account"
PACE = "the vendor's pace"
RETRY = "before the next try"


class Pacer:
    """One account's turns on one endpoint, as the ledger keeps them."""

    def __init__(self, slots: Slots, key: SlotKey, pace: float, hold_seconds: float) -> None:
        self.key = key
        self.pace = pace
        self._slots = slots
        self._hold_seconds = hold_seconds

    def await_turn(self, pause: Pause, reap: Callable[[], object]) -> None:
        """Wait for the turn and take it."""
        while (turn := self._slots.take(self.key, self.pace, self._hold_seconds)).wait > 0:
            if turn.why == "busy":
                reap()
                pause(turn.wait, "busy", BUSY)
            else:
                said = PACE if turn.why == "pace" else RETRY
                pause(max(turn.wait, SHORTEST_WAIT), turn.why, said)

    def give_back(self) -> None:
        """The turn was not needed after all."""
        self._slots.give_back(self.key)


class Patience:
    """How long to go on with what was not sent, and how long to back off each time.

    Shared by the threads of a run: trouble begins with the first refusal and ends with any answer,
    and refusals of requests that were in flight together count once.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        # on the monotonic clock alone: trouble does not outlive the process
        self._since: float | None = None
        self._backed_off: float | None = None
        self._wait = 0.0

    def answered(self) -> None:
        """The API works: the next trouble is a new one."""
        with self._lock:
            self._since = self._backed_off = None
            self._wait = 0.0

    @property
    def in_trouble(self) -> bool:
        """Whether something was refused, or could not be sent, and nothing was answered since."""
        return self._since is not None

    def back_off(self, least: float, message: str, asked: float | None = None) -> float:
        """Seconds to wait before the next try: `asked` for, or a second, doubled each time.

        `least` is what the pace imposes. StoppedError when patience is at its end, or will be
        before a next try is allowed.
        """
        with self._lock:
            now = self._clock.instant().mono
            if self._since is None:
                self._since = now
            left = self._seconds - (now - self._since)
            if left < SHORTEST_WAIT or max(least, asked or 0.0) > left:
                raise StoppedError(self._end(message, least, asked, left))
            if self._backed_off is None or now - self._backed_off >= self._wait:
                longest = max(least, LONGEST_BACK_OFF)
                self._wait = min(max(FIRST_BACK_OFF, least, 2 * self._wait), longest, left)
                self._backed_off = now
            return max(asked, 1.0) if asked is not None else self._wait

    def _end(self, message: str, least: float, asked: float | None, left: float) -> str:
        said, patience = message.rstrip(". "), f"--patience {self._seconds:g}"
        if asked is not None and asked > left:
            return f"The API asks to wait {asked:.0f} s ({patience}): {said}."
        if least > self._seconds:
            return f"There is no time for a second try ({patience}): {said}."
        tried = round(self._seconds - left, 1)
        return f"The API could not be used for {tried:g} s ({patience}): {said}."
