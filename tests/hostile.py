"""Files that mean harm, or came to it: made for `test_hostile`."""

import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

_SECTOR = 512
_HEADER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
ERRORS = {"#N/A": 0x2A, "#REF!": 0x17}
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def sheet_workbook(path: Path, rows: Iterator[bytes] | list[bytes], dimension: str = "A1") -> None:
    """An .xlsx whose sheet has this XML for its rows."""
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
            '.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
        ),
        "_rels/.rels": _relations("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            '<sheets><sheet name="Leads" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(
                b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
                b'<dimension ref="' + dimension.encode() + b'"/><sheetData>'
            )
            for row in rows:
                sheet.write(row)
            sheet.write(b"</sheetData></worksheet>")


def _relations(kind: str, target: str) -> str:
    base = "http://schemas.openxmlformats.org"
    return (
        f'<Relationships xmlns="{base}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{base}/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
        "</Relationships>"
    )


def text_row(number: int, *cells: str) -> bytes:
    """A row of inline texts from column A on."""
    written = "".join(
        f'<c r="{chr(65 + place)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for place, cell in enumerate(cells)
    )
    return f'<row r="{number}">{written}</row>'.encode()


def bomb(path: Path, megabytes: int) -> None:
    """A workbook of a few kilobytes that unpacks to so much."""
    blank = b" " * (1 << 20)
    sheet_workbook(path, (blank for _ in range(megabytes)))


def belittle(path: Path, name: str = "xl/worksheets/sheet1.xml", size: int = 5000) -> None:
    """Let a zip declare a smaller size for an entry than it has, in both places."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
    content = bytearray(path.read_bytes())
    central = content.rindex(name.encode()) - 46
    struct.pack_into("<I", content, central + 24, size)
    struct.pack_into("<I", content, entry.header_offset + 22, size)
    path.write_bytes(content)


def encrypted(path: Path) -> None:
    """A workbook behind a password, as Excel stores it: two streams in a compound file."""
    compound(path, {"EncryptionInfo": os.urandom(4096), "EncryptedPackage": os.urandom(4096)})


def compound(path: Path, streams: dict[str, bytes]) -> None:
    """A compound file of up to three streams, of 4,096 bytes and more each."""
    sectors: list[bytes] = [b"", b""]
    fat = [_FAT, _END]
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    for place, (name, data) in enumerate(streams.items(), start=1):
        start = len(sectors)
        pieces = [data[at : at + _SECTOR] for at in range(0, len(data), _SECTOR)]
        sectors += [piece.ljust(_SECTOR, b"\0") for piece in pieces]
        fat += [*range(start + 1, start + len(pieces)), _END]
        right = place + 1 if place < len(streams) else _FREE
        entries.append(_entry(name, 2, start, len(data), right=right))
    entries += [bytes(128)] * (4 - len(entries))
    fat += [_FREE] * (128 - len(fat))
    sectors[0] = struct.pack("<128I", *fat)
    sectors[1] = b"".join(entries)
    header = _HEADER + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0, 0)
    header += struct.pack("<108I", *[_FREE] * 108)
    path.write_bytes(header + b"".join(sectors))


def old_workbook(path: Path, *cells: tuple[int, int, str | float], hidden: int = -1) -> None:
    """An .xls with these cells (row and column from 0); a text of ERRORS is an error.

    With a "=" before it, the error is a formula's.
    """
    sheet = _record(0x0809, "<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)
    if hidden >= 0:
        sheet += _record(0x0208, "<HHHHHHHH", hidden, 0, 9, 255, 0, 0, 0x20, 0)
    for row, column, value in cells:
        if isinstance(value, float):
            sheet += _record(0x0203, "<HHHd", row, column, 0, value)
        elif value[:1] == "=" and value[1:] in ERRORS:
            code = ERRORS[value[1:]]
            result = row, column, 0, 2, code, 0xFFFF
            sheet += _record(0x0006, "<HHHBxBxxxHHIH", *result, 0, 0, 0)
        elif value in ERRORS:
            sheet += _record(0x0205, "<HHHBB", row, column, 0, ERRORS[value], 1)
        else:
            text = value.encode("latin-1")
            sheet += _record(0x0204, f"<HHHHB{len(text)}s", row, column, 0, len(text), 0, text)
    sheet += _record(0x000A, "")
    start = _record(0x0809, "<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0) + _record(0x0022, "<H", 1)
    size = len(start) + 4 + 13 + 4
    whole = (
        start + _record(0x0085, "<IHBB5s", size, 0, 5, 0, b"Leads") + _record(0x000A, "") + sheet
    )
    compound(path, {"Workbook": whole.ljust(4096, b"\0")})


def _record(kind: int, form: str, *values: int | float | bytes) -> bytes:
    body = struct.pack(form, *values)
    return struct.pack("<HH", kind, len(body)) + body


def sheet_nowhere(path: Path) -> None:
    """An .xls whose sheet begins behind its end."""
    old_workbook(path, (0, 0, "Mobile"), (1, 0, 9_800_100_001.0))
    content = bytearray(path.read_bytes())
    begin = content.index(struct.pack("<HH", 0x0085, 13)) + 4
    struct.pack_into("<I", content, begin, 0x7FFFFFFF)
    path.write_bytes(content)


def in_a_circle(path: Path) -> None:
    """An .xls whose sectors follow each other without end."""
    old_workbook(path, (0, 0, "Mobile"), (1, 0, 9_800_100_001.0))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 512 + 4 * 4, 3)  # in the table, after sector 4 comes 3
    path.write_bytes(content)


def _entry(
    name: str, kind: int, start: int, size: int, child: int = _FREE, right: int = _FREE
) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2, kind, 1)
    head += struct.pack("<III", _FREE, right, child) + bytes(36)
    return head + struct.pack("<IQ", start, size)
