"""The fuzzer in its short form, and everything that it ever found, through the real `check`.

The long form is `python -m tests.fuzz --minutes 10`; CONTRIBUTING.md says when.
"""

import subprocess
from pathlib import Path

import pytest

from tests.command import Desk, command
from tests.fuzz.__main__ import Tally, fuzz
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import NAMES, TARGETS
from tests.fuzz.worker import made

REGRESSIONS = sorted((Path(__file__).parent / "regressions").iterdir())

INPUTS = {"csv": 400, "xlsx": 400, "xls": 300, "suppress": 300}
CAPS = 'ulimit -v 2097152; ulimit -t 20; exec "$@"'


@pytest.mark.parametrize("target", TARGETS)
def test_bent_inputs_end_in_a_sentence(target: str) -> None:
    tally = Tally()
    fuzz(target, 1, 0, INPUTS.get(target, 200), tally)
    assert tally.found == {}
    assert tally.inputs == INPUTS.get(target, 200)


def test_an_input_is_the_same_every_time() -> None:
    for target in TARGETS:
        twice = [[made(target, 5, number) for number in range(20)] for _ in range(2)]
        assert twice[0] == twice[1], target
        assert len(set(twice[0])) > 15
    assert NAMES.keys() == TARGETS.keys() == seeds().keys()


@pytest.mark.parametrize(
    ("proof", "why"), [("dies", "SIGABRT"), ("eats", "MiB"), ("fails", "AssertionError")]
)
def test_what_breaks_is_found(proof: str, why: str) -> None:
    tally = Tally()
    fuzz(proof, 1, 0, 2, tally)
    assert tally.inputs == 2
    assert set(tally.found) == {0, 1}
    assert all(why in found for found in tally.found.values())


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.name)
def test_what_was_found_once_ends_in_a_sentence(desk: Desk, path: Path) -> None:
    kind = path.name.split("-")[0]
    good = desk.write("good.csv", "Mobile\n9876543210\n")
    words: dict[str, list[str | Path]] = {
        "recipe": ["check", good, "--map-file", path],
        "suppress": ["check", good, "--suppress", path],
        "callback": ["runs", "import-callback", "1", path],
    }
    config = {"OZODIAL_CONFIG": str(path)} if kind == "config" else {}
    done = subprocess.run(
        ["sh", "-c", CAPS, "sh", *command(words.get(kind, ["check", path]))],
        cwd=desk.home,
        env=desk.environment(**config),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode in {"config": (0, 2, 3, 6), "recipe": (0, 2, 3, 4)}.get(kind, (0, 3, 4))
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2_500
    if done.returncode in (2, 3):
        assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1
