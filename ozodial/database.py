"""Opening a ledger's database: a file's path or an SQLAlchemy URL in, a ready engine out.

Makes the folder (0700) and the file (0600), creates or upgrades the tables, and refuses what is no
ledger of ours with one sentence. What is PostgreSQL's own is in `postgres`. It never reads or
writes a run: that is `ledger` and the rooms behind it.
"""

import errno
import json
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ozodial.errors import LedgerError
from ozodial.outfile import at_home
from ozodial.postgres import STATISTICS, check_encoding, is_postgres, make_engine, marks
from ozodial.schema import VERSION, add_remark, add_removal, meta, tables

BUSY_SECONDS = 60.0
"""How long one process waits for another's transaction; each is far shorter."""

Upgrades = Mapping[int, Callable[[Connection], None]]

UPGRADES: Upgrades = {1: add_removal, 2: add_remark}
"""From a version to the next one; all that are needed run in one transaction."""

_ANOTHER_FILE = "set OZODIAL_LEDGER to a file that ozodial may write, or move that file away"
_ITS_SERVER = "see that the server runs, and that OZODIAL_LEDGER names it: psql URL"


def open_engine(
    place: str,
    upgrades: Upgrades = UPGRADES,
    version: int = VERSION,
    *,
    may_upgrade: Callable[[Connection], None] | None = None,
) -> Engine:
    """An engine on a ledger with today's tables. `place` is a file's path or an SQLAlchemy URL.

    An older one is upgraded if `may_upgrade` does not object; what several hosts share only where
    somebody asked for it. Errors: LedgerError when it can't be opened, is no ledger, or belongs to
    a newer version.
    """
    url = _url(place)
    try:
        # threads wait for the lock of their turn, never for a connection
        engine = make_engine(url) if is_postgres(url) else sa.create_engine(url, max_overflow=-1)
    except (sa.exc.ArgumentError, ImportError) as error:
        missing = isinstance(error, ImportError)
        hint = "pip install 'ozodial[postgres]', and postgresql+psycopg://… as the URL"
        said = f"The ledger {shown_place(url)} can't be used: {error}."
        raise LedgerError(said, hint if missing else _ANOTHER_FILE) from error
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    try:
        _retry_locked(lambda: _create(engine, upgrades, version, may_upgrade))
    except (sa.exc.DatabaseError, sqlite3.Error, OSError) as error:
        engine.dispose()
        said = f"The ledger {shown_place(url)} can't be used: {_reason(error)}."
        hint = _ITS_SERVER if is_postgres(url) else _ANOTHER_FILE
        raise LedgerError(said, hint) from error
    except LedgerError:
        engine.dispose()
        raise
    return engine


def file_identity(engine: Engine) -> tuple[int, int] | None:
    """Which file an SQLite ledger is now; None where there is none (any more), or no file at all.

    A file that was replaced or deleted can still be written by whoever has it open, in vain.
    """
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        return None
    try:
        found = os.stat(engine.url.database)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def many(connection: Connection, statement: str, values: Sequence[tuple[object, ...]]) -> None:
    """Execute a statement with ? marks for each of the values, the driver's own way.

    SQLAlchemy's way costs some milliseconds a batch, most of what the ledger costs at all. `IN ?`
    takes a list of numbers: a batch's rows in one step, since between two steps threads may change.
    """
    if not values:
        return
    sqlite = connection.dialect.paramstyle == "qmark"
    if "IN ?" in statement:
        listed = "IN (SELECT value FROM json_each(?))" if sqlite else "= ANY(?)"
        statement = statement.replace("IN ?", listed)
        if sqlite:
            values = [tuple(json.dumps(v) if type(v) is list else v for v in one) for one in values]
    if not sqlite:
        statement = statement.replace("?", "%s")
    connection.exec_driver_sql(statement, list(values))


def _url(place: str) -> sa.URL:
    if "://" not in place:
        return _own_file(place, at_home(place))
    try:
        url = sa.make_url(place)
    except sa.exc.ArgumentError as error:
        hint = "set OZODIAL_LEDGER to a file's path or an SQLAlchemy URL"
        raise LedgerError("The ledger's URL can't be read.", hint) from error
    if url.get_backend_name() != "sqlite":
        return url
    if url.database in (None, "", ":memory:"):
        raise LedgerError("A ledger in memory forgets what was sent.", _ANOTHER_FILE)
    return _own_file(place, Path(str(url.database)))


