"""Each endpoint as data: where it is, what it allows, how a batch is written; a new one goes here.

Sources: the vendor's pages "Scheduled Campaign Data (Token authentication)" and "Add campaign bulk
data", and, for V4 and the token, its reference pages as collected in the project's API facts.
Path letter case is not certain on the vendor's side; a profile may override `paths`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, quote_plus

from ozodial.models import Field

TOKEN_PATH = "/ca_apis/CAToken/generateToken"  # noqa: S105 - a path, not a secret
CAMPAIGN_STATUS_PATH = "/ca_apis/campaignStatus"
TOKEN_SECONDS = 3600
TOKENS_PER_HOUR = 10

DOMAINS: Mapping[str, str] = {
    "in": "https://in1-ccaas-api.ozonetel.com",
    "intl": "https://api.ccaas.ozonetel.com",
}

REDACTED = "[redacted]"
_JWT_BEGINS = "eyJ"
_JWT = re.compile(r"eyJ[\w=-]+(?:\.[\w=-]+){1,4}", re.ASCII)
SHORTEST_SECRET = 4
"""Anything shorter is no key, and stands in every other word."""

SANDBOX_SHORTENS_PACE_BY = 30
"""In the sandbox 30 s become 1 s; the screen says so."""


_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ ().+$%:-]*")
_OUTSIDE_NAME_RULE = re.compile(r"[^A-Za-z0-9_ ().+$%:-]+")
NAME_RULE = "letters and digits of English, spaces and _ ( ) . + $ % - :"
"""V4's rule for Name, from the newest copy of its page."""


def fits_name_rule(text: str) -> bool:
    """Whether V4 takes a name as it stands."""
    return _PLAIN_NAME.fullmatch(text) is not None


def plain_name(text: str) -> str:
    """A name as V4 takes it: what its rule forbids is a space."""
    return text if fits_name_rule(text) else " ".join(_OUTSIDE_NAME_RULE.sub(" ", text).split())


@dataclass(frozen=True, slots=True)
class Access:
    """Who is asking. `token` is None where the endpoint takes the key itself."""

    user_name: str
    api_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Access(user_name={self.user_name!r})"  # never a secret in a traceback or a log

    def redact(self, text: str) -> str:
        """A text of the vendor's without the key or any token, should it echo them."""
        if _JWT_BEGINS in text:
            text = _JWT.sub(REDACTED, text)  # another process's token, or one that is not ours yet
        for secret in (self.token, self.api_key):
            if secret and len(secret) >= SHORTEST_SECRET:
                for written in _spellings(secret):
                    text = text.replace(written, REDACTED)
        return text


