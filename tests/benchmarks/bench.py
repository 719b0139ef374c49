"""What the parts of `peers` share: a measured process, environments, a table of the results."""

import json
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Measured(NamedTuple):
    """One process: seconds of wall clock, of processor time, and its peak memory."""

    wall: float
    cpu: float
    mib: float


def measure(command: Sequence[str | Path], folder: Path | None = None) -> Measured:
    """Run a command to its end, without its output."""
    helper = [sys.executable, "-I", "-S", Path(__file__).with_name("measured.py")]
    words = [str(word) for word in [*helper, *command]]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, cwd=folder)
    if done.returncode:
        raise SystemExit(f"{command} failed")
    wall, cpu, mib = map(float, done.stdout.split())
    return Measured(wall, cpu, mib)


Turns = dict[str, list[Measured]]
"""Name -> its turns."""


def in_turn(commands: dict[str, Sequence[str | Path]], times: int, folder: Path) -> Turns:
    """Every command once, then every command again: what the machine does hits all alike."""
    found: Turns = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            found[name].append(measure(command, folder))
    return found


def middle(turns: Iterable[Measured]) -> Measured:
    """The median of the times, and the most memory."""
    seen = list(turns)
    return Measured(
        median(one.wall for one in seen),
        median(one.cpu for one in seen),
        max(one.mib for one in seen),
    )


def ratio(one: Iterable[Measured], other: Iterable[Measured]) -> str:
    """Wall clock of the one in that of the other: of the medians."""
    return times(middle(one).wall / middle(other).wall)


def times(figure: float) -> str:
    """A ratio as it is printed."""
    return f"{figure:.2f} x" if figure < 10 else f"{figure:.0f} x"


@dataclass(frozen=True, slots=True)
class Part:
    """One table of RESULTS.md; `found` says what it comes to, a line each."""

    title: str
    about: str
    head: list[str]
    rows: list[list[str]]
    found: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    day: str = field(default_factory=lambda: date.today().isoformat())
    machine: str = field(default_factory=lambda: machine())

    def record(self) -> dict[str, object]:
        """As it is kept."""
        return asdict(self)

    def text(self) -> str:
        """As it is read."""
        lines = [f"## {self.title}", "", self.about, ""]
        lines += [" | ".join(["", *row, ""]).strip() for row in (self.head, rule(self.head))]
        lines += [" | ".join(["", *row, ""]).strip() for row in self.rows]
        lines += ["", *(f"- {line}" for line in self.found)]
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return "\n".join([*lines, "", f"{self.day}; {self.machine}; {versions}", ""])


def rule(head: Sequence[str]) -> list[str]:
    """The line below a table's head: figures to the right."""
    return ["---", *("---:" for _ in head[1:])]


def machine() -> str:
    """What ran it: processor, cores, memory, system, Python; nothing that names a machine."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in facts if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    python = platform.python_version()
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {python}"


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a run: files of leads, and an environment for every peer."""

    folder: Path
    fast: bool
    """Fewer turns and rows, to see that it works."""

    most: int
    """No file and no run has more rows than this."""

    def environment(self, name: str, *packages: str) -> Path:
        """The `bin` of an environment of its own with these packages, made if it is missing."""
        made = self.folder / f"venv-{name}"
        done = made / "installed"
        wanted = " ".join(packages)
        if not done.exists() or done.read_text(encoding="utf-8") != wanted:
            venv.create(made, clear=True, with_pip=True)
            pip(made / "bin", *packages)
            done.write_text(wanted, encoding="utf-8")
        return made / "bin"

    def ours(self) -> Path:
        """The same for ozodial as it is now, installed as its users have it."""
        binaries = self.environment("ozodial", "hatchling", "wheel")
        pip(binaries, str(ROOT))
        pip(binaries, "--force-reinstall", "--no-deps", str(ROOT))
        return binaries


def pip(binaries: Path, *words: str) -> None:
    """Install."""
    subprocess.run([binaries / "python", "-m", "pip", "install", "--quiet", *words], check=True)


def versions(binaries: Path, *packages: str) -> dict[str, str]:
    """What is installed there."""
    code = "import json,sys; from importlib.metadata import version as v;"
    code += "print(json.dumps({name: v(name) for name in sys.argv[1:]}))"
    words: list[str | Path] = [binaries / "python", "-c", code, *packages]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = json.loads(said)
    return found


PYTHON = Path(sys.executable)
