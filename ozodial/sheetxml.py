"""What an .xlsx says of a sheet that the workbook library doesn't: read from its XML, in pieces.

In: an open file that may be a zip. Out: `Told` (formulas without a stored value, hidden rows, where
day numbers count from), or FileError for a zip bomb, by the size that it declares and by the real
one. It holds one piece at a time, and says nothing of what it doesn't understand.
"""

import html
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ozodial.errors import FileError
from ozodial.models import Told

_PIECE = 1 << 18
_UNPACKED_LIMIT = 2 << 30
"""A million rows of 20 columns unpack to about 1.5 GB."""

_BOMB_SIZE = 128 << 20
_BOMB_RATIO = 200
"""A sheet's XML packs 10 to 30 times; what packs better than this holds nothing but repetition."""

_MOST_CELLS = 100_000_000
MOST_COLUMNS = 16_384
_LONGEST_CELL = 1 << 19

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The name under which Office keeps a workbook that has a password."""

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_DATE1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true|on)["']""", re.IGNORECASE)
_FORMULA = re.compile(
    rb"<c\s([^>]*)>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(<v\s*/>|<v>\s*</v>|<v\s[^>]*/>)?\s*</c>"
)
_ERROR = re.compile(
    rb"""<c\s([^>]*\bt="e"[^>]*)>(?:\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>))?\s*<v>([^<]{1,20})</v>"""
)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN_ROW = re.compile(rb'<row\s(?:[^>]*\s)?hidden="(?:1|true)"')
_FAR_CELL = re.compile(rb'"([A-Z]{2,3})\d')
_ROW_NUMBER = re.compile(rb'<row\s(?:[^>]*\s)?r="(\d{1,7})"')


def refuse_bomb(file: BinaryIO, label: str) -> None:
    """Stop a zip bomb before the workbook library unpacks it; what is no zip is let through."""
    entries = entries_of(file)
    declared = sum(entry.file_size for entry in entries)
    packed = [entry for entry in entries if entry.file_size > _BOMB_SIZE]
    tight = any(entry.file_size > _BOMB_RATIO * max(1, entry.compress_size) for entry in packed)
    if declared > _UNPACKED_LIMIT or tight:
        raise _bomb(label, declared)
    for entry in entries:
        # What can't grow beyond bearing needs no look.
        if entry.compress_size * 1032 > _BOMB_SIZE and not _is_sheet(entry):
            for _ in pieces_of(file, entry, label):
                pass
    file.seek(0)


def is_locked(file: BinaryIO) -> bool:
    """Whether what can't be opened is a workbook behind a password."""
    entries = {entry.filename: entry for entry in entries_of(file)}
    manifest = entries.get("META-INF/manifest.xml")
    if manifest is not None and manifest.file_size < _BOMB_SIZE:
        return b"encryption-data" in b"".join(pieces_of(file, manifest, ""))
    file.seek(0)
    before = b""
    while piece := file.read(_PIECE):
        if _ENCRYPTED in before[-len(_ENCRYPTED) :] + piece:
            return True
        before = piece
    return False


def look_at(file: BinaryIO, label: str, sheet: str) -> Told:
    """What the XML of a sheet says; nothing where it is no .xlsx or written in an unusual way."""
    entries = {entry.filename: entry for entry in entries_of(file)}
    book = entries.get("xl/workbook.xml")
    if book is None or book.file_size > _BOMB_SIZE:
        return Told()
    text = b"".join(pieces_of(file, book, label))
    since_1904 = _DATE1904.search(text) is not None
    entry = entries.get(_path(file, entries, text, label, sheet))
    if entry is None:
        return Told(since_1904=since_1904)
    look = Look(label)
    for piece in pieces_of(file, entry, label):
        look.at(piece)
    look.at(b"", last=True)
    return Told(look.unvalued, look.errors, look.hidden, (), since_1904)


