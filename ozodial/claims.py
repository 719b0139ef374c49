"""Rows on their way: claimed with their delivery keys, recorded with their outcomes.

`claim` commits rows as `sending` before their request leaves; `record` commits what became of them
before anybody is shown it. The delivery key (account, command, campaign, hash of the lead) is taken
at the claim and given back when the lead turns out not taken: no two runs can send the same lead.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.database import many
from ozodial.keys import settle_keys, take_doubtful_keys, take_keys
from ozodial.lasting import lasting, lasting_to_the_end
from ozodial.ledger import Ledger
from ozodial.models import Instant, LeadRow, Outcome, Reason, SettledRow, State
from ozodial.schema import batches, deliveries, rows, runs
from ozodial.slots import SlotKey, answered
from ozodial.sorting import Sorting
from ozodial.staging import Run

_NEXT: Mapping[str, Set[State]] = {
    State.SENDING: frozenset(State),
    State.UNKNOWN: frozenset(State),
    # given up on, and about to be sent again because a person said so
    State.READY: frozenset(State) - {State.UNKNOWN},
}
"""From the state in which an answer finds a row to those that it may bring."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim gave. No `rows`: nothing to send now; `blocked` rows wait for another run.

    `lost`: this process was taken for dead meanwhile, and holds nothing, not even its turn.
    """

    at: Instant
    batch_id: int = 0
    number: int = 0
    owner: int = 0
    rows: tuple[LeadRow, ...] = ()
    settled: tuple[SettledRow, ...] = ()
    blocked: int = 0
    lost: bool = False


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a request ended. `outcome` as in the batch event; `delay` is what the vendor asks for."""

    outcome: str
    seconds: float
    answered_at: Instant
    message: str | None = None
    http_status: int | None = None
    transaction_id: str | None = None
    delay: float = 0.0
    split: bool = False


class Claims:
    """Claims and records batches of one run."""

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run = run
        self._about = f"target {run.target_id}"

    @lasting
    def claim(self, limit: int, past: str) -> Claim:
        """Up to `limit` ready rows become `sending`; `past` is now, written as a ScheduledTime."""
        with self._ledger.write(self._about) as connection:
            held = self._ledger.hold(connection)
            now = self._ledger.now(connection)
            if not held:
                return Claim(now, lost=True)
            found = Sorting(connection, self._run, past)
            state = sa.select(runs.c.state).where(runs.c.id == self._run.id)
            if connection.scalar(state) == "open":
                found.fill(limit)
            settled, leads = tuple(found.settled), tuple(found.leads)
            _settle(connection, self._run.id, settled)
            batch_id, number = 0, 0
            if leads:
                batch_id, number = self._new_batch(connection, len(leads), now)
                _mark_sending(connection, self._run, batch_id, leads)
                take_keys(connection, self._run, leads, found.held)
            return Claim(now, batch_id, number, self._ledger.owner, leads, settled, found.blocked)

    @lasting
    def still_mine(self, claim: Claim) -> bool:
        """Whether a claim holds after this process stood still for a while; renews the lease."""
        with self._ledger.write("") as connection:
            held = self._ledger.hold(connection)
            outcome = sa.select(batches.c.outcome).where(batches.c.id == claim.batch_id)
            return held and connection.scalar(outcome) == State.SENDING

    @lasting_to_the_end
    def record(
        self, claim: Claim, outcomes: Sequence[Outcome], result: BatchResult, key: SlotKey
    ) -> list[Outcome]:
        """Commit what became of a batch; gives back the outcomes that were recorded.

        An answer that comes after the rows were given up on still counts, unless they have been
        claimed again since.
        """
        with self._ledger.write(self._about) as connection:
            kept = self._record(connection, claim, outcomes, result)
            arrived = result.outcome != "not_sent"
            at, delay = result.answered_at, result.delay
            answered(connection, key, at, delay, claim.owner, arrived=arrived)
            return kept

    @lasting_to_the_end
    def hand_back(self, claim: Claim) -> None:
        """A batch that others gave up on was never sent: only this process knows."""
        unsent = [Outcome(lead.row, State.READY) for lead in claim.rows]
        said = "the process stood still before it was sent"
        result = BatchResult("not_sent", 0.0, claim.at, said)
        with self._ledger.write(self._about) as connection:
            self._record(connection, claim, unsent, result)

    @lasting
    def any_ready(self) -> bool:
        """Whether the run is open and has rows to send."""
        with self._ledger.read(by_keys=True) as connection:
            ready = (
                sa.select(rows.c.row)
                .join(runs, runs.c.id == rows.c.run_id)
                .where(
                    rows.c.run_id == self._run.id,
                    rows.c.state == State.READY,
                    runs.c.state == "open",
                )
                .limit(1)
            )
            return connection.scalar(ready) is not None

    @lasting
    def in_flight(self) -> tuple[int, int]:
        """Rows of this run that are `sending`: (by this process, by others)."""
        with self._ledger.read(by_keys=True) as connection:
            counted = (
                sa.select(batches.c.owner_id, sa.func.count())
                .join(rows, rows.c.batch_id == batches.c.id)
                .where(rows.c.run_id == self._run.id, rows.c.state == State.SENDING)
                .group_by(batches.c.owner_id)
            )
            counts = {owner: int(count) for owner, count in connection.execute(counted)}
            own = counts.pop(self._ledger.owner, 0)
            return own, sum(counts.values())

    @lasting
    def make_unknown_ready(self) -> int:
        """`--resend-unknown`: a person decided that `unknown` rows are to be sent again.

        Their keys stay `unknown` until they are claimed: nobody else gets in between, and an answer
        that comes late still counts.
        """
        with self._ledger.write(self._about) as connection:
            unknown = (rows.c.run_id == self._run.id) & (rows.c.state == State.UNKNOWN)
            take_doubtful_keys(connection, self._run)
            ready = {"state": State.READY, "reason": None, "message": None}
            return connection.execute(rows.update().where(unknown).values(ready)).rowcount

    @lasting
    def look_again(self) -> None:
        """Rows that were `unknown` for another run's sake only are ready once that is settled."""
        key = sa.select(deliveries.c.row).where(
            deliveries.c.target_id == self._run.target_id,
            deliveries.c.lead_hash == rows.c.lead_hash,
            deliveries.c.state == State.UNKNOWN,
        )
        settled_now = (
            (rows.c.run_id == self._run.id)
            & (rows.c.state == State.UNKNOWN)
            & (rows.c.reason == Reason.UNKNOWN_ELSEWHERE)
            & ~key.exists()
        )
        with self._ledger.read() as connection:
            if connection.scalar(sa.select(rows.c.row).where(settled_now).limit(1)) is None:
                return
        with self._ledger.write(self._about) as connection:
            ready = {"state": State.READY, "reason": None, "message": None}
            connection.execute(rows.update().where(settled_now).values(ready))

    @lasting
    def of_batches(self, batch_ids: Iterable[int]) -> list[SettledRow]:
        """The rows of this run's batches that were given up on."""
        with self._ledger.read() as connection:
            lost = sa.select(rows).where(
                rows.c.run_id == self._run.id,
                rows.c.state == State.UNKNOWN,
                rows.c.batch_id.in_(list(batch_ids)),
            )
            return [settled_row(row) for row in connection.execute(lost)]

    def _new_batch(self, connection: Connection, size: int, now: Instant) -> tuple[int, int]:
        last = sa.select(sa.func.max(batches.c.number)).where(batches.c.run_id == self._run.id)
        number = (connection.scalar(last) or 0) + 1
        added = connection.execute(
            batches.insert().values(
                run_id=self._run.id,
                number=number,
                owner_id=self._ledger.owner,
                outcome=State.SENDING,
                rows=size,
                claimed_wall=now.wall,
            )
        )
        key = added.inserted_primary_key
        return (int(key[0]) if key is not None else 0), number

    def _record(
        self,
        connection: Connection,
        claim: Claim,
        outcomes: Sequence[Outcome],
        result: BatchResult,
    ) -> list[Outcome]:
        still = _still_in(connection, self._run.id, claim)
        kept = [outcome for outcome in outcomes if outcome.state in still.get(outcome.row, ())]
        _settle(connection, self._run.id, kept)
        settle_keys(connection, self._run, kept, claim.rows)
        if result.split:
            _split(connection, self._run.id, claim.batch_id, [outcome.row for outcome in kept])
        connection.execute(
            batches.update()
            .where(batches.c.id == claim.batch_id)
            .values(
                outcome=result.outcome,
                seconds=result.seconds,
                http_status=result.http_status,
                transaction_id=result.transaction_id,
                message=result.message,
            )
        )
        return kept


