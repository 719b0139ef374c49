"""The ledger's door: one transaction a fact, and this process as an owner of what it does.

A `Ledger` is an engine, a clock and this process as an *owner*, alive while it renews its lease.
`reap` settles what dead owners held. `staging`, `claims`, `slots` and `history` do the rest through
`read` and `write`. Nothing here knows HTTP or shows anything.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ozodial.clock import Clock, boot_id
from ozodial.database import BUSY_SECONDS, file_identity, open_engine
from ozodial.errors import LedgerAwayError, LedgerFullError
from ozodial.joining import Joining, R
from ozodial.lasting import Outage, lasting
from ozodial.models import Instant
from ozodial.owners import bury, dead_owners, give_up, in_flight, register, renew, this_host
from ozodial.postgres import DENIED, LOCK_TIMEOUT, DatabaseClock, Writer, is_away, serving_since

LEASE_SECONDS = 30.0
"""How long an owner elsewhere is believed alive without a sign; renewed three times in that."""


class Ledger:
    """An open ledger. Use `lease()` around anything that stages or sends.

    `reaped` holds the batches whose sender this process found gone. `clock` is the ledger's: the
    host's own, or the database's where several hosts share it.
    """

    def __init__(self, engine: Engine, clock: Clock, *, lease_seconds: float | None = None) -> None:
        self.engine = engine
        self.clock = clock
        self.owner = 0
        self.reaped: list[int] = []
        self.lease_seconds = LEASE_SECONDS if lease_seconds is None else lease_seconds
        self.outage = Outage(clock)
        self._writer = Writer(engine) if engine.dialect.name == "postgresql" else None
        self._host = self.host_of(engine)
        self._file = file_identity(engine)
        self._writing = threading.Lock()
        self._joining = Joining(self.write)

    @classmethod
    def open(cls, place: str, clock: Clock) -> "Ledger":
        """Open or create the ledger at a file's path or an SQLAlchemy URL (LedgerError if not)."""
        engine = open_engine(place)
        if engine.dialect.name != "postgresql":
            return cls(engine, clock)
        ledger = cls(engine, DatabaseClock(clock))
        with ledger.read() as connection:
            ledger.now(connection)
        return ledger

    @staticmethod
    def host_of(engine: Engine) -> str:
        """This host's name among all who share a ledger."""
        # hosts that are copies of each other have equal names, but were not booted as one
        shared = engine.dialect.name == "postgresql"
        return f"{this_host()}/{boot_id()}" if shared else this_host()

    def close(self) -> None:
        """Let go of the file, or of the server."""
        if self._writer is not None:
            self._writer.end()
        self.engine.dispose()

    def now(self, connection: Connection) -> Instant:
        """This moment, as all who share the ledger see it; never later than what is done next."""
        if isinstance(self.clock, DatabaseClock):
            return self.clock.sample(connection)
        return self.clock.instant()

    @contextmanager
    def write(self, about: str | None = None, *, hasty: bool = False) -> Iterator[Connection]:
        """One transaction, one fact. LedgerFullError if it can't be written.

        A power cut may undo what is `hasty` until something that is not has been written after it
        (on SQLite: a server that comes back must have all that it confirmed).

        Where several hosts share the ledger, facts `about` different things are written side by
        side ("": about nothing that another fact could be about), without it one is written alone.
        """
        # our own threads take turns here: waiting for SQLite's lock means sleeping and trying again
        with self._writing, _translated():
            if file_identity(self.engine) != self._file:
                raise LedgerFullError(
                    "The ledger's file was moved or deleted while it was in use.",
                    "put it back, then: ozodial resume",
                )
            owner = self.owner
            try:
                with self._transaction(about, hasty) as connection:
                    yield connection
            except BaseException:
                self.owner = owner  # a new owner in a transaction that failed does not exist
                raise

    def write_joined(self, about: str, make: Callable[[Connection], R]) -> R:
        """What `make` gives in a transaction, shared with threads that come with the same about."""
        return self._joining.commit(about, make)

    def _transaction(self, about: str | None, hasty: bool) -> AbstractContextManager[Connection]:
        if self._writer is None:
            return (self.engine.execution_options(hasty=True) if hasty else self.engine).begin()
        return self._writer.transaction(about, lambda error: self.outage.wait(_away(error)))

    @contextmanager
    def read(self, *, by_keys: bool = False) -> Iterator[Connection]:
        """A consistent view that blocks nobody; `by_keys`: of few rows among many."""
        with _translated(), self.engine.connect() as connection:
            yield connection.execution_options(read_only=True, by_keys=by_keys)

    @property
    def _ledger(self) -> "Ledger":
        return self  # what `lasting` asks for

    # --- owners and leases ---

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Be an owner: registered, renewed (also during a long request), and gone in the end."""
        self._register()
        stop = threading.Event()
        thread = threading.Thread(target=self._keep_renewing, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._leave()

    @lasting
    def _register(self) -> None:
        with self.write() as connection:
            self.owner = register(connection, self._host, self.now(connection))

    def hold(self, connection: Connection) -> bool:
        """Renew the lease inside a transaction; False if this owner was given up on meanwhile.

        After a False the process is a new owner, and holds nothing of what it held before.
        """
        now = self.now(connection)
        if renew(connection, self.owner, now):
            return True
        self.owner = register(connection, self._host, now)
        return False

    @lasting
    def reap(self) -> list[int]:
        """Settle what dead owners held; the ids of the batches that became `unknown`."""
        with self.read() as connection:
            dead = self._dead(connection)
        if not dead:
            return []
        with self.write() as connection:
            now = self.now(connection)
            lost = [b for owner in self._dead(connection) for b in bury(connection, owner, now)]
        self.reaped += lost
        return lost

    @lasting
    def abandon(self) -> list[int]:
        """Give up on what this process has in flight; the ids of the batches now `unknown`."""
        with self.read() as connection:
            if not in_flight(connection, self.owner):
                return []
        with self.write() as connection:
            return give_up(connection, self.owner)

    def _dead(self, connection: Connection) -> list[int]:
        now, lease = self.now(connection), self.lease_seconds
        if isinstance(self.clock, DatabaseClock):
            # while the server was away nobody could renew: all have a whole lease from its return
            lease = lease if now.since(serving_since(connection)) > lease else math.inf
        found = dead_owners(connection, self._host, now, lease)
        return [owner for owner in found if owner != self.owner]

    def _keep_renewing(self, stop: threading.Event) -> None:
        # real time, whatever the run's clock is: other processes judge us by it
        pause = self.lease_seconds / 3
        while not stop.wait(pause):
            pause = self.lease_seconds / 30
            # if it can't be written, the next claim finds out, with a person to tell
            with suppress(LedgerFullError), self.write("") as connection:
                renew(connection, self.owner, self.now(connection))
                pause = self.lease_seconds / 3

    def _leave(self) -> None:
        # if it can't be written, the next process finds us dead and does the same
        with suppress(LedgerFullError), self.write() as connection:
            bury(connection, self.owner, self.now(connection))
        self.owner = 0


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        state = getattr(error.orig, "sqlstate", None)
        if is_away(error):
            raise _away(error) from error
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError) and state != DENIED:
            raise  # a bug of ours
        if "database is locked" in str(error.orig) or state == LOCK_TIMEOUT:
            raise LedgerFullError(
                f"Another process has kept the ledger locked for {BUSY_SECONDS:.0f} s.",
                "if one of ozodial is stopped, let it go on (fg, kill -CONT): ozodial resume",
            ) from error
        raise LedgerFullError(
            f"The ledger can't be used any more: {error.orig}.",
            "make room or access for the ledger, then: ozodial resume",
        ) from error


def _away(error: sa.exc.DBAPIError) -> LedgerAwayError:
    said = " ".join(str(error.orig).split()).rstrip(".")
    return LedgerAwayError(
        f"The ledger's server can't be reached: {said}.",
        "see that it runs, then: ozodial resume",
    )
