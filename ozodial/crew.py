"""The workers of a run as threads, and how they are told to stop.

Events come through one queue, in the order in which their facts were committed; the main thread
shows them, and is free to notice a signal. Errors of ours come out as events, a bug is raised.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ozodial.client import Client
from ozodial.endpoints import Access, Endpoint
from ozodial.errors import ExitCode, OzodialError
from ozodial.events import Event
from ozodial.ledger import Ledger
from ozodial.limits import Limit
from ozodial.models import State
from ozodial.pacing import Pacer, Patience
from ozodial.sending import Worker
from ozodial.shift import HaltError, Shift
from ozodial.slots import SlotKey, Slots
from ozodial.staging import Run, Staging
from ozodial.throttle import Throttle
from ozodial.tokens import Tokens

Events = queue.SimpleQueue[Sequence[Event] | BaseException | None]
"""What became of a batch comes as one: to wake the main thread for each row costs more."""


class Stop:
    """How the run is told to end early, by a thread: once politely, twice at once.

    `wake` is called each time, so that whoever waits for something else takes notice.
    """

    def __init__(self) -> None:
        self.halt = threading.Event()
        self.exit_code: ExitCode | None = None
        self.at_once = False
        self.wake: Callable[[], None] = lambda: None

    def ask(self, exit_code: ExitCode) -> None:
        """Ctrl-C or TERM: finish the request in flight; the second time, don't wait for it.

        Not for signal handlers, which may interrupt the holder of a lock that this takes.
        """
        self.at_once = self.exit_code is not None
        self.exit_code = self.exit_code or exit_code
        self.halt.set()
        self.wake()


@dataclass(frozen=True, slots=True)
class Wire:
    """How to send: the connection and its limits. `auth` is token or basic."""

    client: Client
    access: Access
    auth: str
    pace: float
    timeout: float
    patience: float
    parallel: int = 1
    limit: Limit | None = None


def new_shift(
    run: Run,
    ledger: Ledger,
    endpoint: Endpoint,
    wire: Wire,
    emit: Callable[[Sequence[Event]], None],
    halt: threading.Event,
) -> Shift:
    """What the workers of a run share."""
    slots = Slots(ledger)
    account = run.target.account
    key = SlotKey(account, endpoint.name, exclusive=endpoint.pace > 0 or wire.pace > 0)
    patience = Patience(ledger.clock, wire.patience)
    tokens = None
    if endpoint.takes_token and wire.auth == "token":
        tokens = Tokens(slots, wire.client, wire.access, account, patience)
    return Shift(
        ledger=ledger,
        run=run,
        endpoint=endpoint,
        client=wire.client,
        access=wire.access,
        pacer=Pacer(slots, key, wire.pace, wire.timeout),
        patience=patience,
        tokens=tokens,
        clock=ledger.clock,
        emit=emit,
        halt=halt,
        throttle=Throttle(1 if key.exclusive else max(1, wire.parallel)),
        limit=wire.limit,
        any_taken=bool(Staging(ledger).counts(run.id).keys() & {State.ACCEPTED, State.QUEUED}),
    )


def run_workers(shift: Shift, events: Events, stop: Stop) -> Iterator[Event | OzodialError]:
    """The events of all workers, until each has ended; their errors of ours among them.

    Whatever happens to the viewer, requests in flight are waited for, unless the run is told to
    stop at once.
    """
    count = shift.throttle.most
    for _ in range(count):
        threading.Thread(target=_work, args=(shift, events.put), daemon=True).start()
    ends = _Ends(count)
    try:
        while ends.missing and not stop.at_once:
            arrived = events.get()
            if isinstance(arrived, BaseException):
                ends.add(arrived)
                if isinstance(arrived, OzodialError):
                    yield arrived
            elif arrived is not None:
                yield from arrived
    finally:
        shift.halt.set()
        while ends.missing and not stop.at_once:
            arrived = events.get()
            if isinstance(arrived, BaseException):
                ends.add(arrived)
        if ends.missing:
            shift.close()
    if ends.bug is not None:
        raise ends.bug


def outlast(ledger: Ledger, stop: Stop) -> None:
    """The workers' end has set the halt; what is read afterwards waits for the server all the same.

    Not if a person wants the end.
    """
    over = threading.Event()
    ledger.outage.halt, stop.wake = over, over.set
    if stop.exit_code is not None:
        over.set()


class _Ends:
    """How the workers ended."""

    def __init__(self, workers: int) -> None:
        self.missing = workers
        self.bug: BaseException | None = None

    def add(self, end: BaseException) -> None:
        self.missing -= 1
        if not isinstance(end, OzodialError | HaltError | _DoneError):
            self.bug = self.bug or end


class _DoneError(Exception):
    """A worker found nothing more to do."""


def _work(shift: Shift, put: Callable[[BaseException], None]) -> None:
    try:
        Worker(shift).work()
    except BaseException as error:  # the main thread raises what is no error of ours
        shift.halt.set()  # whatever it is, nobody begins another request
        put(error)
    else:
        put(_DoneError())
