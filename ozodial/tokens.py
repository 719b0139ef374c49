"""The bearer token of an account: from the ledger, or renewed once for all processes.

Source: "Generate token": valid 60 minutes, at most 10 an hour, a new one ends every earlier one.
"""

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ozodial.answers import Known, Means, look_up
from ozodial.body import read_body
from ozodial.client import Client
from ozodial.endpoints import TOKEN_SECONDS, Access, token_request
from ozodial.errors import RefusedError
from ozodial.pacing import Patience, Pause
from ozodial.replies import Lost, NotSent, Reply
from ozodial.slots import Slots, Turn


class Tokens:
    """Gives the token to use now. Safe for several threads; single-flight across processes."""

    def __init__(
        self, slots: Slots, client: Client, access: Access, account: str, patience: Patience
    ) -> None:
        self._slots = slots
        self._client = client
        self._access = access
        self._account = account
        self._patience = patience
        self._lock = threading.Lock()

    def get(self, pause: Pause, reap: Callable[[], object], stale: str | None = None) -> str:
        """A token that is not `stale`. RefusedError or StoppedError if there is none to be had."""
        with self._lock:
            token = self._slots.token(self._account)
            if token is not None and token != stale:
                return token
            while (token := self._renew(pause, reap, stale)) is None:
                pass
            return token

    def _renew(self, pause: Pause, reap: Callable[[], object], stale: str | None) -> str | None:
        turn = self._slots.begin_renewal(self._account, stale)
        if not isinstance(turn, Turn):
            return turn
        if turn.why == "busy":
            reap()
            pause(turn.wait, "busy", "another ozodial process is getting a token")
            return None
        if turn.wait > 0:
            self._await_allowance(turn.wait, pause)
            return None
        token: str | None = None
        lifetime, arrived = float(TOKEN_SECONDS), True
        try:
            reply = self._client.send(token_request(self._access))
            arrived = not isinstance(reply, NotSent)
            token, lifetime, trouble = _read(reply, self._access)
        finally:
            self._slots.finish_renewal(self._account, token, lifetime, counts=arrived)
        if token is None:
            asked = reply.retry_after if isinstance(reply, Reply) else None
            pause(self._patience.back_off(0.0, trouble, asked), "retry", trouble)
        return token

    def _await_allowance(self, seconds: float, pause: Pause) -> None:
        """Ten tokens were asked for within the hour: wait, unless they were asked for in vain."""
        if self._patience.in_trouble:
            seconds = self._patience.back_off(0.0, LIMIT, seconds)
        pause(seconds, "retry", LIMIT)


LIMIT = "10 tokens an hour is the vendor's limit"


def _read(reply: Reply | NotSent | Lost, access: Access) -> tuple[str | None, float, str]:
    """(token, seconds it lives, trouble). RefusedError where trying again is no use."""
    if not isinstance(reply, Reply):
        return None, 0.0, f"no token: {access.redact(reply.message)}"
    token = _token(reply.body)
    said = read_body(reply.body, replace(access, token=token).redact)
    if token is not None and not said.failing:
        return token, _lifetime(token, reply.date), ""
    message = said.text or f"HTTP {reply.status}"
    found = look_up(message)
    known = found[0] if found is not None else None
    if _is_passing(reply.status, said.readable, known):
        return None, 0.0, f"no token: {message}"
    why = f" ({known.explanation})" if known is not None and known.explanation else ""
    raise RefusedError(f"The API gives no token: {message.rstrip('. ')}{why}.", HINT)


def _is_passing(status: int, readable: bool, known: Known | None) -> bool:
    """Whether another try may help: the vendor is busy or sick, and judged nothing of ours."""
    if known is not None:
        return known.means is Means.BUSY
    return status == 429 or status >= 500 or (status < 300 and not readable)


def _token(content: bytes) -> str | None:
    """The token of an answer, if it is one that can stand in a header."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    found = body.get("token") if isinstance(body, dict) else None
    token = found.strip() if isinstance(found, str) else ""
    return token if token and token.isascii() and token.isprintable() else None


HINT = "check OZODIAL_USER_NAME and OZODIAL_API_KEY; OZODIAL_AUTH=basic for accounts on basic mode"


_NO_JWT = (
    *(ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError),
    RecursionError,
)


def _lifetime(token: str, told: datetime | None) -> float:
    """Seconds that a JWT lives: a duration on the server's clock, since ours may be wrong.

    From its `iat` to its `exp`; one without `iat` begins when the server says that it is (`told`).
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        begins = claims.get("iat", told.timestamp() if told is not None else None)
        seconds = float(claims["exp"]) - float(begins)
    except _NO_JWT:
        return float(TOKEN_SECONDS)
    return seconds if 0 < seconds < TOKEN_SECONDS else float(TOKEN_SECONDS)