def settled_row(row: sa.Row[Any]) -> SettledRow:
    """A row of the ledger as a person sees it."""
    return SettledRow(row.row, row.phone, row.name, State(row.state), row.reason, row.message)


_SENDING = """
    UPDATE rows SET state = ?, reason = NULL, message = NULL, batch_id = ?
    WHERE run_id = ? AND "row" = ?
"""
_SETTLE = """
    UPDATE rows SET state = ?, reason = ?, message = ?, batch_id = CASE WHEN ? THEN batch_id END
    WHERE run_id = ? AND "row" = ?
"""
_STILL_IN = sa.select(rows.c.row, rows.c.state).where(
    rows.c.run_id == sa.bindparam("run"),
    rows.c.row.between(sa.bindparam("first"), sa.bindparam("last")),
    rows.c.batch_id == sa.bindparam("batch"),
)


def _settle(connection: Connection, run_id: int, settled: Iterable[SettledRow | Outcome]) -> None:
    """Write what became of rows."""
    values = [
        (str(row.state), row.reason, row.message, row.state is not State.READY, run_id, row.row)
        for row in settled
    ]
    many(connection, _SETTLE, values)


def _mark_sending(
    connection: Connection, run: Run, batch_id: int, leads: Sequence[LeadRow]
) -> None:
    sending = str(State.SENDING)
    many(connection, _SENDING, [(sending, batch_id, run.id, lead.row) for lead in leads])


def _still_in(connection: Connection, run_id: int, claim: Claim) -> Mapping[int, Set[State]]:
    """The batch's rows that nobody has claimed since, with what may still become of them."""
    numbers = [lead.row for lead in claim.rows]
    span = {"first": min(numbers, default=0), "last": max(numbers, default=0)}
    found = connection.execute(_STILL_IN, {"run": run_id, "batch": claim.batch_id, **span})
    return {row: _NEXT.get(state, frozenset()) for row, state in found}


def _split(connection: Connection, run_id: int, batch_id: int, refused: Sequence[int]) -> None:
    """Halve a refused batch, so that its guilty rows come to stand alone."""
    half = len(refused) // 2
    for part, numbers in enumerate((refused[:half], refused[half:])):
        connection.execute(
            rows.update()
            .where(rows.c.run_id == run_id, rows.c.row.in_(numbers))
            .values(part=2 * batch_id + part)
        )
