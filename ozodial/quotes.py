"""CSV rows of a file with quotes, read so that a wrong quote is found and never swallows rows.

In: the lines of a text. Out: its rows. A quote that goes wrong within one line spoils that row
alone: it comes as `BrokenRow`, its cells as they stand in the file. One that takes in the lines
below is a `FileError` that names them, since nobody knows then where a row begins.
"""

import csv
from collections.abc import Iterable, Iterator

from ozodial.errors import FileError
from ozodial.models import BrokenRow, Row

_HINT = 'Write a quote inside a cell twice (""), or export the file again.'
_PHONE_DIGITS = range(10, 16)
_LONGEST_FIELD = 40


def quoted_rows(lines: Iterable[str], delimiter: str, label: str, first: int = 1) -> Iterator[Row]:
    """All rows, blank ones too; `first` is the number of the first line in the file."""
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    number, begins, width = 0, first, 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            ends = first - 1 + reader.line_num
            if ends > begins or "field larger" in str(error):
                raise _broken(label, begins, ends, str(error)) from None
            why = f"a quote in line {begins} closes in the middle of a cell, or never"
            cells = BrokenRow(source.last.rstrip("\r\n").split(delimiter), why)
        ends = first - 1 + reader.line_num
        if ends > begins and width > 1 and swallows(cells, delimiter, width):
            raise _swallowed(label, begins, ends)
        width = width or len(cells)
        begins = ends + 1
        yield Row(number, cells)


class _Lines:
    """The lines, and which was the last."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._next = iter(lines).__next__
        self.last = ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.last = self._next()
        return line


def swallows(cells: list[str], delimiter: str, width: int) -> bool:
    """Whether a line inside a cell looks like a row: as wide as one, and with a phone."""
    for place, cell in enumerate(cells):
        if "\n" not in cell and "\r" not in cell:
            continue
        lines = cell.splitlines()
        for line in lines[1:]:
            fields = line.split(delimiter)
            # The last line goes on in the cells behind.
            wide = len(fields) + (len(cells) - place - 1 if line is lines[-1] else 0)
            if wide >= width and len(fields) > 1 and any(map(_is_phone_like, fields)):
                return True
    return False


def _is_phone_like(field: str) -> bool:
    if len(field) > _LONGEST_FIELD or any(char.isalpha() for char in field):
        return False
    return sum(char.isdigit() for char in field) in _PHONE_DIGITS and ":" not in field


def _swallowed(label: str, begins: int, ends: int) -> FileError:
    return FileError(
        f"{label}: a quote that opens in line {begins} takes in the rows up to line {ends}.", _HINT
    )


def _broken(label: str, begins: int, ends: int, error: str) -> FileError:
    where = f"line {begins}" if ends <= begins else f"lines {begins} to {ends}"
    if "field larger" in error and ends <= begins:
        return too_long(label, begins)
    if "field larger" in error or "unexpected end" in error:
        what = f"a quote that opens in line {begins} is never closed"
    elif "expected after" in error:
        what = f"a quote in {where} closes in the middle of a cell"
    else:
        what = f"{where} can't be read ({error})"
    return FileError(f"{label}: {what}.", _HINT)


def too_long(label: str, line: int) -> FileError:
    """A cell that no spreadsheet can hold."""
    most = csv.field_size_limit()
    return FileError(
        f"{label}: line {line} holds a cell of more than {most:,} characters.",
        "A spreadsheet's cell holds 32,767 at most: export the file again.",
    )
