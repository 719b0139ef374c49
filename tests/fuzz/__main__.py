"""`python -m tests.fuzz --minutes 10`: bent inputs through the real rooms, what broke kept.

Each target runs in processes of its own, with little memory and little time for an input. What is
found is written to `--keep` (a folder); it belongs into `tests/regressions/` once it is mended.
`--inputs N` tries so many per target instead, always the same ones for the same `--seed`.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.targets import NAMES, TARGETS
from tests.fuzz.worker import made

AT_ONCE = 1_500
WEIGHTS = {"csv": 3, "xlsx": 3}
"""How many times as much of the time a target gets."""


@dataclass(slots=True)
class Tally:
    """What became of one target."""

    inputs: int = 0
    seconds: float = 0.0
    found: dict[int, str] = field(default_factory=dict)


def fuzz(target: str, seed: int, first: int, count: int, tally: Tally) -> None:
    """Try inputs of one target, in as many processes as they use up."""
    end = first + count
    while first < end:
        first = _one_process(target, seed, first, end - first, tally)


def _one_process(target: str, seed: int, first: int, count: int, tally: Tally) -> int:
    words = [target, str(seed), str(first), str(count)]
    with tempfile.TemporaryDirectory(prefix="ozodial-fuzz-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", *words],
            cwd=folder,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = process.communicate()
    at, ended = first - 1, False
    for said in map(json.loads, out.splitlines()):
        at = said.get("at", at)
        if "found" in said:
            tally.found[said["found"]] = said["why"]
        tally.seconds += said.get("seconds", 0.0)
        ended = ended or "seconds" in said
    if at < first:
        raise SystemExit(f"the worker does not start: {err[-2_000:]}")
    if not ended:
        tally.found[at] = f"the process ended with {_ending(process.returncode)}: {err[-1_000:]}"
    tally.inputs += at + 1 - first
    return at + 1


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"code {code}"


def keep(folder: Path, target: str, seed: int, number: int) -> Path:
    """Write one input down."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{target}-{seed}-{number}{Path(NAMES[target]).suffix}"
    path.write_bytes(made(target, seed, number))
    return path


def rounds(chosen: Sequence[str]) -> Iterator[str]:
    """The targets in turn, again and again."""
    while True:
        for target in chosen:
            yield from [target] * WEIGHTS.get(target, 1)


def main() -> int:
    """Fuzz, tell the figures; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0, help="of the processor")
    parser.add_argument("--inputs", type=int, help="per target, instead of --minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=[*TARGETS], default=[*TARGETS])
    parser.add_argument("--keep", type=Path, default=Path("found"))
    asked = parser.parse_args()
    tallies = {target: Tally() for target in asked.only}
    if asked.inputs is not None:
        for target, tally in tallies.items():
            fuzz(target, asked.seed, 0, asked.inputs, tally)
    else:
        for target in rounds(asked.only):
            if sum(tally.seconds for tally in tallies.values()) >= 60 * asked.minutes:
                break
            tally = tallies[target]
            fuzz(target, asked.seed, tally.inputs, AT_ONCE, tally)
    for target, tally in tallies.items():
        print(f"{target}: {tally.inputs:,} inputs, {tally.seconds:.0f} s, {len(tally.found)} found")  # noqa: T201
        for number, why in tally.found.items():
            print(f"  {keep(asked.keep, target, asked.seed, number)}: {why.strip()}")  # noqa: T201
    return int(any(tally.found for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
