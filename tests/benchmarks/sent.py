"""Sending beside a bare httpx loop, at three latencies, in turn and eight at once."""

from collections.abc import Callable
from importlib.metadata import version
from statistics import median

from ..harness.vendor import Vendor
from .bench import Part, Place, times
from .sending import ROWS, Measured, bare_loop, by_command

CASES = {0.0: (200, 3), 0.05: (96, 3), 0.5: (24, 1)}
"""Seconds of latency -> requests, turns."""


def sent(place: Place) -> Part:
    """The same requests by all four ways, in turn, to a vendor in a process of its own."""
    rows, found = [], []
    with Vendor() as vendor:
        for latency, (requests, turns) in CASES.items():
            count, rounds = (8, 1) if place.fast else (requests, turns)
            ways = measured(vendor, count, latency, rounds)
            bare, one, bare_eight, eight = (median(m.seconds for m in ways[w]) for w in ways)
            gap = median(m.gap for m in ways["one"]) - median(m.gap for m in ways["bare"])
            rows.append(
                [
                    f"{1_000 * latency:.0f} ms, {count} requests",
                    *(f"{1_000 * s / count:.1f}" for s in (bare, one, bare_eight, eight)),
                ]
            )
            found.append(
                f"{1_000 * latency:.0f} ms: in turn {times(one / bare)} the bare loop "
                f"(+{gap:.1f} ms between an answer and the next request); "
                f"`--parallel 8` is {times(one / eight)} as fast as in turn, "
                f"the bare loop in 8 threads {times(bare / bare_eight)}"
            )
    about = (
        f"Milliseconds a request of {ROWS} rows, from the first request to the last answer as the "
        "simulator saw them (the bare loop: as it saw itself). The bare loop parses each answer "
        "and keeps nothing; ozodial records every row before and after, interprets and shows it."
    )
    head = ["latency", "bare httpx", "ozodial", "bare, 8 threads", "ozodial `--parallel 8`"]
    known = {name: version(name) for name in ("ozodial", "httpx", "SQLAlchemy")}
    return Part("Sending", about, head, rows, found, known)


def measured(vendor: Vendor, count: int, latency: float, rounds: int) -> dict[str, list[Measured]]:
    """Way -> its turns."""
    ways: dict[str, Callable[[], Measured]] = {
        "bare": lambda: bare_loop(vendor, count, latency),
        "one": lambda: by_command(vendor, count, latency, 1),
        "bare eight": lambda: bare_loop(vendor, count, latency, 8),
        "eight": lambda: by_command(vendor, count, latency, 8),
    }
    seen: dict[str, list[Measured]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seen[name].append(way())
    return seen
