"""What the ledger costs: the same requests by a bare httpx loop, and by the real command.

    python -m tests.benchmarks.sending [--requests 500] [--latency 0.05]

The vendor is a process of its own. Times are only worth quoting as ratios within one run:

    ledger     median gap between an answer and the next request, less the bare loop's (<= 10 ms)
    in turn    the whole sending against the bare loop's (<= 1.25 x)
    parallel   --parallel 8 against 1 (>= 6 x as fast)
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from ozodial.endpoints import SCHEDULE, Access, HttpRequest, Upload, token_request

from ..harness.files import phones, write_leads
from ..harness.operator import Command
from ..harness.vendor import Vendor

TIME = f"{date.today() + timedelta(days=1)} 10:00:00"
ACCESS = Access("ops", "a-key")
ROWS = SCHEDULE.rows_per_request


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


def bare_loop(vendor: Vendor, count: int, latency: float) -> Measured:
    """One request after the other on one connection, every answer parsed."""
    vendor.reset()
    with httpx.Client(base_url=vendor.url, trust_env=False, timeout=60) as http:
        asked = token_request(ACCESS)
        answer = http.post(asked.path, headers=dict(asked.headers), content=asked.content)
        todo = requests_of(count, answer.json()["token"])
        vendor.misbehave(f"latency={latency}")
        started = time.perf_counter()
        for request in todo:
            http.post(request.path, headers=dict(request.headers), content=request.content).json()
        seconds = time.perf_counter() - started
    return Measured("bare httpx loop", seconds, gaps(vendor))


def by_command(vendor: Vendor, count: int, latency: float, parallel: int) -> Measured:
    """The whole command as a process: its summary has the seconds of the sending alone."""
    vendor.reset(f"latency={latency}")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        file = write_leads(Path(folder) / "leads.csv", phones(count * ROWS))
        words = ["schedule", str(file), "--at", TIME, "--parallel", str(parallel)]
        with Command(words, Path(folder) / "ledger.db", vendor.url) as command:
            code = command.wait(600)
        assert code == 0, command.errors
        said: dict[str, Any] = command.summary
    assert said["accepted"] == count * ROWS
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
        one = by_command(vendor, chosen.requests, chosen.latency, 1)
        eight = by_command(vendor, chosen.requests, chosen.latency, 8)
    told = [f"{chosen.requests} requests of {ROWS} rows, {1_000 * chosen.latency:g} ms latency"]
    told += [
        f"{way.name:22}{way.seconds:7.2f} s"
        f" {1_000 * way.seconds / chosen.requests:7.2f} ms a request"
        for way in (bare, one, eight)
    ]
    told += [
        f"ledger    +{one.gap - bare.gap:.2f} ms a request (at most 10)",
        f"in turn   {one.seconds / bare.seconds:.3f} x the bare loop (at most 1.25)",
        f"parallel  {one.seconds / eight.seconds:.2f} x as fast (at least 6)",
    ]
    sys.stdout.write("\n".join(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
