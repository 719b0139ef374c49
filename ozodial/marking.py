"""The marks of a run's rows as they are claimed and settled, in the transaction of the caller."""

from collections.abc import Iterable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.database import many
from ozodial.models import Instant, LeadRow, Outcome, Reason, SettledRow, State
from ozodial.schema import batches, deliveries, rows

_NEXT: Mapping[str, Set[State]] = {
    State.SENDING: frozenset(State),
    State.UNKNOWN: frozenset(State),
    # given up on, and about to be sent again because a person said so
    State.READY: frozenset(State) - {State.UNKNOWN},
}
"""From the state in which an answer finds a row to those that it may bring."""


def settled_row(row: sa.Row[Any]) -> SettledRow:
    """A row of the ledger as a person sees it."""
    known = (row.row, row.phone, row.name, State(row.state), row.reason)
    return SettledRow(*known, row.message, row.remark)


def full_message(row: sa.Row[Any]) -> str | None:
    """Why a row of the ledger stands where it stands, and the remark that it got when it was read.

    The remark stays to the end, whatever becomes of the row.
    """
    return with_remark(row.message, row.remark)


def with_remark(message: str | None, remark: str | None) -> str | None:
    """The two as one sentence; None where there is neither."""
    return "; ".join(filter(None, (message, remark))) or None


_SENDING = """
    UPDATE rows SET state = ?, reason = NULL, batch_id = ?
    WHERE run_id = ? AND "row" IN ?
"""
_SETTLE = """
    UPDATE rows SET state = ?, reason = ?, message = ?,
        batch_id = CASE WHEN ? THEN batch_id END
    WHERE run_id = ? AND "row" IN ?
"""
_STILL_IN = sa.select(rows.c.row, rows.c.state).where(
    rows.c.run_id == sa.bindparam("run"),
    rows.c.row.between(sa.bindparam("first"), sa.bindparam("last")),
    rows.c.batch_id == sa.bindparam("batch"),
)


def settle(connection: Connection, run_id: int, settled: Iterable[SettledRow | Outcome]) -> None:
    """Write what became of rows."""
    alike: dict[tuple[State, str | None, str | None], list[int]] = {}
    for row in settled:
        alike.setdefault((row.state, row.reason, row.message), []).append(row.row)
    values = [
        (str(state), reason, message, state is not State.READY, run_id, numbers)
        for (state, reason, message), numbers in alike.items()
    ]
    many(connection, _SETTLE, values)


_LAST_NUMBER = sa.select(sa.func.max(batches.c.number)).where(
    batches.c.run_id == sa.bindparam("run")
)
_NEW_BATCH = batches.insert()


def new_batch(
    connection: Connection,
    run_id: int,
    owner: int,
    size: int,
    now: Instant,
    more: Mapping[str, object] = MappingProxyType({}),
) -> tuple[int, int]:
    """A request on its way: its id, and its number in the run. `more` are other columns of it."""
    number = (connection.scalar(_LAST_NUMBER, {"run": run_id}) or 0) + 1
    batch = {
        "run_id": run_id,
        "number": number,
        "owner_id": owner,
        "outcome": State.SENDING,
        "rows": size,
        "claimed_wall": now.wall,
        **more,
    }
    key = connection.execute(_NEW_BATCH, batch).inserted_primary_key
    return (int(key[0]) if key is not None else 0), number


def mark_sending(
    connection: Connection, run_id: int, batch_id: int, leads: Sequence[LeadRow]
) -> None:
    """Write that rows are on their way with a batch."""
    numbers = [lead.row for lead in leads]
    many(connection, _SENDING, [(str(State.SENDING), batch_id, run_id, numbers)])


def still_in(
    connection: Connection, run_id: int, batch_id: int, leads: Sequence[LeadRow]
) -> Mapping[int, Set[State]]:
    """The batch's rows that nobody has claimed since, with what may still become of them."""
    numbers = [lead.row for lead in leads]
    span = {"first": min(numbers, default=0), "last": max(numbers, default=0)}
    found = connection.execute(_STILL_IN, {"run": run_id, "batch": batch_id, **span})
    return {row: _NEXT.get(state, frozenset()) for row, state in found}


def split(connection: Connection, run_id: int, batch_id: int, refused: Sequence[int]) -> None:
    """Halve a refused batch, so that its guilty rows come to stand alone."""
    half = len(refused) // 2
    for part, numbers in enumerate((refused[:half], refused[half:])):
        connection.execute(
            rows.update()
            .where(rows.c.run_id == run_id, rows.c.row.in_(numbers))
            .values(part=2 * batch_id + part)
        )


def mark_accepted_before(connection: Connection, run_id: int, target_id: int) -> None:
    """Rows whose lead went into the same campaign by the same command earlier."""
    said = sa.literal("accepted in run ") + sa.cast(deliveries.c.run_id, sa.String)
    connection.execute(
        rows.update()
        .where(
            rows.c.run_id == run_id,
            rows.c.state == State.READY,
            deliveries.c.target_id == target_id,
            deliveries.c.lead_hash == rows.c.lead_hash,
            deliveries.c.state.in_([State.ACCEPTED, State.QUEUED]),
        )
        .values(state=State.ALREADY_ACCEPTED, reason=Reason.SENT_BEFORE, message=said)
    )
