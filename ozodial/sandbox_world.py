"""One simulated vendor between two resets: requests come in, payloads go out, in three steps.

`begin` numbers a request, finds its faults and lets it through the door; `work` takes the leads;
`end` notes when it was answered. It waits for nothing, answers nobody and is not safe for threads:
`Sandbox` holds the lock, `sandbox_app` does the waiting.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ozodial.endpoints import CAMPAIGN_STATUS_PATH, ENDPOINTS, TOKEN_PATH, Endpoint
from ozodial.models import Instant
from ozodial.sandbox_calls import Call, Order, Reader, user_name
from ozodial.sandbox_campaigns import Campaigns
from ozodial.sandbox_door import Accounts, Gate, Tokens
from ozodial.sandbox_faults import Fault, FaultPlan, Stage
from ozodial.sandbox_memory import Memory, Payload, Refusal, SandboxConfig, SeenRequest, TokenRecord
from ozodial.sandbox_vendor import Vendor

# Path letter case is not certain on the vendor's side, so the simulator does not mind it.
_UPLOADS: Mapping[str, Endpoint] = {entry.path.lower(): entry for entry in ENDPOINTS}
_QUESTIONS: Mapping[str, str] = {
    TOKEN_PATH.lower(): "token",
    CAMPAIGN_STATUS_PATH.lower(): "status",
}
"""The calls that bring no leads, and their words in `SeenRequest.endpoint` and in faults."""


@dataclass(slots=True)
class Visit:
    """One request on its way through the simulator."""

    world: "World"
    call: Call
    faults: list[Fault]
    order: Order | None = None
    refusal: Payload | None = None

    @property
    def seen(self) -> SeenRequest:
        """What is remembered of it."""
        return self.call.seen

    @property
    def is_token(self) -> bool:
        """Whether it asks for a token."""
        return self.seen.endpoint == "token"

    @property
    def is_upload(self) -> bool:
        """Whether it brings leads."""
        return self.call.entry is not None

    @property
    def latency(self) -> float:
        """Seconds to wait before the work."""
        return sum(float(fault.value) for fault in self.faults if fault.stage is Stage.WAIT)

    def fault(self, stage: Stage) -> Fault | None:
        """The first fault of a stage."""
        return next((fault for fault in self.faults if fault.stage is stage), None)

    def refuse(self, refusal: Refusal) -> Payload:
        """The vendor refuses it."""
        self.refusal = refusal.payload
        self.seen.outcome, self.seen.message = "refused", refusal.message
        return refusal.payload


class World:
    """The vendor's whole state: accounts, tokens, paces, leads, and its misbehaviour."""

    def __init__(self, config: SandboxConfig) -> None:
        accounts = Accounts(config)
        self.memory = Memory(config.memory_file)
        self.plan = FaultPlan()
        self.tokens = Tokens(config)
        self._gate = Gate(config, self.memory)
        self._reader = Reader(accounts, self.tokens)
        self._campaigns = Campaigns(accounts, self._reader)
        self._vendor = Vendor(config, self.memory)
        self._asked: Counter[str] = Counter()

    def begin(
        self, path: str, headers: Mapping[str, str], body: bytes, arrived: Instant
    ) -> Visit | None:
        """A whole request arrived; None where the vendor has nothing at this path."""
        place = path.rstrip("/").lower()
        entry = _UPLOADS.get(place)
        if entry is None and place not in _QUESTIONS:
            return None
        seen = self._note(entry.name if entry else _QUESTIONS[place], path, arrived)
        faults = self.plan.choose(seen.number, seen.endpoint.split())
        seen.faults = tuple(fault.text for fault in faults)
        visit = Visit(self, Call(entry, headers, body, arrived, seen), faults)
        if (fault := visit.fault(Stage.BEFORE)) is None:
            self._admit(visit)
        else:
            self._suffer(visit, fault)
        return visit

    def work(self, visit: Visit, now: Instant) -> Payload:
        """Do what the request asks for, unless it was refused; its answer."""
        if visit.refusal is not None:
            return visit.refusal
        try:
            if visit.is_upload:
                return self._take(visit, now)
            return self._issue(visit, now) if visit.is_token else self._campaigns.answer(visit.call)
        except Refusal as refusal:
            return visit.refuse(refusal)

    def end(self, visit: Visit, now: Instant, outcome: str) -> None:
        """The answer goes out now, or never: the pace is counted from here."""
        if visit.order is not None:
            self._gate.leave(visit.order.entry, visit.order.account, now)
        if visit.seen.outcome == "open":
            visit.seen.outcome = outcome
        visit.seen.answered = now.mono
        if visit.is_upload:
            self.memory.close(visit.seen)

    def _note(self, endpoint: str, path: str, arrived: Instant) -> SeenRequest:
        if endpoint in _QUESTIONS.values():
            self._asked[endpoint] += 1
            number = self._asked[endpoint]
            return SeenRequest(number, endpoint, path, arrived.mono, arrived.wall)
        number = len(self.memory.requests) + 1
        seen = SeenRequest(number, endpoint, path, arrived.mono, arrived.wall)
        self.memory.requests.append(seen)
        return seen

    def _admit(self, visit: Visit) -> None:
        entry = visit.call.entry
        if entry is None:
            return
        try:
            order = self._reader.order(visit.call, entry)
            self._gate.enter(entry, order.account, visit.call.arrived, order.number)
        except Refusal as refusal:
            visit.refuse(refusal)
        else:
            visit.order = order

    def _suffer(self, visit: Visit, fault: Fault) -> None:
        visit.seen.outcome, visit.seen.message = "fault", fault.text
        if fault.kind != "token-expired":
            return
        try:
            self.tokens.expire(user_name(visit.call))
        except Refusal:
            return  # not a JSON request: no token to end

    def _take(self, visit: Visit, now: Instant) -> Payload:
        before = len(self.memory.leads)
        payload = self._vendor.process(visit.order, now) if visit.order is not None else {}
        visit.seen.taken = len(self.memory.leads) - before
        return payload

    def _issue(self, visit: Visit, now: Instant) -> Payload:
        user, token, message = "", "", ""
        try:
            user = self._reader.token_user(visit.call)
            token = self.tokens.issue(user, now)
        except Refusal as refusal:
            message = refusal.message
            raise
        finally:
            number = visit.seen.number
            self.memory.issue(TokenRecord(number, user, now.wall, token, message))
        return {"token": token, "message": ""}
