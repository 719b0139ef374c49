"""One room's mutants: a copy of the project where mutmut makes and tries them, and its verdicts."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

from tests.mutation.rooms import Room
from tests.mutation.unwrap import unwrapped

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", ".*")

KILLED, SURVIVED, TIMEOUT, UNTRIED = "killed", "survived", "timeout", "untried"
_VERDICTS = dict.fromkeys((1, 3), KILLED) | dict.fromkeys((0, 5, 33), SURVIVED)
_VERDICTS |= dict.fromkeys((36, 24, -24, 152, -9, 137), TIMEOUT)
"""By the exit code of pytest, mutmut or a signal; others prove nothing. 33: no test calls it."""

CONFIGURATION = """
[tool.mutmut]
source_paths = ["ozodial"]
only_mutate = {modules}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", "{but}"]
# what the main process cached in a test would hide a mutant of a cached function
process_isolation = "forkserver"
# a module of tests whose names are made twice in one process has other names the second time
forkserver_warmup = "import"
preload_modules_file = "preload.txt"
use_git_change_detection = false
on_dependency_change = "ignore"
# generous: what a busy machine delays is not noticed by a test
timeout_constant = 30.0
timeout_multiplier = 4.0
"""


PRELOADED = (
    "pytest",
    "hypothesis",
    "sqlalchemy",
    "httpx",
    "ozodial.upload",
    "ozodial.sandbox_server",
)
"""What the tests import and is no test itself."""

PRELOADING = "-W ignore::pytest.PytestAssertRewriteWarning"
"""pytest warns of what was imported before it."""


class Mutant(NamedTuple):
    """One changed line of one function, and what became of it."""

    name: str
    module: str
    function: str
    was: str
    becomes: str
    verdict: str
    code: int | None

    @property
    def is_doubtful(self) -> bool:
        """Whether it was tried, and another try may say something else."""
        return self.code is not None and self.verdict != KILLED

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same when lines move: the function, and the change in its line."""
        return f"{self.module}.{self.function}", f"{self.was} => {self.becomes}"


class Workshop:
    """A room's folder, kept between runs so that only what changed is tried again."""

    def __init__(self, folder: Path, room: Room) -> None:
        self._folder = folder
        self._room = room

    def furnish(self, *, anew: bool) -> None:
        """Bring the project's present state."""
        if anew and self._folder.exists():
            shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._folder / "tests", ignore_errors=True)
        shutil.copytree(ROOT / "tests", self._folder / "tests", ignore=IGNORED)
        for source in (ROOT / "ozodial").rglob("*"):
            if source.is_file() and "__pycache__" not in source.parts:
                self._bring(source)
        shutil.rmtree(self._folder / "mutants" / "tests", ignore_errors=True)
        # what is on PYTHONPATH must be there when Python starts
        (self._folder / "mutants").mkdir(exist_ok=True)
        configuration = CONFIGURATION.format(
            modules=json.dumps([f"ozodial/{module}.py" for module in self._room.modules]),
            tests=json.dumps([f"tests/test_{test}.py" for test in self._room.tests]),
            but=" and ".join(f"not {word}" for word in ("postgresql", *self._room.without)),
        )
        (self._folder / "preload.txt").write_text("\n".join(PRELOADED), encoding="utf-8")
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        (self._folder / "pyproject.toml").write_text(project + configuration, encoding="utf-8")

    def _bring(self, source: Path) -> None:
        target = self._folder / source.relative_to(ROOT)
        content = source.read_bytes()
        if source.suffix == ".py" and source.stem in self._room.modules:
            content = unwrapped(content.decode()).encode()
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)

    def run(self, workers: int, mutants: Sequence[str] = ()) -> None:
        """Try all mutants that have no verdict yet, or these again."""
        mutmut = str(Path(sys.executable).with_name("mutmut"))
        command = [mutmut, "run", "--max-children", str(workers), *mutants]
        environment = os.environ | {
            "PYTHONPATH": str(self._folder / "mutants"),
            "PYTEST_ADDOPTS": f"-p tests.mutation.fast_first {PRELOADING}",
        }
        with (self._folder / "mutmut.log").open("w", encoding="utf-8") as log:
            ended = subprocess.run(
                command, cwd=self._folder, env=environment, stdout=log, stderr=log
            )
        if ended.returncode:
            raise SystemExit(f"mutmut failed: the end of {log.name} says why")

    def mutants(self) -> list[Mutant]:
        """Every mutant of the room, with its verdict."""
        return [mutant for module in self._room.modules for mutant in self._of(module)]

    def _of(self, module: str) -> Iterator[Mutant]:
        made = self._folder / "mutants" / "ozodial" / f"{module}.py"
        meta = made.with_name(made.name + ".meta")
        if not meta.exists():
            return
        source = made.read_text(encoding="utf-8")
        lines = [line.strip() for line in source.splitlines()]
        functions = {
            node.name: [line.replace(node.name, _plain(node.name)) for line in _span(lines, node)]
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef)
        }
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            mangled = name.rpartition(".")[2]
            stem = mangled.partition("__mutmut_")[0]
            was, becomes = _change(functions[f"{stem}__mutmut_orig"], functions[mangled])
            function = stem.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            verdict = _VERDICTS.get(code, UNTRIED)
            yield Mutant(name, module, function, was, becomes, verdict, code)


def _plain(mangled: str) -> str:
    """A function's own name, of that of its mutant."""
    return mangled.partition("__mutmut_")[0].rpartition("ǁ")[2].removeprefix("x_")


def _span(lines: Sequence[str], node: ast.FunctionDef) -> Sequence[str]:
    return lines[node.lineno - 1 : node.end_lineno]


def _change(was: Sequence[str], becomes: Sequence[str]) -> tuple[str, str]:
    """The lines that differ."""
    lines = list(unified_diff(was, becomes, n=0, lineterm=""))[2:]
    gone = [line[1:] for line in lines if line.startswith("-")]
    come = [line[1:] for line in lines if line.startswith("+")]
    return " ".join(gone), " ".join(come)


def counted(mutants: Sequence[Mutant]) -> tuple[Counter[str], float]:
    """How many of each verdict, and the percentage that was noticed."""
    counts = Counter(mutant.verdict for mutant in mutants)
    noticed = counts[KILLED] + counts[TIMEOUT]
    return counts, 100 * noticed / len(mutants) if mutants else 100.0
