"""What the simulator is told, and what it remembers: leads, requests, tokens, violations.

In: records of the vendor's rules and of the web application. Out: the same records, in order, and
as JSON lines in a file where one is named. Never an API key: an account that is known by its key
alone is remembered by a fingerprint of it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from ozodial.endpoints import TOKEN_SECONDS, TOKENS_PER_HOUR

Payload = dict[str, object]

PACE_KINDS = frozenset({"pace", "parallel", "rate"})


@dataclass(frozen=True, slots=True)
class Account:
    """One account that the simulator knows. `campaigns` None: any name but the magic ones.

    `auth` is the account's "API Authentication" setting: token, basic, or either of them.
    """

    api_key: str
    campaigns: frozenset[str] | None = None
    auth: str = "either"

    def __repr__(self) -> str:
        return f"Account(auth={self.auth!r})"  # the key may be a real one


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How the simulated vendor is set up; the defaults take anyone who has a key and a name.

    `accounts` maps user names to accounts (empty: open house). `pace_scale` divides the vendor's
    30 s and its minute (30: they become 1 s and 2 s); a token's hour stays an hour.
    `schedule_at_once` is how many schedule requests may be in flight (None: any number).
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)
    auth: str = "either"
    pace_scale: float = 1.0
    timezone: str = "Asia/Kolkata"
    horizon_days: int = 30
    token_seconds: int = TOKEN_SECONDS
    tokens_per_hour: int = TOKENS_PER_HOUR
    schedule_at_once: int | None = None
    memory_file: Path | None = None


class TakenLead(NamedTuple):
    """One lead that the vendor took, as it was sent; `time` is Unix time."""

    request: int
    account: str
    endpoint: str
    campaign: str
    phone: str
    fields: dict[str, str]
    time: float
    row_id: int
    transaction: str = ""


@dataclass(slots=True)
class SeenRequest:
    """One upload request, filled in as it goes; `answered` None: it is still being worked on.

    `arrived` and `answered` are monotonic seconds of the simulator's clock, `time` is Unix time.
    `outcome` is open, processed, refused (`message` says why), fault (nothing was processed) or
    stopped (the server ended first). `auth` is token, basic, api_key or
    none. `taken` counts the leads that it brought, `removed` those that it deleted.
    """

    number: int
    endpoint: str
    path: str
    arrived: float
    time: float
    answered: float | None = None
    account: str = ""
    campaign: str = ""
    rows: int = 0
    taken: int = 0
    removed: int = 0
    auth: str = "none"
    outcome: str = "open"
    message: str = ""
    faults: tuple[str, ...] = ()


class RemovedLead(NamedTuple):
    """One lead that a request deleted; `row_id` tells which of `leads` it was."""

    request: int
    account: str
    campaign: str
    phone: str
    row_id: int
    time: float


class Transaction(NamedTuple):
    """One V4 upload that was worked off. `failed` are the rows that were not taken, and why."""

    transaction: str
    request: int
    account: str
    campaign: str
    rows: int
    failed: tuple[tuple[dict[str, str], str], ...]
    time: float


class TokenRecord(NamedTuple):
    """One call of generateToken; where it was refused, `token` is empty and `message` says why."""

    number: int
    account: str
    time: float
    token: str
    message: str


class Violation(NamedTuple):
    """A limit of the vendor's that a request did not keep.

    `kind` is pace (`seen` and `limit` in seconds), parallel, rate (requests in the window), rows,
    row_characters or name_characters (`seen` is the row's index).
    """

    request: int
    account: str
    endpoint: str
    kind: str
    seen: float
    limit: float


Record = TakenLead | RemovedLead | Transaction | SeenRequest | TokenRecord | Violation


class Refusal(Exception):
    """The vendor refuses the whole request with one of its sentences."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.payload: Payload = {"status": status, "message": str(message)}
        self.message = str(message)


class Memory:
    """Everything that happened since the start or the last reset, in order."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.clear()

    def clear(self) -> None:
        """Forget; the file keeps what it has."""
        self.leads: list[TakenLead] = []
        self.removed: list[RemovedLead] = []
        self.transactions: list[Transaction] = []
        self._gone: set[int] = set()
        self.requests: list[SeenRequest] = []
        self.tokens: list[TokenRecord] = []
        self.violations: list[Violation] = []

    def take(self, leads: list[TakenLead]) -> None:
        """Remember leads that the vendor took."""
        self.leads += leads
        self._note("lead", *leads)

    @property
    def present(self) -> list[TakenLead]:
        """The leads that nobody has deleted since."""
        return [lead for lead in self.leads if lead.row_id not in self._gone]

    def remove(self, leads: list[RemovedLead]) -> None:
        """Remember leads that the vendor deleted; that it had taken them stays true."""
        self.removed += leads
        self._gone.update(lead.row_id for lead in leads)
        self._note("removed", *leads)

    def work_off(self, transaction: Transaction) -> None:
        """Remember what became of a V4 upload."""
        self.transactions.append(transaction)
        self._note("transaction", transaction)

    def issue(self, record: TokenRecord) -> None:
        """Remember a call of generateToken."""
        self.tokens.append(record)
        self._note("token", record._replace(token=""))

    def violate(self, violation: Violation) -> None:
        """Remember a limit that was not kept."""
        self.violations.append(violation)
        self._note("violation", violation)

    def close(self, request: SeenRequest) -> None:
        """A request is over; it has been in `requests` since it came."""
        self._note("request", request)

    def _note(self, kind: str, *records: Record) -> None:
        if self._file is None or not records:
            return
        lines = [json.dumps({"record": kind, **as_dict(record)}) + "\n" for record in records]
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(lines)


def as_dict(record: Record) -> dict[str, object]:
    """A record as a JSON object."""
    return asdict(record) if isinstance(record, SeenRequest) else record._asdict()


def fingerprint(api_key: str) -> str:
    """The name of an account that is known by its key alone (bulk-add v1)."""
    return "key-" + hashlib.sha256(api_key.encode()).hexdigest()[:8]
