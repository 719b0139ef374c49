"""How exactly the vendor's pace is kept: by a fake clock, and once for real with three requests."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from ozodial.endpoints import endpoint

from ..clockwork import Office, slow_vendor
from ..conftest import FakeClock
from ..harness.files import phones, write_leads
from ..harness.operator import Command
from ..harness.vendor import Vendor
from .bench import Part, Place

APIS = ("v1", "v4")
REQUESTS = 3
SERVER = 0.8
"""Seconds that the fake vendor works on a request."""


def paces(place: Place) -> Part:
    """Both endpoints that have a pace, both clocks."""
    rows = [line(api, "fake clock", list(by_fake_clock(api))) for api in APIS]
    if not place.fast:
        with ThreadPoolExecutor(len(APIS)) as pool:
            real = list(pool.map(for_real, APIS))
        rows += [line(api, "for real", seen) for api, seen in zip(APIS, real, strict=True)]
    about = (
        f"{REQUESTS} requests: seconds from an answer to the next request, as the simulator saw "
        "both; it starts its work when the last byte has come. The vendor's own pace, not scaled."
    )
    head = ["endpoint, clock", "pace", "first wait", "second wait", "most above the pace"]
    known = {"ozodial": version("ozodial")}
    return Part("Pace", about, head, rows, [short(rows)], known)


def by_fake_clock(api: str) -> Iterator[float]:
    """The gaps of a run by a clock that nobody waits for, and a vendor that takes its time."""
    clock, entry = FakeClock(), endpoint("bulk-add", api)
    with tempfile.TemporaryDirectory() as folder, slow_vendor(clock, SERVER) as vendor:
        office = Office(Path(folder), clock, vendor.url)
        office.run("bulk-add", REQUESTS * entry.rows_per_request, api)
        for before, after in pairwise(vendor.sandbox.requests):
            yield after.arrived - (before.answered or 0.0)


def for_real(api: str) -> list[float]:
    """The gaps of the command, at the vendor's real pace."""
    leads = phones(REQUESTS * endpoint("bulk-add", api).rows_per_request)
    with Vendor(1.0) as vendor, tempfile.TemporaryDirectory() as folder:
        file = write_leads(Path(folder) / "leads.csv", leads)
        words = ["bulk-add", str(file), "--api", api, "--yes"]
        with Command(words, Path(folder) / "ledger.db", vendor.url, json_lines=False) as command:
            assert command.wait(300) == 0, command.errors
        assert vendor.look("violations") == []
        seen: list[dict[str, Any]] = sorted(vendor.look("requests"), key=lambda r: r["arrived"])
    return [after["arrived"] - before["answered"] for before, after in pairwise(seen)]


def line(api: str, clock: str, gaps: Sequence[float]) -> list[str]:
    """One row of the table."""
    pace = endpoint("bulk-add", api).pace
    above = 1_000 * (max(gaps) - pace)
    waits = [f"{gap:.4f} s" for gap in gaps]
    return [f"`bulk-add` {api}, {clock}", f"{pace:g} s", *waits, f"{above:.1f} ms"]


def short(rows: Sequence[Sequence[str]]) -> str:
    """Whether any wait was shorter than the vendor's."""
    seconds = [[float(cell.split()[0]) for cell in row[1:4]] for row in rows]
    least = min(wait - pace for pace, *waits in seconds for wait in waits)
    early = "none came early" if least >= -1e-4 else f"one came {-1_000 * least:.1f} ms early"
    return f"of {2 * len(rows)} waits {early}"
