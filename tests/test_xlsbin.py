"""Binary workbooks: what their cells show, and what the library would not come back from."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Desk
from tests.sheets_xlsb import cell, formatted, record, row_of, sheet_of, xlsb
from tests.test_hostile import refused
from tests.test_odsxml import ods, row
from tests.test_prepare import Read

HEAD = row_of(0, ("Mobile", "Name", "Priority"))
MIB = 150


def test_errors_are_named_by_cell_and_hidden_rows_are_counted(desk: Desk) -> None:
    hidden = record(0x0000, struct.pack("<IIHBB", 4, 0, 0, 0, 0x10) + bytes(5))
    sheet = sheet_of(
        HEAD,
        row_of(1, (9_800_100_001.0, "Asha", 5.0)),
        row_of(2, ("#N/A", "Ravi", 5.0)),
        row_of(3, (9_800_100_003.0, "Uma", "=1/0")),
        hidden + cell(0, 9_800_100_004.0) + cell(1, "Kabir"),
        row_of(5, ("=1/0",)),  # the library knows of no cell so far down
    )
    xlsb(desk.home / "leads.xlsb", sheet=sheet)
    result = desk.run("check", "leads.xlsb", "--for", "bulk-add", "--json")
    assert result.code == 4, result.err
    told = {line["row"]: (line["reason"], str(line["message"])) for line in result.of("row")}
    assert [told[number][0] for number in (2, 3, 4, 5)] == [None, "cell_error", "cell_error", None]
    assert told[3][1].startswith("Leads!A3: the cell shows the error #N/A")
    assert told[4][1].startswith("Leads!C4: the cell shows the error #DIV/0!")
    assert told[6][1].startswith("Leads!A6: the cell shows the error #DIV/0!")
    assert "1 hidden row" in desk.run("check", "leads.xlsb", "--for", "bulk-add").out


def test_a_text_with_formats_inside_is_read(desk: Desk) -> None:
    head = row_of(0, ()) + formatted(0, "Mobile") + cell(1, "Name")
    rows = [
        row_of(1, (9_800_100_001.0,)) + formatted(1, "Asha देवी"),
        row_of(2, ()) + formatted(0, "98001 00002") + cell(1, "Ravi"),
        row_of(3, ()) + formatted(0, "9800100003"),
    ]
    xlsb(desk.home / "leads.xlsb", sheet=sheet_of(head, *rows))
    read = Read(desk.home / "leads.xlsb")
    assert [(row.row, row.state, row.phone, row.name) for row in read.rows] == [
        (2, "ready", "9800100001", "Asha देवी"),
        (3, "ready", "9800100002", "Ravi"),
        (4, "ready", "9800100003", ""),
    ]


BROKEN: dict[str, tuple[bytes, str]] = {
    "a column that no sheet has": (sheet_of(HEAD, row_of(1, ("x",), first=16_384)), "no sheet"),
    "a row that no sheet has": (sheet_of(HEAD, row_of(1_048_576, ("x",))), "no sheet"),
    "a size that no sheet has": (sheet_of(HEAD, span=(9, 1 << 22)), "no sheet"),
    "a cell far out": (sheet_of(HEAD, row_of(1_048_575, ("x",), first=16_383)), "so far out"),
    "rows upwards": (sheet_of(row_of(9, ("x",)), row_of(3, ("y",))), "not in order"),
    "a record without its end": (sheet_of(HEAD)[:-40], "behind its part"),
    "a record of 200 MB": (sheet_of(HEAD)[:-6] + b"\x3e\xff\xff\xff\x7f", "longer than any"),
    "a short cell": (sheet_of(HEAD, record(0x0005, bytes(9))), "shorter than its kind"),
    "an unknown error": (sheet_of(HEAD, record(0x0003, bytes(8) + b"\x99")), "that there isn't"),
    "a formatted text cut off": (sheet_of(HEAD, record(0x003E, bytes(11))), "behind its record"),
    "a formatted text nowhere": (sheet_of(HEAD, record(0x003E, b"\xff" * 20)), "no sheet"),
    "formatted texts far out": (
        sheet_of(HEAD, *(row_of(n, ()) + formatted(16_383, "x") for n in range(1, 20_000))),
        "so far out",
    ),
    "formatted texts without end": (
        sheet_of(HEAD, row_of(1, ()) + formatted(1, "x") * 50_001),
        "more formatted texts",
    ),
    "an unknown text": (sheet_of(HEAD, record(0x0007, bytes(12))), "a text that there isn't"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_records_end_in_a_sentence(desk: Desk, name: str) -> None:
    sheet, says = BROKEN[name]
    xlsb(desk.home / "leads.xlsb", sheet=sheet)
    refused(desk, desk.home / "leads.xlsb", says, MIB)


def test_a_text_that_a_million_cells_show_is_refused(desk: Desk) -> None:
    path = desk.home / "leads.xlsb"
    long = "x" * 2_000_000
    shown = [record(0x0007, struct.pack("<III", column, 0, 0)) for column in range(300)]
    xlsb(path, sheet=sheet_of(HEAD, row_of(1, ()) + b"".join(shown)))
    text = b"\0" + struct.pack("<I", len(long)) + long.encode("utf-16-le")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        texts = record(0x009F, struct.pack("<II", 300, 1)) + record(0x0013, text) + record(0x00A0)
        archive.writestr("xl/sharedStrings.bin", texts)
    refused(desk, path, "more text than there is room for", MIB)


def test_a_far_cell_that_is_blank_costs_nothing(desk: Desk) -> None:
    blank = record(0x0001, struct.pack("<II", 16_383, 0))
    lead = row_of(1, (9_800_100_001.0, "Asha", 5.0)) + blank
    last = record(0x0000, struct.pack("<II", 1_048_575, 0) + bytes(9)) + blank
    xlsb(desk.home / "leads.xlsb", sheet=sheet_of(HEAD, lead, last))
    assert desk.run("check", "leads.xlsb", "--for", "bulk-add").code == 0


def rewritten(path: Path, name: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = {each: archive.read(each) for each in archive.namelist()}
    assert old in entries[name]
    entries[name] = entries[name].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in entries.items():
            archive.writestr(each, content)


def made_xlsb(path: Path) -> None:
    xlsb(path, ("Mobile",), (9_876_543_210.0,))


def made_ods(path: Path) -> None:
    ods(path, row("Mobile"), row("9800100001"))


RELATIONS = "xl/_rels/workbook.bin.rels"
CUT: dict[str, tuple[Callable[[Path], None], str, bytes, bytes, str]] = {
    "a table without its end": (made_ods, "content.xml", b"</table:table>", b"", "is broken"),
    "a cut .ods": (made_ods, "content.xml", b"</office:document-content>", b"", "is broken"),
    "entities": (
        made_ods,
        "content.xml",
        b"<office:document-content",
        b"<!DOCTYPE x [<!ENTITY y 'z'>]><office:document-content",
        "declares entities",
    ),
    "a manifest": (made_ods, "META-INF/manifest.xml", b"/>", b">", "manifest.xml is broken"),
    "relations": (made_xlsb, RELATIONS, b"</Relationships>", b"", "rels is broken"),
    "a part by another name": (made_xlsb, RELATIONS, b"sheet1", b"sheet&#49;", "names that no"),
}


@pytest.mark.parametrize("name", CUT)
def test_broken_xml_ends_in_a_sentence(desk: Desk, name: str) -> None:
    make, part, old, new, says = CUT[name]
    path = desk.home / "leads"
    make(path)
    rewritten(path, part, old, new)
    refused(desk, path, says, MIB)
