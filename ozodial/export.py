"""A run's rows as a file: the original columns untouched, then what became of each row.

A header and an iterator of rows go in, a .csv, .xlsx or .jsonl file comes out, row by row: a
million take no more memory than one. It is written beside its target and put in its place only when
whole, readable by its owner alone. Never guesses types: all is text, so no phone loses a digit.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ozodial.errors import UsageError
from ozodial.fixes import fix_for
from ozodial.formula import guarded
from ozodial.outfile import check_place, is_ours, written_whole
from ozodial.places import MOST_ROWS

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

ADDED = ("ozodial_row", "ozodial_status", "ozodial_reason", "ozodial_message", "ozodial_fix")
"""Our columns; those that an earlier export added give way to the new ones."""

_CELL_CHARACTERS = 32_767
_HEADER_BYTES = 1 << 20


class ExportRow(NamedTuple):
    """One row: its number, its cells as they were read, and what became of it."""

    row: int
    cells: Sequence[str]
    status: str
    reason: str | None
    message: str | None


class _Layout(NamedTuple):
    """Which of the file's columns are kept. Cells beyond the header come after ours, never lost."""

    header: tuple[str, ...]
    kept: tuple[int, ...]

    @property
    def names(self) -> list[str]:
        return [*(self.header[index] for index in self.kept), *ADDED]

    def cells(self, row: ExportRow) -> list[str]:
        own = [row.cells[index] if index < len(row.cells) else "" for index in self.kept]
        fix = fix_for(row.status, row.reason)
        added = [str(row.row), str(row.status), str(row.reason or ""), row.message or "", fix]
        return [*own, *added, *row.cells[len(self.header) :]]


_Writer = Callable[[Path, _Layout, Iterable[ExportRow]], int]


def export(path: Path, header: Sequence[str], rows: Iterable[ExportRow]) -> int:
    """Write the rows to `path`, in the form its suffix names, and return how many there were.

    Raises UsageError, and leaves whatever stood there, if the file can't be written.
    """
    write = _writer(path)
    check_target(path)
    kept = tuple(i for i, name in enumerate(header) if name.strip().casefold() not in ADDED)
    with written_whole(path) as temporary:
        count = write(temporary, _Layout(tuple(header), kept), rows)
    return count


def check_target(path: Path) -> None:
    """Raise UsageError if `path` can't become an export; cheap enough to ask before a run.

    A file that stands there is replaced only if it is an earlier export, or empty.
    """
    _writer(path)
    check_place(path, "results.csv")
    if not is_ours(path, _first_line_is_ours):
        other = path.with_stem(f"{path.stem}-ozodial")
        raise UsageError(
            f"{path} exists and is not an earlier export; it is left as it is.",
            f"name another file, such as {other}, or move {path} away",
        )


def _first_line_is_ours(path: Path) -> bool:
    mark = ADDED[1].encode()
    if path.suffix.lower() != ".xlsx":
        with path.open("rb") as file:
            return mark in file.readline(_HEADER_BYTES)
    try:
        with zipfile.ZipFile(path) as book:
            # as we write it, and as a spreadsheet program does
            names = {"xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"} & set(book.namelist())
            return any(mark in _beginning(book, name) for name in names)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


def _beginning(book: zipfile.ZipFile, name: str) -> bytes:
    with book.open(name) as part:
        return part.read(_HEADER_BYTES)


def _writer(path: Path) -> _Writer:
    writers: dict[str, _Writer] = {".csv": _csv, ".xlsx": _xlsx, ".jsonl": _jsonl}
    try:
        return writers[path.suffix.lower()]
    except KeyError:
        known = ", ".join(writers)
        raise UsageError(
            f"{path}: what to write is told by the suffix: {known}",
            f"name the file {path.with_suffix('.csv')}",
        ) from None


def _csv(path: Path, layout: _Layout, rows: Iterable[ExportRow]) -> int:
    """UTF-8 with a byte order mark, without which Excel takes it for something else."""
    count = 0
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        # With "\n" alone the module would leave a lone "\r" in a cell unquoted, and break the row.
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(map(guarded, layout.names))
        for count, row in enumerate(rows, 1):  # noqa: B007 - the count is the result
            writer.writerow(map(guarded, layout.cells(row)))
    return count


def _jsonl(path: Path, layout: _Layout, rows: Iterable[ExportRow]) -> int:
    count = 0
    names = list(_distinct(layout.names[: -len(ADDED)]))
    width = len(layout.header)
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        for count, row in enumerate(rows, 1):  # noqa: B007 - the count is the result
            cells = layout.cells(row)
            record: dict[str, str | int | None] = dict(zip(names, cells, strict=False))
            beyond = cells[len(names) + len(ADDED) :]
            record.update({f"column {width + i}": cell for i, cell in enumerate(beyond, 1)})
            fix = fix_for(row.status, row.reason) or None
            values = (row.row, str(row.status), row.reason and str(row.reason), row.message, fix)
            record.update(zip(ADDED, values, strict=True))
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return count


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """A JSON object can't hold a name twice, or a column without one."""
    seen: set[str] = set()
    for index, name in enumerate(names, 1):
        unique = name or f"column {index}"
        number = 1
        while unique in seen:
            number += 1
            unique = f"{name or f'column {index}'} ({number})"
        seen.add(unique)
        yield unique


def _xlsx(path: Path, layout: _Layout, rows: Iterable[ExportRow]) -> int:
    """Every cell a text cell in text format, so that Excel keeps what is typed over it, too."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    try:
        sheet = book.add_worksheet("rows")
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"num_format": "@", "bold": True})
        sheet.set_column(0, len(layout.names) - 1, 18, text)
        sheet.freeze_panes(1, 0)
        count = 0
        _sheet_row(sheet, 0, layout.names, bold)
        for count, row in enumerate(rows, 1):
            if count >= MOST_ROWS:
                raise UsageError(
                    f"{path}: a workbook holds {MOST_ROWS - 1} rows and there are more",
                    "write a .csv file",
                )
            _sheet_row(sheet, count, layout.cells(row), text)
    finally:
        book.close()
    return count


def _sheet_row(sheet: "Worksheet", index: int, cells: Sequence[str], style: "Format") -> None:
    for column, cell in enumerate(map(_fitting, cells)):
        if cell.startswith("<r>") and cell.endswith("</r>"):
            # The library takes such text for its own XML, unless it comes in runs.
            sheet.write_rich_string(index, column, cell[:1], style, cell[1:], style)
        elif cell:
            sheet.write_string(index, column, cell, style)


def _fitting(cell: str) -> str:
    """What a workbook can hold: no lone surrogates, and 32,767 characters as UTF-16 counts them."""
    if not cell.isascii():
        cell = cell.encode("utf-8", "replace").decode("utf-8")
    if 2 * len(cell) > _CELL_CHARACTERS:
        cell = cell.encode("utf-16-le")[: 2 * _CELL_CHARACTERS].decode("utf-16-le", "ignore")
    return cell
