"""What a run put in, sorted for `undo`: rows to ask the vendor to remove, and rows to leave.

Left are scheduled rows without the vendor's number or whose time has passed, and numbers that
another run put into the same campaign, too. Reads only.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.deletes import DeleteCall
from ozodial.holders import holders_of, tail_of
from ozodial.models import LeadRow, Reason, SettledRow, State
from ozodial.schema import batches, rows
from ozodial.staging import Run

PUT_IN = (State.ACCEPTED, State.QUEUED, State.UNKNOWN)
"""What a run put in, or may have."""

PAGE = 5_000


class Before(NamedTuple):
    """How a row stands before it is claimed."""

    state: State
    reason: str | None
    message: str | None
    batch_id: int | None


class Sifted(NamedTuple):
    """One row that the run put in. `why` it is left (None: it is to be removed).

    `other` is the run that put it in, too; `asked_before`: the vendor was asked to remove it, and
    nobody knows the answer.
    """

    lead: LeadRow
    before: Before
    row_id: int | None
    asked_before: bool
    why: tuple[Reason, str] | None = None
    other: int | None = None

    def left(self) -> SettledRow:
        """The row with why it is left."""
        reason, message = self.why if self.why is not None else (None, None)
        lead = self.lead
        known = (lead.row, lead.phone, lead.name, self.before.state)
        return SettledRow(*known, reason, message, lead.remark)


class Sieve:
    """Goes through a run's rows. `past` is now, written as a ScheduledTime."""

    def __init__(self, connection: Connection, run: Run, call: DeleteCall, past: str) -> None:
        self._connection = connection
        self._run = run
        self._call = call
        self._past = past
        self._row_ids: dict[int, Mapping[int, int]] = {}
        self._held: Mapping[str, int] | None = None

    def everything(self) -> Iterator[Sifted]:
        """All rows that the run put in, in order."""
        if not self._call.by_row_id:
            phones = sa.select(rows.c.phone).where(*put_in(self._run))
            tails = {tail_of(phone) for phone in self._connection.scalars(phones)}
            self._held = holders_of(self._connection, self._run, tails)
        return self.after(0, PAGE)

    def after(self, row: int, size: int) -> Iterator[Sifted]:
        """Those behind a row, looked up `size` at a time."""
        while page := self._connection.execute(_page(self._run, row, size)).all():
            held = self._held
            if held is None and not self._call.by_row_id:
                tails = {tail_of(found.phone) for found in page}
                held = holders_of(self._connection, self._run, tails)
            for found in page:
                yield self._sift(found, held or {})
            row = page[-1].row

    def _sift(self, found: sa.Row[Any], held: Mapping[str, int]) -> Sifted:
        values = tuple(json.loads(found.values))
        lead = LeadRow(
            found.row,
            found.phone,
            found.name,
            found.scheduled,
            values,
            found.lead_hash,
            found.remark,
        )
        before = Before(State(found.state), found.reason, found.message, found.batch_id)
        row_id = self._row_id(found) if self._call.by_row_id else None
        sifted = Sifted(lead, before, row_id, found.kind == "remove")
        if not self._call.by_row_id:
            other = held.get(tail_of(lead.phone))
            if other is None:
                return sifted
            said = f"run {other} put this number into the campaign, too"
            return sifted._replace(why=(Reason.IN_ANOTHER_RUN, said), other=other)
        if lead.scheduled <= self._past:
            said = f"its time {lead.scheduled} has passed: it is in the campaign now"
            return sifted._replace(why=(Reason.TIME_PAST, said))
        if row_id is None:
            said = "the vendor's rowId of this row is not known"
            return sifted._replace(why=(Reason.NO_ROW_ID, said))
        return sifted

    def _row_id(self, found: sa.Row[Any]) -> int | None:
        if found.batch_id is None or found.row_ids is None:
            return None
        if found.batch_id not in self._row_ids:
            self._row_ids = {found.batch_id: dict(json.loads(found.row_ids))}
        return self._row_ids[found.batch_id].get(found.row)


def put_in(run: Run) -> tuple[sa.ColumnElement[bool], ...]:
    """The rows that a run put in, or may have."""
    # what the vendor had already when it was sent again, it had from the first try
    from_us = (rows.c.state == State.DUPLICATE) & (rows.c.reason == Reason.EXISTS_AFTER_RESEND)
    return rows.c.run_id == run.id, rows.c.state.in_(PUT_IN) | from_us


def _page(run: Run, after: int, size: int) -> sa.Select[Any]:
    return (
        sa.select(rows, batches.c.kind, batches.c.row_ids)
        .outerjoin(batches, batches.c.id == rows.c.batch_id)
        .where(*put_in(run), rows.c.row > after)
        .order_by(rows.c.row)
        .limit(size)
    )
