"""What the ledger says about runs, for people and files: lists, stories, rows. Reads only."""

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ozodial.claims import settled_row
from ozodial.export import ExportRow
from ozodial.ledger import Ledger
from ozodial.models import SettledRow, State
from ozodial.schema import batches, rows, runs, targets

PAGE = 2_000

BEFORE_SENDING = (State.INVALID, State.DUPLICATE, State.SUPPRESSED, State.ALREADY_ACCEPTED)
PROBLEMS = (State.REJECTED, State.INVALID, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One line of the list of runs; `created` is seconds since 1970."""

    id: int
    created: float
    command: str
    api: str
    account: str
    campaign: str
    file: str
    state: str
    counts: dict[State, int]


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One request of a run; `claimed` is seconds since 1970, `seconds` None while in flight."""

    number: int
    claimed: float
    rows: int
    outcome: str
    seconds: float | None
    http_status: int | None
    transaction_id: str | None
    message: str | None


def settled_rows(ledger: Ledger, run_id: int) -> Iterator[SettledRow]:
    """Rows that were settled before sending, in the file's order."""
    for row in _paged(ledger, run_id, BEFORE_SENDING):
        yield settled_row(row)


def all_rows(ledger: Ledger, run_id: int) -> Iterator[SettledRow]:
    """Every row of a run, in the file's order."""
    for row in _paged(ledger, run_id, None):
        yield settled_row(row)


def export_rows(
    ledger: Ledger, run_id: int, states: Sequence[State] | None = None
) -> Iterator[ExportRow]:
    """A run's rows in the file's order; `states` None: all."""
    for row in _paged(ledger, run_id, states):
        yield ExportRow(row.row, json.loads(row.cells), row.state, row.reason, row.message)


def problem_rows(ledger: Ledger, run_id: int, limit: int) -> list[SettledRow]:
    """The first problem rows of a run."""
    with ledger.read() as connection:
        found = (
            sa.select(rows)
            .where(rows.c.run_id == run_id, rows.c.state.in_(PROBLEMS))
            .order_by(rows.c.row)
            .limit(limit)
        )
        return [settled_row(row) for row in connection.execute(found)]


def list_runs(ledger: Ledger, only: int | None = None) -> list[RunRecord]:
    """All runs that were opened, newest first (or one)."""
    with ledger.read() as connection:
        joined = (
            sa.select(runs, targets)
            .join(targets, runs.c.target_id == targets.c.id)
            .where(runs.c.state != "staging")
            .order_by(runs.c.id.desc())
        )
        if only is not None:
            joined = joined.where(runs.c.id == only)
        counted = sa.select(rows.c.run_id, rows.c.state, sa.func.count()).group_by(
            rows.c.run_id, rows.c.state
        )
        if only is not None:
            counted = counted.where(rows.c.run_id == only)
        counts: dict[int, dict[State, int]] = {}
        for run_id, state, count in connection.execute(counted):
            counts.setdefault(run_id, {})[State(state)] = count
        return [
            RunRecord(
                id=found[0],
                created=found.created_wall,
                command=found.endpoint,
                api=found.api,
                account=found.account,
                campaign=found.campaign,
                file=found.file,
                state=found.state,
                counts=counts.get(found[0], {}),
            )
            for found in connection.execute(joined)
        ]


def list_batches(ledger: Ledger, run_id: int) -> list[BatchRecord]:
    """Every request of a run, in order."""
    with ledger.read() as connection:
        found = sa.select(batches).where(batches.c.run_id == run_id).order_by(batches.c.number)
        return [
            BatchRecord(
                number=batch.number,
                claimed=batch.claimed_wall,
                rows=batch.rows,
                outcome=batch.outcome,
                seconds=batch.seconds,
                http_status=batch.http_status,
                transaction_id=batch.transaction_id,
                message=batch.message,
            )
            for batch in connection.execute(found)
        ]


def count_reasons(ledger: Ledger, run_id: int) -> list[tuple[State, str, int, str | None]]:
    """(state, reason, rows, one row's message), most frequent first."""
    with ledger.read() as connection:
        number = sa.func.count()
        grouped = (
            sa.select(rows.c.state, rows.c.reason, number, sa.func.min(rows.c.message))
            .where(rows.c.run_id == run_id, rows.c.reason.is_not(None))
            .group_by(rows.c.state, rows.c.reason)
            .order_by(number.desc(), rows.c.reason)
        )
        return [
            (State(state), str(reason), count, message)
            for state, reason, count, message in connection.execute(grouped)
        ]


def _paged(
    ledger: Ledger, run_id: int, states: Sequence[State] | None
) -> Iterator[sa.Row[tuple[object, ...]]]:
    """Rows page by page, so that nobody is blocked and memory stays small."""
    after = -1
    while True:
        page = sa.select(rows).where(rows.c.run_id == run_id, rows.c.row > after)
        if states is not None:
            page = page.where(rows.c.state.in_(states))
        found = ledger.outage.go_on(functools.partial(_page, ledger, page))
        if not found:
            return
        yield from found
        after = found[-1].row


def _page(ledger: Ledger, page: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    with ledger.read() as connection:
        return connection.execute(page.order_by(rows.c.row).limit(PAGE)).all()
