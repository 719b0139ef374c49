"""What the ledger costs: the same requests by a bare httpx loop, and by the real command.

    python -m tests.benchmarks.sending [--requests 500] [--latency 0.05]

The vendor is a process of its own. Times are only worth quoting as ratios within one run:

    ledger     what its transactions take for one request, with the latency between them (<= 10 ms)
    gap        median gap between an answer and the next request, less the bare loop's
    in turn    the whole sending against the bare loop's (<= 1.25 x)
    parallel   --parallel 8 against 1 (>= 6 x as fast), and the bare loop in 8 threads against 1
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx

from ozodial.claims import BatchResult, Claims
from ozodial.clock import SystemClock
from ozodial.endpoints import SCHEDULE, Access, HttpRequest, Upload, token_request
from ozodial.ledger import Ledger
from ozodial.models import Outcome, StagedRow, State, Target
from ozodial.slots import SlotKey, Slots
from ozodial.staging import NewRun, Run, RunOptions, Staging
from ozodial.storing import json_list, lead_hash

from ..harness.files import phones, write_leads
from ..harness.operator import Command
from ..harness.vendor import Vendor

TIME = f"{date.today() + timedelta(days=1)} 10:00:00"
ACCESS = Access("ops", "a-key")
ROWS = SCHEDULE.rows_per_request
ACCOUNT = "ops@host"
TURN = SlotKey(ACCOUNT, SCHEDULE.name, exclusive=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of sending: its seconds, and the gaps between answer and next request."""

    name: str
    seconds: float
    gaps: Sequence[float]

    @property
    def gap(self) -> float:
        """The median gap in milliseconds, as the server saw it."""
        return 1_000 * statistics.median(self.gaps) if self.gaps else 0.0


def requests_of(count: int, token: str) -> list[HttpRequest]:
    """The bodies that the command sends, too."""
    numbers = phones(count * ROWS)
    access = Access(ACCESS.user_name, ACCESS.api_key, token)
    columns = ("PhoneNumber", "ScheduledTime", "Name", "Priority")
    return [
        SCHEDULE.write(
            access,
            Upload(
                "Diwali",
                True,
                columns,
                tuple(
                    (number, TIME, f"Lead {number[-4:]}", str(int(number[-1]) or 10))
                    for number in numbers[start : start + ROWS]
                ),
            ),
        )
        for start in range(0, len(numbers), ROWS)
    ]


def ledger_alone(count: int, latency: float) -> float:
    """Median milliseconds of the ledger for one request: its token, its turn, record and claim."""
    numbers, took = phones(count * ROWS), []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        ledger = Ledger.open(str(Path(folder) / "ledger.db"), SystemClock())
        with ledger.lease():
            claims, slots = Claims(ledger, staged(ledger, numbers)), Slots(ledger)
            claim = claims.claim(ROWS, "")
            while claim.rows:
                time.sleep(latency)
                outcomes = [Outcome(lead.row, State.ACCEPTED, None, "ok") for lead in claim.rows]
                result = BatchResult("answered", latency, ledger.clock.instant(), http_status=200)
                started = time.perf_counter()
                _, claim = claims.record_and_claim(claim, outcomes, result, TURN, ROWS, "")
                slots.token(ACCOUNT)
                slots.take(TURN, 0.0, 60.0)
                took.append(time.perf_counter() - started)
        ledger.close()
    return 1_000 * statistics.median(took)


def staged(ledger: Ledger, numbers: Sequence[str]) -> Run:
    staging = Staging(ledger)
    columns = ("PhoneNumber", "ScheduledTime")
    options = RunOptions("ops", "http://127.0.0.1", "Asia/Kolkata", check_duplicate=True)
    target = Target(ACCOUNT, "schedule", "Diwali")
    new = NewRun(target, "", "leads.csv", "benchmark", columns, columns, options)
    run_id = staging.begin(new) or 0
    for _ in staging.add(
        run_id,
        (
            StagedRow(
                number,
                State.READY,
                None,
                None,
                phone,
                "",
                TIME,
                json_list((phone, TIME)),
                lead_hash(columns, (phone, TIME)),
                json_list((phone, TIME)),
            )
            for number, phone in enumerate(numbers, start=2)
        ),
    ):
        pass
    staging.finish(run_id)
    return staging.run(run_id)


def bare_loop(vendor: Vendor, count: int, latency: float, threads: int = 1) -> Measured:
    """One request after the other on one connection, or in threads; every answer parsed."""
    vendor.reset()
    with httpx.Client(base_url=vendor.url, trust_env=False, timeout=60) as http:
        asked = token_request(ACCESS)
        answer = http.post(asked.path, headers=dict(asked.headers), content=asked.content)
        todo = requests_of(count, answer.json()["token"])
        vendor.misbehave(f"latency={latency}")

        def send(request: HttpRequest) -> None:
            http.post(request.path, headers=dict(request.headers), content=request.content).json()

        started = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(send, todo))
        seconds = time.perf_counter() - started
    return Measured(f"bare httpx, {threads} at once", seconds, gaps(vendor))


def by_command(vendor: Vendor, count: int, latency: float, parallel: int) -> Measured:
    """The whole command as a process, with a line a request, as cron has it."""
    vendor.reset(f"latency={latency}")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        file = write_leads(Path(folder) / "leads.csv", phones(count * ROWS))
        words = ["schedule", str(file), "--at", TIME, "--parallel", str(parallel)]
        ledger = Path(folder) / "ledger.db"
        with Command(words, ledger, vendor.url, json_lines=False, fresh=True) as command:
            assert command.wait(600) == 0, command.errors
    assert len(vendor.leads()) == count * ROWS
    return Measured(f"ozodial --parallel {parallel}", span(vendor), gaps(vendor))


def gaps(vendor: Vendor) -> list[float]:
    """Seconds between an answer and the next request, as the server saw them."""
    seen = sorted(vendor.look("requests"), key=lambda request: request["arrived"])
    return [b["arrived"] - a["answered"] for a, b in itertools.pairwise(seen)]


def span(vendor: Vendor) -> float:
    """Seconds from the first request to the last answer, as the server saw them."""
    seen = vendor.look("requests")
    first = min(request["arrived"] for request in seen)
    return float(max(request["answered"] for request in seen) - first)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.05)
    chosen = parser.parse_args()
    with Vendor() as vendor:
        bare = bare_loop(vendor, chosen.requests, chosen.latency)
        bare_eight = bare_loop(vendor, chosen.requests, chosen.latency, 8)
        one = by_command(vendor, chosen.requests, chosen.latency, 1)
        eight = by_command(vendor, chosen.requests, chosen.latency, 8)
    told = [f"{chosen.requests} requests of {ROWS} rows, {1_000 * chosen.latency:g} ms latency"]
    told += [
        f"{way.name:22}{way.seconds:7.2f} s"
        f" {1_000 * way.seconds / chosen.requests:7.2f} ms a request"
        for way in (bare, one, bare_eight, eight)
    ]
    told += [
        f"ledger    {ledger_alone(chosen.requests, chosen.latency):.2f} ms a request (at most 10)",
        f"gap       +{one.gap - bare.gap:.2f} ms a request",
        f"in turn   {one.seconds / bare.seconds:.3f} x the bare loop (at most 1.25)",
        f"parallel  {one.seconds / eight.seconds:.2f} x as fast (at least 6); "
        f"the bare loop {bare.seconds / bare_eight.seconds:.2f} x",
    ]
    sys.stdout.write("\n".join(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
