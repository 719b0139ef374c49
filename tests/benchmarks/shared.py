"""What a ledger on PostgreSQL costs: staging by COPY, and claims while the ledger grows.

    python -m tests.benchmarks.shared [--staged 1000000] [--rows 10000000]

A server of its own is started in memory, where there is room: the disk's time for a commit comes
on top. Times are medians of this machine; worth quoting are the ratios, and the plan that EXPLAIN
shows for a claim's reading.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from ozodial.claims import Claims
from ozodial.clock import SystemClock
from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.slots import Slots

from ..book import KEY, NOW, Book, Desk, staged
from ..harness.server import Postgres

T = TypeVar("T")

PROBES = 60
LIMIT = 100
PER_RUN = 1_000_000

FILL = """
    INSERT INTO rows (run_id, "row", state, phone, name, scheduled, "values", lead_hash, cells)
    SELECT {run}, n + 1, CASE WHEN mod(n, 4) = 0 THEN 'ready' ELSE 'accepted' END,
           (9000000000 + n)::text, 'Lead ' || n, '', '["' || (9000000000 + n) || '", "", ""]',
           decode(md5('{run}/' || n), 'hex'), '["' || (9000000000 + n) || '"]'
    FROM generate_series(1, {count}) AS n
"""
FILL_KEYS = """
    INSERT INTO deliveries (target_id, lead_hash, state, run_id, "row")
    SELECT 1, lead_hash, 'accepted', run_id, "row" FROM rows
    WHERE run_id = {run} AND state = 'accepted'
"""
EXPLAIN = """
    EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)
    SELECT r."row", d.state FROM rows r
    LEFT JOIN deliveries d ON d.target_id = {target} AND d.lead_hash = r.lead_hash
    WHERE r.run_id = {run} AND r.state = 'ready' AND r."row" > 0 ORDER BY r."row" LIMIT 100
"""


def staging_speed(desk: Desk, count: int) -> float:
    """Rows a second, from rows in memory to a run that is open."""
    run_id = desk.staging.begin(desk.new_run(campaign=f"staging {count}"))
    assert run_id is not None
    phones = [str(9_000_000_000 + number) for number in range(count)]
    ready = list(staged(phones))
    started = time.perf_counter()
    for _ in desk.staging.add(run_id, ready):
        pass
    desk.staging.finish(run_id)
    return count / (time.perf_counter() - started)


def fill(ledger: Ledger, count: int, target: int) -> None:
    """Rows of other runs, to the same target, in the states that a busy ledger has."""
    for start in range(0, count, PER_RUN):
        with ledger.write() as connection:
            run = connection.exec_driver_sql(
                "INSERT INTO runs (fingerprint, state, target_id, api, file, created_wall, header,"
                " columns, options) SELECT 'filled', 'open', %s, '', 'filled', 0, '[]', '[]', '{}'"
                " RETURNING id",
                (target,),
            ).scalar()
            size = min(PER_RUN, count - start)
            connection.exec_driver_sql(FILL.format(run=run, count=size))
            connection.exec_driver_sql(FILL_KEYS.format(run=run))


class Cost:
    """Milliseconds of a kind of transaction: as its caller sees it, and of the server's CPU."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._server: list[float] = []

    def of(self, work: Callable[[], T], backend: int) -> T:
        """Measure one, and give what it gives."""
        before, started = cpu(backend), time.perf_counter()
        result = work()
        self._seen.append(1_000 * (time.perf_counter() - started))
        self._server.append(1_000 * (cpu(backend) - before))
        return result

    @property
    def seen(self) -> float:
        """The median."""
        return statistics.median(self._seen)

    @property
    def server(self) -> float:
        """The mean: the kernel counts in ticks of 10 ms."""
        return statistics.mean(self._server)


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request_costs(desk: Desk, probes: int = PROBES) -> dict[str, Cost]:
    """A turn, a claim of 100 rows and their record, in a run of their own."""
    phones = [str(8_000_000_000 + number) for number in range(LIMIT * probes)]
    run = desk.run(phones, campaign=f"probe {time.perf_counter()}")
    with desk.ledger.read() as connection:
        backend = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0)
    costs = {"turn": Cost(), "claim": Cost(), "record": Cost()}
    claims, slots = Claims(desk.ledger, run), Slots(desk.ledger)
    for _ in range(probes):
        costs["turn"].of(lambda: slots.take(KEY, 0, 60), backend)
        claim = costs["claim"].of(lambda: claims.claim(LIMIT, NOW), backend)
        costs["record"].of(partial(desk.record, run, claim, State.ACCEPTED), backend)
        slots.give_back(KEY)
    assert desk.states(run) == {"accepted": LIMIT * probes}
    return costs


def plan(desk: Desk, run: int, target: int) -> list[str]:
    """How the server reads what a claim looks at."""
    with desk.ledger.write(f"target {target}") as connection:
        found = connection.exec_driver_sql(EXPLAIN.format(run=run, target=target))
        return [str(line[0]) for line in found]


def report(staged_rows: int, most: int) -> Iterator[str]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder, Book(f"{folder}/l.db", clock).opened() as desk:
        yield f"staging, SQLite      {staging_speed(desk, staged_rows):10,.0f} rows a second"
    with Postgres(fsync="on", max_wal_size="4GB", listen_addresses="") as server:
        url = server.database()
        ledger = Ledger.open(url, clock)
        with closing(ledger), ledger.lease():
            desk = Desk(Book(url, ledger.clock), ledger)
            yield f"staging, PostgreSQL  {staging_speed(desk, staged_rows):10,.0f} rows a second"
        url = server.database()
        ledger = Ledger.open(url, clock)
        with closing(ledger), ledger.lease():
            desk = Desk(Book(url, ledger.clock), ledger)
            first = desk.run([str(7_000_000_000 + number) for number in range(1_000)])
            few = request_costs(desk)
            yield f"{'rows in the ledger':20}{'turn':>10}{'claim':>10}{'record':>10}   ms"
            yield line(desk, few)
            fill(ledger, most, first.target_id)
            many = request_costs(desk)
            yield line(desk, many)
            grown = many["claim"].seen / few["claim"].seen
            yield f"claim: {grown:.2f} times as long (at most 2)"
            names = ("turn", "claim", "record")
            for size, costs in (("few", few), ("many", many)):
                used = ", ".join(f"{name} {costs[name].server:.2f}" for name in names)
                yield f"CPU of the server with {size} rows, ms: {used}"
            yield from plan(desk, first.id, first.target_id)


def line(desk: Desk, costs: dict[str, Cost]) -> str:
    """One row of the table."""
    number = int(str(desk.all("SELECT count(*) FROM rows")[0][0]))
    times = "".join(f"{costs[name].seen:10.2f}" for name in ("turn", "claim", "record"))
    return f"{number:<20,}{times}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--staged", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    chosen = parser.parse_args()
    for told in report(chosen.staged, chosen.rows):
        sys.stdout.write(told + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
