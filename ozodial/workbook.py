"""A workbook's sheet as rows of text: .xlsx, .xlsm, .xlsb, .xls and .ods through python-calamine.

In: an open binary file. Out: a `Book`: the sheet that was taken and its rows, every cell as the
text that a person sees, every row with its number in the sheet. Hidden sheets are passed over
unless they are named; hidden rows and columns are read like all others. It never evaluates a
formula: the stored value counts, and an error as the word that the cell shows. The whole sheet is
held in memory.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from itertools import chain, compress, islice
from typing import TYPE_CHECKING, BinaryIO

from ozodial.biff import is_compound, look_at_xls
from ozodial.errors import FileError
from ozodial.models import Chunk, Told
from ozodial.odsxml import look_at_ods
from ozodial.sheetxml import look_at
from ozodial.shown import shown
from ozodial.unpacking import entries_of, is_locked, refuse_bomb
from ozodial.xlsbin import look_at_xlsb
from ozodial.xmlparts import refuse_broken_parts

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook, SheetMetadata

Cell = int | float | str | bool | time | date | datetime | timedelta

HEAD_ROWS = 25
"""How far down a header row is looked for, below titles and notes."""

_EXCEL_DIGITS = 15
_EXACT = 10**_EXCEL_DIGITS
_STDERR = 2

_AT_ONCE = 4096
"""Cells that are turned into text at once."""

_TEXT = {str}


@dataclass(frozen=True, slots=True)
class Book:
    """The sheet that was taken: its name, its rows and about how many they are; what is told."""

    name: str
    chunks: Iterator[Chunk]
    height: int
    told: Told


Fits = Callable[[Sequence[str]], bool]
"""Whether a row's cells tell that its sheet is the one that is meant."""


def read_workbook(file: BinaryIO, label: str, sheet: str | None, fits: Fits | None = None) -> Book:
    """The sheet of that name; else the first visible one with a row that fits near its top.

    Where no sheet has one, the first visible one with data.
    """
    refuse_bomb(file, label)
    known = _looked_at(file, label)
    book = _opened(file, label)
    metadata = [entry for entry in book.sheets_metadata if _is_worksheet(entry)]
    names = [entry.name for entry in metadata]
    visible = [entry.name for entry in metadata if _is_visible(entry)]

    def taken(name: str) -> tuple[Book, list[Sequence[str]]]:
        with _readable(label), _silent():
            told = known[name] if name in known else look_at(file, label, name)
            found = book.get_sheet_by_name(name)
        chunks = _chunks(found, label, told.texts)
        first: list[Chunk] = []
        while sum(len(chunk.rows) for chunk in first) < HEAD_ROWS and (some := next(chunks, None)):
            first.append(some)
        head = [row for chunk in first for row in chunk.rows][:HEAD_ROWS]
        told = replace(told, others=tuple(other for other in visible if other != name))
        return Book(name, chain(first, chunks), found.total_height, told), head

    if sheet is not None:
        return taken(_asked_for(names, sheet, label))[0]
    first = None
    for name in visible:
        found, head = taken(name)
        if head and (fits is None or any(map(fits, head))):
            return found
        first = first or (name if head else None)
    if first is None:
        message = f"{label} has no visible sheet with data."
        raise FileError(message, "Name a hidden one with --sheet.")
    return taken(first)[0]


def cell_text(cell: Cell) -> str:
    """A cell as a person sees it: no `.0`, dates as YYYY-MM-DD, their time only if there is one."""
    if isinstance(cell, datetime):
        whole = _whole_second(cell) if cell.microsecond else cell
        return whole.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < _EXACT:
            return str(int(cell))
        # Excel itself shows 15 digits; what has more has lost them already.
        text = f"{cell:.{_EXCEL_DIGITS}g}"
        return text.upper() if "e" in text else text
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(cell, time):
        return _whole_second(datetime.combine(date.min, cell)).time().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _whole_second(moment: datetime) -> datetime:
    # Excel keeps times as fractions of a day: 15:30 may come back as 15:29:59.997.
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)


