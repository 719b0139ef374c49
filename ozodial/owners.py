"""Owners: which process stands behind what, and what becomes of it when that process is gone.

An owner is a process while it renews its lease. What a dead one held is settled in one transaction:
its rows in flight become `unknown`, its pace slot and token are free again, its half-staged run is
discarded. All of it inside the caller's transaction.
"""

import os
import platform
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.models import Instant, Reason, State
from ozodial.schema import batches, deliveries, instant, moment, owners, rows, runs, slots, tokens

# made once: to put a statement together costs more than to execute it
_RENEW = owners.update().where(owners.c.id == sa.bindparam("of_owner"), ~owners.c.gone)

GONE_MESSAGE = "the process that sent it ended before an answer was recorded"
GONE_REMOVING = "the process that asked the vendor to remove it ended before an answer was recorded"


def register(connection: Connection, host: str, now: Instant) -> int:
    """This process as a new owner; its number."""
    pid = os.getpid()
    added = connection.execute(
        owners.insert().values(
            host=host, pid=pid, started=_stat(pid)[1], gone=False, **moment("renewed", now)
        )
    )
    key = added.inserted_primary_key
    return int(key[0]) if key is not None else 0


def renew(connection: Connection, owner_id: int, now: Instant) -> bool:
    """Whether the owner still holds what is its own; if so, its lease begins anew."""
    held = connection.execute(_RENEW, {"of_owner": owner_id, **moment("renewed", now)})
    return bool(held.rowcount)


def dead_owners(connection: Connection, host: str, now: Instant, lease: float) -> list[int]:
    """The owners whose process is gone, or whose lease ended, and that nobody has buried yet."""
    found = connection.execute(sa.select(owners).where(~owners.c.gone)).all()
    return [owner.id for owner in found if _is_dead(owner, host, now, lease)]


def bury(connection: Connection, owner_id: int, now: Instant) -> list[int]:
    """Settle what an owner held; the ids of the batches that became `unknown`."""
    connection.execute(owners.update().where(owners.c.id == owner_id).values(gone=True))
    lost = give_up(connection, owner_id)
    _free_slots(connection, owner_id, now)
    connection.execute(tokens.update().where(tokens.c.owner_id == owner_id).values(owner_id=None))
    half = sa.select(runs.c.id).where(runs.c.owner_id == owner_id, runs.c.state == "staging")
    for run_id in connection.scalars(half).all():
        connection.execute(rows.delete().where(rows.c.run_id == run_id))
        connection.execute(runs.delete().where(runs.c.id == run_id))
    return lost


def give_up(connection: Connection, owner_id: int) -> list[int]:
    """Nobody waits for the answers to an owner's requests any more; the ids of those batches."""
    lost = in_flight(connection, owner_id)
    for batch_id in lost:
        _give_up_batch(connection, batch_id)
    return lost


def in_flight(connection: Connection, owner_id: int) -> list[int]:
    """The batches whose answers an owner waits for."""
    sending = (batches.c.owner_id == owner_id) & (batches.c.outcome == State.SENDING)
    return list(connection.scalars(sa.select(batches.c.id).where(sending)))


def this_host() -> str:
    """This host; two containers of one machine differ: they don't see each other's processes."""
    try:
        return f"{platform.node()}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node()


def _give_up_batch(connection: Connection, batch_id: int) -> None:
    batch = connection.execute(sa.select(batches).where(batches.c.id == batch_id)).one()
    sending = (
        (rows.c.run_id == batch.run_id)
        & (rows.c.batch_id == batch_id)
        & (rows.c.state == State.SENDING)
    )
    target = sa.select(runs.c.target_id).where(runs.c.id == batch.run_id).scalar_subquery()
    connection.execute(
        deliveries.update()
        .where(
            deliveries.c.target_id == target,
            deliveries.c.lead_hash.in_(sa.select(rows.c.lead_hash).where(sending)),
            deliveries.c.run_id == batch.run_id,
        )
        .values(state=State.UNKNOWN)
    )
    said = GONE_REMOVING if batch.kind == "remove" else GONE_MESSAGE
    unknown = {"state": State.UNKNOWN, "reason": Reason.OWNER_GONE, "message": said}
    connection.execute(rows.update().where(sending).values(unknown))
    ended = {"outcome": "unknown", "message": said}
    connection.execute(batches.update().where(batches.c.id == batch_id).values(ended))


def _free_slots(connection: Connection, owner_id: int, now: Instant) -> None:
    for slot in connection.execute(sa.select(slots).where(slots.c.owner_id == owner_id)).all():
        taken, hold = instant(slot, "taken"), slot.hold_seconds or 0.0
        over = 0 <= hold <= now.since(taken)
        # it would have given up on its request by then at the latest
        ended = Instant(taken.wall + hold, taken.mono + hold, taken.boot) if over else now
        connection.execute(
            slots.update()
            .where(slots.c.account == slot.account, slots.c.endpoint == slot.endpoint)
            .values(owner_id=None, **moment("answered", ended))
        )


def _is_dead(owner: sa.Row[Any], host: str, now: Instant, lease: float) -> bool:
    if owner.host == host and (
        owner.renewed_boot != now.boot or not _runs(owner.pid, owner.started)
    ):
        return True
    return now.since(instant(owner, "renewed")) > lease


def _stat(pid: int) -> tuple[str, str]:
    """A process's state letter, and when it began, in ticks since the boot."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "", ""
    after_name = stat.rpartition(")")[2].split()
    return after_name[0], after_name[19]


def _runs(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # it runs, as another user
    state, since = _stat(pid)
    return state not in ("Z", "X") and (not since or not started or since == started)
