"""What the workers of one run share: the connection, the account's turns, and how the run goes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ozodial.client import Client
from ozodial.clock import Clock
from ozodial.endpoints import Access, Endpoint
from ozodial.events import Event
from ozodial.ledger import Ledger
from ozodial.limits import Limit
from ozodial.pacing import POLL_SECONDS, Pacer, Patience
from ozodial.staging import Run
from ozodial.throttle import Throttle
from ozodial.tokens import Tokens


class HaltError(Exception):
    """The run was told to stop; not an error."""


@dataclass(slots=True)
class Shift:
    """What the workers of one run share. `emit` is called after the facts are committed."""

    ledger: Ledger
    run: Run
    endpoint: Endpoint
    client: Client
    access: Access
    pacer: Pacer
    patience: Patience
    tokens: Tokens | None
    clock: Clock
    emit: Callable[[Sequence[Event]], None]
    halt: threading.Event
    throttle: Throttle
    limit: Limit | None = None
    ended: int = 0  # requests of this process that are over and recorded
    recorded: threading.Condition = field(default_factory=threading.Condition)
    unknown_in_a_row: int = 0
    refused_rows: int = 0
    any_taken: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False
    _recording: int = 0

    @contextmanager
    def open(self) -> Iterator[bool]:
        """Whether what a worker learnt may still be recorded; `close` waits for the end of it."""
        with self.recorded:
            may = not self._closed
            self._recording += may
        try:
            yield may
        finally:
            with self.recorded:
                self._recording -= may
                self.recorded.notify_all()

    def close(self) -> None:
        """Nobody waits for the workers any more: what they learn now comes after the summary."""
        with self.recorded:
            self._closed = True
            self.recorded.wait_for(lambda: not self._recording)

    def access_with(self, token: str | None) -> Access:
        """The account's access, with the token of this request."""
        return Access(self.access.user_name, self.access.api_key, token)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """A request is on its way; whoever has nothing to send meanwhile waits for its end."""
        try:
            yield
        finally:
            with self.recorded:
                self.ended += 1
                self.recorded.notify_all()

    def await_end(self, seen: int) -> None:
        """Until a request of this process ends that had not by `seen`; looks up now and then."""
        with self.recorded:
            self.recorded.wait_for(lambda: self.ended != seen, POLL_SECONDS)
