"""One simulated vendor between two resets: requests come in, payloads go out, in three steps.

`begin` numbers a request, finds its faults and lets it through the door; `work` takes the leads;
`end` notes when it was answered. It waits for nothing, answers nobody and is not safe for threads:
`Sandbox` holds the lock, `sandbox_app` does the waiting.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ozodial.deletes import DELETE_CALLS, DeleteCall
from ozodial.endpoints import CAMPAIGN_STATUS_PATH, ENDPOINTS, TOKEN_PATH, Endpoint
from ozodial.models import Instant
from ozodial.sandbox_calls import Call, Order, Reader, user_name
from ozodial.sandbox_campaigns import Campaigns
from ozodial.sandbox_deletes import Deleter, Deletion
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
"""The calls that only ask, and their words in `SeenRequest.endpoint` and in faults."""
_DELETES: Mapping[str, DeleteCall] = {call.path.lower(): call for call in DELETE_CALLS}


@dataclass(slots=True)
class Visit:
    """One request on its way through the simulator."""

    world: "World"
    call: Call
    faults: list[Fault]
    order: Order | None = None
    deletion: Deletion | None = None
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
        self._deleter = Deleter(config, self.memory, self._reader, accounts)

    def begin(
        self, path: str, headers: Mapping[str, str], body: bytes, arrived: Instant, method: str
    ) -> Visit | None:
        """A whole request arrived; None where the vendor has nothing at this path."""
        place = path.rstrip("/").lower()
        entry = _UPLOADS.get(place) if method == "POST" else None
        delete = _DELETES.get(place) if method == "DELETE" else None
        what = entry or delete
        if what is None and place not in _QUESTIONS:
            return None
        seen = self._note(what.name if what else _QUESTIONS[place], path, arrived)
        faults = self.plan.choose(seen.number, ["delete"] if delete else seen.endpoint.split())
        seen.faults = tuple(fault.text for fault in faults)
        visit = Visit(self, Call(entry, headers, body, arrived, seen, delete), faults)
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
            if visit.deletion is not None:
                return self._delete(visit.deletion, visit, now)
            return self._issue(visit, now) if visit.is_token else self._campaigns.answer(visit.call)
        except Refusal as refusal:
            return visit.refuse(refusal)

    def end(self, visit: Visit, now: Instant, outcome: str) -> None:
        """The answer goes out now, or never: the pace is counted from here."""
        if visit.order is not None:
            self._gate.leave(visit.order.entry, visit.order.account, now)
        if visit.deletion is not None:
            self._deleter.leave(visit.deletion)
        if visit.seen.outcome == "open":
            visit.seen.outcome = outcome
        visit.seen.answered = now.mono
        if visit.is_upload or visit.call.delete is not None:
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
        if entry is None and visit.call.delete is None:
            return
        try:
            if entry is None:
                visit.deletion = self._deleter.admit(visit.call)
                return
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

    def _delete(self, deletion: Deletion, visit: Visit, now: Instant) -> Payload:
        before = len(self.memory.removed)
        try:
            return self._deleter.work(deletion, now)
        finally:
            visit.seen.removed = len(self.memory.removed) - before
            if visit.seen.removed:
                self._vendor.forget()

    def _issue(self, visit: Visit, now: Instant) -> Payload:
        user, token, message = "", "", ""
        try:
            user = self._reader.token_user(visit.call)
            self._deleter.learn(user, visit.call.headers.get("apikey", ""))
            token = self.tokens.issue(user, now)
        except Refusal as refusal:
            message = refusal.message
            raise
        finally:
            number = visit.seen.number
            self.memory.issue(TokenRecord(number, user, now.wall, token, message))
        return {"token": token, "message": ""}
