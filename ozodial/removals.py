"""Rows on their way out: what `undo` may remove, claimed before the request, settled after it.

A claim makes rows `sending` in a batch of the kind `remove`, so that a killed process leaves them
`unknown`, as an upload does. Asking the vendor twice is harmless: nobody can have put the lead in
again, since its delivery key is given back only when it is `removed`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.claims import BatchResult
from ozodial.database import many
from ozodial.deletes import DeleteCall
from ozodial.errors import UsageError
from ozodial.holders import MOST_ASKED, free_keys, remove_elsewhere
from ozodial.ledger import Ledger
from ozodial.marking import new_batch
from ozodial.models import Instant, LeadRow, Outcome, Reason, SettledRow, State
from ozodial.schema import batches, rows, runs
from ozodial.sifting import Before, Sieve, Sifted, put_in
from ozodial.slots import SlotKey, answered
from ozodial.staging import Run

MOST_LEFT = 2_000
"""A claim that leaves more rows than this as they are ends early: others want to write."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A claim. `rows` are to be asked for; `left` ones stay as they are, and why.

    `upto` is the last row that was looked at; `lost`: this process was taken for dead meanwhile.
    """

    at: Instant
    upto: int
    batch_id: int = 0
    number: int = 0
    owner: int = 0
    rows: tuple[LeadRow, ...] = ()
    row_ids: Mapping[int, int] = field(default_factory=dict)
    before: Mapping[int, Before] = field(default_factory=dict)
    asked_before: bool = False
    left: tuple[SettledRow, ...] = ()
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """What `undo` would do. `kept`: run -> numbers that it put in, too; `left`: reason -> rows.

    `queued` of those to be removed are only queued at the vendor; `unsent` rows are still ready.
    """

    remove: int
    requests: int
    queued: int
    kept: Mapping[int, int]
    left: Mapping[Reason, int]
    unsent: int

    @property
    def staying(self) -> int:
        """Leads that stay where they are."""
        return sum(self.kept.values()) + sum(self.left.values())


class Removals:
    """Claims and records what is removed of one run."""

    def __init__(self, ledger: Ledger, run: Run, call: DeleteCall) -> None:
        self._ledger = ledger
        self._run = run
        self._call = call

    def outlook(self, past: str) -> Outlook:
        """What there is to do; `past` is now, written as a ScheduledTime. Reads only."""
        requests, room, kind = 0, 0, False
        remove = queued = 0
        kept: dict[int, int] = {}
        left: dict[Reason, int] = {}
        with self._ledger.read() as connection:
            for row in Sieve(connection, self._run, self._call, past).everything():
                if row.why is None:
                    if not room or row.asked_before != kind:
                        requests, room, kind = (
                            requests + 1,
                            self._call.per_request,
                            row.asked_before,
                        )
                    room -= 1
                    remove += 1
                    queued += row.before.state is State.QUEUED
                elif row.other is not None:
                    kept[row.other] = kept.get(row.other, 0) + 1
                else:
                    left[row.why[0]] = left.get(row.why[0], 0) + 1
            ready = (rows.c.run_id == self._run.id) & (rows.c.state == State.READY)
            unsent = connection.scalar(sa.select(sa.func.count()).select_from(rows).where(ready))
        return Outlook(remove, requests, queued, kept, left, unsent or 0)

    def begin(self) -> None:
        """From here on nothing of the run is sent any more (UsageError if it is being read)."""
        with self._ledger.write() as connection:
            state = connection.scalar(sa.select(runs.c.state).where(runs.c.id == self._run.id))
            if state == "staging":
                raise UsageError(f"Run {self._run.id} is still being read.", "ozodial runs")
            _set_state(connection, self._run, "undoing")

    def finish(self) -> None:
        """All has been asked for and answered."""
        with self._ledger.write() as connection:
            _set_state(connection, self._run, "undone")

    def any_left(self, after: int) -> bool:
        """Whether the run has rows behind `after` that it put in."""
        with self._ledger.read() as connection:
            found = sa.select(rows.c.row).where(*put_in(self._run), rows.c.row > after)
            return connection.scalar(found.limit(1)) is not None

    def claim(self, after: int, past: str) -> Removal:
        """The next rows to ask for become `sending`; `past` as in `outlook`."""
        with self._ledger.write() as connection:
            held = self._ledger.hold(connection)
            now = self._ledger.clock.instant()
            if not held:
                return Removal(now, after, lost=True)
            upto, doomed, left = self._choose(connection, after, past)
            _say_why(connection, self._run, left)
            ids = {row.lead.row: row.row_id for row in doomed if row.row_id is not None}
            batch_id, number = 0, 0
            if doomed:
                asked = {
                    "kind": "remove",
                    "row_ids": json.dumps([*ids.items()]) if ids else None,
                }
                batch_id, number = new_batch(
                    connection, self._run.id, self._ledger.owner, len(doomed), now, asked
                )
                self._mark_sending(connection, batch_id, doomed)
            return Removal(
                at=now,
                upto=upto,
                batch_id=batch_id,
                number=number,
                owner=self._ledger.owner,
                rows=tuple(row.lead for row in doomed),
                row_ids=ids,
                before={row.lead.row: row.before for row in doomed},
                asked_before=bool(doomed) and doomed[0].asked_before,
                left=tuple(left),
            )

    def record(
        self, claim: Removal, outcomes: Sequence[Outcome], result: BatchResult, key: SlotKey
    ) -> list[Outcome]:
        """Commit what became of a request; the outcomes that tell something new.

        `ready` is no state that a removal ends in: it says that the row is as it was before.
        """
        with self._ledger.write() as connection:
            mine = (rows.c.run_id == self._run.id) & (rows.c.batch_id == claim.batch_id)
            in_doubt = rows.c.state.in_([State.SENDING, State.UNKNOWN])
            still = set(connection.scalars(sa.select(rows.c.row).where(mine, in_doubt)))
            kept = [outcome for outcome in outcomes if outcome.row in still]
            self._settle(connection, claim, kept)
            ended = {
                "outcome": result.outcome,
                "seconds": result.seconds,
                "http_status": result.http_status,
                "message": result.message,
            }
            ours = batches.c.id == claim.batch_id
            connection.execute(batches.update().where(ours).values(ended))
            arrived = result.outcome != "not_sent"
            at, delay = result.answered_at, result.delay
            answered(connection, key, at, delay, claim.owner, arrived=arrived)
            return [_as_it_is(claim, o) for o in kept if o.state is not State.READY or o.reason]

    def _choose(
        self, connection: Connection, after: int, past: str
    ) -> tuple[int, list[Sifted], list[SettledRow]]:
        doomed: list[Sifted] = []
        left: list[SettledRow] = []
        size = self._call.per_request
        for row in Sieve(connection, self._run, self._call, past).after(after, MOST_ASKED):
            if len(doomed) == size or len(left) == MOST_LEFT:
                break
            if row.why is not None:
                left.append(row.left())
            elif doomed and row.asked_before != doomed[0].asked_before:
                break  # what "No data found" says of them is not the same
            else:
                doomed.append(row)
            after = row.lead.row
        return after, doomed, left

    def _mark_sending(self, connection: Connection, batch_id: int, doomed: list[Sifted]) -> None:
        sending = str(State.SENDING)
        leads = [row.lead for row in doomed]
        values = [(sending, None, None, batch_id, self._run.id, lead.row) for lead in leads]
        many(connection, _SETTLE, values)
        many(connection, _KEY, [(sending, *self._key(lead)) for lead in leads])

    def _settle(self, connection: Connection, claim: Removal, kept: Sequence[Outcome]) -> None:
        leads = {lead.row: lead for lead in claim.rows}
        values, staying = [], []
        for outcome in kept:
            row, state, reason, message = _as_it_is(claim, outcome)
            as_before = outcome.state is State.READY
            batch_id = claim.before[row].batch_id if as_before else claim.batch_id
            values.append((str(state), reason, message, batch_id, self._run.id, row))
            if state is not State.REMOVED:
                staying.append((str(state), *self._key(leads[row])))
        many(connection, _SETTLE, values)
        many(connection, _KEY, staying)
        gone = [leads[outcome.row] for outcome in kept if outcome.state is State.REMOVED]
        if gone:
            free_keys(connection, self._run, gone)
            remove_elsewhere(connection, self._run, gone, by_phone=not self._call.by_row_id)

    def _key(self, lead: LeadRow) -> tuple[int, bytes, int, int]:
        return self._run.target_id, lead.lead_hash, self._run.id, lead.row


_SETTLE = """
    UPDATE rows SET state = ?, reason = ?, message = ?, batch_id = ?
    WHERE run_id = ? AND "row" = ?
"""
_WHY = """
    UPDATE rows SET reason = ?, message = ? WHERE run_id = ? AND "row" = ?
"""
_KEY = """
    UPDATE deliveries SET state = ?
    WHERE target_id = ? AND lead_hash = ? AND run_id = ? AND "row" = ?
"""


def _as_it_is(claim: Removal, outcome: Outcome) -> Outcome:
    """What the row's state is now, where the outcome says that nothing became of it."""
    if outcome.state is not State.READY:
        return outcome
    before = claim.before[outcome.row]
    if outcome.reason is not None:
        return outcome._replace(state=before.state)
    reason = Reason(before.reason) if before.reason is not None else None
    return Outcome(outcome.row, before.state, reason, before.message)


def _say_why(connection: Connection, run: Run, left: Sequence[SettledRow]) -> None:
    """Rows that stay in say why; one that is unknown has a reason of its own."""
    sure = [row for row in left if row.state is not State.UNKNOWN]
    many(connection, _WHY, [(row.reason, row.message, run.id, row.row) for row in sure])


def _set_state(connection: Connection, run: Run, state: str) -> None:
    connection.execute(runs.update().where(runs.c.id == run.id).values(state=state))
