"""Going on after the ledger's server was away: what could not be written is written afterwards.

A method that is one transaction can be tried again as a whole, because a transaction that broke off
left nothing, and one whose commit got no answer has been found out about (`postgres.Writer`).
"""

import functools
import threading
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ozodial.clock import Clock
from ozodial.errors import LedgerAwayError

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_SECONDS = 300.0
TRY_SECONDS = 0.5


class Outage:
    """How long a ledger's server has been away, and how long to wait for it.

    `halt` ends the waiting early; `tell` is called once an outage, with seconds and a sentence.
    """

    def __init__(self, clock: Clock) -> None:
        self.patience = PATIENCE_SECONDS
        self.halt = threading.Event()
        self.tell: Callable[[float, str], None] = lambda _seconds, _said: None
        self._clock = clock
        self._since: float | None = None
        self._never = threading.Event()

    def wait(self, error: LedgerAwayError, *, heed_halt: bool = True) -> None:
        """Wait before the next try, or raise the error: patience is over, or the run is to stop."""
        now, since = self._clock.instant().mono, self._since
        if since is None:
            self._since = since = now
            self.tell(TRY_SECONDS, error.message)
        left = self.patience - (now - since)
        if left <= 0 or (heed_halt and self.halt.is_set()):
            raise error
        self._clock.wait(min(TRY_SECONDS, left), self.halt if heed_halt else self._never)

    def go_on(self, work: Callable[[], R], *, heed_halt: bool = True) -> R:
        """What `work`, a transaction, gives; tried again while the server is away."""
        while True:
            try:
                result = work()
            except LedgerAwayError as error:
                self.wait(error, heed_halt=heed_halt)
            else:
                self._since = None
                return result


class _HasOutage(Protocol):
    outage: Outage


class _AtLedger(Protocol):
    @property
    def _ledger(self) -> _HasOutage: ...


Self = TypeVar("Self", bound=_AtLedger)
Method = Callable[Concatenate[Self, P], R]


def lasting(method: Method[Self, P, R]) -> Method[Self, P, R]:
    """A method of one transaction that is tried again while the ledger's server is away."""
    return _trying(method, heed_halt=True)


def lasting_to_the_end(method: Method[Self, P, R]) -> Method[Self, P, R]:
    """The same for what must not be lost when the run is told to stop: an answer that came."""
    return _trying(method, heed_halt=False)


def _trying(method: Method[Self, P, R], *, heed_halt: bool) -> Method[Self, P, R]:
    @functools.wraps(method)
    def trying(self: Self, /, *given: P.args, **named: P.kwargs) -> R:
        work = functools.partial(method, self, *given, **named)
        return self._ledger.outage.go_on(work, heed_halt=heed_halt)

    return trying
