"""A ledger on PostgreSQL: its connections, its locks, its clock, and its answers that got lost.

Facts about one thing (a target, an account's token) are written one after the other, all others
side by side; whatever is not said to be about one thing is written alone, as on SQLite. Hosts'
clocks differ, so moments are the database's. A transaction whose commit got no answer has left a
mark by which its fate is found out, so that nothing is done twice or forgotten.
"""

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ozodial.clock import Clock
from ozodial.errors import LedgerError
from ozodial.models import Instant

ALL = 6_031_769
"""The advisory lock that all writers share, and that one takes alone who writes about anything."""

DRIVER = "postgresql+psycopg"

SESSION = """
    SET lock_timeout = '60s';
    SET idle_in_transaction_session_timeout = '15s';
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'
"""
"""A process that was frozen, or whose host lost its power, keeps nobody waiting for long; and what
is committed is on the disk, whatever the server's default."""

CONNECT = {
    "connect_timeout": 5,
    "application_name": "ozodial",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

marks = sa.Table(
    "marks",
    sa.MetaData(),
    sa.Column("writer", sa.String(32), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
"""The number of each writer's last transaction that was committed."""

_MARK = """
    INSERT INTO marks (writer, number) VALUES (%s, %s)
    ON CONFLICT (writer) DO UPDATE SET number = excluded.number
"""
_LAST_MARK = """
    INSERT INTO marks (writer, number) VALUES (%s, 0)
    ON CONFLICT (writer) DO UPDATE SET number = marks.number RETURNING number
"""
"""Waits for a transaction of this writer that is still under way, as a plain SELECT would not."""

_BY_KEYS = ", ".join(
    f"set_config('enable_{way}', 'off', true)"
    for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin")
)
"""What is about one thing is found by its keys: right after a million rows were staged, or when the
last of them is sent, the server knows too little of them to see that by itself."""

PASSING = frozenset(
    ["57P01", "57P02", "57P03", "25P02", "25P03", "25006", "40001", "40P01", "53300"]
)
"""SQLSTATEs that end with time: the server stops, starts, is a standby, is full; a deadlock."""

LOCK_TIMEOUT = "55P03"
DENIED = "42501"


def is_postgres(url: sa.URL) -> bool:
    """Whether a ledger's URL names a PostgreSQL server, by any name."""
    return url.get_backend_name() in ("postgresql", "postgres")


def make_engine(url: sa.URL) -> Engine:
    """An engine with our ways of connecting (LedgerError without the driver)."""
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername=DRIVER)
    if url.drivername != DRIVER:
        said = f"The ledger's driver {url.get_driver_name()} is not known here."
        raise LedgerError(said, f"OZODIAL_LEDGER={DRIVER}://USER@HOST/DATABASE")
    try:
        engine = sa.create_engine(
            url, max_overflow=-1, connect_args=CONNECT, isolation_level="READ COMMITTED"
        )
    except ImportError as error:
        said = "A ledger on PostgreSQL needs its driver (psycopg)."
        raise LedgerError(said, "pip install 'ozodial[postgres]'") from error

    dumper = _writable_text()

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        connection.adapters.register_dumper(str, dumper)
        cursor = connection.cursor()
        cursor.execute(SESSION)
        cursor.close()
        connection.commit()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("read_only", False):
            _take_locks(connection, options.get("about"))
        elif options.get("by_keys", False):
            connection.exec_driver_sql(f"SELECT {_BY_KEYS}")

    return engine


def _writable_text() -> type:
    """How text is written: the one character that PostgreSQL can't keep becomes the mark for it."""
    from psycopg.types.string import StrDumperUnknown

    class Writable(StrDumperUnknown):
        def dump(self, obj: str) -> Any:  # noqa: ANN401 - as psycopg has it
            return super().dump(obj.replace("\0", "\ufffd"))

    return Writable


STATISTICS = """
    ALTER TABLE rows ALTER run_id SET STATISTICS 0, ALTER state SET STATISTICS 0;
    ALTER TABLE deliveries ALTER target_id SET STATISTICS 0
"""
"""What the server has counted knows nothing of the youngest run and target, which are those that
are asked for: it took them for empty, and read all of them for each row."""


def check_encoding(connection: Connection) -> None:
    """LedgerError where a lead's name could not be kept."""
    found = str(connection.exec_driver_sql("SHOW server_encoding").scalar())
    if found != "UTF8":
        raise LedgerError(
            f"The ledger's database keeps text as {found}, which not every name can be.",
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )


def _take_locks(connection: Connection, about: str | None) -> None:
    if about is None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (ALL,))
    elif not about:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock_shared(%s)", (ALL,))
    else:
        # one such lock a transaction, and always after the common one: nobody waits in a circle
        digest = hashlib.blake2b(about.encode(), digest_size=4).digest()
        number = int.from_bytes(digest, signed=True)
        both = "pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s, %s)"
        connection.exec_driver_sql(f"SELECT {both}, {_BY_KEYS}", (ALL, ALL, number))


# --- what got lost ---


def is_away(error: BaseException) -> bool:
    """Whether the server was lost, or can't be used for now: another try may help."""
    if not isinstance(error, sa.exc.DBAPIError) or not hasattr(error.orig, "sqlstate"):
        return False  # SQLite's errors have none: a disk that is full does not come back by itself
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or state in PASSING or str(state or "").startswith("08"):
        return True
    # connections that can't be made carry no state
    return isinstance(error, sa.exc.OperationalError) and state is None


class Writer:
    """A process's transactions, one at a time, each with a mark that tells whether it was."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._name = uuid.uuid4().hex
        self._number = 0

    @contextmanager
    def transaction(
        self, about: str | None, wait: Callable[[sa.exc.DBAPIError], None]
    ) -> Iterator[Connection]:
        """One transaction. `wait` is called while nobody can say whether it was committed."""
        self._number += 1
        with self._engine.connect().execution_options(about=about) as connection:
            begun = connection.begin()
            try:
                yield connection
                connection.exec_driver_sql(_MARK, (self._name, self._number))
            except BaseException:
                with suppress(sa.exc.DBAPIError):
                    begun.rollback()
                raise
            try:
                begun.commit()
            except sa.exc.DBAPIError as error:
                if not is_away(error) or not self._was_committed(wait):
                    raise

    def end(self) -> None:
        """This process writes no more."""
        if self._number:
            with suppress(sa.exc.DBAPIError), self._engine.connect() as connection:
                options = connection.execution_options(read_only=True)
                options.execute(marks.delete().where(marks.c.writer == self._name))
                options.commit()

    def _was_committed(self, wait: Callable[[sa.exc.DBAPIError], None]) -> bool:
        while True:
            try:
                with self._engine.connect().execution_options(read_only=True) as connection:
                    found = connection.exec_driver_sql(_LAST_MARK, (self._name,)).scalar()
                    connection.commit()
            except sa.exc.DBAPIError as error:
                if not is_away(error):
                    raise
                wait(error)
            else:
                return found == self._number


# --- time ---


DATABASE = "database"
"""The "boot" of a moment by the database's clock."""


class DatabaseClock:
    """The database's time, the same for all hosts; waiting is done by this host's own clock.

    `sample` asks for it: the moment is past when it is given. `instant` reckons on from there, by
    at most a round trip too late and never too early.
    """

    def __init__(self, local: Clock) -> None:
        self._local = local
        self._ahead = 0.0

    def instant(self) -> Instant:
        """About this moment, without asking."""
        now = self._local.instant().mono + self._ahead
        return Instant(now, now, DATABASE)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """As the local clock does."""
        return self._local.wait(seconds, stop)

    def sample(self, connection: Connection) -> Instant:
        """The database's moment now."""
        asked = self._local.instant().mono
        found = connection.exec_driver_sql(
            "SELECT extract(epoch FROM clock_timestamp())::float8"
        ).scalar()
        now = float(found or 0.0)
        self._ahead = now - asked
        return Instant(now, now, DATABASE)


def serving_since(connection: Connection) -> Instant:
    """Since when the server has let anybody renew a lease."""
    found = connection.exec_driver_sql(
        "SELECT extract(epoch FROM pg_postmaster_start_time())::float8"
    ).scalar()
    since = float(found or 0.0)
    return Instant(since, since, DATABASE)


# --- many rows ---


def set_sequence(connection: Connection, table: str, column: str) -> None:
    """The numbers given from now on follow those that were copied in."""
    connection.exec_driver_sql(
        f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column}))"  # noqa: S608
        f" FROM {table} HAVING max({column}) IS NOT NULL"
    )


def copy_in(
    connection: Connection, table: str, columns: Iterable[str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Rows into a table by COPY, several times as fast as INSERT."""
    names = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        # the driver's own way of writing text is several times as fast as `_writable_text`
        cursor.adapters.register_dumper(str, _plain_text())
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row if _is_writable(row) else _made_writable(row))


def _plain_text() -> type:
    from psycopg import adapters
    from psycopg.adapt import PyFormat

    return adapters.get_dumper(str, PyFormat.TEXT)


def _is_writable(row: tuple[object, ...]) -> bool:
    return not any(value.__class__ is str and "\0" in value for value in row)


def _made_writable(row: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in row)
