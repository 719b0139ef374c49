"""A file as rows of text: CSV here, workbooks in `workbook`.

In: a path, or "-" for stdin. Out: a `Source` (what the file is, and its SHA-256), then a `Sheet` of
rows, each with the number that a spreadsheet shows. Text files stream; blank lines are counted and
passed over (rows of empty cells may come: `prepare` passes over those). It never guesses a cell's
type, never follows the path a second time, and never shows a traceback for a broken file: all of
that is `FileError`.
"""

import codecs
import csv
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ozodial.delimited import Shape, detect
from ozodial.errors import FileError
from ozodial.formula import unguarded
from ozodial.models import NOTHING_TOLD, BrokenRow, Chunk, Row, Told
from ozodial.places import MOST_COLUMNS
from ozodial.quotes import quoted_rows, too_long

if TYPE_CHECKING:
    from ozodial.workbook import Book

STDIN = "-"

CHUNK_CHARACTERS = 1 << 15
"""Of rows that are worked on at once: some hundreds, and few where they are long."""

_CHUNK = 1 << 20
_HEAD = 1 << 16
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NOT_TABLES = (
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database"),
)
_JSON = re.compile(rb'\s*(?:\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:')
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<head", b"<meta")


class Kind(StrEnum):
    """How a source is read."""

    CSV = "csv"
    WORKBOOK = "workbook"


