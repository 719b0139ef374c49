"""A request's share of the ledger while the run in it grows."""

import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from ozodial.claims import BatchResult, Claims
from ozodial.clock import SystemClock
from ozodial.ledger import Ledger
from ozodial.models import Outcome, State

from ..harness.files import phones
from .bench import Part, Place
from .sending import ROWS, TURN, staged

SIZES = (10_000, 100_000, 1_000_000)
PROBES = 60


def claims(place: Place) -> Part:
    """Staging, and recording one batch while claiming the next, in runs of these sizes."""
    sizes = [1_000, 10_000] if place.fast else [size for size in SIZES if size <= place.most]
    seen = {size: costs(place.folder, size) for size in sizes}
    staging = [f"{1e6 * cost.staging / size:.1f}" for size, cost in seen.items()]
    rows = [
        ["staged, µs a row", *staging],
        ["record and claim, ms a batch", *(f"{1e3 * cost.batch:.2f}" for cost in seen.values())],
        ["ledger, bytes a row", *(f"{cost.held / size:.0f}" for size, cost in seen.items())],
    ]
    grown = seen[sizes[-1]].batch / seen[sizes[0]].batch
    found = [f"a batch of {sizes[-1]:,} rows takes {grown:.2f} x one of {sizes[0]:,}"]
    about = f"SQLite ledger on disk, {ROWS} rows a batch, median of {PROBES} batches."
    head = ["rows in the run", *(f"{size:,}" for size in sizes)]
    return Part("The ledger as it grows", about, head, rows, found, {"ozodial": version("ozodial")})


class Cost(NamedTuple):
    """Seconds of staging, median seconds of a batch, bytes of the ledger."""

    staging: float
    batch: float
    held: int


def costs(place: Path, size: int) -> Cost:
    """A run of so many rows, staged, and some batches of it recorded."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        path = Path(folder) / "ledger.db"
        ledger = Ledger.open(str(path), SystemClock())
        with ledger.lease():
            started = time.perf_counter()
            desk = Claims(ledger, staged(ledger, phones(size)))
            staging = time.perf_counter() - started
            held = sum(file.stat().st_size for file in Path(folder).iterdir())
            claim, took = desk.claim(ROWS, ""), []
            for _ in range(min(PROBES, size // ROWS - 1)):
                outcomes = [Outcome(lead.row, State.ACCEPTED, None, "ok") for lead in claim.rows]
                result = BatchResult("answered", 0.0, ledger.clock.instant(), http_status=200)
                before = time.perf_counter()
                _, claim = desk.record_and_claim(claim, outcomes, result, TURN, ROWS, "")
                took.append(time.perf_counter() - before)
        ledger.close()
    return Cost(staging, median(took), held)
