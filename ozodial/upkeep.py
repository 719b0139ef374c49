"""A ledger as a whole: how it stands, bringing it to today's tables, copying it to another place.

For `ozodial ledger`; nothing here knows of leads. What is done to all of it is one transaction, and
is refused while somebody is at work.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ozodial.clock import SystemClock
from ozodial.database import UPGRADES, Upgrades, file_identity, many, open_engine, shown_place
from ozodial.errors import LedgerError, UsageError
from ozodial.ledger import LEASE_SECONDS, Ledger
from ozodial.models import State
from ozodial.owners import dead_owners
from ozodial.postgres import DatabaseClock, copy_in, set_sequence
from ozodial.schema import VERSION, batches, instant, meta, owners, rows, runs, tables

PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Lease:
    """A process at work: `renewed` is seconds ago, `in_flight` its requests."""

    host: str
    pid: int
    renewed: float
    in_flight: int


@dataclass(frozen=True, slots=True)
class Status:
    """How a ledger stands. `waiting_since` is when the run of the oldest ready row was begun."""

    place: str
    database: str
    bytes: int
    version: int
    runs: Mapping[str, int]
    rows: Mapping[State, int]
    leases: Sequence[Lease]
    waiting_run: int | None
    waiting_row: int | None
    waiting_since: float | None


def status(ledger: Ledger) -> Status:
    """Where it is, how large, who is at work, and what waits."""
    with ledger.read() as connection:
        unsent = rows.c.state.in_([State.READY, State.SENDING])
        left = sa.exists().where(rows.c.run_id == runs.c.id, unsent)
        stands = sa.case(((runs.c.state == "open") & ~left, "finished"), else_=runs.c.state)
        by_state = sa.select(stands.label("stands"), sa.func.count()).group_by("stands")
        counted = sa.select(rows.c.state, sa.func.count()).group_by(rows.c.state)
        waiting = connection.execute(_OLDEST).first()
        return Status(
            place=shown_place(ledger.engine.url),
            database=_database(connection),
            bytes=_size(connection),
            version=int(connection.scalar(_VERSION) or 0),
            runs={str(state): int(count) for state, count in connection.execute(by_state)},
            rows={State(state): int(count) for state, count in connection.execute(counted)},
            leases=_leases(ledger, connection),
            waiting_run=waiting.id if waiting is not None else None,
            waiting_row=waiting.row if waiting is not None else None,
            waiting_since=waiting.created_wall if waiting is not None else None,
        )


_VERSION = sa.select(meta.c.value).where(meta.c.name == "version")
_READY = sa.select(sa.func.min(rows.c.row)).where(
    rows.c.run_id == runs.c.id, rows.c.state == State.READY
)
_OLDEST = (
    sa.select(runs.c.id, runs.c.created_wall, _READY.scalar_subquery().label("row"))
    .where(runs.c.state == "open", _READY.scalar_subquery().is_not(None))
    .order_by(runs.c.created_wall)
    .limit(1)
)


def upgrade(place: str, upgrades: Upgrades = UPGRADES, version: int = VERSION) -> None:
    """Bring a ledger to today's tables, all or nothing (LedgerError while runs are active)."""
    open_engine(place, upgrades, version, may_upgrade=_refuse_while_active).dispose()


def copy(ledger: Ledger, target: str) -> dict[str, int]:
    """Copy everything into an empty ledger at another place; rows per table, counted there."""
    with ledger.read() as source:  # a refusal leaves no empty ledger there that somebody might use
        _refuse_while_active(source)
    engine = open_engine(target)
    try:
        if _identity(engine) == _identity(ledger.engine):
            raise UsageError("The ledger can't be copied onto itself.")
        with ledger.write() as source, engine.begin() as sink:
            _refuse_while_active(source)
            if sink.scalar(sa.select(sa.func.count()).select_from(runs)):
                raise LedgerError(
                    f"The ledger {shown_place(engine.url)} has runs already.",
                    "name an empty database, or a file that is not there yet",
                )
            return {
                table.name: _copy_table(table, source, sink)
                for table in tables.sorted_tables
                if table is not meta
            }
    finally:
        engine.dispose()


def _identity(engine: Engine) -> object:
    """The same for the same database, however it is named."""
    if engine.dialect.name == "sqlite":
        return file_identity(engine)
    with engine.connect().execution_options(read_only=True) as connection:
        return tuple(
            connection.exec_driver_sql(
                "SELECT pg_postmaster_start_time(), current_database(), current_schema()"
            ).one()
        )


def _copy_table(table: sa.Table, source: Connection, sink: Connection) -> int:
    for page in _pages(table, source):
        _put_in(table, sink, page)
    if sink.dialect.name == "postgresql" and table.autoincrement_column is not None:
        set_sequence(sink, table.name, table.autoincrement_column.name)
    number = sa.select(sa.func.count()).select_from(table)
    there, here = sink.scalar(number), source.scalar(number)
    if there != here:
        raise LedgerError(f"{table.name}: {here} rows here, {there} there; nothing was copied.")
    return int(here or 0)


def _pages(table: sa.Table, source: Connection) -> Iterator[list[tuple[object, ...]]]:
    # all of a table in one result would be all of it in memory
    found = source.execute(sa.select(table).execution_options(yield_per=PAGE))
    for page in found.partitions():
        yield [tuple(row) for row in page]


def _put_in(table: sa.Table, sink: Connection, page: list[tuple[object, ...]]) -> None:
    names = [column.name for column in table.columns]
    if sink.dialect.name == "postgresql":
        copy_in(sink, table.name, names, page)
        return
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    many(sink, f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", page)  # noqa: S608


def _refuse_while_active(connection: Connection) -> None:
    clock = SystemClock()
    shared = connection.dialect.name == "postgresql"
    now = DatabaseClock(clock).sample(connection) if shared else clock.instant()
    host = Ledger.host_of(connection.engine)
    dead = set(dead_owners(connection, host, now, LEASE_SECONDS))
    alive = connection.execute(sa.select(owners).where(~owners.c.gone)).all()
    for owner in alive:
        if owner.id not in dead:
            where = str(owner.host).split("/")[0]
            raise LedgerError(
                f"The ledger is in use by process {owner.pid} on {where}.",
                "let it end, then the same command again: ozodial ledger status",
            )


def _leases(ledger: Ledger, connection: Connection) -> list[Lease]:
    now = ledger.now(connection)
    flying = (
        sa.select(sa.func.count())
        .where(batches.c.owner_id == owners.c.id, batches.c.outcome == State.SENDING)
        .scalar_subquery()
    )
    found = sa.select(owners, flying.label("flying")).where(~owners.c.gone).order_by(owners.c.id)
    return [
        Lease(
            host=str(owner.host).split("/")[0],
            pid=owner.pid,
            renewed=max(0.0, now.since(instant(owner, "renewed"))),
            in_flight=owner.flying,
        )
        for owner in connection.execute(found)
    ]


def _database(connection: Connection) -> str:
    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.dialect.name]
    return f"{name} {version}"


def _size(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        names = [table.name for table in tables.sorted_tables]
        sizes = sa.select(*[sa.func.pg_total_relation_size(name) for name in names])
        return sum(connection.execute(sizes).one())
    file = str(connection.engine.url.database)
    return sum(os.path.getsize(path) for path in (file, f"{file}-wal") if os.path.exists(path))
