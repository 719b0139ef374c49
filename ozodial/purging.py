"""Removing personal data from old runs: what is left are counts, and the keys that stop a repeat.

In: a ledger and a moment. Out: which runs were emptied and which were kept, and why. A row keeps
its number, state and reason; a delivery key is a hash and stays as it is. What is removed does not
linger in free pages either, as far as the database lets us say so.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.schema import batches, rows, runs
from ozodial.staging import Run, Staging

_UNSETTLED = (State.READY, State.SENDING, State.UNKNOWN)
"""Rows that somebody will still need as they are."""

_NOTHING = {
    "phone": "",
    "name": "",
    "values": "[]",
    "cells": "[]",
    "message": None,  # it quotes cells, as does the remark
    "remark": None,
    "lead_hash": None,
}


@dataclass(frozen=True, slots=True)
class Purged:
    """What was done: runs emptied, rows in them, and the runs kept with their states of rows.

    `overwritten`: nothing of what was removed is left in the ledger's file.
    """

    runs: Sequence[int]
    rows: int
    kept: Sequence[tuple[Run, State]]
    overwritten: bool


def purge(ledger: Ledger, before: float) -> Purged:
    """Empty the runs staged before a moment (seconds since 1970) that nobody needs any more.

    A run with rows ready, sending or unknown is kept whole; a cancelled one has none to be sent.
    """
    staging, emptied, kept, count = Staging(ledger), [], [], 0
    for run_id in _old(ledger, before):
        with ledger.write() as connection:
            run = staging.run(run_id)
            held = _unsettled(connection, run)
            if held is not None:
                kept.append((run, held))
                continue
            count += _empty(connection, run, ledger.clock.instant().wall)
            emptied.append(run_id)
    return Purged(emptied, count, kept, _overwrite(ledger))


def _old(ledger: Ledger, before: float) -> list[int]:
    """Runs that were opened before a moment and not emptied since, oldest first."""
    with ledger.read() as connection:
        old = sa.select(runs.c.id, runs.c.options).where(
            runs.c.created_wall < before, runs.c.state != "staging"
        )
        found = connection.execute(old.order_by(runs.c.id)).all()
    return [run.id for run in found if json.loads(run.options).get("purged") is None]


def _unsettled(connection: Connection, run: Run) -> State | None:
    states = [s for s in _UNSETTLED if s is not State.READY or run.state == "open"]
    found = sa.select(rows.c.state).where(rows.c.run_id == run.id, rows.c.state.in_(states))
    state = connection.scalar(found.limit(1))
    return State(state) if state is not None else None


def _empty(connection: Connection, run: Run, now: float) -> int:
    done = connection.execute(rows.update().where(rows.c.run_id == run.id).values(_NOTHING))
    connection.execute(batches.update().where(batches.c.run_id == run.id).values(message=None))
    options = json.dumps(asdict(replace(run.options, purged=now)), ensure_ascii=False)
    connection.execute(runs.update().where(runs.c.id == run.id).values(options=options))
    return done.rowcount


def _overwrite(ledger: Ledger) -> bool:
    """SQLite leaves what was removed in free pages and in its log; PostgreSQL's own vacuum runs."""
    if ledger.engine.dialect.name != "sqlite":
        return True
    raw = ledger.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = cursor.fetchone()
        return busy is not None and busy[0] == 0
    except sqlite3.OperationalError:
        return False
    finally:
        raw.close()