def _chunks(
    sheet: "CalamineSheet", label: str, told: Mapping[int, Mapping[int, str]]
) -> Iterator[Chunk]:
    """The sheet's rows, save those that are blank."""
    # The library leaves out empty columns before the first filled one; cells keep their letters.
    ahead = sheet.start[1] if sheet.start is not None else 0
    at_once = max(1, _AT_ONCE // max(1, sheet.total_width))
    number = 1
    with _readable(label):
        cells = sheet.iter_rows()
        while some := list(islice(cells, at_once)):
            numbers = range(number, number + len(some))
            number += len(some)
            rows = _texts(some, ahead)
            for row in told.keys() & numbers if told else ():
                rows[row - numbers[0]] = _with_told(rows[row - numbers[0]], told[row])
            filled = [_is_filled(row) for row in rows]
            if all(filled):
                yield Chunk(numbers, rows)
            elif any(filled):
                yield Chunk(list(compress(numbers, filled)), list(compress(rows, filled)))
    if below := sorted(row for row in told if row >= number):
        yield Chunk(below, [_with_told((), told[row]) for row in below])


def _with_told(cells: Sequence[str], told: Mapping[int, str]) -> Sequence[str]:
    """For the library such a cell is empty, or there is none."""
    texts = [*cells, *[""] * (max(told) + 1 - len(cells))]
    for column, text in told.items():
        texts[column] = text
    return texts


def _texts(rows: Sequence[Sequence[Cell]], ahead: int) -> list[Sequence[str]]:
    """Cells as text, column by column: most columns are text from top to bottom."""
    columns: list[Sequence[str]] = [("",) * len(rows)] * ahead
    for column in zip(*rows, strict=True):
        if set(map(type, column)) == _TEXT:
            columns.append(column)
        else:
            columns.append([cell if type(cell) is str else cell_text(cell) for cell in column])
    return list(zip(*columns, strict=True))


def _is_filled(row: Sequence[str]) -> bool:
    return bool(row) and (" " < row[0] < "\x7f" or any(map(str.strip, row)))


def _looked_at(file: BinaryIO, label: str) -> Mapping[str, Told]:
    """What an .xls, .xlsb or .ods says of its sheets, before the library follows it without end."""
    try:
        if not is_compound(file):
            refuse_broken_parts(file, label)
            return look_at_xlsb(file, entries_of(file), label) or look_at_ods(file, label)
        sheets, since_1904 = look_at_xls(file)
    except ValueError as error:
        raise (_locked(label) if is_locked(file) else _unreadable(label, error)) from None
    finally:
        file.seek(0)
    return {
        name: Told({}, seen.errors, seen.hidden, (), since_1904) for name, seen in sheets.items()
    }


def _opened(file: BinaryIO, label: str) -> "CalamineWorkbook":
    from python_calamine import load_workbook

    try:
        with _readable(label), _silent():
            return load_workbook(file)
    except FileError:
        if is_locked(file):
            raise _locked(label) from None
        raise


def _is_worksheet(entry: "SheetMetadata") -> bool:
    from python_calamine import SheetTypeEnum

    return entry.typ == SheetTypeEnum.WorkSheet


def _is_visible(entry: "SheetMetadata") -> bool:
    from python_calamine import SheetVisibleEnum

    return entry.visible == SheetVisibleEnum.Visible


def _asked_for(names: list[str], wanted: str, label: str) -> str:
    name = _named(names, wanted)
    if name is None:
        listed = ", ".join(shown(name) for name in names) or "none"
        raise FileError(
            f"{label} has no sheet {shown(wanted)}; its sheets: {listed}.",
            f'--sheet "{_nearest(names, wanted)}"' if names else None,
        )
    return name


def _nearest(names: list[str], wanted: str) -> str:
    folded = {name.strip().casefold(): name for name in reversed(names)}
    close = get_close_matches(wanted.strip().casefold(), folded, 1)
    return folded[close[0]] if close else names[0]


def _named(names: list[str], wanted: str) -> str | None:
    if wanted in names:
        return wanted
    alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    return alike[0] if len(alike) == 1 else None


@contextmanager
def _readable(label: str) -> Iterator[None]:
    """Any failure of the workbook library as one sentence."""
    from python_calamine import CalamineError, PasswordError

    try:
        yield
    except PasswordError:
        raise _locked(label) from None
    except (CalamineError, OSError, ValueError) as error:
        raise _unreadable(label, error) from None
    except BaseException as error:
        # What the library's Rust side did not foresee derives from BaseException.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(label, error) from None


@contextmanager
def _silent() -> Iterator[None]:
    """What the library's Rust side did not foresee, it writes to stderr before it says so."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # closed
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(null)


def _locked(label: str) -> FileError:
    return FileError(f"{label} is protected by a password.", "Save a copy without a password.")


def _unreadable(label: str, error: BaseException) -> FileError:
    return FileError(
        f"{label} is not a workbook that can be read ({error}).",
        "Open it in a spreadsheet and save it as .xlsx.",
    )
