"""What an .xlsb says of its sheets that the workbook library doesn't: from its binary records.

In: an open file that may be a zip. Out: a `Told` for each sheet by its name (cells that show an
error or a formatted text, hidden rows, where day numbers count from). FileError where the library
would lay out more cells or texts than there is room for; ValueError for records that make no sense.
"""

import re
import struct
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from ozodial.biff import ERRORS
from ozodial.models import Told
from ozodial.places import MOST_COLUMNS, MOST_ROWS
from ozodial.sheetxml import targets_in
from ozodial.unpacking import far_out, pieces_of

_BOOK, _RELATIONS = "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_TEXTS, _STYLES = "xl/sharedStrings.bin", "xl/styles.bin"
_SHEETS = ("xl/worksheets/", "xl/chartsheets/", "xl/dialogsheets/")

_ODD_PART = re.compile(rb"""sheets/[^"'<>]*(?:&|[.]rels)""")

_MOST_CELLS = 100_000_000
_MOST_SPARSE = 10_000_000
"""Places for cells where hardly any is filled."""

_MOST_BYTES = 1 << 30
"""Of text in a sheet: a shared text is copied for each cell that shows it, a formatted one kept."""
_MOST_FORMATTED = 50_000
"""Cells of a workbook that are written out with formats of their own; programs share such texts."""

_LONGEST = 16 << 20
"""Bytes of a record; a cell's text has 65,534 at most."""

# Records of an .xlsb: [MS-XLSB] 2.3.2 and 2.4.
_ROW, _BLANK, _ERROR, _SHARED, _FORMULA_ERROR = 0, 1, 3, 7, 11
_TEXT, _FORMATTED, _DIMENSION, _BOOK_SETTINGS, _BUNDLED = 19, 62, 148, 153, 156
_SHORTEST = dict(enumerate((12, 8, 12, 9, 9, 16, 12, 12, 12, 16, 9, 9))) | {_FORMATTED: 9}
"""The least bytes of a row's head and of each kind of cell."""

_HIDDEN = 0x10
_ERRORS = ERRORS | {0x2B: "#GETTING_DATA"}
_PLACE, _SPAN = struct.Struct("<I"), struct.Struct("<IIII")


@dataclass(slots=True)
class _Seen:
    """A sheet so far; rows and columns count from 0, `bytes` are of shared and formatted texts."""

    texts: dict[int, dict[int, str]] = field(default_factory=dict)
    formatted: int = 0
    hidden: int = 0
    first: int = -1
    row: int = 0
    widest: int = 0
    filled: int = 0
    bytes: int = 0


def look_at_xlsb(
    file: BinaryIO, entries: Iterable[zipfile.ZipInfo], label: str
) -> Mapping[str, Told]:
    """The sheets of an .xlsb by name; nothing where the file is none."""
    named = {entry.filename: entry for entry in entries}
    if _BOOK not in named:
        return {}

    def records(entry: zipfile.ZipInfo | None) -> Iterator[tuple[int, bytearray]]:
        return _records(pieces_of(file, entry, label) if entry is not None else ())

    texts = array("I", (len(body) for kind, body in records(named.get(_TEXTS)) if kind == _TEXT))
    for _ in records(named.get(_STYLES)):
        pass
    since_1904, sheets = _sheets(records(named[_BOOK]))
    seen = {
        name: _look(records(entry), texts, label)
        for name, entry in named.items()
        if name.startswith(_SHEETS) and not name.endswith(".rels")
    }
    targets = _targets(file, named.get(_RELATIONS), label)
    file.seek(0)
    found = {name: seen.get(f"xl/{targets.get(at, '')}", _Seen()) for name, at in sheets.items()}
    return {
        name: Told({}, sheet.texts, sheet.hidden, (), since_1904) for name, sheet in found.items()
    }


def _targets(file: BinaryIO, entry: zipfile.ZipInfo | None, label: str) -> dict[str, str]:
    text = b"".join(pieces_of(file, entry, label)) if entry is not None else b""
    # The library takes a name as it is written: it would read a part that was not looked at.
    if _ODD_PART.search(text) is not None:
        raise ValueError("its parts have names that no program gives them")
    return targets_in(file, entry, label)


def _sheets(records: Iterable[tuple[int, bytearray]]) -> tuple[bool, dict[str, str]]:
    """Whether days count from 1904, and the sheets' names with what leads to their parts."""
    since_1904, sheets = False, dict[str, str]()
    for kind, body in records:
        if kind == _BOOK_SETTINGS and body:
            since_1904 = bool(body[0] & 1)
        elif kind == _BUNDLED:
            relation, after = _text(body, 8)
            name, _ = _text(body, after)
            sheets.setdefault(name, relation)
    return since_1904, sheets


