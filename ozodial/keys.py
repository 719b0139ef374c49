"""Delivery keys: account, command, campaign and lead. Whoever holds a lead's key may send it.

Taken in the transaction that claims the row, kept while the lead is in or may be, and given back
when it turns out not sent or refused: so no two processes, runs or hosts send the same lead.
`--resend` and `--resend-unknown` take a key over; who had it before stands in `prior`, latest last,
and gets it back if nothing comes of it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.models import LeadRow, Outcome, State
from ozodial.schema import deliveries, rows
from ozodial.staging import Run

TAKEN = frozenset({State.ACCEPTED, State.QUEUED})
"""The vendor has the lead from us."""

HELD = TAKEN | {State.DUPLICATE, State.UNKNOWN}
"""The vendor has the lead, from whomever, or may have it."""

Holder = tuple[str, int, int]
"""(state, run, row) of a key."""


def take_keys(
    connection: Connection, run: Run, leads: Sequence[LeadRow], held: Mapping[bytes, sa.Row[Any]]
) -> None:
    """The keys of the leads that a claim is about to send; those in `held` are taken over."""
    place = {"target_id": run.target_id, "run_id": run.id, "state": State.SENDING}
    new = [
        {**place, "lead_hash": lead.lead_hash, "row": lead.row}
        for lead in leads
        if lead.lead_hash not in held
    ]
    if new:
        connection.execute(deliveries.insert(), new)
    over = [
        (held[lead.lead_hash], (State.SENDING, run.id, lead.row))
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
    keys = connection.execute(doubtful).all()
    _take_over(connection, run, [(key, (State.UNKNOWN, run.id, key.own_row)) for key in keys])


def settle_keys(
    connection: Connection, run: Run, outcomes: Sequence[Outcome], leads: Sequence[LeadRow]
) -> None:
    """Keep the keys of leads that are in or may be; give back those of leads that are not."""
    hashes = {lead.row: lead.lead_hash for lead in leads}
    ours = _ours(connection, run, [hashes[outcome.row] for outcome in outcomes])
    alike: dict[tuple[str, str | None], list[bytes]] = {}
    changes, freed = [], []
    for outcome in outcomes:
        key = ours.get(hashes[outcome.row])
        if key is None or key.row != outcome.row:
            continue
        holder, prior = _settled(key, outcome.state)
        if holder is None:
            freed.append(key.lead_hash)
        elif holder[1:] == (key.run_id, key.row):
            alike.setdefault((holder[0], _stack(prior)), []).append(key.lead_hash)
        else:
            changes.append(_change(key.lead_hash, holder, prior))
    for (state, stack), kept in alike.items():
        held = deliveries.update().where(_among(run, kept))
        connection.execute(held.values(state=state, prior=stack))
    _update(connection, run, changes)
    if freed:
        connection.execute(deliveries.delete().where(_among(run, freed)))


def _settled(key: sa.Row[Any], state: State) -> tuple[Holder | None, Sequence[Holder]]:
    """Who holds a key when its row is settled: we, whoever had it before, or nobody."""
    prior = [(State(s), int(run), int(row)) for s, run, row in json.loads(key.prior or "[]")]
    own: Holder = (state, key.run_id, key.row)
    if state is State.UNKNOWN:
        return own, prior
    if state in TAKEN:
        return own, ()
    if state is State.READY:
        # nothing came of it: all is as it was before the claim
        return (prior[-1], prior[:-1]) if prior else (None, ())
    before = [holder for holder in prior if holder[1] != key.run_id]
    if state is State.DUPLICATE and not any(holder[0] in TAKEN for holder in before):
        return own, ()
    return (before[-1], before[:-1]) if before else (None, ())


def _take_over(
    connection: Connection, run: Run, over: Iterable[tuple[sa.Row[Any], Holder]]
) -> None:
    changes = []
    for key, holder in over:
        before = (key.state, key.run_id, key.row)
        changes.append(_change(key.lead_hash, holder, [*json.loads(key.prior or "[]"), before]))
    _update(connection, run, changes)


def _ours(connection: Connection, run: Run, hashes: Sequence[bytes]) -> Mapping[bytes, sa.Row[Any]]:
    found = sa.select(deliveries).where(_among(run, hashes), deliveries.c.run_id == run.id)
    return {key.lead_hash: key for key in connection.execute(found)}


def _change(lead_hash: bytes, holder: Holder, prior: Sequence[object]) -> dict[str, object]:
    state, run_id, row = holder
    changed = {"state": state, "run_id": run_id, "row": row, "prior": _stack(prior)}
    return {"b_hash": lead_hash, **changed}


def _stack(prior: Sequence[object]) -> str | None:
    return json.dumps(prior) if prior else None


def _update(connection: Connection, run: Run, changes: Sequence[Mapping[str, object]]) -> None:
    if changes:
        connection.execute(deliveries.update().where(_key(run)), list(changes))


def _key(run: Run) -> sa.ColumnElement[bool]:
    return (deliveries.c.target_id == run.target_id) & (
        deliveries.c.lead_hash == sa.bindparam("b_hash")
    )


def _among(run: Run, hashes: Sequence[bytes]) -> sa.ColumnElement[bool]:
    return (deliveries.c.target_id == run.target_id) & deliveries.c.lead_hash.in_(hashes)
