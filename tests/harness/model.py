"""Ledger, turns and keys against a model vendor, driven by hypothesis in every order it can find.

    python -m tests.harness.model --steps 10000 [--postgresql]

Processes open, stage, take turns, claim, send, lose answers, freeze, die, come back late, send
again; runs are cancelled and resent. After every step the rules of the design's section 4 hold, and
in the end a fresh process brings every run to its end.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ozodial.claims import BatchResult, Claim, Claims
from ozodial.database import many, open_engine
from ozodial.ledger import Ledger
from ozodial.models import Outcome, Reason, StagedRow, State, Target
from ozodial.owners import register
from ozodial.schema import owners
from ozodial.slots import SlotKey, Slots
from ozodial.staging import NewRun, Run, RunOptions, Staging
from ozodial.storing import lead_hash

from ..conftest import FakeClock
from .audit import audit, ledger_rows
from .server import Postgres

PHONES = tuple(f"98100000{i:02}" for i in range(24))
COLUMNS = ("PhoneNumber",)
KEY = SlotKey("ops@host", "bulk-add v1", exclusive=True)
FREE = SlotKey("ops@host", "schedule", exclusive=False)
PACE = 30.0
LEASE = 30.0
NOW = "2026-11-22 12:00:00"

SETTLED = {"accepted", "rejected", "invalid", "duplicate", "already_accepted"}
NEXT: dict[str, set[str]] = {
    "ready": {"sending", "duplicate", "already_accepted", "unknown", "accepted", "rejected"},
    "sending": {"accepted", "rejected", "duplicate", "unknown", "ready"},
    "unknown": {"ready", "accepted", "rejected", "duplicate"},
}
"""What may become of a row in one step; settled rows stay as they are."""


@dataclass(eq=False)
class Process:
    """One process: its ledger, and how far it is with a request."""

    ledger: Ledger
    turn: bool = False
    run: Run | None = None
    claim: Claim | None = None
    taken: frozenset[str] | None = None  # what the vendor took of its claim; None: not sent yet

    def let_go(self) -> None:
        self.turn, self.run, self.claim, self.taken = False, None, None, None


@dataclass
class ModelVendor:
    """Which leads were taken how often, and when the last answer left."""

    taken: "Counter[tuple[str, str, str]]" = field(default_factory=Counter)
    allowed: "Counter[tuple[str, str, str]]" = field(default_factory=Counter)
    answered: float = -1e9


class LedgerMachine(RuleBasedStateMachine):
    """The rules are what processes, people and the machine may do."""

    steps = 0

    @staticmethod
    def place(folder: Path) -> Path | str:
        """Where the next ledger is: a file, or the URL of an empty database."""
        return folder / "ledger.db"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="model-")
        self.path = self.place(Path(self.folder.name))
        self.clock = FakeClock()
        self.vendor = ModelVendor()
        self.processes: list[Process] = []
        self.runs: list[Run] = []
        self.before: dict[tuple[int, int], str] = {}
        self.fingerprints = 0
        self.key, self.pace = KEY, PACE

    @initialize(paced=st.booleans())
    def processes_and_runs(self, paced: bool) -> None:
        self.key, self.pace = (KEY, PACE) if paced else (FREE, 0.0)
        self.processes = [self._process() for _ in range(3)]
        self.runs = [self._staged(self.processes[0], PHONES[:12], "Diwali", False)]
        self.runs += [self._staged(self.processes[1], PHONES[2:14], "Diwali", False)]

    # --- what processes do ---

    @rule(data=st.data(), steps=st.integers(1, 6))
    def work(self, data: st.DataObject, steps: int) -> None:
        """Some processes do their next steps."""
        for _ in range(steps):
            self._work(data, data.draw(st.sampled_from(self.processes), label="process"))
            self.promises()

    def _work(self, data: st.DataObject, process: Process) -> None:
        if not process.turn:
            if data.draw(st.integers(0, 3)):
                self.clock.advance(self.pace)
            process.turn = Slots(process.ledger).take(self.key, self.pace, 60.0).wait <= 0
            if process.turn:
                self._claim(data, process)
        elif process.claim is None:
            self._claim(data, process)
        elif process.taken is None:
            self._send(data, process, process.run, process.claim)
        else:
            self._answer(data, process, process.run, process.claim, process.taken)

    @precondition(lambda self: len(self.runs) < 8)
    @rule(data=st.data())
    def stage(self, data: st.DataObject) -> None:
        process = data.draw(st.sampled_from(self.processes))
        phones = data.draw(st.lists(st.sampled_from(PHONES), min_size=2, max_size=10, unique=True))
        campaign = data.draw(st.sampled_from(["Diwali", "Diwali", "Diwali", "Holi"]))
        resend = data.draw(st.integers(0, 3)) == 0
        self.runs.append(self._staged(process, phones, campaign, resend))
        if resend:
            self.vendor.allowed.update((campaign, phone, "") for phone in phones)

    @rule(data=st.data(), kind=st.sampled_from(["leave", "kill", "reap", "freeze"]))
    def processes_come_and_go(self, data: st.DataObject, kind: str) -> None:
        process = data.draw(st.sampled_from(self.processes))
        if kind == "freeze":  # all but one
            self.clock.advance(LEASE + 1)
        if kind in ("reap", "freeze"):
            process.ledger.reap()
        else:
            self._end(process, kind)
            self.processes.append(self._process())

    # --- what people do ---

    @rule(data=st.data(), kind=st.sampled_from(["resend", "resend", "look", "cancel"]))
    def decide(self, data: st.DataObject, kind: str) -> None:
        ledger = data.draw(st.sampled_from(self.processes)).ledger
        run = data.draw(st.sampled_from(self.runs))
        claims, staging = Claims(ledger, run), Staging(ledger)
        if kind == "look":
            claims.look_again()
        elif kind == "cancel" and len(self.runs) > 3 and staging.run(run.id).state == "open":
            staging.cancel(run.id)
        elif kind == "resend":
            rows = [row for row in ledger_rows(self.path) if row.run == run.id]
            leads = [row.lead for row in rows if row.state == "unknown"]
            assert claims.make_unknown_ready() == len(leads)
            self.vendor.allowed.update(leads)

    # --- what time does ---

    @rule(seconds=st.sampled_from([1.0, 10.0, 31.0, 31.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-3_600.0, 86_400.0]))
    def clock_is_set(self, seconds: float) -> None:
        """Within one boot: only the wall clock moves, and nothing follows from it."""
        self.clock.wall += seconds

    # --- the steps of a request ---

    def _claim(self, data: st.DataObject, process: Process) -> None:
        run = data.draw(st.sampled_from(self.runs), label="run")
        after = data.draw(st.sampled_from([0, 0, 0, 5]), label="after")
        self._claimed(
            process, run, Claims(process.ledger, run).claim(self._limit(data), NOW, after)
        )

    def _limit(self, data: st.DataObject) -> int:
        return data.draw(st.integers(1, 4), label="limit")

    def _claimed(self, process: Process, run: Run, claim: Claim) -> None:
        if claim.rows:
            process.run, process.claim = run, claim
            return
        if not claim.lost:
            Slots(process.ledger).give_back(self.key)
        process.let_go()

    def _send(
        self, data: st.DataObject, process: Process, run: Run | None, claim: Claim | None
    ) -> None:
        """As a worker does it: after standing still, ask whether the claim still holds."""
        assert run is not None
        assert claim is not None
        claims = Claims(process.ledger, run)
        if data.draw(st.integers(0, 7), label="put back") == 0:
            claims.unclaim(claim)
            Slots(process.ledger).give_back(self.key)
            process.let_go()
            return
        if self.clock.instant().since(claim.at) > LEASE / 6 and not claims.still_mine(claim):
            claims.hand_back(claim)
            process.let_go()
            return
        if self.pace:
            assert self.clock.mono - self.vendor.answered >= self.pace, "the pace was not kept"
            flying = [p.claim.owner for p in self.processes if p.claim and p.taken is not None]
            assert not any(map(self._stands, flying)), "two requests at once"
        phones = [lead.phone for lead in claim.rows]
        taken = data.draw(st.sampled_from([phones, phones, [], phones[:1]]), label="taken")
        self.vendor.taken.update((run.target.campaign, phone, "") for phone in taken)
        process.taken = frozenset(taken)

    def _answer(
        self,
        data: st.DataObject,
        process: Process,
        run: Run | None,
        claim: Claim | None,
        taken: frozenset[str],
    ) -> None:
        """The answer tells what was taken, or it is lost, as a whole or for some rows."""
        assert run is not None
        assert claim is not None
        self.clock.advance(data.draw(st.sampled_from([0.0, 1.0, 20.0])))
        lost = data.draw(st.integers(0, 2), label="lost") == 0
        outcomes = []
        for lead in claim.rows:
            if lost or data.draw(st.integers(0, 7)) == 0:
                outcome = Outcome(lead.row, State.UNKNOWN, Reason.NO_ANSWER)
            elif lead.phone in taken:
                outcome = Outcome(lead.row, State.ACCEPTED)
            elif bool(taken) or data.draw(st.booleans()):
                outcome = Outcome(lead.row, State.REJECTED, Reason.DND)
            else:
                outcome = Outcome(lead.row, State.READY)
            outcomes.append(outcome)
        result = BatchResult("answered", 1.0, self.clock.instant())
        given_up_on = not self._stands(claim.owner)
        claims, following = Claims(process.ledger, run), None
        if not self.pace and data.draw(st.booleans(), label="at once"):
            limit = self._limit(data)
            _, following = claims.record_and_claim(claim, outcomes, result, self.key, limit, NOW)
        else:
            claims.record(claim, outcomes, result, self.key)
        if not given_up_on:  # otherwise the pace has counted from there
            self.vendor.answered = self.clock.mono
        process.let_go()
        if following is not None:
            process.turn = True
            self._claimed(process, run, following)

    def _end(self, process: Process, kind: str) -> None:
        if kind == "leave":
            process.ledger._leave()
        else:
            # its number is no living process any more
            with process.ledger.write() as connection:
                own = [(process.ledger.owner,)]
                many(connection, "UPDATE owners SET started = 'long ago' WHERE id = ?", own)
        process.ledger.close()
        self.processes.remove(process)

    # --- what always holds ---

    @invariant()
    def promises(self) -> None:
        type(self).steps += 1
        rows = ledger_rows(self.path) if self.runs else []
        if not rows:
            return
        self._check_steps({(row.run, row.row): row.state for row in rows})
        sending = Counter(row.lead for row in rows if row.state == "sending")
        assert not sending or max(sending.values()) == 1, "a lead is on its way twice"
        for lead, times in self.vendor.taken.items():
            assert times <= 1 + self.vendor.allowed[lead], f"{lead} was taken {times} times"
        assert audit(self.path, self.vendor.taken, at_rest=False, resent=True) == []

    def teardown(self) -> None:
        """Whatever state it was left in, a fresh process brings every run to its end."""
        try:
            if self.processes:
                self._finish()
        finally:
            for process in self.processes:
                process.ledger.close()
            self.folder.cleanup()

    def _finish(self) -> None:
        last = self._process()
        self.clock.advance(100)
        for process in self.processes:
            process.ledger.close()
        self.processes = [last]
        with last.ledger.write() as connection:
            last.ledger.hold(connection)
        last.ledger.reap()
        for run in self.runs:
            claims = Claims(last.ledger, run)
            for _ in range(len(PHONES) + 2):
                claim = claims.claim(4, NOW)
                assert not claim.lost
                assert not claim.blocked, "a lead waits for nobody"
                if not claim.rows and not claim.settled:
                    break
                leads = [(run.target.campaign, lead.phone, "") for lead in claim.rows]
                self.vendor.taken.update(leads)
                outcomes = [Outcome(lead.row, State.ACCEPTED) for lead in claim.rows]
                result = BatchResult("answered", 1.0, self.clock.instant())
                claims.record(claim, outcomes, result, self.key)
            assert not claims.any_ready(), "a run does not come to its end"
        self.promises()
        last.ledger._leave()
        if self.runs:
            assert audit(self.path, self.vendor.taken, resent=True) == []

    def _stands(self, owner: int) -> bool:
        with self.processes[0].ledger.read() as connection:
            return not connection.scalar(sa.select(owners.c.gone).where(owners.c.id == owner))

    def _check_steps(self, now: dict[tuple[int, int], str]) -> None:
        for row, state in self.before.items():
            after = now[row]
            if after != state:
                assert after in NEXT.get(state, set()), f"row {row} went from {state} to {after}"
        self.before = now

    # --- helpers ---

    def _process(self) -> Process:
        # no thread renews this lease: time passes only when the test says so
        ledger = Ledger(open_engine(str(self.path)), self.clock, lease_seconds=LEASE)
        with ledger.write() as connection:
            ledger.owner = register(connection, ledger._host, self.clock.instant())
        return Process(ledger)

    def _staged(self, process: Process, phones: Sequence[str], campaign: str, resend: bool) -> Run:
        self.fingerprints += 1
        staging = Staging(process.ledger)
        options = RunOptions("ops", "http://host", "Asia/Kolkata", True, resend=resend)
        target = Target("ops@host", "bulk-add", campaign)
        new = NewRun(target, "v1", "f", f"{self.fingerprints}", ("Mobile",), COLUMNS, options)
        run_id = staging.begin(new)
        assert run_id is not None
        rows = [
            StagedRow(
                row=number,
                state=State.READY,
                reason=None,
                message=None,
                phone=phone,
                name="",
                scheduled="",
                values=json.dumps([phone]),
                lead_hash=lead_hash(COLUMNS, (phone,)),
                cells="[]",
            )
            for number, phone in enumerate(phones, 2)
        ]
        with process.ledger.write() as connection:
            process.ledger.hold(connection)  # it may have been given up on before it began
        if staging.find(new.fingerprint) is None:
            return self._staged(process, phones, campaign, resend)
        list(staging.add(run_id, rows))
        staging.finish(run_id)
        return staging.run(run_id)


def run(examples: int, steps: int, machine: type[LedgerMachine] = LedgerMachine) -> int:
    """Let hypothesis try; the number of steps that were made and checked."""
    machine.steps = 0
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
    return machine.steps


def on(server: Postgres) -> type[LedgerMachine]:
    """The same on a server that several hosts may share."""

    class SharedMachine(LedgerMachine):
        @staticmethod
        def place(folder: Path) -> Path | str:
            return server.database()

    return SharedMachine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--postgresql", action="store_true", help="not on SQLite")
    chosen = parser.parse_args()
    done, started, machine = 0, time.monotonic(), LedgerMachine
    with ExitStack() as stack:
        if chosen.postgresql:
            machine = on(stack.enter_context(Postgres()))
        while done < chosen.steps:
            done += run(100, 60, machine)
    sys.stdout.write(f"{done} steps in {time.monotonic() - started:.0f} s: every promise held\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
