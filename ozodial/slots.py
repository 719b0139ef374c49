"""The pace slot and the token in the ledger: when this account may send, and with what.

A slot is one account's turn on one endpoint: who has a request in flight, when the last answer
came, and how long the vendor asked us to wait. Times are kept on both clocks, so the pace holds
across processes, restarts and changes of the wall clock. Nothing here sleeps: it says how long to
wait.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.database import many
from ozodial.endpoints import TOKEN_SECONDS, TOKENS_PER_HOUR
from ozodial.lasting import lasting, lasting_to_the_end
from ozodial.ledger import Ledger
from ozodial.models import Instant
from ozodial.schema import instant, moment, slots, token_requests, tokens

POLL_SECONDS = 0.25
"""How often to look again while another process has the slot."""

HOUR = 3600.0
RENEW_EARLY = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """`wait` seconds until it may be our turn (0: it is); `why` is "", pace, busy or retry."""

    wait: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class SlotKey:
    """One account on one endpoint. `exclusive`: one request in flight at a time."""

    account: str
    endpoint: str
    exclusive: bool


class Slots:
    """Turns and tokens of all processes that share a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @lasting
    def take(self, key: SlotKey, pace: float, hold_seconds: float) -> Turn:
        """Take the turn, or say how long to wait before asking again.

        A slot that a dead process holds is freed by `Ledger.reap`, so a busy caller calls that.
        """
        if not key.exclusive:
            with self._ledger.read() as connection:
                slot = _find(connection, key)
                now = self._ledger.clock.instant()
                if slot is None or _turn(slot, pace, now) == Turn(0.0):
                    return Turn(0.0)  # nothing to write: it is nobody's turn in particular
        with self._ledger.write("") as connection:
            self._ledger.hold(connection)
            slot = _made(connection, key)
            now = self._ledger.now(connection)
            if key.exclusive and slot.owner_id not in (None, self._ledger.owner):
                return Turn(POLL_SECONDS, "busy")
            _heal(connection, key, slot, now)
            turn = _turn(slot, pace, now)
            if key.exclusive and turn.wait <= 0:
                taken = {"owner_id": self._ledger.owner, "hold_seconds": hold_seconds}
                _update(connection, key, {**taken, **moment("taken", now)})
            return turn

    @lasting_to_the_end
    def give_back(self, key: SlotKey) -> None:
        """The turn was not used: nothing was sent, and the last answer stays the last."""
        if not key.exclusive:
            return
        with self._ledger.write("") as connection:
            mine = slots.c.owner_id == self._ledger.owner
            connection.execute(_UPDATE.where(mine), {**_same(key), "owner_id": None})

    @lasting
    def token(self, account: str) -> str | None:
        """The account's token, if it lives for two more minutes."""
        with self._ledger.read() as connection:
            return self._living(connection, account)

    @lasting
    def forget_token(self, account: str) -> bool:
        """Let go of the account's token; False if there was none."""
        with self._ledger.write(f"token {account}") as connection:
            mine = (tokens.c.account == account) & tokens.c.token.is_not(None)
            return bool(connection.execute(tokens.update().where(mine).values(token=None)).rowcount)

    @lasting
    def begin_renewal(self, account: str, stale: str | None) -> Turn | str:
        """Ask to renew: a token that somebody else got meanwhile, or when it is our turn to ask.

        A `Turn` without wait means that this process asks the vendor now, and says so by
        `finish_renewal`. The request is counted before it is made: at most 10 an hour.
        """
        with self._ledger.write(f"token {account}") as connection:
            self._ledger.hold(connection)
            living = self._living(connection, account)
            if living is not None and living != stale:
                return living
            row = connection.execute(_TOKEN, {"of_account": account}).first()
            if row is None:
                connection.execute(tokens.insert().values(account=account))
            elif row.owner_id not in (None, self._ledger.owner):
                return Turn(POLL_SECONDS, "busy")
            now = self._ledger.now(connection)
            wait = _until_allowed(connection, account, now)
            if wait > 0:
                return Turn(wait, "retry")
            asked = token_requests.insert().values(account=account, **moment("asked", now))
            connection.execute(asked)
            renewer = tokens.update().where(tokens.c.account == account)
            connection.execute(renewer.values(owner_id=self._ledger.owner))
            return Turn(0.0)

    @lasting_to_the_end
    def finish_renewal(
        self, account: str, token: str | None, lifetime: float, *, counts: bool = True
    ) -> None:
        """Keep the new token for all processes, or (None) let the next one try.

        Without `counts` the request never arrived: it is none of the 10 an hour.
        """
        with self._ledger.write(f"token {account}") as connection:
            if not counts:
                ours = sa.select(sa.func.max(token_requests.c.id))
                last = ours.where(token_requests.c.account == account).scalar_subquery()
                connection.execute(token_requests.delete().where(token_requests.c.id == last))
            values: dict[str, Any] = {"owner_id": None}
            if token is not None:
                now = self._ledger.now(connection)
                values |= {"token": token, "lifetime": lifetime, **moment("obtained", now)}
            connection.execute(tokens.update().where(tokens.c.account == account).values(values))

    def _living(self, connection: Connection, account: str) -> str | None:
        row = connection.execute(_TOKEN, {"of_account": account}).first()
        if row is None or row.token is None:
            return None
        age = self._ledger.clock.instant().since(instant(row, "obtained"))
        lifetime = row.lifetime or TOKEN_SECONDS
        # a clock that was set back says nothing about its age; the vendor will, if it is too old
        return str(row.token) if age < lifetime - min(RENEW_EARLY, lifetime / 10) else None


