"""Requests as the vendor reads them: JSON or form in, an order with its table of rows out.

Credentials and the campaign are checked on the way, in the order in which the vendor's pages tell
their errors apart. It takes no lead and knows no row rule.
Sources: "Scheduled Campaign Data", "Add campaign bulk data", its V4 page, "Generate Token".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ozodial.deletes import DeleteCall
from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE, Endpoint
from ozodial.models import Instant
from ozodial.sandbox_door import MAGIC_INBOUND, Accounts, Tokens, is_magic
from ozodial.sandbox_memory import Refusal, SeenRequest
from ozodial.sandbox_texts import Text


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came; header names are in lower case. `entry` None: it brings no leads."""

    entry: Endpoint | None
    headers: Mapping[str, str]
    body: bytes
    arrived: Instant
    seen: SeenRequest
    delete: DeleteCall | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An upload whose sender and campaign are known. `bulk` is bulkData, still unread."""

    entry: Endpoint
    number: int
    account: str
    campaign: str
    check_duplicate: bool
    bulk: object


@dataclass(frozen=True, slots=True)
class Table:
    """bulkData as text: `columns` is its map, `rows` its data."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def place(self, column: str) -> int | None:
        """Where a column stands."""
        return self.columns.index(column) if column in self.columns else None


class Reader:
    """Reads calls against the accounts and tokens that the vendor knows."""

    def __init__(self, accounts: Accounts, tokens: Tokens) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._readers = {
            SCHEDULE.name: self._schedule,
            BULK_ADD_V1.name: self._bulk_v1,
            BULK_ADD_V4.name: self._bulk_v4,
        }

    def order(self, call: Call, entry: Endpoint) -> Order:
        """The order of an upload, or its refusal; fills in who asked in `call.seen`."""
        order = self._readers[entry.name](call, entry)
        call.seen.rows = count_rows(order.bulk)
        return order

    def token_user(self, call: Call) -> str:
        """Who asks for a token; refuses a missing name and a wrong key."""
        user = user_name(call)
        if not user:
            raise Refusal("false", Text.USER_NULL)
        if not self._accounts.knows(user, call.headers.get("apikey", "")):
            raise Refusal("false", Text.BAD_USER_OR_KEY)
        return user

    def caller(self, call: Call, body: Mapping[str, object]) -> str:
        """Who asks, by a token or by the key; refuses whoever may not."""
        user = cell(body.get("userName"))
        call.seen.account = user
        if self._by_token(call, user):
            call.seen.auth = "token"
            self._tokens.check(_bearer(call) or "", user, call.arrived)
        else:
            call.seen.auth = "basic"
            self._check_key(call, user)
        return user

    def _schedule(self, call: Call, entry: Endpoint) -> Order:
        body = read_json(call.body)
        user = self.caller(call, body)
        campaign = call.seen.campaign = cell(body.get("campaignName"))
        if not self._accounts.has_campaign(user, campaign):
            raise Refusal("error", Text.BAD_KEY_OR_CAMPAIGN)
        check = _is_true(body.get("checkDuplicate"))
        return Order(entry, call.seen.number, user, campaign, check, body.get("bulkData"))

    def _by_token(self, call: Call, user: str) -> bool:
        mode = self._accounts.auth(user)
        if mode != "either":
            return mode == "token"
        return _bearer(call) is not None or "apikey" not in call.headers

    def _check_key(self, call: Call, user: str) -> None:
        api_key = call.headers.get("apikey", "")
        if not user or not api_key:
            raise Refusal("error", Text.MISSING_USER_OR_KEY)
        if not self._accounts.knows(user, api_key):
            raise Refusal("error", Text.BAD_KEY_OR_CAMPAIGN)

    def _bulk_v1(self, call: Call, entry: Endpoint) -> Order:
        form = _read_form(call)
        campaign = call.seen.campaign = form.get("campaign_name", "")
        call.seen.auth = "api_key" if "api_key" in form else "none"
        account = self._accounts.of_key(form.get("api_key", ""))
        if account is None:
            raise Refusal("failure", Text.NO_USER)
        call.seen.account = account
        if not campaign:
            raise Refusal("error", Text.NO_CAMPAIGN)
        if not self._accounts.has_campaign(account, campaign):
            raise Refusal("failure", Text.NO_USER)
        if is_magic(campaign, MAGIC_INBOUND):
            raise Refusal("failure", Text.INBOUND)
        bulk = _loads(form.get("bulkData", ""))
        return Order(entry, call.seen.number, account, campaign, False, bulk)

    def _bulk_v4(self, call: Call, entry: Endpoint) -> Order:
        form = _read_form(call)
        user = call.seen.account = form.get("userName", "")
        campaign = call.seen.campaign = form.get("campaignName", "")
        call.seen.auth = "api_key" if "apiKey" in form else "none"
        if not form.get("apiKey"):
            raise Refusal("error", Text.KEY_EMPTY)
        if not self._accounts.knows(user, form["apiKey"]):
            raise Refusal("error", Text.BAD_USER_OR_KEY)
        if not campaign:
            raise Refusal("error", Text.NO_CAMPAIGN)
        if not self._accounts.has_campaign(user, campaign):
            raise Refusal("error", Text.NO_SUCH_CAMPAIGN)
        check = _is_true(form.get("checkDuplicate"))
        bulk = _loads(form.get("bulkData", ""))
        return Order(entry, call.seen.number, user, campaign, check, bulk)


def read_table(bulk: object, status: str) -> Table:
    """bulkData as a table of text, or "Please provide valid data" under this status."""
    if not isinstance(bulk, dict):
        raise Refusal(status, Text.BAD_DATA)
    columns, rows = bulk.get("map"), bulk.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list) or not columns or not rows:
        raise Refusal(status, Text.BAD_DATA)
    if not all(isinstance(row, list) for row in rows):
        raise Refusal(status, Text.BAD_DATA)
    return Table(tuple(map(cell, columns)), tuple(tuple(map(cell, row)) for row in rows))


def count_rows(bulk: object) -> int:
    """How many rows bulkData seems to hold."""
    rows = bulk.get("data") if isinstance(bulk, dict) else None
    return len(rows) if isinstance(rows, list) else 0


def read_json(body: bytes) -> dict[str, object]:
    """A body that must be a JSON object."""
    value = _loads(body)
    if not isinstance(value, dict):
        raise Refusal("error", Text.BAD_JSON)
    return value


def user_name(call: Call) -> str:
    """The `userName` of a JSON body."""
    return cell(read_json(call.body).get("userName"))


def cell(value: object) -> str:
    """A JSON value as the text that it stands for."""
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)


def _loads(text: str | bytes) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _read_form(call: Call) -> dict[str, str]:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}  # PHP would find no parameter either
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _bearer(call: Call) -> str | None:
    header = call.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
