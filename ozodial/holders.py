"""Who else put a lead in, and what becomes of the others when it is removed.

DeleteBulkData knows numbers and campaigns, not runs: a number that another run put into the same
campaign must be kept. A run that is being taken back itself wants nothing kept. All of it inside
the caller's transaction.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.database import many
from ozodial.keys import FREE
from ozodial.models import LeadRow, Reason, State
from ozodial.schema import deliveries, rows, runs, targets
from ozodial.staging import Run

TAIL = 10
"""Digits that `+91…`, `91…` and a national number have in common."""

MOST_ASKED = 500
"""Numbers that are looked for one by one; for more than these all of the campaign are read."""

BACK = ("undoing", "undone")
"""States of a run that somebody takes back, or took."""


def tail_of(phone: str) -> str:
    """What all spellings of a number have in common."""
    return phone[-TAIL:]


def holders_of(connection: Connection, run: Run, tails: Collection[str]) -> Mapping[str, int]:
    """Tail of a number -> the first other run that put it into the same campaign, or may have."""
    put_in = rows.c.state.in_([State.ACCEPTED, State.QUEUED, State.UNKNOWN, State.SENDING]) | (
        rows.c.reason == Reason.EXISTS_AFTER_RESEND
    )
    # what is unknown for another run's sake was never sent
    sent = sa.or_(rows.c.reason.is_(None), rows.c.reason != Reason.UNKNOWN_ELSEWHERE)
    found = (
        sa.select(_TAIL, sa.func.min(rows.c.run_id))
        .where(rows.c.run_id.in_(_others(run, ~runs.c.state.in_(BACK))), put_in, sent)
        .group_by(_TAIL)
    )
    if len(tails) <= MOST_ASKED:
        found = found.where(_TAIL.in_(list(tails)))
    return {tail: other for tail, other in connection.execute(found) if tail in tails}


def free_keys(connection: Connection, run: Run, gone: Sequence[LeadRow]) -> None:
    """Removed leads may be uploaded again, unless another run of the same target has them in."""
    hashes = [lead.lead_hash for lead in gone]
    others = _same_leads(connection, run, hashes)
    passed_on = [
        (*others[lead.lead_hash], run.target_id, lead.lead_hash, run.id, lead.row)
        for lead in gone
        if lead.lead_hash in others
    ]
    many(connection, _HAND_ON, passed_on)
    freed = [
        (run.target_id, lead.lead_hash, run.id, lead.row)
        for lead in gone
        if lead.lead_hash not in others
    ]
    many(connection, FREE, freed)
    _forget_prior(connection, run, hashes)


def remove_elsewhere(
    connection: Connection, run: Run, gone: Sequence[LeadRow], *, by_phone: bool
) -> None:
    """Rows of other runs that stand for the removed leads, and are now as little in as those.

    They are `already_accepted` by our doing, or their own run is being taken back, and the number
    was in the campaign for both.
    """
    said = f"taken back by undo of run {run.id}"
    removed = {
        "state": State.REMOVED,
        "reason": Reason.REMOVED_ELSEWHERE,
        "message": said,
    }
    target = runs.c.target_id == run.target_id
    ours_alone = (rows.c.state == State.ALREADY_ACCEPTED) & rows.c.lead_hash.in_(
        sorted({lead.lead_hash for lead in gone} - _held(connection, run, gone))
    )
    connection.execute(
        rows.update().where(rows.c.run_id.in_(_others(run, target)), ours_alone).values(removed)
    )
    _forget_duplicates(connection, run, gone, removed, by_phone=by_phone)
    if not by_phone:
        return
    kept = (
        rows.c.run_id.in_(_others(run, runs.c.state.in_(BACK)))
        & rows.c.state.in_([State.ACCEPTED, State.QUEUED])
        & _TAIL.in_([tail_of(lead.phone) for lead in gone])
        # a scheduled row whose time has not come is in no campaign yet
        & sa.or_(rows.c.scheduled == "", rows.c.reason == Reason.TIME_PAST)
    )
    keys = sa.select(runs.c.target_id, rows.c.lead_hash, rows.c.run_id, rows.c.row)
    found = connection.execute(keys.join(rows, rows.c.run_id == runs.c.id).where(kept)).all()
    connection.execute(rows.update().where(kept).values(removed))
    many(connection, FREE, [tuple(key) for key in found])


def _forget_duplicates(
    connection: Connection,
    run: Run,
    gone: Sequence[LeadRow],
    removed: Mapping[str, object],
    *,
    by_phone: bool,
) -> None:
    """What the vendor had already, when another run sent it, it has no more; it may be sent now."""
    tails = {(tail_of(lead.phone), "" if by_phone else lead.scheduled) for lead in gone}
    known = (rows.c.state == State.DUPLICATE) & (rows.c.reason == Reason.EXISTS_AT_VENDOR)
    alike = sa.select(runs.c.target_id, rows.c.lead_hash, rows.c.run_id, rows.c.row, rows.c.phone)
    found = connection.execute(
        alike.add_columns(rows.c.scheduled)
        .join(rows, rows.c.run_id == runs.c.id)
        .where(
            rows.c.run_id.in_(_others(run)), known, _TAIL.in_(sorted({tail for tail, _ in tails}))
        )
    ).all()
    for target_id, lead_hash, other, row, phone, scheduled in found:
        if (tail_of(phone), "" if by_phone else scheduled) in tails:
            where = (rows.c.run_id == other) & (rows.c.row == row)
            connection.execute(rows.update().where(where).values(removed))
            many(connection, FREE, [(target_id, lead_hash, other, row)])


def leaving(connection: Connection, run: Run) -> Collection[str]:
    """Tails of the numbers that `undo` is having deleted in the run's campaign at this moment."""
    place = {"account": run.target.account, "campaign": run.target.campaign}
    undone = list(connection.scalars(_UNDONE_NOW, place))
    if not undone:
        return ()
    sending = (rows.c.run_id.in_(undone)) & (rows.c.state == State.SENDING)
    return {tail_of(phone) for phone in connection.scalars(sa.select(rows.c.phone).where(sending))}