_INSERT_SLOT = "INSERT INTO slots (account, endpoint) VALUES (?, ?) ON CONFLICT DO NOTHING"


def answered(
    connection: Connection,
    key: SlotKey,
    at: Instant,
    delay: float,
    owner: int,
    *,
    arrived: bool = True,
) -> None:
    """An answer to `owner` came, or was given up on: the pace counts from here.

    `delay` is the vendor's wish. A turn that somebody else has meanwhile stays theirs. A request
    that never arrived leaves the pace as it was.
    """
    slot = _made(connection, key)
    values: dict[str, Any] = {}
    if slot.owner_id == owner:
        values["owner_id"] = None
    if arrived and not _is_later(slot, "answered", at):
        values |= moment("answered", at)
    if delay > 0:
        values |= {"delay": delay, **moment("delayed", at)}
    if values:
        _update(connection, key, values)


def _turn(slot: sa.Row[Any], pace: float, now: Instant) -> Turn:
    asked = _left(slot, "delayed", slot.delay or 0.0, now)
    left = _left(slot, "answered", pace, now)
    if max(asked, left) <= 0:
        return Turn(0.0)
    return Turn(asked, "retry") if asked > left else Turn(left, "pace")


def _left(slot: sa.Row[Any], name: str, seconds: float, now: Instant) -> float:
    """What is left of `seconds` since a moment of the slot; never more than `seconds`."""
    if seconds <= 0 or slot._mapping[f"{name}_wall"] is None:
        return 0.0
    # if the wall clock was set back, nobody can say how much has passed
    return seconds - max(0.0, now.since(instant(slot, name)))


def _heal(connection: Connection, key: SlotKey, slot: sa.Row[Any], now: Instant) -> None:
    """Moments ahead of a clock that was set back count from now: nothing waits for ever."""
    for name in ("answered", "delayed"):
        if slot._mapping[f"{name}_wall"] is not None and now.since(instant(slot, name)) < 0:
            _update(connection, key, dict(moment(name, now)))


def _is_later(slot: sa.Row[Any], name: str, at: Instant) -> bool:
    """Whether a moment of the slot came after `at`, as far as one boot's clock can tell."""
    if slot._mapping[f"{name}_wall"] is None:
        return False
    there = instant(slot, name)
    return bool(at.boot) and there.boot == at.boot and there.mono > at.mono


def _until_allowed(connection: Connection, account: str, now: Instant) -> float:
    """Seconds until the vendor's limit lets another token be asked for."""
    mine = sa.select(token_requests).where(token_requests.c.account == account)
    recent = []
    for row in connection.execute(mine).all():
        age = now.since(instant(row, "asked"))
        if age < 0:  # the clock was set back: count it from now, or it would count for ever
            again = token_requests.update().where(token_requests.c.id == row.id)
            connection.execute(again.values(**moment("asked", now)))
        if age < HOUR:
            recent.append(max(0.0, age))
    if len(recent) < TOKENS_PER_HOUR:
        return 0.0
    return HOUR - sorted(recent)[TOKENS_PER_HOUR - 1]


_SAME = (slots.c.account == sa.bindparam("of_account")) & (
    slots.c.endpoint == sa.bindparam("of_endpoint")
)
_FIND = sa.select(slots).where(_SAME)
_MINE = _FIND.with_for_update()
_UPDATE = slots.update().where(_SAME)
_TOKEN = sa.select(tokens).where(tokens.c.account == sa.bindparam("of_account"))


def _same(key: SlotKey) -> dict[str, Any]:
    return {"of_account": key.account, "of_endpoint": key.endpoint}


def _find(connection: Connection, key: SlotKey) -> sa.Row[Any] | None:
    return connection.execute(_FIND, _same(key)).first()


def _made(connection: Connection, key: SlotKey) -> sa.Row[Any]:
    """The slot, for this transaction alone to change."""
    found = connection.execute(_MINE, _same(key)).first()
    if found is None:
        many(connection, _INSERT_SLOT, [(key.account, key.endpoint)])
        found = connection.execute(_MINE, _same(key)).one()
    return found


def _update(connection: Connection, key: SlotKey, values: dict[str, Any]) -> None:
    connection.execute(_UPDATE, {**_same(key), **values})
