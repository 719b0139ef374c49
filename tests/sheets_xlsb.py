"""A small .xlsb, written record by record (ECMA's [MS-XLSB]): no library in reach writes one."""

import struct
import zipfile
from collections.abc import Iterable
from itertools import count
from pathlib import Path

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BINARY = "application/vnd.ms-excel"


def xlsb(
    path: Path, *rows: tuple[str | float, ...], relations: str = "", sheet: bytes = b""
) -> None:
    """A workbook with the sheet "Leads": texts, numbers, "#N/A" as an error, "=1/0" as a formula's.

    Or with these records as its sheet.
    """
    rows = rows or (("Mobile", "Name"), (9_876_543_210.0, "Asha"), ("#N/A", "Ravi"))
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="bin" '
        f'ContentType="{_BINARY}.sheet.binary.macroEnabled.main"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
    )
    book = record(0x0083) + record(0x008F)
    book += record(0x009C, struct.pack("<II", 0, 1) + _text("rId1") + _text("Leads"))
    book += record(0x0090) + record(0x0084)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", _relation("officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/workbook.bin", book)
        found = _relation("worksheet", "worksheets/sheet1.bin", relations)
        archive.writestr("xl/_rels/workbook.bin.rels", found)
        archive.writestr("xl/worksheets/sheet1.bin", sheet or sheet_of(*map(row_of, count(), rows)))


def sheet_of(*rows: bytes, span: tuple[int, int] = (0, 0)) -> bytes:
    """A sheet of these rows; `span` is the last row and column that it says it has."""
    start = record(0x0081) + record(0x0094, struct.pack("<IIII", 0, span[0], 0, span[1]))
    return start + record(0x0091) + b"".join(rows) + record(0x0092) + record(0x0082)


def row_of(number: int, cells: Iterable[str | float], first: int = 0) -> bytes:
    """A row, counted from 0, with its cells from a column on."""
    written = [cell(column, value) for column, value in enumerate(cells, start=first)]
    return record(0x0000, struct.pack("<II", number, 0) + bytes(9)) + b"".join(written)


def formatted(column: int, text: str) -> bytes:
    """A cell with a text of which some is bold."""
    run = struct.pack("<IHH", 1, 1, 1)
    return record(0x003E, struct.pack("<IIB", column, 0, 1) + _text(text) + run)


def cell(column: int, value: str | float) -> bytes:
    """A cell of the kind that its value needs."""
    place = struct.pack("<II", column, 0)
    if value == "#N/A":
        return record(0x0003, place + b"\x2a")
    if value == "=1/0":
        return record(0x000B, place + b"\x07\0\0" + bytes(8))
    if isinstance(value, str):
        return record(0x0006, place + _text(value))
    return record(0x0005, place + struct.pack("<d", value))


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def record(kind: int, body: bytes = b"") -> bytes:
    """A record: its kind, the length of its body, its body."""
    return _number(kind, 2) + _number(len(body), 4) + body


def _number(value: int, most: int) -> bytes:
    """Seven bits a byte, the highest one says that another follows."""
    written = b""
    for _ in range(most):
        low, value = value & 0x7F, value >> 7
        written += bytes([low | (0x80 if value else 0)])
        if not value:
            break
    return written


def _relation(kind: str, target: str, more: str = "") -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/{kind}" Target="{target}"/>{more}</Relationships>'
    )
