"""The vendor's door: who may enter (keys, tokens, campaigns) and when (paces and rates).

In: names, keys, tokens and instants. Out: nothing, or a `Refusal` in the vendor's words. It never
looks at rows, and measures every limit on the monotonic clock that it is given.
Sources: the vendor's "Generate Token", "Add campaign bulk data" and its V4 page.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections import defaultdict, deque
from typing import NamedTuple

from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE, Endpoint
from ozodial.models import Instant
from ozodial.sandbox_memory import Memory, Refusal, SandboxConfig, Violation, fingerprint
from ozodial.sandbox_texts import Text

MAGIC_WRONG = "wrong"
"""A key or a user name that begins so is refused."""
MAGIC_NO_CAMPAIGN = "no such"
"""A campaign whose name begins so does not exist."""
MAGIC_INBOUND = "inbound"
"""A campaign whose name begins so is inbound."""
MAGIC_COMPLETED = "completed"
"""A campaign whose name begins so has run to its end."""

V4_WINDOW = 60.0
V4_PER_WINDOW = 5
TOKEN_WINDOW = 3600.0

_ROUNDING = 1e-6


def is_magic(text: str, beginning: str) -> bool:
    """Whether a name begins with a magic word, in any letter case."""
    return text.casefold().startswith(beginning)


class Accounts:
    """Who the vendor knows."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config

    def of_key(self, api_key: str) -> str | None:
        """The account that has this key; None if there is none."""
        if self._config.accounts:
            known = self._config.accounts.items()
            return next((name for name, account in known if account.api_key == api_key), None)
        return fingerprint(api_key) if api_key and not is_magic(api_key, MAGIC_WRONG) else None

    def knows(self, user: str, api_key: str) -> bool:
        """Whether user name and key belong together."""
        if self._config.accounts:
            account = self._config.accounts.get(user)
            return account is not None and account.api_key == api_key
        both = user and api_key
        return bool(both) and not (is_magic(user, MAGIC_WRONG) or is_magic(api_key, MAGIC_WRONG))

    def has_campaign(self, account: str, campaign: str) -> bool:
        """Whether the account has this campaign."""
        known = self._config.accounts.get(account)
        if known is not None and known.campaigns is not None:
            return campaign in known.campaigns
        return bool(campaign) and not is_magic(campaign, MAGIC_NO_CAMPAIGN)

    def campaigns(self, account: str) -> list[str]:
        """The account's campaigns, as far as they were told."""
        known = self._config.accounts.get(account)
        return sorted(known.campaigns) if known is not None and known.campaigns else []

    def auth(self, user: str) -> str:
        """The account's "API Authentication" setting."""
        known = self._config.accounts.get(user)
        return known.auth if known is not None else self._config.auth


class _Token(NamedTuple):
    account: str
    issued: float


class Tokens:
    """generateToken: an hour, ten an hour, a new one ends the old one."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._secret = secrets.token_bytes(64)
        self._issued: dict[str, _Token] = {}
        self._current: dict[str, str] = {}
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def issue(self, user: str, now: Instant) -> str:
        """A new token: a JWT signed with HS512 whose `exp` is an hour after its `iat`."""
        times = self._times[user]
        while times and now.mono - times[0] >= TOKEN_WINDOW - _ROUNDING:
            times.popleft()
        if len(times) >= self._config.tokens_per_hour:
            raise Refusal("false", Text.MAX_LIMIT)
        times.append(now.mono)
        token = self._jwt(user, int(now.wall))
        self._issued[token] = _Token(user, now.mono)
        self._current[user] = token
        return token

    def check(self, token: str, user: str, now: Instant) -> None:
        """Refuse a token that is not this user's present one."""
        if not token:
            raise Refusal("false", Text.TOKEN_EMPTY)
        if not user:
            raise Refusal("false", Text.USER_EMPTY)
        known = self._issued.get(token)
        if known is None:
            raise Refusal("false", Text.TOKEN_INVALID)
        if known.account != user:
            raise Refusal("false", Text.USER_DETAILS)
        too_old = now.mono - known.issued >= self._config.token_seconds
        if too_old or self._current.get(user) != token:
            raise Refusal("false", Text.TOKEN_EXPIRED)

    def expire(self, user: str) -> None:
        """End the user's present token before its time."""
        self._current.pop(user, None)

    def _jwt(self, user: str, now: int) -> str:
        claims = {
            "sub": user,
            "iat": now,
            "exp": now + self._config.token_seconds,
            "jti": str(len(self._issued) + 1),
        }
        signed = f"{_base64({'alg': 'HS512'})}.{_base64(claims)}"
        digest = hmac.new(self._secret, signed.encode(), hashlib.sha512).digest()
        return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


class Gate:
    """When an account's next request may come; every breach is remembered before it is refused."""

    def __init__(self, config: SandboxConfig, memory: Memory) -> None:
        self._config = config
        self._memory = memory
        self._running: dict[tuple[str, str], int] = defaultdict(int)
        self._left: dict[str, float] = {}
        self._arrivals: dict[str, deque[float]] = defaultdict(deque)

    def enter(self, entry: Endpoint, account: str, arrived: Instant, number: int) -> None:
        """Let a request in, or refuse it; who enters has to `leave`."""
        if entry is BULK_ADD_V1:
            self._enter_v1(account, arrived.mono, number)
        elif entry is BULK_ADD_V4:
            self._enter_v4(account, arrived.mono, number)
        elif entry is SCHEDULE:
            self._enter_schedule(account, number)
        self._running[entry.name, account] += 1

    def leave(self, entry: Endpoint, account: str, now: Instant) -> None:
        """The request is answered: from here v1 counts its 30 s."""
        self._running[entry.name, account] -= 1
        if entry is BULK_ADD_V1:
            self._left[account] = now.mono

    def _enter_v1(self, account: str, arrived: float, number: int) -> None:
        pace = BULK_ADD_V1.pace / self._config.pace_scale
        gap = arrived - self._left.get(account, -pace + arrived)
        if running := self._running[BULK_ADD_V1.name, account]:
            self._violate(BULK_ADD_V1, account, number, ("parallel", running + 1, 1))
        elif gap < pace - _ROUNDING:
            self._violate(BULK_ADD_V1, account, number, ("pace", gap, pace))
        else:
            return
        raise Refusal("error", Text.BUSY)

    def _enter_v4(self, account: str, arrived: float, number: int) -> None:
        window = V4_WINDOW / self._config.pace_scale
        arrivals = self._arrivals[account]
        while arrivals and arrived - arrivals[0] >= window - _ROUNDING:
            arrivals.popleft()
        if len(arrivals) >= V4_PER_WINDOW:
            self._violate(BULK_ADD_V4, account, number, ("rate", len(arrivals) + 1, V4_PER_WINDOW))
            raise Refusal("error", Text.MAX_LIMIT)
        arrivals.append(arrived)

    def _enter_schedule(self, account: str, number: int) -> None:
        running, limit = self._running[SCHEDULE.name, account], self._config.schedule_at_once
        if limit is not None and running >= limit:
            self._violate(SCHEDULE, account, number, ("parallel", running + 1, limit))
            raise Refusal("error", Text.MAX_LIMIT)

    def _violate(
        self, entry: Endpoint, account: str, number: int, what: tuple[str, float, float]
    ) -> None:
        self._memory.violate(Violation(number, account, entry.name, *what))


def _base64(value: object) -> str:
    text = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