class Look:
    """One pass over a sheet's XML, piece by piece."""

    def __init__(self, label: str) -> None:
        self.unvalued: dict[int, list[int]] = {}
        self.errors: dict[int, dict[int, str]] = {}
        self.hidden = 0
        self._label = label
        self._rest = b""
        self._columns = 26
        self._row = 0

    def at(self, piece: bytes, *, last: bool = False) -> None:
        """Take in a piece; what stands at its end may go on in the next."""
        text = self._rest + piece
        cut = max(text.rfind(b"<c "), text.rfind(b"<row "), 0)
        if last or len(text) - cut > _LONGEST_CELL:
            cut = len(text)
        done, self._rest = text[:cut], text[cut:]
        if b"<f" in done:
            self._formulas(done)
        if b't="e"' in done:
            self._errors(done)
        if b'hidden="' in done:
            self.hidden += len(_HIDDEN_ROW.findall(done))
        self._measure(done)

    def _formulas(self, text: bytes) -> None:
        for match in _FORMULA.finditer(text):
            attributes, value = match.groups()
            place = _PLACE.search(attributes)
            # The value of a formula that gives text may well be empty.
            if place is not None and (value is None or b't="str"' not in attributes):
                row, column = int(place[2]), _column(place[1])
                self.unvalued.setdefault(row, []).append(column)

    def _errors(self, text: bytes) -> None:
        for attributes, value in _ERROR.findall(text):
            place = _PLACE.search(attributes)
            if place is not None:
                row, column = int(place[2]), _column(place[1])
                self.errors.setdefault(row, {})[column] = html.unescape(
                    value.decode("ascii", "replace")
                )

    def _measure(self, text: bytes) -> None:
        """A cell in a far corner makes the library lay out all that lies between."""
        start = max(0, text.rfind(b"<row "))
        number = _ROW_NUMBER.match(text, start)
        self._row = max(self._row, int(number[1])) if number is not None else self._row
        if self._columns < MOST_COLUMNS and _FAR_CELL.search(text) is not None:
            far = max(map(_column, _FAR_CELL.findall(text))) + 1
            self._columns = max(self._columns, far)
        if self._row * self._columns > _MOST_CELLS:
            raise far_out(self._label, self._row, self._columns)


def _path(
    file: BinaryIO, entries: dict[str, zipfile.ZipInfo], book: bytes, label: str, sheet: str
) -> str:
    """Where in the zip a sheet's XML is, or ""."""
    named = [_attributes(tag) for tag in _SHEET.findall(book)]
    identifier = next((tag.get("id", "") for tag in named if tag.get("name") == sheet), "")
    relations = entries.get("xl/_rels/workbook.xml.rels")
    if relations is None or relations.file_size > _BOMB_SIZE or not identifier:
        return ""
    target = targets_in(b"".join(pieces_of(file, relations, label))).get(identifier)
    if target is None:
        return ""
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def targets_in(relations: bytes) -> dict[str, str]:
    """Where each relation leads, by its name."""
    found = [_attributes(tag) for tag in reversed(_RELATION.findall(relations))]
    return {tag["Id"]: tag.get("Target", "") for tag in found if "Id" in tag}


def far_out(label: str, rows: int, columns: int) -> FileError:
    """A sheet that would be so large, because of what stands beside its rows."""
    return FileError(
        f"{label} has a cell so far out that the sheet would have "
        f"{rows:,} rows of {columns:,} columns.",
        "Delete what stands beside the leads, and save it again.",
    )


def _attributes(tag: bytes) -> dict[str, str]:
    """A tag's attributes by their names without a prefix."""
    return {
        name.decode().rpartition(":")[2]: html.unescape((one or two).decode("utf-8", "replace"))
        for name, one, two in _ATTRIBUTE.findall(tag)
    }


def _column(letters: bytes) -> int:
    """A, Z, AA as 0, 25, 26."""
    number = 0
    for byte in letters:
        number = number * 26 + byte - 64
    return number - 1


def entries_of(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """What a zip holds; nothing where the file is none."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, struct.error):
        return []  # an .xls, or broken: the next reader says which
    finally:
        file.seek(0)


def _is_sheet(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.startswith("xl/worksheets/")


def pieces_of(file: BinaryIO, entry: zipfile.ZipInfo, label: str) -> Iterator[bytes]:
    """An entry's content; FileError as soon as there is more of it than it declares."""
    if entry.header_offset < 0:  # a broken directory
        return
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or entry.flag_bits & 1:
        return
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(entry.header_offset + 30 + names)
    left, total = entry.compress_size, 0
    unpack = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := file.read(min(left, _PIECE >> 4))):
        left -= len(packed)
        while packed:
            try:
                piece = unpack.decompress(packed, _PIECE) if unpack else packed
            except zlib.error:
                return  # the workbook library says that it is broken
            packed = unpack.unconsumed_tail if unpack else b""
            total += len(piece)
            if total > entry.file_size:
                raise _bomb(label, max(total, _UNPACKED_LIMIT))
            yield piece


def _bomb(label: str, size: int) -> FileError:
    return FileError(
        f"{label} would unpack to more than {size >> 20:,} MB, so it is not read.",
        "Save the leads alone as a new workbook, or as .csv.",
    )
