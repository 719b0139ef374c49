"""ozodial beside its peers: measures, and writes the tables to RESULTS.md.

    python -m tests.benchmarks.peers DIR [--only startup,prepare,send,pace,ledger]
        [--most ROWS] [--fast]

DIR gets the files of leads and an environment for every peer, made by pip if they are missing (it
should be a real disk). What runs side by side runs in turn, each in a process of its own, so that
only ratios count. `--only` measures these parts and leaves the others' figures as they are: they
are kept in results.json. `--most 100000` leaves out larger files and runs. `--fast` shows that all
of it works, and writes nothing.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .bench import Part, Place
from .claims import claims
from .paces import paces
from .preparing import preparing
from .sent import sent
from .startup import startup

HERE = Path(__file__).parent
KEPT, TABLES = HERE / "results.json", HERE / "RESULTS.md"

PARTS: dict[str, Callable[[Place], Part]] = {
    "startup": startup,
    "prepare": preparing,
    "send": sent,
    "pace": paces,
    "ledger": claims,
}
ABOUT = """# Beside its peers

Written by `python -m tests.benchmarks.peers DIR`. The candidates of a table ran in turn, each in a
process of its own, against the simulator where there is a network: compare within a table only.
"""


def written(parts: dict[str, Part]) -> str:
    """RESULTS.md."""
    return "\n".join([ABOUT, *(parts[name].text() for name in PARTS if name in parts)])


def kept() -> dict[str, Part]:
    """What was measured before."""
    if not KEPT.exists():
        return {}
    return {name: Part(**part) for name, part in json.loads(KEPT.read_text("utf-8")).items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,…")
    parser.add_argument("--most", type=int, default=1_000_000, metavar="ROWS")
    parser.add_argument("--fast", action="store_true")
    chosen = parser.parse_args()
    wanted = chosen.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    place = Place(chosen.folder.resolve(), chosen.fast, chosen.most)
    for name in wanted:
        started = time.monotonic()
        part = PARTS[name](place)
        sys.stdout.write(f"{part.text()}\n({time.monotonic() - started:.0f} s)\n\n")
        sys.stdout.flush()
        if not chosen.fast:
            parts = kept() | {name: part}
            records = {key: parts[key].record() for key in PARTS if key in parts}
            KEPT.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", "utf-8")
            TABLES.write_text(written(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
