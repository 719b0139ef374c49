"""What the ledger says about runs, for people and files: lists, stories, rows. Reads only."""

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ozodial.export import ExportRow
from ozodial.ledger import Ledger
from ozodial.marking import full_message, settled_row
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

    @property
    def stands(self) -> str:
        """How the run stands: open, finished (nothing left to send) or cancelled."""
        unsent = self.counts.get(State.READY, 0) + self.counts.get(State.SENDING, 0)
        return "finished" if self.state == "open" and not unsent else self.state


RUN_STATES = ("open", "finished", "cancelled", "undoing", "undone")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs to list. `since` is seconds since 1970; `states` are states of runs or of rows.

    A run fits a state of rows if it has such a row; `campaign` is compared without letter case.
    """

    run: int | None = None
    campaign: str | None = None
    states: frozenset[str] | None = None
    since: float = 0.0
    limit: int | None = None

    def fits(self, campaign: str) -> bool:
        """Whether the campaign is wanted."""
        return self.campaign is None or self.campaign.casefold() == campaign.casefold()


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One request of a run; `claimed` is seconds since 1970, `seconds` None while in flight.

    `kind` is add, or remove for what `undo` asked.
    `waited` is the time since the run's requests before it were over (None for the first one);
    `resumed`: it is the first one of another process, so nobody waited in between.
    """

    number: int
    claimed: float
    rows: int
    outcome: str
    seconds: float | None
    http_status: int | None
    transaction_id: str | None
    message: str | None
    kind: str
    waited: float | None = None
    resumed: bool = False


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
        yield ExportRow(row.row, json.loads(row.cells), row.state, row.reason, full_message(row))


def problem_rows(ledger: Ledger, run_id: int, limit: int) -> list[SettledRow]:
    """The first problem rows of a run."""
    with ledger.read() as connection:
        found = (
            sa.select(rows)
            .where(rows.c.run_id == run_id, rows.c.state.in_(PROBLEMS))
            .order_by(rows.c.row)
            .limit(limit)
        )
        return [
            settled_row(row)._replace(message=full_message(row))
            for row in connection.execute(found)
        ]


def list_runs(ledger: Ledger, wanted: "Wanted | None" = None) -> list[RunRecord]:
    """The runs that were opened and are wanted, newest first."""
    wanted = wanted or Wanted()
    with ledger.read() as connection:
        found = [run for run in connection.execute(_opened(wanted)) if wanted.fits(run.campaign)]
        if wanted.states is None and wanted.limit is not None:
            found = found[: wanted.limit]
        counts: dict[int, dict[State, int]] = {}
        if found:
            lot = rows.c.run_id.between(found[-1][0], found[0][0])
            counted = sa.select(rows.c.run_id, rows.c.state, sa.func.count()).where(lot)
            for run_id, state, count in connection.execute(
                counted.group_by(rows.c.run_id, rows.c.state)
            ):
                counts.setdefault(run_id, {})[State(state)] = count
    records = [_record(run, counts.get(run[0], {})) for run in found]
    if wanted.states is not None:
        records = [run for run in records if wanted.states & {run.stands, *run.counts}]
    return records[: wanted.limit]


def _opened(wanted: "Wanted") -> sa.Select[tuple[Any, ...]]:
    joined = (
        sa.select(runs, targets)
        .join(targets, runs.c.target_id == targets.c.id)
        .where(runs.c.state != "staging", runs.c.created_wall >= wanted.since)
        .order_by(runs.c.id.desc())
    )
    return joined.where(runs.c.id == wanted.run) if wanted.run is not None else joined


def _record(found: sa.Row[Any], counts: dict[State, int]) -> RunRecord:
    return RunRecord(
        id=found[0],
        created=found.created_wall,
        command=found.endpoint,
        api=found.api,
        account=found.account,
        campaign=found.campaign,
        file=found.file,
        state=found.state,
        counts=counts,
    )


def list_batches(ledger: Ledger, run_id: int) -> list[BatchRecord]:
    """Every request of a run, in order."""
    ended, owner, told = 0.0, None, []
    with ledger.read() as connection:
        found = sa.select(batches).where(batches.c.run_id == run_id).order_by(batches.c.number)
        for batch in connection.execute(found):
            told.append(
                BatchRecord(
                    number=batch.number,
                    claimed=batch.claimed_wall,
                    rows=batch.rows,
                    outcome=batch.outcome,
                    seconds=batch.seconds,
                    http_status=batch.http_status,
                    transaction_id=batch.transaction_id,
                    message=batch.message,
                    kind=batch.kind,
                    waited=max(0.0, batch.claimed_wall - ended) if ended else None,
                    resumed=owner not in (None, batch.owner_id),
                )
            )
            ended = max(ended, batch.claimed_wall + (batch.seconds or 0.0))
            owner = batch.owner_id
    return told


def scheduled_hours(ledger: Ledger, run_id: int) -> list[tuple[str, int]]:
    """How many leads that are in, or may get in, are to be called in which hour of the account's.

    An hour is text as `2026-11-22 10:00`; in order.
    """
    hour = sa.func.substr(rows.c.scheduled, 1, 13)
    going = (State.ACCEPTED, State.QUEUED, State.READY, State.SENDING, State.UNKNOWN)
    with ledger.read() as connection:
        counted = (
            sa.select(hour, sa.func.count())
            .where(rows.c.run_id == run_id, rows.c.scheduled != "", rows.c.state.in_(going))
            .group_by(hour)
            .order_by(hour)
        )
        return [(f"{begin}:00", count) for begin, count in connection.execute(counted)]


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
