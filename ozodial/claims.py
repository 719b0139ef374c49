"""Rows on their way: claimed with their delivery keys, recorded with their outcomes.

`claim` commits rows as `sending` before their request leaves; `record` commits what became of them
before anybody is shown it. The delivery key (account, command, campaign, hash of the lead) is taken
at the claim and given back when the lead turns out not taken: no two runs can send the same lead.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.keys import settle_keys, take_doubtful_keys, take_keys
from ozodial.lasting import lasting, lasting_to_the_end
from ozodial.ledger import Ledger
from ozodial.marking import mark_sending, new_batch, settle, settled_row, split, still_in
from ozodial.models import Instant, LeadRow, Outcome, Reason, SettledRow, State
from ozodial.schema import batches, deliveries, rows, runs
from ozodial.slots import SlotKey, answered
from ozodial.sorting import Sorting
from ozodial.staging import Run

# Statements of every request, made once: to put one together costs more than to execute it.
_RUN_STATE = sa.select(runs.c.state).where(runs.c.id == sa.bindparam("run"))
_ANY_READY = (
    sa.select(rows.c.row)
    .join(runs, runs.c.id == rows.c.run_id)
    .where(
        rows.c.run_id == sa.bindparam("run"), rows.c.state == State.READY, runs.c.state == "open"
    )
    .limit(1)
)
_READY_SPAN = sa.select(sa.func.min(rows.c.row), sa.func.max(rows.c.row)).where(
    rows.c.run_id == sa.bindparam("run"), rows.c.state == State.READY
)
_IN_FLIGHT = (
    sa.select(batches.c.owner_id, sa.func.sum(batches.c.rows))
    .where(batches.c.run_id == sa.bindparam("run"), batches.c.outcome == State.SENDING)
    .group_by(batches.c.owner_id)
)
_BATCH_ENDS = batches.update().where(batches.c.id == sa.bindparam("of_batch"))


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
    """How a request ended. `outcome` as in the batch event; `delay` is what the vendor asks for.

    `row_ids`: row -> the vendor's number of a scheduled row, by which `undo` can delete it.
    """

    outcome: str
    seconds: float
    answered_at: Instant
    message: str | None = None
    http_status: int | None = None
    transaction_id: str | None = None
    delay: float = 0.0
    split: bool = False
    row_ids: Mapping[int, int] = field(default_factory=dict)


class Claims:
    """Claims and records batches of one run."""

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run = run
        self._about = f"target {run.target_id}"

    @lasting
    def claim(self, limit: int, past: str, after: int = 0) -> Claim:
        """Up to `limit` ready rows behind a row become `sending`.

        `past` is now, written as a ScheduledTime.
        """
        with self._ledger.write(self._about) as connection:
            return self._claim(connection, limit, past, after)

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

        def made(connection: Connection) -> list[Outcome]:
            return self._record_answer(connection, claim, outcomes, result, key)

        return self._ledger.write_joined(self._about, made)

    @lasting_to_the_end
    def record_and_claim(
        self,
        claim: Claim,
        outcomes: Sequence[Outcome],
        result: BatchResult,
        key: SlotKey,
        limit: int,
        past: str,
    ) -> tuple[list[Outcome], Claim]:
        """`record`, and a `claim` for the next request in the same commit, which costs the most."""

        def made(connection: Connection) -> tuple[list[Outcome], Claim]:
            kept = self._record_answer(connection, claim, outcomes, result, key)
            return kept, self._claim(connection, limit, past)

        return self._ledger.write_joined(self._about, made)

    @lasting_to_the_end
    def hand_back(self, claim: Claim) -> None:
        """A batch that others gave up on was never sent: only this process knows."""
        said = "the process stood still before it was sent"
        with self._ledger.write(self._about) as connection:
            self._record(
                connection, claim, _unsent(claim), BatchResult("not_sent", 0.0, claim.at, said)
            )

    @lasting_to_the_end
    def unclaim(self, claim: Claim) -> None:
        """A batch is not to be sent after all: as if it had never been claimed."""
        with self._ledger.write(self._about) as connection:
            self._record(connection, claim, _unsent(claim), BatchResult("not_sent", 0.0, claim.at))
            connection.execute(batches.delete().where(batches.c.id == claim.batch_id))

    @lasting
    def any_ready(self) -> bool:
        """Whether the run is open and has rows to send."""
        with self._ledger.read(by_keys=True) as connection:
            return connection.scalar(_ANY_READY, {"run": self._run.id}) is not None

    @lasting
    def place(self, share: float) -> int:
        """The row behind which that share of the way from the first ready row to the last ends."""
        with self._ledger.read(by_keys=True) as connection:
            first, last = connection.execute(_READY_SPAN, {"run": self._run.id}).one()
            return int(first + share * (last - first)) - 1 if first is not None else 0

    @lasting
    def in_flight(self) -> tuple[int, int]:
        """Rows of this run that are `sending`: (by this process, by others)."""
        with self._ledger.read(by_keys=True) as connection:
            found = connection.execute(_IN_FLIGHT, {"run": self._run.id})
            counts = {owner: int(count) for owner, count in found}
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

    def _claim(self, connection: Connection, limit: int, past: str, after: int = 0) -> Claim:
        held = self._ledger.hold(connection)
        now = self._ledger.now(connection)
        if not held:
            return Claim(now, lost=True)
        found = Sorting(connection, self._run, past)
        if connection.scalar(_RUN_STATE, {"run": self._run.id}) == "open":
            found.fill(limit, after)
        settled, leads = tuple(found.settled), tuple(found.leads)
        settle(connection, self._run.id, settled)
        batch_id, number = 0, 0
        if leads:
            batch_id, number = new_batch(
                connection, self._run.id, self._ledger.owner, len(leads), now
            )
            mark_sending(connection, self._run.id, batch_id, leads)
            take_keys(connection, self._run, leads, found.held)
        return Claim(now, batch_id, number, self._ledger.owner, leads, settled, found.blocked)

    def _record_answer(
        self,
        connection: Connection,
        claim: Claim,
        outcomes: Sequence[Outcome],
        result: BatchResult,
        key: SlotKey,
    ) -> list[Outcome]:
        kept = self._record(connection, claim, outcomes, result)
        arrived = result.outcome != "not_sent"
        at, delay = result.answered_at, result.delay
        answered(connection, key, at, delay, claim.owner, arrived=arrived)
        return kept

    def _record(
        self,
        connection: Connection,
        claim: Claim,
        outcomes: Sequence[Outcome],
        result: BatchResult,
    ) -> list[Outcome]:
        still = still_in(connection, self._run.id, claim.batch_id, claim.rows)
        kept = [outcome for outcome in outcomes if outcome.state in still.get(outcome.row, ())]
        kept = settle_keys(connection, self._run, kept, claim.rows)
        settle(connection, self._run.id, kept)
        if result.split:
            split(connection, self._run.id, claim.batch_id, [outcome.row for outcome in kept])
        ended = {
            "outcome": result.outcome,
            "seconds": result.seconds,
            "http_status": result.http_status,
            "transaction_id": result.transaction_id,
            "message": result.message,
            "row_ids": json.dumps([*result.row_ids.items()]) if result.row_ids else None,
        }
        connection.execute(_BATCH_ENDS, {"of_batch": claim.batch_id, **ended})
        return kept


def _unsent(claim: Claim) -> list[Outcome]:
    return [Outcome(lead.row, State.READY) for lead in claim.rows]
