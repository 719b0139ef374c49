"""A small .xlsb, written record by record (ECMA's [MS-XLSB]): no library in reach writes one."""

import struct
import zipfile
from pathlib import Path

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BINARY = "application/vnd.ms-excel"


def xlsb(path: Path, *rows: tuple[str | float, ...], relations: str = "") -> None:
    """A workbook with the sheet "Leads": texts, numbers, and "#N/A" as an error."""
    rows = rows or (("Mobile", "Name"), (9_876_543_210.0, "Asha"), ("#N/A", "Ravi"))
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="bin" '
        f'ContentType="{_BINARY}.sheet.binary.macroEnabled.main"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
    )
    book = _record(0x0083) + _record(0x008F)
    book += _record(0x009C, struct.pack("<II", 0, 1) + _text("rId1") + _text("Leads"))
    book += _record(0x0090) + _record(0x0084)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", _relation("officeDocument", "xl/workbook.bin"))
        archive.writestr("xl/workbook.bin", book)
        found = _relation("worksheet", "worksheets/sheet1.bin", relations)
        archive.writestr("xl/_rels/workbook.bin.rels", found)
        archive.writestr("xl/worksheets/sheet1.bin", _sheet(rows))


def _sheet(rows: tuple[tuple[str | float, ...], ...]) -> bytes:
    widest = max(map(len, rows)) - 1
    sheet = _record(0x0081) + _record(0x0094, struct.pack("<IIII", 0, len(rows) - 1, 0, widest))
    sheet += _record(0x0091)
    for number, cells in enumerate(rows):
        sheet += _record(0x0000, struct.pack("<II", number, 0) + bytes(9))
        for column, value in enumerate(cells):
            sheet += _cell(column, value)
    return sheet + _record(0x0092) + _record(0x0082)


def _cell(column: int, value: str | float) -> bytes:
    place = struct.pack("<II", column, 0)
    if value == "#N/A":
        return _record(0x0003, place + b"\x2a")
    if isinstance(value, str):
        return _record(0x0006, place + _text(value))
    return _record(0x0005, place + struct.pack("<d", value))


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _record(kind: int, body: bytes = b"") -> bytes:
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
