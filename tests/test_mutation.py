"""The mutation report: what it promises, and reasons that still speak of lines that are there."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ozodial
from tests.mutation.report import REPORT, reasons
from tests.mutation.rooms import ROOMS
from tests.mutation.unwrap import unwrapped

TESTS = Path(__file__).parent
PACKAGE = Path(ozodial.__file__).parent
MODULES = sorted({module for room in ROOMS.values() for module in room.modules})
MUST = {"interpret", "validate", "ledger", "pacing", "batching"}
LEAST = 85.0

DECORATED = """
import functools
from contextlib import contextmanager

def twice(work):
    return lambda *given: work(*given) * 2

def add(number):
    return lambda work: lambda *given: work(*given) + number

class Thing:
    size = 3

    @property
    def double(self):
        return self.size * 2

    @classmethod
    def new(cls):
        return cls()

    @twice
    @add(  # of several lines
        1
    )
    def much(self, more):
        return self.size + more

@contextmanager
def opened():
    yield "open"

@functools.lru_cache(maxsize=2)
def cached(text):
    return text.upper()
"""


def functions(module: str) -> Iterator[tuple[str, str]]:
    """Every function with its lines as one text, as reasons quote them."""
    source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    lines = [line.strip() for line in source.splitlines()]
    for node in ast.parse(source).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for member in members:
            if isinstance(member, ast.FunctionDef):
                whole = " ".join(lines[member.lineno - 1 : member.end_lineno])
                yield f"{module}.{before}{member.name}", whole


def test_a_function_without_its_decorator_is_the_same() -> None:
    source = unwrapped(DECORATED)
    assert [line for line in source.splitlines() if line.strip().startswith("@")] == [
        "    @classmethod"
    ]
    made: dict[str, object] = {}
    exec(source, made)
    ask = (
        "(Thing().double, Thing.new().much(4), list(map(cached, 'ab')), cached.cache_info().misses)"
    )
    assert eval(ask, made) == (6, 16, ["A", "B"], 2)
    exec("with opened() as found: assert found == 'open'", made)


@pytest.mark.parametrize("module", MODULES)
def test_every_mutated_module_can_be_written_so(module: str) -> None:
    source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    left = [
        decorator
        for node in ast.walk(ast.parse(unwrapped(source)))
        if isinstance(node, ast.FunctionDef)
        for decorator in map(ast.unparse, node.decorator_list)
    ]
    assert set(left) <= {"classmethod", "staticmethod"}


def test_every_reason_is_about_a_line_that_is_there() -> None:
    known = {name: whole for module in MODULES for name, whole in functions(module)}
    lost = [
        (function, change)
        for function, change in reasons()
        if change.partition(" => ")[0] not in known.get(function, "")
    ]
    assert lost == []
    assert all(reasons().values())


def test_the_report_keeps_what_was_asked_for() -> None:
    report = REPORT.read_text(encoding="utf-8")
    found = re.findall(r"^\| (\w+) \| `?(\w*)`? \|.*\| ([\d.]+) % \|$", report, re.MULTILINE)
    scores = {module or room: float(score) for room, module, score in found}
    assert scores.keys() >= MUST
    assert {name: score for name, score in scores.items() if score < LEAST} == {}
    assert ": ?\n" not in report


def test_the_tests_of_each_room_are_there() -> None:
    named = {test for room in ROOMS.values() for test in room.tests}
    assert [test for test in named if not (TESTS / f"test_{test}.py").exists()] == []
    assert "mutmut" not in sys.modules  # it is an extra: nothing but the command itself needs it
