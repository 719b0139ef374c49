"""Whole runs by a clock that never waits, which the run and the simulator share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ozodial.client import Client
from ozodial.crew import Stop, Wire
from ozodial.endpoints import Access, Endpoint, endpoint
from ozodial.events import Event, SummaryEvent, WaitEvent
from ozodial.ledger import Ledger
from ozodial.models import Target
from ozodial.prepare import Recipe
from ozodial.sandbox import Sandbox, SandboxConfig
from ozodial.sandbox_memory import Payload
from ozodial.sandbox_server import ServerHandle, serve_in_thread
from ozodial.sandbox_world import Visit
from ozodial.staging import Run, RunOptions
from ozodial.upload import Job, prepare, send
from tests.command import sheet
from tests.conftest import FakeClock

KEY = "k3y-0f-an-account"
OPS = Access("ops", KEY)
ZONE = "Asia/Kolkata"


class SlowSandbox(Sandbox):
    """A vendor that works on each upload for some seconds of the fake clock."""

    def __init__(self, clock: FakeClock, seconds: float, config: SandboxConfig | None) -> None:
        super().__init__(config, clock)
        self._fake, self._seconds = clock, seconds

    def work(self, visit: Visit) -> Payload:
        if not visit.is_token:
            self._fake.advance(self._seconds)
        return super().work(visit)


@contextmanager
def slow_vendor(
    clock: FakeClock, seconds: float = 0.0, config: SandboxConfig | None = None
) -> Iterator[ServerHandle]:
    """A served vendor at the real pace."""
    with serve_in_thread(SlowSandbox(clock, seconds, config)) as server:
        yield server


@dataclass
class Office:
    """A ledger, a clock and a vendor; `events` holds what the last run told."""

    folder: Path
    clock: FakeClock
    url: str
    patience: float = 300.0
    timeout: float = 10.0
    pace: float | None = None
    parallel: int = 1
    campaign: str = "Diwali"
    access: Access = OPS
    auth: str = "token"
    events: list[Event] = field(default_factory=list)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def waits(self) -> list[tuple[str, float]]:
        """What the last run waited for."""
        told = [event for event in self.events if isinstance(event, WaitEvent)]
        return [(event.why, round(event.seconds, 6)) for event in told]

    @property
    def summary(self) -> SummaryEvent:
        last = self.events[-1]
        assert isinstance(last, SummaryEvent)
        return last

    @contextmanager
    def open_ledger(self) -> Iterator[Ledger]:
        """The ledger as a process of its own would have it."""
        ledger = Ledger.open(str(self.ledger), self.clock)
        try:
            yield ledger
        finally:
            ledger.close()

    def run(self, command: str, rows: int, api: str = "v1", start: int = 0) -> SummaryEvent:
        """Stage and send some leads that nobody else has, as one process; the summary."""
        return self.run_sheet(command, sheet(rows, start=start), api)

    def run_sheet(self, command: str, text: str, api: str = "v1") -> SummaryEvent:
        """Stage and send a file, as one process; the summary."""
        entry = endpoint(command, api)
        with self.open_ledger() as ledger, ledger.lease():
            return self.send(self.stage(entry, text, ledger), entry, ledger)

    def stage(self, entry: Endpoint, text: str, ledger: Ledger) -> Run:
        """The run of a file with this text."""
        file = self.folder / "leads.csv"
        file.write_text(text, encoding="utf-8")
        now = datetime.fromtimestamp(self.clock.wall, ZoneInfo(ZONE))
        at = "2026-12-01 10:00:00" if entry.needs_time else None
        recipe = Recipe(entry, str(file), "IN", ZONE, now, at=at)
        user_name = self.access.user_name
        target = Target(f"{user_name}@loopback", entry.command, self.campaign)
        options = RunOptions(user_name, self.url, ZONE, check_duplicate=entry.check_duplicate)
        staging = prepare(Job(recipe, target, options), ledger, Stop())
        try:
            while True:
                next(staging)
        except StopIteration as end:
            run: Run = end.value.run
            return run

    def send(self, run: Run, entry: Endpoint, ledger: Ledger) -> SummaryEvent:
        """Send what is ready; the events are in `events`."""
        pace = entry.pace if self.pace is None else self.pace
        with Client(self.url, self.timeout, environment=False) as client:
            limits = (pace, self.timeout, self.patience, self.parallel)
            wire = Wire(client, self.access, self.auth, *limits)
            self.events = list(send(run, ledger, entry, wire, Stop()))
        return self.summary
