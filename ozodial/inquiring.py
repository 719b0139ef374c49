"""What only the server can tell `doctor`: that it is there, its clock, the token, the campaign.

A client and the account in, diagnoses out. Asks for the token as a run does, through the ledger, so
that nobody else's is ended; sends no lead.
"""

import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ozodial.address import is_loopback
from ozodial.answers import NO_TOKEN
from ozodial.campaigns import Standing, read_standing
from ozodial.client import Client
from ozodial.clock import Clock, utc
from ozodial.diagnosis import Diagnosis, failed, ok, warning
from ozodial.endpoints import Access, HttpRequest, campaign_status_request
from ozodial.ledger import Ledger
from ozodial.pacing import Patience
from ozodial.replies import Lost, NotSent, Reply
from ozodial.slots import Slots
from ozodial.tokens import HINT, Tokens
from ozodial.words import duration

CLOCK_OFF = 30.0
CLOCK_WRONG = 300.0
"""Seconds from which a clock is worth a word, and from which times past can't be told apart."""

LONGEST_TURN = 10.0
"""Seconds to wait for another process that is getting the token."""

KNOCK = HttpRequest("GET", "/", {})
"""A request that asks for nothing: any answer shows that the way is open."""

UNTOLD = "the first request of a run will show whether it is there"


class WouldWaitError(Exception):
    """A run would wait here; `doctor` tells it instead."""


def look_at_server(client: Client, url: str, clock: Clock) -> tuple[bool, list[Diagnosis]]:
    """Whether an answer came, of whatever kind, and what it shows of the way and the clock."""
    before, began = utc(clock.instant()), time.monotonic()
    reply = client.send(KNOCK)
    took = time.monotonic() - began
    if not isinstance(reply, Reply):
        return False, [_no_server(url, reply)]
    host = urlsplit(url).hostname or ""
    way = "with a valid certificate" if url.startswith("https:") else "on this machine itself"
    found = [ok("server", f"{host} answered in {duration(took)}, {way}")]
    if url.startswith("http:") and not is_loopback(host):  # `check_url` lets none of these through
        found = [failed("server", f"{host} answered without TLS", "--base-url https://…")]
    return True, [*found, _clock(reply.date, before, took)]


def _no_server(url: str, answer: NotSent | Lost) -> Diagnosis:
    message = answer.message
    if "certificate" in message.lower() or "ssl" in message.lower():
        hint = "check the address and the clock; SSL_CERT_FILE for an authority of your own"
    else:
        hint = "check --domain or --base-url, the network, and HTTPS_PROXY"
    return failed("server", f"{urlsplit(url).hostname} can't be reached: {message}", hint)


def _clock(server: datetime | None, before: datetime, took: float) -> Diagnosis:
    if server is None:
        return warning("clock", "the server does not tell its time", "check the machine's clock")
    # its Date has whole seconds, and was written somewhere between the request and the answer
    middle = before.timestamp() + took / 2
    off = middle - (server.astimezone(UTC).timestamp() + 0.5)
    slack = took / 2 + 0.5
    if abs(off) <= max(CLOCK_OFF, slack):
        return ok("clock", "agrees with the server's")
    said = f"is {duration(abs(round(off)))} {'ahead of' if off > 0 else 'behind'} the server's"
    hint = "set the machine's clock (timedatectl set-ntp true)"
    return (warning if abs(off) < CLOCK_WRONG else failed)("clock", said, hint)


class Account:
    """One account's questions to the API, with the token that all its processes share."""

    def __init__(self, client: Client, access: Access, ledger: Ledger, account: str) -> None:
        self._client = client
        self._access = access
        self._ledger = ledger
        self._account = account
        self._slots = Slots(ledger)
        patience = Patience(ledger.clock, 0)
        self._tokens = Tokens(self._slots, client, access, account, patience)
        self._waited = 0.0

    def look_at_token(self) -> Diagnosis:
        """The token in use, or a new one. RefusedError or StoppedError if there is none."""
        shared = self._slots.token(self._account)
        try:
            self._renew(None)
        except WouldWaitError as wait:
            return warning("token", str(wait), "a run waits until then")
        if shared is not None:
            return ok("token", "the ledger has one, for all processes")
        return ok("token", "a new one was given, and is in the ledger for all processes")

    def look_at_campaign(self, campaign: str) -> Diagnosis:
        """Where the campaign stands, as far as the API tells it."""
        reply = self._client.send(campaign_status_request(self._access, campaign))
        if not isinstance(reply, Reply):
            message = self._access.redact(reply.message)
            return warning("campaign_status", f"the API did not tell: {message}", UNTOLD)
        standing = read_standing(reply, campaign, self._access)
        if standing.wants_token and self._access.token is not None:
            stale = self._access.token
            self._renew(stale)
            if self._access.token != stale:  # somebody else got a token meanwhile: ask once more
                reply = self._client.send(campaign_status_request(self._access, campaign))
                if isinstance(reply, Reply):
                    standing = read_standing(reply, campaign, self._access)
        return told(campaign, standing, reply)

    def _renew(self, stale: str | None) -> None:
        token = self._tokens.get(self._pause, self._ledger.reap, stale)
        self._access = Access(self._access.user_name, self._access.api_key, token)

    def _pause(self, seconds: float, why: str, message: str) -> None:
        if why != "busy":
            raise WouldWaitError(f"{message}; the next may be asked for in {duration(seconds)}")
        self._waited += seconds
        if self._waited > LONGEST_TURN:
            raise WouldWaitError(f"{message}, for {duration(LONGEST_TURN)} already")
        self._ledger.clock.wait(seconds, threading.Event())


def told(campaign: str, standing: Standing, reply: Reply | NotSent | Lost) -> Diagnosis:
    """A campaign's standing in words."""
    name = "campaign_status"
    if standing.position is not None:
        position = standing.position.strip() or "listed without a state"
        if position.lower() == "completed":
            hint = "start it in CloudAgent, or its leads may not be dialled"
            return warning(name, f"{campaign!r} is {position}", hint)
        return ok(name, f"{campaign!r} is {position}")
    if standing.others:
        close = [other for other in standing.others if other.casefold() == campaign.casefold()]
        known = ", ".join(map(repr, close or standing.others[:5]))
        hint = f"did you mean {known}?" if close else f"the account has {known}"
        return failed(name, f"the account has no campaign {campaign!r}", hint)
    if standing.refused and standing.known is not None:
        why = standing.known.explanation
        hint = "OZODIAL_AUTH=token" if why == NO_TOKEN else HINT
        return failed(name, f"{standing.text}" + (f": {why}" if why else ""), hint)
    status = reply.status if isinstance(reply, Reply) else 0
    return warning(name, f"the API did not tell: {standing.text or f'HTTP {status}'}", UNTOLD)
