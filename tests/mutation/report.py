"""The rooms' verdicts as `MUTATION.md`, with a reason for every mutant that survives."""

import json
import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from tests.mutation.workshop import KILLED, SURVIVED, TIMEOUT, UNTRIED, Mutant, counted

REPORT = Path(__file__).parents[1] / "MUTATION.md"
REASONS = Path(__file__).with_name("reasons.toml")

ALIVE = (SURVIVED, UNTRIED)
"""What wants a reason: untried is also where mutmut could not say how the tests ended."""

Found = Mapping[str, Sequence[Mutant]]


def reasons() -> dict[tuple[str, str], str]:
    """By `Mutant.key`."""
    tables = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return {
        (function, change): why
        for function, table in tables.items()
        for change, why in table.items()
    }


def unexplained(found: Found) -> list[str]:
    """Survivors without a reason, as they would stand in `reasons.toml`."""
    known = reasons()
    alive = {m.key for mutants in found.values() for m in mutants if m.verdict in ALIVE}
    lines: list[str] = []
    for function, keys in groupby(sorted(alive - known.keys()), key=lambda key: key[0]):
        lines.append(f"[{json.dumps(function)}]")
        lines += [f'{json.dumps(change, ensure_ascii=False)} = ""' for _, change in keys]
    return lines


def report(found: Found) -> str:
    """The whole file."""
    every = [mutant for mutants in found.values() for mutant in mutants]
    lines = [
        "# Mutation testing",
        "",
        f"Written by `python -m tests.mutation` (mutmut {version('mutmut')}, Python "
        f"{platform.python_version()}). Each mutant is one change in one",
        "function, cached and decorated ones included; tables and SQL at a module's top are not "
        "mutated. A timeout is noticed, too.",
        "",
        "| room | module | mutants | killed | timeout | survived | untried | score |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for room, mutants in found.items():
        for module, some in groupby(mutants, key=lambda mutant: mutant.module):
            lines.append(_row(room, f"`{module}`", list(some)))
    lines += [_row("all", "", every), ""]
    if missing := [name for name, mutants in found.items() if not mutants]:
        lines += [f"Not tried in this run: {', '.join(missing)}.", ""]
    lines += ["## Survivors", ""]
    return "\n".join([*lines, *_survivors(every)]) + "\n"


def _row(room: str, module: str, mutants: Sequence[Mutant]) -> str:
    counts, score = counted(mutants)
    verdicts = [counts[verdict] for verdict in (KILLED, TIMEOUT, SURVIVED, UNTRIED)]
    cells = [len(mutants), *verdicts, f"{score:.1f} %"]
    return f"| {room} | {module} | " + " | ".join(map(str, cells)) + " |"


def _survivors(mutants: Sequence[Mutant]) -> Iterator[str]:
    known = reasons()
    alive = [mutant for mutant in mutants if mutant.verdict in ALIVE]
    for function, some in groupby(alive, key=lambda mutant: mutant.key[0]):
        yield from (f"### `{function}`", "")
        for mutant in some:
            yield f"- {_code(mutant.was)} → {_code(mutant.becomes)}: {known.get(mutant.key, '?')}"
        yield ""


def _code(text: str) -> str:
    return f"`` {text} ``" if text else "nothing"
