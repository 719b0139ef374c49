"""What an .xls says of a sheet that the workbook library doesn't: from its binary records.

In: an open .xls. Out: its sheets with their cells that show an error and their hidden rows, and
where day numbers count from. ValueError for a structure that makes no sense, and for one that would
let the library take memory for cells or texts that the file can't hold.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
"""The byte that a cell has for an error -> what it shows."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA
_NAMES = ("workbook", "book")
_STREAM = 2
_MOST_ROWS, _MOST_COLUMNS = 65_536, 256

# Records of an .xls: [MS-XLS] 2.3.2.
_SHEET, _BEGIN, _DATE1904, _ROW, _SIZE = 0x0085, 0x0809, 0x0022, 0x0208, 0x0200
_TEXTS, _SIZE_8 = 0x00FC, 14
_FORMULA, _BOOL_OR_ERROR = 0x0006, 0x0205
_CELLS = frozenset({0x0006, 0x00BD, 0x00BE, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E})
_HIDDEN = 0x20


@dataclass(slots=True)
class Seen:
    """What the records of one sheet show; `rows` and `columns` are how far its cells reach."""

    name: str = ""
    rows: int = 0
    columns: int = 0
    hidden: int = 0
    errors: dict[int, dict[int, str]] = field(default_factory=dict)

    def cell(self, row: int, column: int) -> None:
        """There is a cell at this place, counted from 0."""
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)

    def error(self, row: int, column: int, code: int) -> None:
        """The cell shows an error."""
        if code in ERRORS:
            self.errors.setdefault(row + 1, {})[column] = ERRORS[code]


def is_compound(file: BinaryIO) -> bool:
    """Whether a file is of the kind that an .xls is."""
    file.seek(0)
    start = file.read(len(_OLE))
    file.seek(0)
    return start == _OLE


def look_at_xls(file: BinaryIO) -> tuple[dict[str, Seen], bool]:
    """The sheets of an .xls by name, and whether its day numbers count from 1904."""
    try:
        content = _Compound(file).workbook()
        return _sheets(content)
    except (struct.error, IndexError) as error:
        raise ValueError("its structure makes no sense") from error


def _sheets(content: bytes) -> tuple[dict[str, Seen], bool]:
    sheets: dict[int, Seen] = {}
    since_1904, current = False, Seen()
    for place, kind, body in _records(content):
        if kind == _SHEET:
            sheets[int.from_bytes(body[:4], "little")] = Seen(_name(body[6:]))
        elif kind == _BEGIN:
            current = sheets.setdefault(place, Seen())
        elif kind == _DATE1904:
            since_1904 = body[:2] == b"\1\0"
        elif kind == _TEXTS and struct.unpack_from("<II", body)[1] > len(content):
            raise ValueError("it has more texts than fit into it")
        elif kind == _SIZE and len(body) >= _SIZE_8:
            _, rows, _, columns = struct.unpack_from("<IIHH", body)
            current.cell(rows - 1, columns - 1)
        elif kind == _ROW:
            current.hidden += bool(body[12] & _HIDDEN)
        elif kind in _CELLS:
            _look_at_cell(current, kind, body)
    if any(seen.rows > _MOST_ROWS or seen.columns > _MOST_COLUMNS for seen in sheets.values()):
        raise ValueError("it has cells where no sheet has any")
    return {seen.name: seen for seen in sheets.values()}, since_1904


def _look_at_cell(sheet: Seen, kind: int, body: bytes) -> None:
    row, column = struct.unpack_from("<HH", body)
    sheet.cell(row, column)
    if kind == _BOOL_OR_ERROR and len(body) >= 8 and body[7]:
        sheet.error(row, column, body[6])
    elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        sheet.error(row, column, body[8])


def _records(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where each record begins, its kind and its body."""
    place = 0
    while place + 4 <= len(content):
        kind, size = struct.unpack_from("<HH", content, place)
        yield place, kind, content[place + 4 : place + 4 + size]
        place += 4 + size


def _name(body: bytes) -> str:
    """A short text: its length, whether it is UTF-16, its characters."""
    size, wide = body[0], body[1] & 1
    return body[2 : 2 + size * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")


class _Compound:
    """A compound file ([MS-CFB]): streams of sectors, chained by a table."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = file.seek(0, 2)
        file.seek(0)
        header = file.read(512)
        shift, small_shift = struct.unpack_from("<HH", header, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise ValueError("its sectors have a size that there isn't")
        self._size = 1 << shift
        directory, _, self._cutoff, small = struct.unpack_from("<IIII", header, 48)
        table = list(struct.unpack_from("<109I", header, 76))
        more = struct.unpack_from("<I", header, 68)[0]
        seen: set[int] = set()
        while more < _LAST_SECTOR:
            _refuse_circle(more, seen)
            *entries, more = self._numbers(more)
            table += entries
        self._next = [n for at in table if at < _LAST_SECTOR for n in self._numbers(at)]
        self._directory = self._chain(directory)
        self._small_next = self._chain(small)

    def workbook(self) -> bytes:
        """The workbook's stream; empty where there is none, as in one behind a password.

        All streams are followed, because the library does so too.
        """
        found, small = b"", b""
        for at in range(0, len(self._directory) - 127, 128):
            entry = self._directory[at : at + 128]
            name = entry[: max(0, int.from_bytes(entry[64:66], "little") - 2)]
            start, length = struct.unpack_from("<II", entry, 116)
            if length > self._length:
                raise ValueError("a stream is longer than the file")
            if at == 0:
                small = self._chain(start)
            elif entry[66] == _STREAM and length:
                is_small = length < self._cutoff
                stream = self._small_chain(start, small) if is_small else self._chain(start)
                if name.decode("utf-16-le", "replace").lower() in _NAMES:
                    found = stream[:length]
        return found

    def _chain(self, start: int) -> bytes:
        pieces, seen = [], set[int]()
        while start < _LAST_SECTOR:
            _refuse_circle(start, seen)
            pieces.append(self._sector(start))
            start = self._next[start]
        return b"".join(pieces)

    def _small_chain(self, start: int, whole: bytes) -> bytes:
        pieces, seen = [], set[int]()
        while start < _LAST_SECTOR:
            _refuse_circle(start, seen)
            pieces.append(whole[start * 64 : start * 64 + 64])
            start = struct.unpack_from("<I", self._small_next, 4 * start)[0]
        return b"".join(pieces)

    def _numbers(self, sector: int) -> tuple[int, ...]:
        return struct.unpack(f"<{self._size // 4}I", self._sector(sector))

    def _sector(self, number: int) -> bytes:
        self._file.seek((number + 1) * self._size)
        return self._file.read(self._size).ljust(self._size, b"\0")


def _refuse_circle(sector: int, seen: set[int]) -> None:
    if sector in seen:
        raise ValueError("its sectors follow each other in a circle")
    seen.add(sector)
