"""All measurements in one run, in turn, each in a process of its own; only the ratios are quoted.

    python3 -m venv PEERS && PEERS/bin/pip install pandas phonenumbers python-dateutil sqlite-utils
    python -m tests.benchmarks.run FOLDER --peers PEERS [--rows 1000000] [--times 3] [--quick]

FOLDER gets the generated files (and the ledgers, so it should be a real disk). `--quick` leaves out
the pandas script, which takes minutes. Nothing is asserted: read the last table.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.files import write_all

SMALL = 10_000


class Measured(NamedTuple):
    """One process: seconds of wall clock, of processor time, and its peak memory."""

    wall: float
    cpu: float
    mib: float


def measure(command: Sequence[str | Path]) -> Measured:
    """Run a command to its end."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def ours(step: str, path: Path) -> list[str | Path]:
    return [sys.executable, "-m", "tests.benchmarks.ours", step, path]


def naive(peers: Path, path: Path) -> list[str | Path]:
    return [peers / "bin" / "python", Path(__file__).with_name("naive.py"), path]


def sqlite_utils(peers: Path, path: Path) -> list[str | Path]:
    database = path.with_suffix(".peer.db")
    script = f"rm -f {database}; {peers}/bin/sqlite-utils insert --csv --no-detect-types"
    script += f" {database} leads {path} && rm -f {database}"
    return ["sh", "-c", script]


class Table:
    """Candidates run in turn, and how they compare."""

    def __init__(self, times: int) -> None:
        self._times = times
        self.found: dict[str, list[Measured]] = {}

    def run(self, candidates: dict[str, Sequence[str | Path]]) -> None:
        for turn in range(self._times):
            for name, command in candidates.items():
                one = measure(command)
                self.found.setdefault(name, []).append(one)
                told = f"{name:<24} {one.wall:8.2f} s  {one.cpu:8.2f} s CPU  {one.mib:6.0f} MiB"
                print(f"{turn + 1}/{self._times}  {told}", flush=True)  # noqa: T201

    def ratio(self, one: str, other: str) -> str:
        """Of the medians; and the least and greatest of the turns."""
        if one not in self.found or other not in self.found:
            return "not measured"
        turns = [a.wall / b.wall for a, b in zip(self.found[one], self.found[other], strict=False)]
        whole = median(m.wall for m in self.found[one]) / median(m.wall for m in self.found[other])
        return f"{whole:.2f}x ({min(turns):.2f} to {max(turns):.2f})"

    def memory(self, name: str) -> float:
        return max(each.mib for each in self.found[name])


def main() -> None:
    """Measure, then say each target with what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    large, small = given.folder / str(given.rows), given.folder / str(SMALL)
    write_all(large, given.rows)
    write_all(small, SMALL)
    table = Table(given.times)
    for kind in ("clean", "messy"):
        path = large / f"{kind}.csv"
        candidates: dict[str, Sequence[str | Path]] = {
            f"{kind} csv pass": ours("csv_pass", path),
            f"{kind} prepare": ours("prepare", path),
            f"{kind} stage": ours("stage", path),
            f"{kind} prepare small": ours("prepare", small / path.name),
        }
        if given.peers is not None:
            candidates[f"{kind} sqlite-utils"] = sqlite_utils(given.peers, path)
            if not given.quick:
                candidates[f"{kind} pandas"] = naive(given.peers, path)
        table.run(candidates)
    book = large / "messy.xlsx"
    table.run({"xlsx calamine": ours("calamine_pass", book), "xlsx prepare": ours("prepare", book)})
    for line in targets(table):
        print(line)  # noqa: T201


def targets(table: Table) -> list[str]:
    """The issue's figures, and ours."""
    lines = []
    for kind, most, least in (("clean", 7, 20), ("messy", 11, 11)):
        grown = table.memory(f"{kind} prepare") - table.memory(f"{kind} prepare small")
        lines += [
            f"{kind}: prepare, of the csv pass (<= {most}x): "
            + table.ratio(f"{kind} prepare", f"{kind} csv pass"),
            f"{kind}: the pandas script, of prepare (>= {least}x): "
            + table.ratio(f"{kind} pandas", f"{kind} prepare"),
            f"{kind}: prepare and stage, of sqlite-utils (<= 0.8x): "
            + table.ratio(f"{kind} stage", f"{kind} sqlite-utils"),
            f"{kind}: memory above that of {SMALL:,} rows (<= 40 MiB): {grown:.0f} MiB",
        ]
    memory = table.memory("xlsx prepare") / table.memory("xlsx calamine")
    lines += [
        "xlsx: prepare, of calamine's pass (<= 2.5x): "
        + table.ratio("xlsx prepare", "xlsx calamine"),
        f"xlsx: memory, of calamine's pass (<= 1.3x): {memory:.2f}x",
    ]
    return lines


if __name__ == "__main__":
    main()
