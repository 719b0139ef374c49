"""One simulated vendor between two resets: requests come in, payloads go out, in three steps.

`begin` numbers a request, finds its faults and lets it through the door; `work` takes the leads;
`end` notes when it was answered. It waits for nothing, answers nobody and is not safe for threads:
`Sandbox` holds the lock, `sandbox_app` does the waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ozodial.deletes import DELETE_CALLS, DeleteCall
from ozodial.endpoints import ENDPOINTS, TOKEN_PATH, Endpoint
from ozodial.models import Instant
from ozodial.sandbox_calls import Call, Order, Reader, user_name
from ozodial.sandbox_deletes import Deleter, Deletion
from ozodial.sandbox_door import Accounts, Gate, Tokens
from ozodial.sandbox_faults import Fault, FaultPlan, Stage
from ozodial.sandbox_memory import Memory, Payload, Refusal, SandboxConfig, SeenRequest, TokenRecord
from ozodial.sandbox_vendor import Vendor

# Path letter case is not certain on the vendor's side, so the simulator does not mind it.
_UPLOADS: Mapping[str, Endpoint] = {entry.path.lower(): entry for entry in ENDPOINTS}
_DELETES: Mapping[str, DeleteCall] = {call.path.lower(): call for call in DELETE_CALLS}
_TOKEN_PATH = TOKEN_PATH.lower()


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
        """Whether it asks for a token, and brings no leads."""
        return self.call.entry is None and self.call.delete is None

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
        self._vendor = Vendor(config, self.memory)
        self._deleter = Deleter(config, self.memory, self._reader, accounts)
        self._token_calls = 0

    def begin(
        self, path: str, headers: Mapping[str, str], body: bytes, arrived: Instant, method: str
    ) -> Visit | None:
        """A whole request arrived; None where the vendor has nothing at this path."""
        place = path.rstrip("/").lower()
        entry = _UPLOADS.get(place) if method == "POST" else None
        delete = _DELETES.get(place) if method == "DELETE" else None
        if entry is None and delete is None and (place != _TOKEN_PATH or method != "POST"):
            return None
        what = entry or delete
        seen = self._note(what.name if what is not None else None, path, arrived)
        words = ["token"] if what is None else entry.name.split() if entry else ["delete"]
        faults = self.plan.choose(seen.number, words)
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
            if visit.deletion is not None:
                return self._delete(visit.deletion, visit, now)
            return self._issue(visit, now) if visit.is_token else self._take(visit, now)
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
        if not visit.is_token:
            self.memory.close(visit.seen)

    def _note(self, name: str | None, path: str, arrived: Instant) -> SeenRequest:
        if name is None:
            self._token_calls += 1
            return SeenRequest(self._token_calls, "token", path, arrived.mono, arrived.wall)
        number = len(self.memory.requests) + 1
        seen = SeenRequest(number, name, path, arrived.mono, arrived.wall)
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
