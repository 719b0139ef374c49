"""A clerk with files, a ledger, and a vendor on a real socket; nobody waits for a clock."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ozodial.claims import Claims
from ozodial.client import Client
from ozodial.crew import Stop, Wire
from ozodial.deletes import delete_call
from ozodial.endpoints import Access, endpoint
from ozodial.errors import ExitCode
from ozodial.events import (
    BatchEvent,
    ErrorEvent,
    Event,
    NoticeEvent,
    RowEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.ledger import Ledger
from ozodial.limits import Limit
from ozodial.models import Target
from ozodial.prepare import Recipe
from ozodial.removals import Removals
from ozodial.sandbox_server import ServerHandle
from ozodial.staging import Run, RunOptions, Staging
from ozodial.telling import now_there
from ozodial.undo import Undo
from ozodial.upload import Job, Prepared, begin_events, prepare, send
from tests.conftest import FakeClock
from tests.harness.audit import audit

ZONE = "Asia/Kolkata"
TOMORROW = "2026-11-23 10:00:00"


@dataclass
class Done:
    """What a command told, and how it ended."""

    run: Run
    events: list[Event]

    @property
    def summary(self) -> SummaryEvent:
        last = self.events[-1]
        assert isinstance(last, SummaryEvent)
        return last

    @property
    def code(self) -> ExitCode:
        return self.summary.exit_code

    @property
    def counts(self) -> dict[str, int]:
        return {str(state): count for state, count in self.summary.counts.items() if count}

    @property
    def rows(self) -> list[RowEvent]:
        return [event for event in self.events if isinstance(event, RowEvent)]

    @property
    def batches(self) -> list[BatchEvent]:
        return [event for event in self.events if isinstance(event, BatchEvent)]

    @property
    def waits(self) -> list[tuple[str, float]]:
        told = [event for event in self.events if isinstance(event, WaitEvent)]
        return [(event.why, round(event.seconds, 6)) for event in told]

    @property
    def notices(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, NoticeEvent)]

    @property
    def errors(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, ErrorEvent)]


@dataclass
class Clerk:
    """`upload` and `resume` are whole commands: a ledger is opened, owned and left each time."""

    folder: Path
    clock: FakeClock
    server: ServerHandle
    pace: float | None = None
    patience: float = 300.0
    timeout: float = 10.0
    parallel: int = 1
    watch: Callable[[Event, Ledger], None] | None = None
    limit: Limit | None = None
    made: int = field(default=0)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def file(self, rows: Sequence[str] | Sequence[Sequence[str]], header: str = "Mobile") -> Path:
        """A new file of leads."""
        self.made += 1
        path = self.folder / f"leads{self.made}.csv"
        lines = [row if isinstance(row, str) else ",".join(row) for row in rows]
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    def upload(
        self,
        file: Path,
        command: str = "bulk-add",
        api: str = "v1",
        *,
        campaign: str = "Diwali",
        resend: bool = False,
        check_duplicate: bool = True,
        wait: float = 0.0,
    ) -> Done:
        """Stage a file and send it, `wait` seconds later."""
        entry = endpoint(command, api)
        now = datetime.fromtimestamp(self.clock.wall, ZoneInfo(ZONE))
        at = TOMORROW if entry.needs_time else None
        recipe = Recipe(entry, str(file), "IN", ZONE, now, at=at)
        options = RunOptions("ops", self.server.url, ZONE, check_duplicate, resend=resend)
        return self.run(Job(recipe, Target("ops@host", command, campaign), options), wait)

    def run(self, job: Job, wait: float = 0.0) -> Done:
        """Stage a job and send it, `wait` seconds later."""
        ledger = Ledger.open(str(self.ledger), self.clock)
        try:
            with ledger.lease():
                events: list[Event] = []
                staging = prepare(job, ledger, Stop())
                try:
                    while True:
                        events.append(next(staging))
                except StopIteration as end:
                    prepared: Prepared = end.value
                self.clock.advance(wait)
                return self._send(prepared, ledger, events)
        finally:
            ledger.close()

    def resume(self, run_id: int, *, resend_unknown: bool = False) -> Done:
        """Go on with a run."""
        ledger = Ledger.open(str(self.ledger), self.clock)
        try:
            with ledger.lease():
                ledger.reap()
                run = Staging(ledger).run(run_id)
                if resend_unknown:
                    Claims(ledger, run).make_unknown_ready()
                return self._send(Prepared(run, continued=True), ledger, [])
        finally:
            ledger.close()

    def undo(self, run_id: int, *, wait: float = 0.0) -> Done:
        """Take a run back, `wait` seconds from now."""
        self.clock.advance(wait)
        ledger = Ledger.open(str(self.ledger), self.clock)
        try:
            with ledger.lease():
                ledger.reap()
                run = Staging(ledger).run(run_id)
                call = delete_call(run.target.endpoint)
                pace = call.pace if self.pace is None else self.pace
                outlook = Removals(ledger, run, call).outlook(now_there(run, ledger))
                with Client(self.server.url, self.timeout, environment=False) as client:
                    access = Access("ops", "k-3141592653")
                    wire = Wire(client, access, "token", pace, self.timeout, self.patience)
                    undo = Undo(ledger, run, call, wire, Stop())
                    return Done(run, list(undo.take_back(outlook, sandbox=False)))
        finally:
            ledger.close()

    def audit(self, *, resent: bool = False) -> list[str]:
        """What is not as the design promises."""
        taken = Counter(
            (lead.campaign, lead.phone, lead.fields.get("ScheduledTime", ""))
            for lead in self.server.sandbox.present
        )
        return audit(self.ledger, taken, resent=resent)

    def _send(self, prepared: Prepared, ledger: Ledger, events: list[Event]) -> Done:
        run = prepared.run
        entry = endpoint(run.target.endpoint, run.api)
        pace = entry.pace if self.pace is None else self.pace
        events += begin_events(prepared, ledger, entry, pace, sandbox=False)
        with Client(self.server.url, self.timeout, environment=False) as client:
            access = Access("ops", "k-3141592653")
            waits = (self.timeout, self.patience, self.parallel, self.limit)
            wire = Wire(client, access, "token", pace, *waits)
            for event in send(run, ledger, entry, wire, Stop()):
                events.append(event)
                if self.watch is not None:
                    self.watch(event, ledger)
        return Done(run, events)
