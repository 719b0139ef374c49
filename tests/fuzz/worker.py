"""A process that tries inputs: which one it is at goes to stdout, and what it found.

`python -m tests.fuzz.worker TARGET SEED FIRST COUNT`, in a folder of its own. An input that takes
too much time or memory ends the process; the caller sees by what, and at which input.
"""

import json
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.fuzz.mutate import mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import GOOD, PROOFS, TARGETS, prepare_folder

SECONDS = 10.0
"""Of the processor for one input."""

MIB = 300
"""That the process may grow by, in all."""

ADDRESSES = 2 << 30


def made(target: str, seed: int, number: int) -> bytes:
    """The input of that number."""
    return mutated(Random(f"{seed} {target} {number}"), seeds()[target])


def main() -> None:
    """Try COUNT inputs from FIRST on."""
    target, seed, first, count = sys.argv[1], *map(int, sys.argv[2:5])
    prepare_folder()
    good = seeds().get(target, [GOOD])
    run = (TARGETS | PROOFS)[target]
    for content in good:
        run(content)  # also loads what is loaded late
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    begun = _peak()
    for number in range(first, first + count):
        content = mutated(Random(f"{seed} {target} {number}"), good)
        _say(at=number)
        try:
            with _limited():
                run(content)
        except BaseException:
            _say(found=number, why=traceback.format_exc(limit=-6)[-3_000:])
        if _peak() > begun + MIB:
            _say(found=number, why=f"more than {MIB} MiB")
            break
    _say(seconds=time.process_time())


@contextmanager
def _limited() -> Iterator[None]:
    """Past the limit the signal ends the process, also within a library that isn't Python."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _peak() -> float:
    # not getrusage: its peak counts the process that started this one
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return float(status.partition("VmHWM:")[2].split()[0]) / 1024


def _say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
