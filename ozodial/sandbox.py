"""The vendor simulator: requests come in, the vendor's answers go out, every lead is remembered.

`Sandbox` is the stand-in for a vendor that nobody here can reach: its limits, its sentences, its
failures inside "status": "success", and, when told, its bad days. It never sends anything
anywhere, and shares no code with the client, which has to read its answers unaided.

Magic data, which no real list hits by accident:
    phone ends in 55501555   the row is refused: a DND number
    phone ends in 55502555   the row is refused: Number Already Exist
    phone ends in 55503555   the row is refused: Phone Number is Empty!
    phone ends in 55504555   the row is refused in words that no page has
    phone ends in 55505555   the row is taken, and the answer leaves it out
    phone ends in 55506555   the request is refused: Wrong Date format / ExpiryDate, supports …
    phone ends in 55507555   the request is refused: … 30 days limit at index N / Priority, …
    phone ends in 55508555   the request is refused: Invalid date format / … valid data
    campaign "no such …"     does not exist
    campaign "inbound …"     is inbound (bulk-add v1)
    campaign "completed …"   has run to its end (campaignStatus)
    key or user "wrong…"     is not known
"""

import threading
from collections.abc import Mapping

from ozodial.clock import Clock, SystemClock
from ozodial.models import Instant
from ozodial.sandbox_faults import Fault, parse_fault
from ozodial.sandbox_memory import (
    PACE_KINDS,
    Account,
    Payload,
    RemovedLead,
    SandboxConfig,
    SeenRequest,
    TakenLead,
    TokenRecord,
    Transaction,
    Violation,
)
from ozodial.sandbox_world import Visit, World

__all__ = ["Account", "Sandbox", "SandboxConfig", "parse_fault"]


class Sandbox:
    """The simulated vendor; any number of threads may look at it while it is served."""

    def __init__(self, config: SandboxConfig | None = None, clock: Clock | None = None) -> None:
        self.config = config or SandboxConfig()
        self.clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._world = World(self.config)

    @property
    def leads(self) -> tuple[TakenLead, ...]:
        """Every lead that was taken, in order; a lead that was taken twice stands here twice."""
        return tuple(self._world.memory.leads)

    @property
    def removed(self) -> tuple[RemovedLead, ...]:
        """Every lead that was deleted, in order."""
        return tuple(self._world.memory.removed)

    @property
    def present(self) -> tuple[TakenLead, ...]:
        """The leads that were taken and not deleted since."""
        return tuple(self._world.memory.present)

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """Every V4 upload that was worked off; `sandbox_callbacks` words what is called back."""
        return tuple(self._world.memory.transactions)

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every request but those for tokens, which are in `token_calls`, in order of arrival."""
        return tuple(self._world.memory.requests)

    @property
    def token_calls(self) -> tuple[TokenRecord, ...]:
        """Every call of generateToken that was worked on; `token` is empty where it was refused."""
        return tuple(self._world.memory.tokens)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token that was handed out, in order."""
        return tuple(call.token for call in self.token_calls if call.token)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every limit that a request did not keep."""
        return tuple(self._world.memory.violations)

    @property
    def pace_violations(self) -> tuple[Violation, ...]:
        """Those violations that are about time: pace, parallel, rate."""
        return tuple(found for found in self.violations if found.kind in PACE_KINDS)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults that may still strike."""
        return tuple(self._world.plan.faults)

    def misbehave(self, *faults: Fault | str) -> None:
        """Add faults (`sandbox_faults` has their text form); UsageError tells of nonsense."""
        parsed = [parse_fault(fault) if isinstance(fault, str) else fault for fault in faults]
        with self._lock:
            for fault in parsed:
                self._world.plan.tell(fault)

    def behave(self) -> None:
        """Drop all faults."""
        with self._lock:
            self._world.plan.clear()

    def reset(self) -> None:
        """Forget everything: leads, requests, tokens, paces, faults. Requests start at 1 again."""
        with self._lock:
            self._world = World(self.config)

    def begin(
        self,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        arrived: Instant,
        method: str = "POST",
    ) -> Visit | None:
        """Let a whole request in, or refuse it; None where the vendor has nothing at this path."""
        with self._lock:
            return self._world.begin(path, headers, body, arrived, method)

    def work(self, visit: Visit) -> Payload:
        """Take or delete the request's leads, or issue its token; the answer."""
        with self._lock:
            return visit.world.work(visit, self.clock.instant())

    def end(self, visit: Visit, outcome: str = "processed") -> None:
        """The answer goes out now, or never will: the pace is counted from here."""
        with self._lock:
            visit.world.end(visit, self.clock.instant(), outcome)