_UNDONE_NOW = (
    sa.select(runs.c.id)
    .join(targets, targets.c.id == runs.c.target_id)
    .where(
        runs.c.state == "undoing",
        targets.c.endpoint == "bulk-add",
        targets.c.account == sa.bindparam("account"),
        targets.c.campaign == sa.bindparam("campaign"),
    )
)


def purged_holder(connection: Connection, run: Run) -> int | None:
    """Another run of the campaign whose numbers were purged, so that nobody can compare them."""
    put_in = rows.c.state.in_([State.ACCEPTED, State.QUEUED])
    empty = sa.select(rows.c.run_id).where(
        rows.c.run_id.in_(_others(run, ~runs.c.state.in_(BACK))), put_in, rows.c.phone == ""
    )
    other = connection.scalar(empty.limit(1))
    return int(other) if other is not None else None


_TAIL = sa.case(
    (
        sa.func.length(rows.c.phone) > TAIL,
        sa.func.substr(rows.c.phone, sa.func.length(rows.c.phone) - (TAIL - 1)),
    ),
    else_=rows.c.phone,
)

_HAND_ON = """
    UPDATE deliveries SET state = ?, run_id = ?, "row" = ?, prior = NULL
    WHERE target_id = ? AND lead_hash = ? AND run_id = ? AND "row" = ?
"""
_PRIOR = """
    UPDATE deliveries SET prior = ? WHERE target_id = ? AND lead_hash = ?
"""


def _others(run: Run, *such: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    """The other runs into the same campaign, by whichever command."""
    return (
        sa.select(runs.c.id)
        .join(targets, targets.c.id == runs.c.target_id)
        .where(
            targets.c.account == run.target.account,
            targets.c.campaign == run.target.campaign,
            runs.c.id != run.id,
            runs.c.state != "staging",
            *such,
        )
    )


def _same_leads(
    connection: Connection, run: Run, hashes: Sequence[bytes]
) -> Mapping[bytes, tuple[str, int, int]]:
    """The very same leads as other runs of the target put them in: hash -> (state, run, row)."""
    found = (
        sa.select(rows.c.lead_hash, rows.c.state, rows.c.run_id, rows.c.row)
        .where(
            rows.c.run_id.in_(_others(run, runs.c.target_id == run.target_id)),
            rows.c.state.in_([State.ACCEPTED, State.QUEUED]),
            rows.c.lead_hash.in_(hashes),
        )
        .order_by(rows.c.run_id)
    )
    return {lead_hash: (state, *place) for lead_hash, state, *place in connection.execute(found)}


def _held(connection: Connection, run: Run, gone: Sequence[LeadRow]) -> set[bytes]:
    """Those of the leads that somebody still holds."""
    held = sa.select(deliveries.c.lead_hash).where(
        deliveries.c.target_id == run.target_id,
        deliveries.c.lead_hash.in_([lead.lead_hash for lead in gone]),
    )
    return set(connection.scalars(held))


def _forget_prior(connection: Connection, run: Run, hashes: Iterable[bytes]) -> None:
    """Keys that a later run took over must not come back to this one."""
    taken_over = sa.select(deliveries.c.lead_hash, deliveries.c.prior).where(
        deliveries.c.target_id == run.target_id,
        deliveries.c.lead_hash.in_(list(hashes)),
        deliveries.c.prior.is_not(None),
    )
    changes = []
    for lead_hash, prior in connection.execute(taken_over).all():
        left = [holder for holder in json.loads(prior) if holder[1] != run.id]
        changes.append((json.dumps(left) if left else None, run.target_id, lead_hash))
    many(connection, _PRIOR, changes)
