"""How the cost of a shared ledger grows: 1, 10, 100 hosts and 1, 100 accounts, simulated.

    python -m tests.benchmarks.hosts [--turn 0.6] [--claim 4.3] [--record 3.8] [--cores 2]

The costs are milliseconds of the server's CPU, as `tests.benchmarks.shared` measures them. Every
host works for every account. Events, not processes: a host asks for its turn, waits as
`slots.Slots` tells it to, claims, sends, records. The server has so many cores and a queue.
"""

import argparse
import heapq
import itertools
import random
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE, Endpoint
from ozodial.slots import POLL_SECONDS

LATENCY = 0.5
"""Seconds that the vendor takes for a request."""

SECONDS = 120.0
"""Simulated."""

WARM_UP = 40.0

Step = Generator[tuple[str, float], None, None]
"""What a host does next: ("server" or "wait", seconds)."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of the server's CPU."""

    turn: float
    claim: float
    record: float
    cores: int


@dataclass(slots=True)
class Slot:
    """One account's turn on a paced endpoint."""

    holder: int | None = None
    answered: float = -1e9


@dataclass(slots=True)
class Lock:
    """One account's claims and records, one after the other."""

    free_at: float = 0.0


@dataclass(slots=True)
class World:
    """The clock, the server's cores, and what was counted."""

    costs: Costs
    now: float = 0.0
    cores: list[float] = field(default_factory=list)
    busy: float = 0.0
    requests: int = 0
    asked: int = 0
    waited: float = 0.0

    def serve(self, seconds: float) -> float:
        """When the server is done with a transaction that comes now."""
        free = heapq.heappop(self.cores)
        done = max(free, self.now) + seconds
        heapq.heappush(self.cores, done)
        if self.now >= WARM_UP:
            self.busy += seconds
            self.waited += done - self.now
            self.asked += 1
        return done


def paced(world: World, slot: Slot, host: int, pace: float) -> Step:
    """A host that sends to one account on an endpoint with a pace."""
    costs = world.costs
    while True:
        yield "server", costs.turn
        if slot.holder is not None:
            yield "wait", POLL_SECONDS
            continue
        left = pace - (world.now - slot.answered)
        if left > 0:
            yield "wait", left
            continue
        slot.holder = host
        yield "server", costs.claim
        yield "wait", LATENCY
        slot.answered = world.now
        yield "server", costs.record
        slot.holder = None
        world.requests += world.now >= WARM_UP


def unpaced(world: World, lock: Lock) -> Step:
    """A host that sends to one account on an endpoint without; one campaign, so one lock."""
    costs = world.costs
    while True:
        yield "server", costs.turn
        for cost, then in ((costs.claim, LATENCY), (costs.record, 0.0)):
            waits = max(0.0, lock.free_at - world.now)
            lock.free_at = max(lock.free_at, world.now) + cost
            if waits:
                yield "wait", waits
            yield "server", cost
            if then:
                yield "wait", then
        world.requests += world.now >= WARM_UP


def simulate(endpoint: Endpoint, hosts: int, accounts: int, costs: Costs) -> World:
    """So many seconds of all of them."""
    world = World(costs, cores=[0.0] * costs.cores)
    dice, numbers = random.Random(1), itertools.count()
    queue: list[tuple[float, int, Step]] = []
    for _ in range(accounts):
        slot, lock = Slot(), Lock()
        for host in range(hosts):
            step = (
                paced(world, slot, host, endpoint.pace) if endpoint.pace else unpaced(world, lock)
            )
            heapq.heappush(queue, (dice.uniform(0, 5), next(numbers), step))
    while queue and queue[0][0] < WARM_UP + SECONDS:
        world.now, _, step = heapq.heappop(queue)
        what, seconds = next(step)
        then = world.serve(seconds) if what == "server" else world.now + seconds
        heapq.heappush(queue, (then, next(numbers), step))
    return world


def saturated(endpoint: Endpoint, hosts: int, accounts: int, world: World, ideal: float) -> str:
    """What keeps it from going faster."""
    if world.busy / SECONDS / world.costs.cores > 0.95:
        return "the server's CPU"
    lock = world.requests / SECONDS / accounts * (world.costs.claim + world.costs.record)
    if not endpoint.pace and lock > 0.95:
        return "one campaign's lock"
    reached = world.requests / SECONDS >= 0.9 * ideal
    if endpoint.pace:
        return "the vendor's pace" if reached else "waiting for the turn"
    return "the vendor's answers" if reached else "one campaign's lock"


def table(costs: Costs) -> Iterator[str]:
    """A line for each size."""
    yield (
        f"{'endpoint':12}{'hosts':>7}{'accounts':>10}{'rows/s':>10}{'of limit':>10}"
        f"{'server':>9}{'a fact':>10}   saturates first"
    )
    for endpoint in (BULK_ADD_V1, BULK_ADD_V4, SCHEDULE):
        for hosts, accounts in itertools.product((1, 10, 100), (1, 100)):
            world = simulate(endpoint, hosts, accounts, costs)
            each = 1 / (endpoint.pace + LATENCY) if endpoint.pace else hosts / LATENCY
            ideal = accounts * each
            rate = world.requests / SECONDS
            used = world.busy / SECONDS / costs.cores
            fact = 1_000 * world.waited / max(1, world.asked)
            first = saturated(endpoint, hosts, accounts, world, ideal)
            yield (
                f"{endpoint.name:12}{hosts:7}{accounts:10}{rate * endpoint.rows_per_request:10,.1f}"
                f"{rate / ideal:10.0%}{used:9.1%}{fact:8.1f}ms   {first}"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turn", type=float, default=0.6)
    parser.add_argument("--claim", type=float, default=4.3)
    parser.add_argument("--record", type=float, default=3.8)
    parser.add_argument("--cores", type=int, default=2)
    chosen = parser.parse_args()
    costs = Costs(chosen.turn / 1e3, chosen.claim / 1e3, chosen.record / 1e3, chosen.cores)
    for line in table(costs):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