def _own_file(place: str, path: Path) -> sa.URL:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # made by us, so that its mode is right before the first secret is in it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        _check_file(place, path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise LedgerError(f"The ledger {place} can't be opened: {why}.", _ANOTHER_FILE) from error
    return sa.URL.create("sqlite", database=str(path))


def _check_file(place: str, path: Path) -> None:
    # not by opening it: closing it again would drop the locks of SQLite's connections in this
    # process, and with them other processes' regard for what is being written
    if path.is_symlink() and path.exists() and not _is_safe(path.stat().st_uid):
        why = "it is a link to somebody else's file"
        raise LedgerError(f"The ledger {place} can't be opened: {why}.", _ANOTHER_FILE)
    if not path.is_dir() and os.access(path, os.R_OK | os.W_OK):
        return
    why = os.strerror(errno.EISDIR if path.is_dir() else errno.EACCES)
    raise LedgerError(f"The ledger {place} can't be opened: {why}.", _ANOTHER_FILE)


def _is_safe(owner: int) -> bool:
    """Whether a file's owner may know what the ledger knows: ourselves, or the administrator."""
    return not hasattr(os, "geteuid") or owner in (0, os.geteuid())


def shown_place(url: sa.URL) -> str:
    """The place as a person knows it, without a password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string()


def _tune_sqlite(engine: Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
        _retry_locked(lambda: connection.execute("PRAGMA journal_mode = WAL").close())
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA foreign_keys = OFF")

    @sa.event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if not _reads(connection):
            _set_haste(connection)
        # a read that turns into a write could not wait for the lock, so writers say so at once
        connection.exec_driver_sql("BEGIN" if _reads(connection) else "BEGIN IMMEDIATE")


def _set_haste(connection: Connection) -> None:
    """Whether a commit waits for the disk; one that does waits for all that were before it, too."""
    hasty = bool(connection.get_execution_options().get("hasty", False))
    if connection.info.get("hasty", False) != hasty:
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if hasty else 'FULL'}")
        connection.info["hasty"] = hasty


def _reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("read_only", False))


def _retry_locked(work: Callable[[], None]) -> None:
    """Switching to WAL does not wait for other processes by itself; their moment is short."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return work()
        except (sqlite3.OperationalError, sa.exc.OperationalError) as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _create(
    engine: Engine,
    upgrades: Upgrades,
    version: int,
    may_upgrade: Callable[[Connection], None] | None,
) -> None:
    with engine.connect() as connection:
        if _version(connection.execution_options(read_only=True)) == version:
            return
    with engine.begin() as connection:
        found = _version(connection)
        if found is None:
            if engine.dialect.name == "postgresql":
                check_encoding(connection)
                marks.create(connection)
            tables.create_all(connection)
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(STATISTICS)
            connection.execute(meta.insert().values(name="version", value=str(version)))
            return
        steps = [upgrades.get(step) for step in range(found, version)]
        if found > version or None in steps:
            kind = "a newer" if found > version else "another"
            raise LedgerError(
                f"The ledger is of {kind} ozodial (version {found}, this one knows {version}).",
                "pip install --upgrade ozodial",
            )
        if not steps:
            return  # another process was faster
        if may_upgrade is not None:
            may_upgrade(connection)
        elif engine.dialect.name == "postgresql":
            raise LedgerError(
                f"The ledger is of an older ozodial (version {found}, this one needs {version}).",
                "ozodial ledger upgrade",
            )
        _keep_copy(engine, found)
        for step in steps:
            if step is not None:
                step(connection)
        connection.execute(meta.update().where(meta.c.name == "version").values(value=str(version)))


def _version(connection: Connection) -> int | None:
    names = sa.inspect(connection).get_table_names()
    if not names:
        return None
    value = None
    if "meta" in names and "deliveries" in names:
        value = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "version"))
    if value is None or not str(value).isdecimal():
        raise LedgerError(
            "The ledger's file is a database of another program.",
            "set OZODIAL_LEDGER to a file of its own",
        )
    return int(value)


def _keep_copy(engine: Engine, found: int) -> None:
    """A copy of an older SQLite ledger stays beside the upgraded one; nobody writes meanwhile."""
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        return
    copy = Path(f"{engine.url.database}.v{found}")
    os.close(os.open(copy, os.O_CREAT | os.O_RDWR, 0o600))
    source, target = sqlite3.connect(engine.url.database), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()


def _reason(error: Exception) -> str:
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        error_text = str(error.orig)
    else:
        error_text = str(error)
    return " ".join(error_text.split()).rstrip(".?") or type(error).__name__
