"""Kill the real command at random moments, again and again, until its run is done.

    python -m tests.harness.kills --kills 300 [--seed 1] [--postgresql]

Every run ends with the vendor's memory against the ledger: no lead taken twice, none missing,
`unknown` only for requests that were in flight at a kill, `accepted` only for what the vendor has.
Prints how often each moment was hit; the exit code is 1 if any promise was broken.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from .audit import audit, ledger_rows, query
from .files import phones, write_leads
from .operator import Command, until
from .server import Postgres
from .vendor import Vendor

TOMORROW = f"{date.today() + timedelta(days=1)} 23:00"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command to be killed. `latency` is the vendor's, in seconds; `parallel` its requests."""

    name: str
    arguments: tuple[str, ...]
    leads: int
    latency: float
    parallel: int = 1
    bad_rows_between: int = 0


SCHEDULE = ("schedule", "--at", TOMORROW)
V1 = ("bulk-add", "--pace", "0.1")
V4 = ("bulk-add", "--api", "v4", "--pace", "0.05")

SCENARIOS = (
    Scenario("schedule", SCHEDULE, 1_500, 0.05),
    Scenario("schedule, 4 in flight", (*SCHEDULE, "--parallel", "4"), 4_000, 0.05, 4),
    Scenario("bulk-add v1", V1, 2_400, 0.05),
    Scenario("bulk-add v4", V4, 5_000, 0.05),
    Scenario("schedule, long to stage", SCHEDULE, 600, 0.02, bad_rows_between=50),
)

TRIGGERS = ("start", "run", "batch", "batch", "batch", "batch", "batch")
EARLY_TRIGGERS = ("start", "staging", "staging", "staging", "run")
"""What a kill waits for, before it waits for a random moment more."""


@dataclass(slots=True)
class Tally:
    """What happened."""

    kills: int = 0
    runs: int = 0
    leads: int = 0
    unknown: int = 0
    requests: int = 0
    moments: "Counter[str]" = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def kill_until_done(
    scenario: Scenario,
    vendor: Vendor,
    folder: Path,
    ledger: Path | str,
    dice: random.Random,
    kills: int,
    tally: Tally,
    *,
    fresh: bool = True,
) -> None:
    """One run: killed up to `kills` times, then left to end by itself, then audited."""
    vendor.reset(f"latency={scenario.latency}")
    file = write_leads(
        folder / "leads.csv",
        phones(scenario.leads),
        bad_rows_between=scenario.bad_rows_between,
    )
    command, *options = scenario.arguments
    arguments = [command, str(file), *options]
    in_flight = 0
    for left in range(kills, -1, -1):
        with Command(arguments, ledger, vendor.url, fresh=fresh) as running:
            if left and _killed(running, scenario, ledger, dice):
                tally.kills += 1
                moment, batches = _moment(ledger, vendor, time.time())
                tally.moments[moment] += 1
                in_flight += batches
                continue
            code = running.wait()
            break
    tally.runs += 1
    said = [*_complaints(ledger, vendor, scenario, in_flight, code)]
    tally.complaints += [f"{scenario.name}: {complaint}" for complaint in said]
    tally.leads += scenario.leads
    tally.unknown += sum(row.state == "unknown" for row in ledger_rows(ledger))
    tally.requests += len(vendor.look("requests"))


def _killed(running: Command, scenario: Scenario, ledger: Path | str, dice: random.Random) -> bool:
    """Kill it at a random moment; False if it had ended before."""
    trigger = dice.choice(TRIGGERS if _latest_run(ledger) == "open" else EARLY_TRIGGERS)
    if trigger == "start":
        time.sleep(dice.uniform(0.1, 0.7))
    elif trigger == "staging":
        until(lambda: running.process.poll() is not None or bool(_latest_run(ledger)))
        time.sleep(dice.uniform(0, 0.002 * scenario.bad_rows_between + 0.05))
    elif running.await_event(trigger, 1 if trigger == "run" else dice.randint(1, 2)):
        time.sleep(dice.uniform(0, 2 * scenario.latency + 0.01))
    return running.process.poll() is None and running.kill() == -9


