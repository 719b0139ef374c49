"""Queued rows of a V4 run settled by what the vendor called back, in one transaction.

Rows that failed are those that a file names; the rest of a transaction is accepted when the
callback's numbers leave no doubt about any row of it. What no callback speaks of stays `queued`.
Doing it twice changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.callbacks import NOT_PROCESSED, Callback, Fate
from ozodial.database import many
from ozodial.errors import FileError
from ozodial.keys import settle_keys
from ozodial.ledger import Ledger
from ozodial.matching import last_digits
from ozodial.models import LeadRow, Outcome, Reason, SettledRow, State
from ozodial.schema import batches, rows
from ozodial.staging import Run


@dataclass(slots=True)
class Settlement:
    """Rows that were settled now, and sentences on those that could not be."""

    rows: list[SettledRow] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def phones_of(ledger: Ledger, run: Run) -> set[str]:
    """The phones that a run sent, by their last digits."""
    with ledger.read() as connection:
        sent = sa.select(rows.c.phone).where(rows.c.run_id == run.id, rows.c.batch_id.is_not(None))
        return {last_digits(phone) for phone in connection.scalars(sent)}


def check_callbacks(ledger: Ledger, run: Run, callbacks: Iterable[Callback]) -> None:
    """FileError for a callback whose transaction is none of the run's."""
    with ledger.read() as connection:
        known = sa.select(batches.c.transaction_id, batches.c.run_id)
        for callback in callbacks:
            same = known.where(batches.c.transaction_id == callback.transaction)
            found = {other for _, other in connection.execute(same)}
            if run.id in found:
                continue
            said = f"{callback.label} is about transaction {callback.transaction}"
            if found:
                other = min(found)
                hint = f"ozodial runs import-callback {other} {callback.label}"
                raise FileError(f"{said}, which is run {other}'s, not run {run.id}'s.", hint)
            raise FileError(
                f"{said}, which no run of this ledger has.", f"ozodial runs show {run.id}"
            )


def settle(
    ledger: Ledger, run: Run, callbacks: Sequence[Callback], failures: Mapping[str, Fate]
) -> Settlement:
    """Write what became of the run's queued rows."""
    done = Settlement()
    with ledger.write() as connection:
        if failures:
            _settle_failed(connection, run, failures, done)
        for callback in callbacks:
            of_run = (batches.c.run_id == run.id) & (
                batches.c.transaction_id == callback.transaction
            )
            for batch in connection.execute(sa.select(batches).where(of_run)).all():
                _settle_rest(connection, run, callback, batch.id, batch.rows, done)
                words = batches.update().where(batches.c.id == batch.id)
                connection.execute(words.values(message=callback.message or batch.message))
    return done


def _settle_failed(
    connection: Connection, run: Run, failures: Mapping[str, Fate], done: Settlement
) -> None:
    told: list[tuple[sa.Row[tuple[object, ...]], Fate]] = []
    for row in connection.execute(_queued(run)).all():
        failure = failures.get(last_digits(row.phone))
        if failure is not None:
            told.append((row, failure))
    _write(connection, run, told, done)


def _settle_rest(
    connection: Connection, run: Run, callback: Callback, batch_id: int, size: int, done: Settlement
) -> None:
    """The rows of a transaction that are queued still, if it is certain what became of them."""
    left = connection.execute(_queued(run).where(rows.c.batch_id == batch_id)).all()
    if not left:
        return
    if callback.total == callback.failed == size:
        failure = Fate(State.REJECTED, Reason.REFUSED_BY_VENDOR, callback.message or NOT_PROCESSED)
        if callback.succeeded:
            failure = Fate(State.REJECTED, Reason.REFUSED_BY_VENDOR, NOT_PROCESSED)
        _write(connection, run, [(row, failure) for row in left], done)
        return
    doubt = _doubt(callback, size, _refused(connection, run, batch_id))
    if doubt:
        done.doubts.append(
            f"{len(left)} rows of transaction {callback.transaction} stay queued: {doubt}"
        )
        return
    taken = [(row, Fate(State.ACCEPTED, None, callback.message)) for row in left]
    _write(connection, run, taken, done)


def _doubt(callback: Callback, size: int, refused: int) -> str:
    """Why it is not certain that every row that is left was taken; "" if it is."""
    if not callback.succeeded:
        return f"the vendor says {callback.status!r}, {callback.message!r}"
    if None in (callback.total, callback.processed, callback.failed):
        return "the callback doesn't count them"
    if callback.total != size or (callback.processed or 0) + (callback.failed or 0) != size:
        return (
            f"{size} were sent, and it counts {callback.total}: "
            f"{callback.processed} processed, {callback.failed} not"
        )
    if callback.failed != refused:
        where = f" ({callback.failed_path})" if callback.failed_path else ""
        return (
            f"{callback.failed} were not processed, {refused} of them are known; "
            f"import the file of failed rows{where}, too"
        )
    return ""


def _refused(connection: Connection, run: Run, batch_id: int) -> int:
    """Rows of a batch that are known as not taken."""
    refused = sa.select(sa.func.count()).where(
        rows.c.run_id == run.id,
        rows.c.batch_id == batch_id,
        rows.c.state.in_([State.REJECTED, State.DUPLICATE]),
    )
    return connection.scalar(refused) or 0


def _queued(run: Run) -> sa.Select[tuple[object, ...]]:
    queued = rows.c.state == State.QUEUED
    found: sa.Select[tuple[object, ...]] = sa.select(rows).where(rows.c.run_id == run.id, queued)
    return found.order_by(rows.c.row)


_SETTLE = """
    UPDATE rows SET state = ?, reason = ?, message = ? WHERE run_id = ? AND "row" = ?
"""


def _write(
    connection: Connection,
    run: Run,
    told: "Sequence[tuple[sa.Row[tuple[object, ...]], Fate]]",
    done: Settlement,
) -> None:
    outcomes, leads = [], []
    for row, what in told:
        outcomes.append(Outcome(row.row, what.state, what.reason, what.message))
        values = (row.row, row.phone, row.name, row.scheduled, (), row.lead_hash, row.remark)
        leads.append(LeadRow(*values))
    outcomes = settle_keys(connection, run, outcomes, leads)
    settled = [(str(o.state), o.reason, o.message, run.id, o.row) for o in outcomes]
    many(connection, _SETTLE, settled)
    for outcome, lead in zip(outcomes, leads, strict=True):
        done.rows.append(SettledRow(lead.row, lead.phone, lead.name, *outcome[1:], lead.remark))