@lru_cache(maxsize=8)
def _spellings(secret: str) -> tuple[str, ...]:
    """As it is, in a URL, and as PHP writes it in JSON."""
    forms = {secret, quote(secret, safe=""), quote_plus(secret), secret.replace("/", "\\/")}
    return tuple(sorted(forms, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Upload:
    """One batch as the vendor's words: the campaign, the headers (`map`) and the rows (`data`)."""

    campaign: str
    check_duplicate: bool
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request without its host: JSON or form, never both."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)  # here and below: the key or the token
    content: bytes | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of the vendor's calls.

    `pace` is seconds between an answer and the next request (0: none published); `writer` writes
    a batch as its page wants it;
    `queues` means that the answer is an acceptance of the batch and rows are reported by callback.
    """

    command: str
    api: str
    path: str
    rows_per_request: int
    pace: float
    writer: "Writer" = field(repr=False)
    needs_time: bool = False
    takes_token: bool = False
    check_duplicate: bool = False
    queues: bool = False
    expiry_as_date: bool = False
    row_characters: int | None = None
    plain_names: bool = False
    agent_spelling: str = "AgentId"

    @property
    def name(self) -> str:
        """As in the ledger's pace slots: `schedule`, `bulk-add v1`, `bulk-add v4`."""
        return f"{self.command} {self.api}".strip()

    def spelling(self, column: str) -> str:
        """A column's name as this endpoint wants it."""
        return self.agent_spelling if column == Field.AGENT else column

    def value(self, column: str, value: str) -> str:
        """A staged value as this endpoint wants it (V4: ExpiryDate as a date, a plain Name).

        The staged value stays whole: a lead that went in by V1 is the same lead by V4.
        """
        if self.expiry_as_date and column == Field.EXPIRY:
            return value[:10]
        return plain_name(value) if self.plain_names and column == Field.NAME else value

    def estimated_seconds(self, batches: int, pace: float) -> float:
        """How long `batches` requests take: the waits between them and half a second for each."""
        return max(0, batches - 1) * pace + 0.5 * batches

    def write(self, access: Access, upload: Upload) -> HttpRequest:
        """The request for one batch."""
        return self.writer(self, access, upload)


Writer = Callable[[Endpoint, Access, Upload], HttpRequest]


def token_request(access: Access) -> HttpRequest:
    """`generateToken`: valid 60 minutes, 10 an hour, a new one ends the old one."""
    body = _json({"userName": access.user_name})
    headers = {"Content-Type": "application/json", "apiKey": access.api_key}
    return HttpRequest("POST", TOKEN_PATH, headers, content=body)


def campaign_status_request(access: Access, campaign: str) -> HttpRequest:
    """`campaignStatus`: a GET that carries JSON; a POST, or a query string, is refused."""
    body = _json({"userName": access.user_name, "campaignName": campaign})
    return HttpRequest("GET", CAMPAIGN_STATUS_PATH, _json_headers(access), content=body)


def _json_headers(access: Access) -> Mapping[str, str]:
    """Token mode or basic mode, as the account's "API Authentication" setting wants it."""
    auth = (
        {"Authorization": f"Bearer {access.token}"} if access.token else {"apiKey": access.api_key}
    )
    return {"Content-Type": "application/json", **auth}


def _write_schedule(entry: Endpoint, access: Access, upload: Upload) -> HttpRequest:
    body = {
        "userName": access.user_name,
        "campaignName": upload.campaign,
        "checkDuplicate": upload.check_duplicate,
        "bulkData": _bulk_data(entry, upload),
    }
    return HttpRequest("POST", entry.path, _json_headers(access), content=_json(body))


def _write_bulk_v1(entry: Endpoint, access: Access, upload: Upload) -> HttpRequest:
    form = {
        "api_key": access.api_key,
        "campaign_name": _utf8(upload.campaign),
        "bulkData": _json(_bulk_data(entry, upload)).decode(),
    }
    return HttpRequest("POST", entry.path, {}, form=form)


def _write_bulk_v4(entry: Endpoint, access: Access, upload: Upload) -> HttpRequest:
    form = {
        "apiKey": access.api_key,
        "userName": _utf8(access.user_name),
        "campaignName": _utf8(upload.campaign),
        "checkDuplicate": "true" if upload.check_duplicate else "false",
        "bulkData": _json(_bulk_data(entry, upload)).decode(),
    }
    return HttpRequest("POST", entry.path, {}, form=form)


def _bulk_data(entry: Endpoint, upload: Upload) -> dict[str, list[str] | list[list[str]]]:
    columns = upload.columns
    return {
        "map": [entry.spelling(column) for column in columns],
        "data": [_row(entry, columns, row) for row in upload.rows],
    }


def _row(entry: Endpoint, columns: Sequence[str], row: Sequence[str]) -> list[str]:
    return [entry.value(column, value) for column, value in zip(columns, row, strict=True)]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _utf8(text: str) -> str:
    """A name typed in another encoding than the terminal's, as the JSON bodies have it."""
    return text.encode("utf-8", "replace").decode()


SCHEDULE = Endpoint(
    command="schedule",
    api="",
    path="/ca_apis/CampaignScheduledData",
    rows_per_request=100,
    pace=0.0,
    writer=_write_schedule,
    needs_time=True,
    takes_token=True,
    check_duplicate=True,
    agent_spelling="AgentID",
)
BULK_ADD_V1 = Endpoint(
    command="bulk-add",
    api="v1",
    path="/cloudAgentRestAPI/index.php/AddCampaignBulkData/addBulkData/format/json",
    rows_per_request=200,
    pace=30.0,
    writer=_write_bulk_v1,
)
BULK_ADD_V4 = Endpoint(
    command="bulk-add",
    api="v4",
    path="/cloudAgentRestAPI/index.php/AddCampaignBulkDataV4/addBulkData/format/json",
    rows_per_request=500,
    pace=12.0,
    writer=_write_bulk_v4,
    check_duplicate=True,
    queues=True,
    expiry_as_date=True,
    row_characters=2000,
    plain_names=True,
)

ENDPOINTS: tuple[Endpoint, ...] = (SCHEDULE, BULK_ADD_V1, BULK_ADD_V4)
VERSIONS = tuple(entry.api for entry in ENDPOINTS if entry.api)
"""What `--api` may be."""


def endpoint(command: str, api: str = "v1") -> Endpoint:
    """The endpoint of a command; `api` matters for `bulk-add` alone."""
    for entry in ENDPOINTS:
        if entry.command == command and entry.api in ("", api):
            return entry
    raise KeyError(f"{command} {api}")