def _latest_run(ledger: Path | str) -> str | None:
    """The state of the latest run in a ledger that may not be there yet."""
    if isinstance(ledger, Path) and not ledger.exists():
        return None
    found = query(ledger, "SELECT state FROM runs ORDER BY id DESC LIMIT 1")
    return str(found[0][0]) if found else None


def _moment(ledger: Path | str, vendor: Vendor, killed: float) -> tuple[str, int]:
    """Where a kill struck, and how many requests were in flight in the ledger."""
    run = _latest_run(ledger)
    if run is None:
        return "before staging", 0
    if run == "staging":
        return "during staging", 0
    sending = query(
        ledger,
        "SELECT min(phone), count(DISTINCT batch_id) FROM rows WHERE state = 'sending'",
    )
    if not sending or not sending[0][1]:
        return "between requests", 0
    phone, batches = sending[0]
    return f"request {_request(phone, vendor, killed)}", batches


def _request(phone: str, vendor: Vendor, killed: float) -> str:
    taken = [lead["time"] for lead in vendor.look("leads") if lead["phone"] == phone]
    if taken and taken[0] < killed:
        return "processed, not recorded"
    if taken or any(request["outcome"] == "open" for request in vendor.look("requests")):
        return "at the vendor"
    return "claimed, not there yet"


def _complaints(
    ledger: Path | str, vendor: Vendor, scenario: Scenario, in_flight: int, code: int
) -> Iterator[str]:
    time.sleep(2 * scenario.latency)  # what a killed command left at the vendor may come in late
    rows = ledger_rows(ledger)
    leads = [row for row in rows if row.state != "invalid"]
    unknown = sum(row.state == "unknown" for row in rows)
    if len(leads) != scenario.leads:
        yield f"{scenario.leads} leads, {len(leads)} rows"
    if strange := {row.state for row in leads} - {"accepted", "queued", "unknown"}:
        yield f"rows are {strange}"
    if code != (5 if unknown else 4 if scenario.bad_rows_between else 0):
        yield f"exit code {code} with {unknown} rows unknown"
    doubtful = query(ledger, "SELECT count(*) FROM batches WHERE outcome = 'unknown'")[0][0]
    if doubtful > in_flight:
        yield f"{doubtful} requests are unknown, {in_flight} were in flight at a kill"
    yield from audit(ledger, vendor.leads())


def run(
    kills: int,
    seed: int,
    most: int = 12,
    scenarios: Sequence[Scenario] = SCENARIOS,
    new_ledger: Callable[[Path], Path | str] = lambda folder: folder / "ledger.db",
    *,
    fresh: bool = True,
) -> Tally:
    """At least `kills` kills, over all scenarios in turn, at most `most` in one run.

    `fresh` commands are also killed while Python starts.
    """
    dice, tally = random.Random(seed), Tally()
    with Vendor() as vendor:
        while tally.kills < kills:
            for scenario in scenarios:
                with tempfile.TemporaryDirectory(prefix="kills-") as folder:
                    ledger, left = new_ledger(Path(folder)), dice.randint(most // 2, most)
                    place = Path(folder)
                    kill_until_done(scenario, vendor, place, ledger, dice, left, tally, fresh=fresh)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="not on SQLite")
    chosen = parser.parse_args()
    started = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(Postgres()) if chosen.postgresql else None

        def new_ledger(folder: Path) -> Path | str:
            return server.database() if server is not None else folder / "ledger.db"

        tally = run(chosen.kills, chosen.seed, new_ledger=new_ledger)
    told = [
        f"{tally.kills} kills in {tally.runs} runs, {time.monotonic() - started:.0f} s, "
        f"seed {chosen.seed}: {tally.leads} leads, {tally.requests} requests, "
        f"{tally.unknown} rows unknown",
        *(f"{count:5} kills: {moment}" for moment, count in tally.moments.most_common()),
        *(f"BROKEN: {complaint}" for complaint in tally.complaints),
        f"{len(tally.complaints)} promises broken",
    ]
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if tally.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
