"""Delivery keys: account, command, campaign and lead. Whoever holds a lead's key may send it.

Taken in the transaction that claims the row, kept while the lead is in or may be, and given back
when it turns out not sent or refused: so no two processes, runs or hosts send the same lead.
`--resend` and `--resend-unknown` take a key over; who had it before stands in `prior`, latest last,
and gets it back if nothing comes of it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.database import many
from ozodial.models import LeadRow, Outcome, Reason, State
from ozodial.schema import deliveries, rows
from ozodial.staging import Run

TAKEN = frozenset({State.ACCEPTED, State.QUEUED})
"""The vendor has the lead from us."""

KEPT = TAKEN | {State.UNKNOWN}
"""These keep their keys for themselves, whoever had them before."""

OPEN = frozenset({State.UNKNOWN, State.QUEUED})
"""Of these nobody knows yet what will become: who had the key before is kept."""

Holder = tuple[str, int, int]
"""(state, run, row) of a key."""


class Key(NamedTuple):
    """A key as it is held; `prior` is JSON, as in the ledger."""

    state: str
    run: int
    row: int
    prior: str | None


_INSERT = """
    INSERT INTO deliveries (target_id, lead_hash, state, run_id, "row")
    SELECT ?, lead_hash, ?, run_id, "row" FROM rows WHERE run_id = ? AND "row" IN ?
"""
_KEEP = """
    UPDATE deliveries SET state = ?, prior = CASE WHEN ? THEN prior END
    WHERE target_id = ? AND run_id = ? AND "row" IN ?
        AND lead_hash IN (SELECT lead_hash FROM rows WHERE run_id = ? AND "row" IN ?)
"""
_CHANGE = """
    UPDATE deliveries SET state = ?, run_id = ?, "row" = ?, prior = ?
    WHERE target_id = ? AND lead_hash = ?
"""
FREE = """
    DELETE FROM deliveries WHERE target_id = ? AND lead_hash = ? AND run_id = ? AND "row" = ?
"""
"""Who holds a key lets go of it: target, hash, run and row."""


def take_keys(
    connection: Connection, run: Run, leads: Sequence[LeadRow], held: Mapping[bytes, Key]
) -> None:
    """The keys of the leads that a claim is about to send; those in `held` are taken over."""
    new = [lead.row for lead in leads if lead.lead_hash not in held]
    if new:
        many(connection, _INSERT, [(run.target_id, str(State.SENDING), run.id, new)])
    over = [
        (lead.lead_hash, held[lead.lead_hash], (State.SENDING, run.id, lead.row))
        for lead in leads
        if lead.lead_hash in held
    ]
    _take_over(connection, run, over)


def take_doubtful_keys(connection: Connection, run: Run) -> None:
    """`--resend-unknown` also means unknown rows whose leads another run holds as `unknown`."""
    doubtful = (
        sa.select(deliveries, rows.c.row.label("own_row"))
        .join(rows, rows.c.lead_hash == deliveries.c.lead_hash)
        .where(
            rows.c.run_id == run.id,
            rows.c.state == State.UNKNOWN,
            deliveries.c.target_id == run.target_id,
            deliveries.c.state == State.UNKNOWN,
            deliveries.c.run_id != run.id,
        )
    )
    over = [
        (
            key.lead_hash,
            Key(key.state, key.run_id, key.row, key.prior),
            (State.UNKNOWN, run.id, key.own_row),
        )
        for key in connection.execute(doubtful).all()
    ]
    _take_over(connection, run, over)


def settle_keys(
    connection: Connection, run: Run, outcomes: Sequence[Outcome], leads: Sequence[LeadRow]
) -> list[Outcome]:
    """Keep the keys of leads that are in or may be; give back those of leads that are not.

    The outcomes come back: what the vendor "has already" may be from this run's own first try.
    """
    hashes = {lead.row: lead.lead_hash for lead in leads}
    kept: dict[State, list[int]] = {}
    for outcome in outcomes:
        if outcome.state in KEPT:
            kept.setdefault(outcome.state, []).append(outcome.row)
    values = [
        (str(state), state in OPEN, run.target_id, run.id, numbers, run.id, numbers)
        for state, numbers in kept.items()
    ]
    many(connection, _KEEP, values)
    others = {hashes[o.row]: o for o in outcomes if o.state not in KEPT}
    if not others:
        return list(outcomes)
    changes, freed, resent = [], [], set()
    for lead_hash, key in _ours(connection, run, list(others)).items():
        outcome = others[lead_hash]
        if key.row != outcome.row:
            continue
        if outcome.state is State.DUPLICATE and _was_in_doubt(key):
            resent.add(outcome.row)
        holder, prior = _settled(key, outcome.state)
        if holder is None:
            freed.append((run.target_id, lead_hash, run.id, key.row))
        else:
            changes.append(_change(run, lead_hash, holder, prior))
    many(connection, _CHANGE, changes)
    many(connection, FREE, freed)
    again = Reason.EXISTS_AFTER_RESEND
    return [o._replace(reason=again) if o.row in resent else o for o in outcomes]


def _was_in_doubt(key: Key) -> bool:
    """Whether the key's own row was sent before, and nobody knew what became of it."""
    doubt = [State.UNKNOWN, key.run, key.row]
    return doubt in json.loads(key.prior or "[]")


def _settled(key: Key, state: State) -> tuple[Holder | None, Sequence[Holder]]:
    """Who holds the key of a lead that we did not bring in: somebody before us, we, or nobody."""
    prior: list[Holder] = [(s, run, row) for s, run, row in json.loads(key.prior or "[]")]
    if state is State.READY:
        # nothing came of it: all is as it was before the claim
        return (prior[-1], prior[:-1]) if prior else (None, ())
    before = [holder for holder in prior if holder[1] != key.run]
    if state is State.DUPLICATE and not any(holder[0] in TAKEN for holder in before):
        return (state, key.run, key.row), ()
    return (before[-1], before[:-1]) if before else (None, ())


def _take_over(connection: Connection, run: Run, over: Sequence[tuple[bytes, Key, Holder]]) -> None:
    changes = [
        _change(run, lead_hash, holder, [*json.loads(key.prior or "[]"), key[:3]])
        for lead_hash, key, holder in over
    ]
    many(connection, _CHANGE, changes)


def _ours(connection: Connection, run: Run, hashes: Sequence[bytes]) -> Mapping[bytes, Key]:
    found = sa.select(deliveries).where(
        deliveries.c.target_id == run.target_id,
        deliveries.c.lead_hash.in_(hashes),
        deliveries.c.run_id == run.id,
    )
    return {
        key.lead_hash: Key(key.state, key.run_id, key.row, key.prior)
        for key in connection.execute(found)
    }


def _change(
    run: Run, lead_hash: bytes, holder: Holder, prior: Sequence[object]
) -> tuple[object, ...]:
    state, run_id, row = holder
    stack = json.dumps(prior) if prior else None
    return str(state), run_id, row, stack, run.target_id, lead_hash
