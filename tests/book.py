"""A ledger on a real file, and runs in it without any file of leads or vendor."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from ozodial.claims import BatchResult, Claim, Claims
from ozodial.clock import Clock
from ozodial.database import open_engine
from ozodial.ledger import Ledger
from ozodial.models import Outcome, Reason, StagedRow, State, Target
from ozodial.slots import SlotKey
from ozodial.staging import NewRun, Run, RunOptions, Staging
from ozodial.storing import lead_hash

NOW = "2026-11-22 12:00:00"
"""A FakeClock's noon as a ScheduledTime."""

KEY = SlotKey("ops@host", "bulk-add v1", exclusive=True)
FREE = SlotKey("ops@host", "schedule", exclusive=False)

COLUMNS = ("PhoneNumber", "ScheduledTime", "ExpiryDate")


@dataclass
class Book:
    """A ledger's file or URL, opened as often as there are processes."""

    path: Path | str
    clock: Clock
    lease_seconds: float = 30.0
    made: int = 0

    @contextmanager
    def opened(self) -> Iterator["Desk"]:
        """One process's way in; it stays an owner until the end."""
        ledger = self.ledger()
        try:
            with ledger.lease():
                yield Desk(self, ledger)
        finally:
            ledger.close()

    def ledger(self) -> Ledger:
        """An open ledger that owns nothing yet."""
        engine = open_engine(str(self.path))
        return Ledger(engine, self.clock, lease_seconds=self.lease_seconds)


@dataclass
class Desk:
    """One process at a ledger."""

    book: Book
    ledger: Ledger
    claims: dict[int, Claims] = field(default_factory=dict)

    @property
    def staging(self) -> Staging:
        return Staging(self.ledger)

    def new_run(
        self, *, campaign: str = "Diwali", resend: bool = False, same_as: str = ""
    ) -> NewRun:
        """A run of its own, or the `same_as` another."""
        self.book.made += 1
        return NewRun(
            target=Target("ops@host", "schedule", campaign),
            api="",
            file="leads.csv",
            fingerprint=same_as or f"fingerprint {self.book.made}",
            header=("Mobile",),
            columns=COLUMNS,
            options=RunOptions("ops", "http://host", "Asia/Kolkata", True, resend=resend),
        )

    def run(
        self,
        phones: Iterable[str],
        *,
        campaign: str = "Diwali",
        resend: bool = False,
        scheduled: str = "",
        expiry: str = "",
    ) -> Run:
        """A staged run of these leads, from row 2 on."""
        run_id = self.staging.begin(self.new_run(campaign=campaign, resend=resend))
        assert run_id is not None
        list(self.staging.add(run_id, staged(phones, scheduled, expiry)))
        self.staging.finish(run_id)
        return self.staging.run(run_id)

    def of(self, run: Run) -> Claims:
        return self.claims.setdefault(run.id, Claims(self.ledger, run))

    def claim(self, run: Run, limit: int = 100, past: str = NOW) -> Claim:
        return self.of(run).claim(limit, past)

    def record(
        self, run: Run, claim: Claim, state: State | Sequence[State], *, split: bool = False
    ) -> list[Outcome]:
        """Every row of the claim ends in this state, or each in its own."""
        states = [state] * len(claim.rows) if isinstance(state, State) else state
        reasons = {State.REJECTED: Reason.DND, State.UNKNOWN: Reason.NO_ANSWER}
        outcomes = [
            Outcome(lead.row, one, reasons.get(one), f"said {one}")
            for lead, one in zip(claim.rows, states, strict=True)
        ]
        word = "unknown" if set(states) == {State.UNKNOWN} else "answered"
        result = BatchResult(word, 0.5, self.ledger.clock.instant(), split=split)
        return self.of(run).record(claim, outcomes, result, FREE)

    def send(self, run: Run, state: State | Sequence[State] = State.ACCEPTED) -> Claim:
        """Claim and record in one go."""
        claim = self.claim(run)
        self.record(run, claim, state)
        return claim

    def states(self, run: Run) -> dict[str, int]:
        """How many rows of a run are in each state."""
        return {str(state): count for state, count in self.staging.counts(run.id).items()}

    def messages(self, run: Run) -> "Counter[str | None]":
        return Counter(
            str(message) if message is not None else None
            for (message,) in self.all(f"SELECT message FROM rows WHERE run_id = {run.id}")
        )

    def all(self, statement: str) -> Sequence[Sequence[object]]:
        """What plain SQL says."""
        with self.ledger.read() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]


def staged(
    phones: Iterable[str], scheduled: str = "", expiry: str = "", first: int = 2
) -> Iterator[StagedRow]:
    """Ready rows as `prepare` gives them."""
    for row, phone in enumerate(phones, first):
        values = (phone, scheduled, expiry)
        yield StagedRow(
            row=row,
            state=State.READY,
            reason=None,
            message=None,
            phone=phone,
            name="",
            scheduled=scheduled,
            values=json.dumps(values),
            lead_hash=lead_hash(COLUMNS, values),
            cells=json.dumps([phone]),
        )


def digest(path: Path) -> str:
    """A file's content in short."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
