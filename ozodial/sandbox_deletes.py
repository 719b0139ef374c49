"""The vendor's two calls that delete, as the simulator answers them.

A request comes in, its limits are kept (100 numbers or campaigns, 2 requests a minute, one at a
time), leads are remembered as deleted, the answer's payload goes out. A scheduled row can be
deleted by its id until its time comes; from then on it is in the campaign, like one of bulk-add.
Sources: the reference pages of DeleteBulkData and DeleteScheduledData.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ozodial.clock import utc
from ozodial.deletes import DELETE_BULK, DeleteCall
from ozodial.endpoints import SCHEDULE
from ozodial.models import Field, Instant
from ozodial.sandbox_calls import Call, Reader, cell, read_json
from ozodial.sandbox_door import Accounts
from ozodial.sandbox_memory import (
    Memory,
    Payload,
    Refusal,
    RemovedLead,
    SandboxConfig,
    TakenLead,
    Violation,
)
from ozodial.sandbox_phones import international
from ozodial.sandbox_texts import Text

WINDOW = 60.0
PER_WINDOW = 2
MOST_CAMPAIGNS = 100

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Deletion:
    """One request whose sender is known; `body` is still unread."""

    call: DeleteCall
    number: int
    account: str
    body: dict[str, object]


class Deleter:
    """Who may delete, how often, and which leads are gone then."""

    def __init__(
        self, config: SandboxConfig, memory: Memory, reader: Reader, accounts: Accounts
    ) -> None:
        self._config = config
        self._memory = memory
        self._reader = reader
        self._accounts = accounts
        self._zone = ZoneInfo(config.timezone)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._running: dict[str, int] = defaultdict(int)
        self._arrivals: dict[str, deque[float]] = defaultdict(deque)

    def learn(self, user: str, api_key: str) -> None:
        """The account by whose key alone bulk-add knows this user."""
        if (name := self._accounts.of_key(api_key)) is not None:
            self._names[user].add(name)

    def admit(self, call: Call) -> Deletion:
        """Let a request in, or refuse it; who enters has to `leave`."""
        if call.delete is None:
            raise AssertionError("no call that deletes")
        body = read_json(call.body)
        user = self._reader.caller(call, body)
        self.learn(user, call.headers.get("apikey", ""))
        call.seen.rows = len(_texts(body.get("phoneNumber")))
        deletion = Deletion(call.delete, call.seen.number, user, body)
        if call.delete is DELETE_BULK:
            self._enter(deletion, call.arrived.mono)
            self._running[user] += 1
        return deletion

    def leave(self, deletion: Deletion) -> None:
        """The request is answered."""
        if deletion.call is DELETE_BULK:
            self._running[deletion.account] -= 1

    def work(self, deletion: Deletion, now: Instant) -> Payload:
        """Delete what the request names; the answer."""
        if deletion.call is DELETE_BULK:
            gone = self._of_numbers(deletion, now)
        else:
            gone = self._of_rows(deletion, now)
        self._memory.remove(
            [
                RemovedLead(
                    deletion.number, lead.account, lead.campaign, lead.phone, lead.row_id, now.wall
                )
                for lead in gone
            ]
        )
        return {"status": "success", "message": str(Text.DELETED)}

    def _of_numbers(self, deletion: Deletion, now: Instant) -> list[TakenLead]:
        phones = _texts(deletion.body.get("phoneNumber"))
        campaigns = _texts(deletion.body.get("campaignName"))
        if not phones:
            raise Refusal("Error", Text.NO_NUMBERS)
        if not campaigns:
            raise Refusal("Error", Text.NO_CAMPAIGNS)
        for kind, count, limit in (
            ("rows", len(phones), deletion.call.per_request),
            ("campaigns", len(campaigns), MOST_CAMPAIGNS),
        ):
            if count > limit:
                self._violate(deletion, kind, count, limit)
                raise Refusal("Error", Text.MAX_LIMIT)
        if not all(self._accounts.has_campaign(deletion.account, name) for name in campaigns):
            raise Refusal("Error", Text.BAD_CAMPAIGNS)
        wanted = set(map(international, phones))
        return [
            lead
            for lead in self._leads(deletion.account)
            if lead.campaign in campaigns
            and international(lead.phone) in wanted
            and not self._waits(lead, now)
        ]

    def _of_rows(self, deletion: Deletion, now: Instant) -> list[TakenLead]:
        spans = _spans(cell(deletion.body.get("rowId") or deletion.body.get("row_id")))
        if not spans:
            raise Refusal("error", Text.NO_ROW_ID)
        gone = [
            lead
            for lead in self._leads(deletion.account)
            if self._waits(lead, now) and any(a <= lead.row_id <= b for a, b in spans)
        ]
        if not gone:
            raise Refusal("error", Text.NO_DATA)
        return gone

    def _leads(self, account: str) -> list[TakenLead]:
        names = {account, *self._names[account]}
        return [lead for lead in self._memory.present if lead.account in names]

    def _waits(self, lead: TakenLead, now: Instant) -> bool:
        """Whether it is scheduled, and its time has not come."""
        if lead.endpoint != SCHEDULE.name:
            return False
        due = datetime.fromisoformat(lead.fields[Field.SCHEDULED]).replace(tzinfo=self._zone)
        return due > utc(now)

    def _enter(self, deletion: Deletion, arrived: float) -> None:
        window = WINDOW / self._config.pace_scale
        arrivals = self._arrivals[deletion.account]
        while arrivals and arrived - arrivals[0] >= window - _ROUNDING:
            arrivals.popleft()
        if running := self._running[deletion.account]:
            self._violate(deletion, "parallel", running + 1, 1)
        elif len(arrivals) >= PER_WINDOW:
            self._violate(deletion, "rate", len(arrivals) + 1, PER_WINDOW)
        else:
            arrivals.append(arrived)
            return
        raise Refusal("Error", Text.MAX_LIMIT)

    def _violate(self, deletion: Deletion, kind: str, seen: float, limit: float) -> None:
        name = deletion.call.name
        self._memory.violate(Violation(deletion.number, deletion.account, name, kind, seen, limit))


def _texts(value: object) -> list[str]:
    return [cell(each) for each in value] if isinstance(value, list) else []


def _spans(text: str) -> list[tuple[int, int]]:
    """`7`, `3,5` or `3-10` as ranges; nothing where it is none of these."""
    spans = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            return []
        spans.append((int(first), int(last or first)))
    return spans