@dataclass(frozen=True, slots=True)
class Source:
    """An open file: the name to show, its content's SHA-256, and how it is to be read.

    `shape` is how text is to be read, None for a workbook.
    `stamp` is its size and modification time at opening, to notice a change while it is read.
    """

    label: str
    sha256: str
    kind: Kind
    file: BinaryIO
    stamp: tuple[int, int]
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one table, in chunks; `name` is the workbook sheet that was taken.

    `expected` is about how many rows there are, for a progress bar and for tables of that size;
    `told` is what a workbook says of the sheet beside its cells.
    """

    name: str | None
    chunks: Iterator[Chunk]
    expected: int
    told: Told = NOTHING_TOLD

    @property
    def rows(self) -> Iterator[Row]:
        """The rows one by one; whoever takes some has taken them from `chunks` too."""
        return (Row(*row) for chunk in self.chunks for row in zip(*chunk, strict=True))


@contextmanager
def open_source(
    path: str, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[Source]:
    """Open a file, or stdin for "-", and learn what it is in one pass over its bytes.

    `encoding` and `delimiter` are a person's, for text. Raises FileError when the file is
    missing, empty, not a plain file, or not a table.
    """
    label = "stdin" if path == STDIN else Path(path).name
    with _spooled() if path == STDIN else _opened(path) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise FileError(f"{path} is {_sort(found.st_mode)}, not a file.", _not_a_file(path))
        if found.st_size == 0:
            raise FileError(f"{label} is empty.", "Export the leads again, with a header row.")
        kind = _kind(file.read(_HEAD), label)
        file.seek(0)
        if kind is Kind.WORKBOOK:
            sha256, shape = _sha256(file), None
        else:
            sha256, shape = detect(file, label, encoding, delimiter)
        file.seek(0)
        yield Source(label, sha256, kind, file, (found.st_size, found.st_mtime_ns), shape)


def read(
    source: Source,
    sheet: str | None = None,
    fits: Callable[[Sequence[str]], bool] | None = None,
) -> Sheet:
    """The rows of a source; `sheet` names a workbook's sheet.

    By default it is the first visible one with a row near its top whose cells fit, or else with
    any data.

    The rows raise FileError at a line that can't be read, or if the file changed meanwhile.
    """
    if source.shape is None:
        from ozodial.workbook import read_workbook

        book = read_workbook(source.file, source.label, sheet, fits)
        return Sheet(book.name, _book_chunks(book, source), book.height, book.told)
    if sheet is not None:
        raise FileError(f"{source.label} is a text file and has no sheets.", "Leave out --sheet.")
    expected = int(source.stamp[0] / source.shape.bytes_a_row)
    chunks_of_rows = _not_too_wide(_csv_chunks(source, source.shape), source.label)
    return Sheet(None, chunks_of_rows, expected)


def _csv_chunks(source: Source, shape: Shape) -> Iterator[Chunk]:
    source.file.seek(0)
    text = TextIOWrapper(source.file, encoding=shape.encoding, newline="")
    try:
        if shape.skip:
            next(text)
        if shape.quoted:
            rows = quoted_rows(text, shape.delimiter, source.label, first=2 if shape.skip else 1)
            yield from chunks(map(_unguarded, rows) if shape.guarded else rows)
        else:
            plain = _plain(text, source, shape)
            yield from map(_unguarded_chunk, plain) if shape.guarded else plain
    finally:
        with suppress(ValueError):  # closed already: the rows were never read to their end
            text.detach()
    _refuse_changed(source)


def _not_too_wide(chunks: Iterator[Chunk], label: str) -> Iterator[Chunk]:
    for chunk in chunks:
        if chunk.rows and max(map(len, chunk.rows)) > MOST_COLUMNS:
            number, cells = next(
                (number, len(row))
                for number, row in zip(*chunk, strict=True)
                if len(row) > MOST_COLUMNS
            )
            message = f"{label}: row {number} has {cells:,} cells."
            hint = f"A spreadsheet's row holds {MOST_COLUMNS:,} at most: export the leads again."
            raise FileError(message, hint)
        yield chunk


def _plain(text: TextIOWrapper, source: Source, shape: Shape) -> Iterator[Chunk]:
    """Without quotes a line is a row, so lines can be taken in numbers."""
    number = 0
    while lines := text.readlines(CHUNK_CHARACTERS):
        reader = csv.reader(lines, delimiter=shape.delimiter, strict=True)
        try:
            rows = list(reader)
        except csv.Error:
            raise too_long(source.label, number + reader.line_num + shape.skip) from None
        numbers = range(number + 1, number + len(rows) + 1)
        number += len(rows)
        yield Chunk(numbers, rows) if all(rows) else _without_blank(numbers, rows)


def _without_blank(numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> Chunk:
    filled = list(map(bool, rows))
    return Chunk(list(compress(numbers, filled)), list(compress(rows, filled)))


def chunks(rows: Iterable[Row]) -> Iterator[Chunk]:
    """Rows that come one by one, in chunks; blank ones are passed over."""
    numbers: list[int] = []
    cells: list[Sequence[str]] = []
    size = 0
    for number, row in rows:
        if row:
            numbers.append(number)
            cells.append(row)
            size += len(row) + sum(map(len, row))
            if size > CHUNK_CHARACTERS:
                yield Chunk(numbers, cells)
                numbers, cells, size = [], [], 0
    if cells:
        yield Chunk(numbers, cells)


def _unguarded_chunk(chunk: Chunk) -> Chunk:
    return Chunk(chunk.numbers, [_unguarded_cells(cells) for cells in chunk.rows])


def _unguarded(row: Row) -> Row:
    """A row of an export of ours, as it was before."""
    return Row(row.number, _unguarded_cells(row.cells))


def _unguarded_cells(cells: Sequence[str]) -> Sequence[str]:
    plain = list(map(unguarded, cells))
    return BrokenRow(plain, cells.why) if isinstance(cells, BrokenRow) else plain


def _book_chunks(book: "Book", source: Source) -> Iterator[Chunk]:
    yield from book.chunks
    _refuse_changed(source)


def _refuse_changed(source: Source) -> None:
    now = os.fstat(source.file.fileno())
    if (now.st_size, now.st_mtime_ns) != source.stamp:
        raise FileError(
            f"{source.label} changed while it was read.", "Wait until it is saved, then run again."
        )


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - closed below
    except FileNotFoundError:
        raise FileError(f"{path} does not exist.", f"Look in {_folder(path)}.") from None
    except IsADirectoryError:
        raise FileError(f"{path} is a folder, not a file.", _not_a_file(path)) from None
    except PermissionError:
        raise FileError(f"{path} can't be read: no permission.", f"chmod u+r {path}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        hint = "Copy the file to a folder of this machine, and name the copy."
        raise FileError(f"{path!r} can't be opened: {why}.", hint) from None
    with file:
        yield file


def _without_waiting(path: str, flags: int) -> int:
    # A FIFO without a writer would hang in open().
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def _spooled() -> Iterator[BinaryIO]:
    if sys.stdin is None:
        raise FileError("stdin is closed.", "Give a file, or pipe the leads in.")
    with tempfile.TemporaryFile() as file:
        try:
            shutil.copyfileobj(sys.stdin.buffer, file, _CHUNK)
        except OSError as error:
            message = f"stdin can't be read: {error.strerror}."
            raise FileError(message, "Give the file's name instead.") from None
        file.flush()
        file.seek(0)
        yield file


def _kind(head: bytes, label: str) -> Kind:
    if head.startswith((_ZIP, _OLE)):
        return Kind.WORKBOOK
    for magic, name in _NOT_TABLES:
        if head.startswith(magic):
            raise FileError(f"{label} is {name}, not a table.", "Give a CSV file or a workbook.")
    text = head.removeprefix(codecs.BOM_UTF8)
    if _JSON.match(text):
        raise FileError(
            f"{label} is JSON, not a table.",
            "Give a CSV file or a workbook; a run's: ozodial runs export RUN leads.csv",
        )
    if text.lstrip()[:12].lower().startswith(_MARKUP):
        raise FileError(
            f"{label} is a web page or XML under another name, not a table.",
            "Open it in a spreadsheet and save it as .xlsx or .csv.",
        )
    return Kind.CSV


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _sort(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device"


def _not_a_file(path: str) -> str:
    where = f"a file in {path}" if Path(path).is_dir() else "a file"
    return f"Name {where}, or pipe the content in and write - for FILE."


def _folder(path: str) -> str:
    parent = Path(path).parent
    return "this folder" if str(parent) == "." else str(parent)
