"""Mutation testing: is every line held by a test that fails when it says something else?

    pip install -e '.[dev,mutation]'
    python -m tests.mutation [ROOM ...] [--anew] [--workers 2] [--report]

Each room of `rooms` is mutated by mutmut in a folder under `build/mutation/` and tried with its own
tests. Mutants of functions that did not change keep their verdict, except survivors and timeouts,
which are tried again; `--anew` forgets all. `MUTATION.md` gets the table of all rooms and every
survivor with its reason from `reasons.toml`; survivors without one are told, and end it with 1.
"""

import argparse
import sys

from tests.mutation.report import REPORT, report, unexplained
from tests.mutation.rooms import ROOMS
from tests.mutation.workshop import ROOT, Mutant, Workshop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("rooms", nargs="*", choices=[[], *ROOMS], metavar="ROOM")
    parser.add_argument("--anew", action="store_true", help="forget earlier verdicts")
    parser.add_argument("--workers", type=int, default=2, help="mutants tried at the same time")
    parser.add_argument("--report", action="store_true", help="only write the report again")
    options = parser.parse_args()
    found: dict[str, list[Mutant]] = {}
    for name, room in ROOMS.items():
        shop = Workshop(ROOT / "build" / "mutation" / name, room)
        if not options.report and (not options.rooms or name in options.rooms):
            shop.furnish(anew=options.anew)
            doubtful = [mutant.name for mutant in shop.mutants() if mutant.is_doubtful]
            shop.run(options.workers)
            left = {mutant.name for mutant in shop.mutants()}
            if doubtful := [name for name in doubtful if name in left]:
                shop.run(options.workers, doubtful)
        found[name] = shop.mutants()
    REPORT.write_text(report(found), encoding="utf-8")
    print(f"written: {REPORT.relative_to(ROOT)}")  # noqa: T201
    left_over = unexplained(found)
    for line in left_over:
        print(line)  # noqa: T201
    return 1 if left_over else 0


if __name__ == "__main__":
    sys.exit(main())