def _text(body: bytearray, at: int) -> tuple[str, int]:
    """A text ([MS-XLSB] 2.5.168) and where it ends; none where its length is that of no text."""
    if at + 4 > len(body):
        raise ValueError("a name ends behind its record")
    length = _PLACE.unpack_from(body, at)[0]
    end = at + 4 + (2 * length if length != 0xFFFFFFFF else 0)
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def _look(records: Iterable[tuple[int, bytearray]], texts: "array[int]", label: str) -> _Seen:
    seen = _Seen()
    for kind, body in records:
        if kind not in _SHORTEST:
            if kind == _DIMENSION and len(body) >= _SPAN.size:
                _, row, _, column = _SPAN.unpack_from(body)
                _refuse_outside(row, column)
            continue
        if len(body) < _SHORTEST[kind]:
            raise ValueError("a cell is shorter than its kind")
        place = _PLACE.unpack_from(body)[0]
        if kind == _ROW:
            _refuse_outside(place, 0)
            if place < seen.row:
                raise ValueError("its rows are not in order")
            seen.row = place
            seen.hidden += bool(body[11] & _HIDDEN)
            continue
        if place >= MOST_COLUMNS:
            _refuse_outside(seen.row, place)
        if kind == _BLANK:
            continue
        if seen.first < 0:
            seen.first = seen.row
        seen.filled += 1
        seen.widest = max(seen.widest, place)
        if kind in (_ERROR, _FORMULA_ERROR):
            _note_error(seen, place, body[8])
        elif kind == _FORMATTED:
            _note_formatted(seen, place, body)
        elif kind == _SHARED:
            seen.bytes += _length(texts, _PLACE.unpack_from(body, 8)[0])
        _refuse_large(seen, label)
    return seen


def _note_error(seen: _Seen, column: int, code: int) -> None:
    if code not in _ERRORS:
        raise ValueError("a cell has an error that there isn't")
    seen.texts.setdefault(seen.row + 1, {})[column] = _ERRORS[code]


def _note_formatted(seen: _Seen, column: int, body: bytearray) -> None:
    """A text with formats inside of the cell ([MS-XLSB] 2.4.318), which the library passes over."""
    seen.formatted += 1
    if seen.formatted > _MOST_FORMATTED:
        raise ValueError("it has more formatted texts than there is room for")
    seen.bytes += len(body)
    text, _ = _text(body, 9)
    seen.texts.setdefault(seen.row + 1, {})[column] = text


def _length(texts: "array[int]", number: int) -> int:
    if number >= len(texts):
        raise ValueError("a cell has a text that there isn't")
    return texts[number]


def _refuse_outside(row: int, column: int) -> None:
    if row >= MOST_ROWS or column >= MOST_COLUMNS:
        raise ValueError("it has cells where no sheet has any")


def _refuse_large(seen: _Seen, label: str) -> None:
    """The library lays out all places between the first row and the last, up to the widest."""
    places = (seen.row - seen.first + 1) * (seen.widest + 1)
    if places > _MOST_SPARSE and places > min(_MOST_CELLS, 4 * seen.filled):
        raise far_out(label, seen.row + 1, seen.widest + 1)
    if seen.bytes > _MOST_BYTES:
        raise ValueError("its cells repeat more text than there is room for")


def _records(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytearray]]:
    """Each record's kind and its body."""
    kept = bytearray()
    for piece in pieces:
        kept += piece
        at = 0
        with suppress(IndexError):  # the next piece has the rest of a record's head
            while True:
                kind, begin, end = _head(kept, at)
                if end - begin > _LONGEST:
                    raise ValueError("a record is longer than any")
                if end > len(kept):
                    break
                yield kind, kept[begin:end]
                at = end
        del kept[:at]
    if kept:
        raise ValueError("a record ends behind its part")


def _head(text: bytearray, at: int) -> tuple[int, int, int]:
    """A record's kind, where its body begins and ends: numbers of seven bits a byte."""
    kind = text[at]
    at += 1
    if kind & 0x80:
        kind = (kind & 0x7F) | (text[at] & 0x7F) << 7
        at += 1
    size = text[at]
    at += 1
    if size & 0x80:
        size &= 0x7F
        for shift in (7, 14, 21):
            byte = text[at]
            at += 1
            size |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
    return kind, at, at + size
