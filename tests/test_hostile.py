"""Hostile and broken files through the real command: one sentence, exit 3, bounded memory."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import hostile
from tests.command import Desk, command

LIMIT = 2 << 30
"""Of address space: more is a failure, not a machine without memory."""

MIB = 150
"""Of real memory; a command that reads a small file takes about 60."""


# a process counts the memory of the one that it was forked from, and a test runner is large
LAUNCH = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as usage:
    usage.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def run(desk: Desk, *words: str | Path) -> tuple[int, str, float]:
    """Exit code, what was said on stderr, and peak memory in MiB."""
    usage = desk.home / "usage"
    limited = ["sh", "-c", f'ulimit -v {LIMIT >> 10}; exec "$@"', "sh", *command(words)]
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, str(usage), *limited],
        cwd=desk.home,
        env=desk.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.returncode, done.stderr, int(usage.read_text()) / 1024


def refused(desk: Desk, path: Path, says: str, mib: float = MIB) -> None:
    code, said, used = run(desk, "check", path, "--for", "bulk-add")
    assert code == 3, said
    assert says in said
    assert "Traceback" not in said
    assert "panicked" not in said
    assert len([line for line in said.splitlines() if line.startswith("error")]) <= 1
    assert len(said) < 1500
    assert used < mib


def pieces(*parts: tuple[bytes, int]) -> Iterator[bytes]:
    for part, times in parts:
        yield from (part for _ in range(times))


def written(path: Path, *parts: tuple[bytes, int]) -> Path:
    with path.open("wb") as file:
        file.writelines(pieces(*parts))
    return path


MB = 1 << 20
CONTENTS: dict[str, tuple[list[tuple[bytes, int]], str]] = {
    "one line of 200 MB": ([(b"x" * MB, 200)], "a line of more than 16 MB"),
    "one quoted line of 200 MB": ([(b'"', 1), (b"x," * (MB // 2), 200)], "more than 16 MB"),
    "one cell over many lines": ([(b'Mobile\n"', 1), (b"x" * 99 + b"\n", 20_000)], "never closed"),
    "a cell of 200,000 characters": ([(b"Mobile\n", 1), (b"x", 200_000)], "131,072 characters"),
    "NUL bytes": ([(b"Mobile,Name\n", 1), (b"9800100001,\0\n", 9)], "line 2 holds a NUL byte"),
    "nothing but NUL bytes": ([(bytes(MB), 50)], "NUL byte"),
    "nothing but line ends": ([(b"\n" * MB, 3)], "has no rows"),
    "noise": ([(bytes([*range(1, 256)]) * 16, 200)], "is not a text file"),
    "nothing": ([], "is empty"),
    "rows of millions of cells": ([(b"x," * (4 * MB) + b"\n", 3)], "has 4,194,305 cells"),
    "a row of millions of cells": (
        [(b"Mobile\n", 1), (b"x," * (4 * MB) + b"\n", 3)],
        "row 2 has 4,194,305 cells",
    ),
    "a header of 16,384 columns": (
        [(b",".join([b"Column"] * 16_384) + b"\n", 3)],
        "and 16,344 more",
    ),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_text_that_is_no_table(desk: Desk, name: str) -> None:
    parts, says = CONTENTS[name]
    refused(desk, written(desk.home / "leads.csv", *parts), says)


def test_a_wide_row_behind_quotes_is_refused_too(desk: Desk) -> None:
    path = written(desk.home / "leads.csv", (b'"Mobile"\n', 1), (b"x," * (4 * MB) + b"\n", 3))
    refused(desk, path, "row 2 has 4,194,305 cells")


def bomb_by_declared_size(path: Path) -> None:
    hostile.bomb(path, 300)


def bomb_by_real_size(path: Path) -> None:
    hostile.bomb(path, 300)
    hostile.belittle(path)


def far_cell(path: Path) -> None:
    lead = [hostile.text_row(1, "Mobile"), hostile.text_row(2, "9800100001")]
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    hostile.sheet_workbook(path, [*lead, far])


def no_zip(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + os.urandom(5000))


WORKBOOKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a bomb by its declared size": (bomb_by_declared_size, "would unpack to more than"),
    "a bomb by its real size": (bomb_by_real_size, "would unpack to more than"),
    "a cell in the far corner": (far_cell, "1,048,576 rows of 16,384 columns"),
    "a workbook behind a password": (hostile.encrypted, "is protected by a password"),
    "an old workbook in a circle": (hostile.in_a_circle, "follow each other in a circle"),
    "an old workbook whose sheet is nowhere": (hostile.sheet_nowhere, "is not a workbook"),
    "an old workbook with a far cell": (
        lambda path: hostile.old_workbook(path, (0, 0, "Mobile"), (65_000, 60_000, "x")),
        "cells where no sheet has any",
    ),
    "no workbook at all": (no_zip, "is not a workbook"),
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_that_is_not_read(desk: Desk, name: str) -> None:
    make, says = WORKBOOKS[name]
    make(desk.home / "leads.xlsx")
    refused(desk, desk.home / "leads.xlsx", says)


def test_a_folder_a_pipe_and_a_missing_file(desk: Desk) -> None:
    (desk.home / "folder.csv").mkdir()
    os.mkfifo(desk.home / "pipe.csv")
    refused(desk, desk.home / "folder.csv", "is a folder")
    refused(desk, desk.home / "pipe.csv", "is a pipe")
    refused(desk, desk.home / "none.csv", "does not exist")
    refused(desk, Path("/dev/zero"), "is a device")


def test_what_is_large_and_still_a_table_is_read(desk: Desk) -> None:
    wide = ["Mobile", *["Column"] * 16_383]
    rows = [["9800100001", *["x"] * 16_383], ["9800100002", "n" * 32_767, *["x"] * 16_382]]
    text = "\n".join(",".join(row) for row in [wide, *rows]) + "\n"
    path = desk.write("wide.csv", text.replace("Column", "Name", 1))
    code, said, used = run(desk, "check", path, "--for", "bulk-add")
    assert (code, said) == (0, "")
    assert used < MIB
