"""What an .ods says of its sheets that the workbook library doesn't: read from its XML, in pieces.

In: an open file that may be a zip. Out: a `Told` for each sheet by its name (cells that show an
error, formulas without a stored value, hidden rows), or FileError where rows, columns or cells are
repeated so often that the library would lay out more than there is room for, or ValueError where
it says so in a way that can't be followed.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from ozodial.errors import FileError
from ozodial.fillers import ERRORS
from ozodial.models import Told
from ozodial.places import MOST_COLUMNS
from ozodial.unpacking import MOST_TOLD, entries_of, far_out, pieces_of

_MOST_CELLS = 20_000_000
"""A million rows of 16 columns, and a little more."""

_MOST_ALIKE = 65_536
"""So many times the same filled row stands in no list of leads."""

_LONGEST_CELL = 1 << 19
_TOKEN = re.compile(
    rb"<table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])"
    rb"""((?:[^>"'/]++|"[^"]*+"|'[^']*+'|/(?!>))*+)"""
    rb"(/>|></table:(?:covered-)?table-cell>|>)"
    rb"(?:\s*<text:p(?:\s[^>]*)?>([^<]{0,20})</text:p>)?|(</table:table-row>)"
)
_STARTS = (b"<table:", b"</table:table-row>")
_ROWS = re.compile(rb'\btable:number-rows-repeated="(\d{1,12})"')
_COLUMNS = re.compile(rb'\btable:number-columns-repeated="(\d{1,12})"')
_ANY_REPEATED = re.compile(rb"number-(?:rows|columns)-repeated\s*=")
_REPEATED = re.compile(rb'\stable:number-(?:rows|columns)-repeated="\d{1,12}"')
_SPACES = re.compile(rb"""\stext:c\s*=\s*["']([^"']*)""")
_MOST_SPACES = 1 << 26
"""Written as a number, in the whole workbook."""

_NAME = re.compile(rb'table:name="([^"]*)"')
_HIDDEN = re.compile(rb'table:visibility="(?:collapse|filter)"')


@dataclass(slots=True)
class _Seen:
    """A sheet so far; `row` is the number of the row that is read, `again` how often it stands."""

    unvalued: dict[int, list[int]] = field(default_factory=dict)
    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    hidden: int = 0
    row: int = 1
    again: int = 1
    column: int = 0
    filled: int = 0
    widest: int = 0
    is_hidden: bool = False


def look_at_ods(file: BinaryIO, label: str) -> Mapping[str, Told]:
    """The sheets of an .ods by name; nothing where the file is none."""
    entry = {each.filename: each for each in entries_of(file)}.get("content.xml")
    if entry is None:
        return {}
    look, rest = _Look(label), b""
    for piece in pieces_of(file, entry, label):
        text = rest + piece
        cut = max(map(text.rfind, _STARTS))
        if cut <= 0 or len(text) - cut > _LONGEST_CELL:
            cut = text.rfind(b"<")
            if len(text) - cut > _LONGEST_CELL:
                raise ValueError("a piece of its XML is longer than any")
        look.at(text[:cut])
        rest = text[cut:]
    look.at(rest)
    file.seek(0)
    return {
        name: Told(seen.unvalued, seen.errors, seen.hidden) for name, seen in look.sheets.items()
    }


class _Look:
    """One pass over the content, piece by piece."""

    def __init__(self, label: str) -> None:
        self.sheets: dict[str, _Seen] = {}
        self._label = label
        self._sheet = _Seen()
        self._spaces = 0
        self._told = 0

    def at(self, text: bytes) -> None:
        """Take in a piece that ends before a tag."""
        if len(_ANY_REPEATED.findall(text)) != len(_REPEATED.findall(text)):
            raise ValueError("it says how often a cell stands in a way that no program does")
        if b"text:c" in text:
            self._count_spaces(text)
        for tag, attributes, closed, said, ends in _TOKEN.findall(text):
            if ends:
                self._row_ends()
            elif tag == b"table":
                name = _NAME.search(attributes)
                self._sheet = _Seen()
                if name is not None:
                    self.sheets[html.unescape(name[1].decode("utf-8", "replace"))] = self._sheet
            elif tag == b"table-row":
                self._sheet.again = _count(_ROWS, attributes)
                self._sheet.is_hidden = _HIDDEN.search(attributes) is not None
                self._sheet.column = self._sheet.filled = 0
                if closed != b">":
                    self._row_ends()
            else:
                self._cell(attributes, said, is_empty=closed != b">")

    def _count_spaces(self, text: bytes) -> None:
        for number in _SPACES.findall(text):
            if not number.isdigit() or len(number) > 9:
                raise ValueError("it has a number of spaces that is none")
            self._spaces += int(number)
        if self._spaces > _MOST_SPACES:
            raise ValueError("it has more spaces than there is room for")

    def _cell(self, attributes: bytes, said: bytes, *, is_empty: bool) -> None:
        sheet = self._sheet
        many = _count(_COLUMNS, attributes)
        valued = b"office:value-type=" in attributes
        formula = b"table:formula=" in attributes
        if valued or formula or not is_empty:
            sheet.filled = sheet.column + many
            sheet.widest = max(sheet.widest, sheet.filled)
            self._refuse_far()
            if formula:
                shown = html.unescape(said.decode("utf-8", "replace")).strip()
                is_error = b'calcext:value-type="error"' in attributes or shown in ERRORS
                if is_error or not (valued or shown):
                    self._tell(range(sheet.column, sheet.filled), shown if is_error else None)
        sheet.column += many

    def _tell(self, columns: range, error: str | None) -> None:
        """Of these columns in all rows that are alike: the error they show, or no value."""
        sheet = self._sheet
        self._told += sheet.again * len(columns)
        if self._told > MOST_TOLD:
            raise ValueError("more of its formulas have no value than there is room for")
        for row in range(sheet.row, sheet.row + sheet.again):
            if error is not None:
                sheet.errors.setdefault(row, {}).update(dict.fromkeys(columns, error))
            else:
                sheet.unvalued.setdefault(row, []).extend(columns)

    def _row_ends(self) -> None:
        sheet = self._sheet
        sheet.hidden += sheet.again * (sheet.is_hidden and sheet.filled > 0)
        sheet.row += sheet.again

    def _refuse_far(self) -> None:
        """What is empty costs nothing until something stands behind it."""
        sheet = self._sheet
        height = sheet.row + sheet.again - 1
        if sheet.again > _MOST_ALIKE:
            raise FileError(
                f"{self._label} has the same row {sheet.again:,} times.",
                "Delete what stands below the leads, and save it again.",
            )
        if sheet.widest > MOST_COLUMNS or height * sheet.widest > _MOST_CELLS:
            raise far_out(self._label, height, sheet.widest)


def _count(pattern: re.Pattern[bytes], attributes: bytes) -> int:
    found = pattern.search(attributes)
    return int(found[1]) if found is not None else 1
