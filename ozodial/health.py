"""How a ledger is: its file, its permissions, whether it can be written, what waits in it.

An open ledger in, one record out. Repairs nothing; what a dead process left was settled before.
"""

import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.schema import meta, rows, runs

WAITING = (State.READY, State.SENDING, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """`file` None: a database server. Sizes are bytes; `waiting` counts rows of open runs.

    `open_to_others` are paths that others than the owner may read or write. `fault` is what SQLite
    finds wrong in its file, "" where nothing is.
    """

    file: Path | None
    runs: int
    size: int = 0
    free: int = 0
    open_to_others: tuple[Path, ...] = ()
    fault: str = ""
    waiting: Mapping[tuple[int, State], int] = field(default_factory=dict)


def examine(ledger: Ledger) -> LedgerHealth:
    """Look at it; LedgerFullError where it can't be read or written."""
    with ledger.write() as connection:  # a version that stays the same: can it be written at all?
        connection.execute(meta.update().where(meta.c.name == "version").values(value=meta.c.value))
    with ledger.read() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(runs)) or 0
        found = (
            sa.select(rows.c.run_id, rows.c.state, sa.func.count())
            .join(runs, runs.c.id == rows.c.run_id)
            .where(runs.c.state == "open", rows.c.state.in_(WAITING))
            .group_by(rows.c.run_id, rows.c.state)
            .order_by(rows.c.run_id)
        )
        waiting = {(run, State(state)): many for run, state, many in connection.execute(found)}
        fault = ""
        if ledger.engine.dialect.name == "sqlite":
            said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() or "")
            fault = "" if said == "ok" else said
    path = ledger.engine.url.database
    if ledger.engine.dialect.name != "sqlite" or path is None:
        return LedgerHealth(None, count, waiting=waiting)
    file = Path(path)
    return LedgerHealth(
        file=file,
        runs=count,
        size=file.stat().st_size,
        free=shutil.disk_usage(file.parent).free,
        open_to_others=tuple(place for place in (file.parent, file) if _is_open(place)),
        fault=fault,
        waiting=waiting,
    )


def _is_open(place: Path) -> bool:
    """Whether others may read the file, or put another one into its folder's place."""
    mode = place.stat().st_mode
    others = stat.S_IWGRP | stat.S_IWOTH if place.is_dir() else stat.S_IRWXG | stat.S_IRWXO
    sticky = place.is_dir() and mode & stat.S_ISVTX
    return bool(mode & others) and not sticky
