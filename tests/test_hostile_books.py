"""Workbooks that are odd and still workbooks, or look like one: read as they are, or a sentence."""

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import hostile
from tests.command import Desk
from tests.fuzz.seeds import open_document
from tests.sheets_xlsb import xlsb
from tests.test_hostile import refused, run

LEAD = [hostile.text_row(1, "Mobile", "Name"), hostile.text_row(2, "9876543210", "Asha")]
MIB = 250


def with_macros(path: Path) -> None:
    hostile.sheet_workbook(path, LEAD)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", os.urandom(20_000))


def with_links_elsewhere(path: Path) -> None:
    link = b'<row r="3"><c r="A3"><f>[1]Other!A1</f><v>9876543211</v></c></row>'
    hostile.sheet_workbook(path, [*LEAD, link])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "xl/externalLinks/_rels/externalLink1.xml.rels",
            '<Relationships><Relationship Id="rId1" TargetMode="External" '
            'Target="file:///etc/passwd"/></Relationships>',
        )


def with_an_entity(path: Path) -> None:
    hostile.sheet_workbook(path, [*LEAD, hostile.text_row(3, "&xxe;", "Ravi")])


def with_a_million_blank_rows(path: Path) -> None:
    def rows() -> Iterator[bytes]:
        yield from LEAD
        for first in range(3, 1_000_003, 10_000):
            yield b"".join(b'<row r="%d"/>' % number for number in range(first, first + 10_000))

    hostile.sheet_workbook(path, rows())


ODD: dict[str, tuple[str, Callable[[Path], None]]] = {
    "macros": ("leads.xlsm", with_macros),
    "links to other workbooks": ("leads.xlsx", with_links_elsewhere),
    "a million blank rows": ("leads.xlsx", with_a_million_blank_rows),
    "a workbook that is called .csv": ("leads.csv", with_macros),
    "a text that is called .xlsx": ("leads.xlsx", lambda p: write(p, "Mobile\n9876543210\n")),
    "an .ods": ("leads.ods", open_document),
    "an .xlsb that is called .xls": (
        "leads.xls",
        lambda path: xlsb(path, ("Mobile",), (9_876_543_210.0,)),
    ),
}


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_workbook_is_read(desk: Desk, name: str) -> None:
    file, make = ODD[name]
    make(desk.home / file)
    code, said, used = run(desk, "check", desk.home / file, "--for", "bulk-add")
    assert (code, said) == (0, "")
    assert used < MIB


def test_an_entity_reaches_no_file(desk: Desk) -> None:
    with_an_entity(desk.home / "leads.xlsx")
    done = desk.run("check", "leads.xlsx", "--for", "bulk-add", "--json")
    assert done.code in (3, 4)
    assert "root:" not in done.out + done.err


def test_a_header_as_wide_as_a_sheet_can_be_is_a_short_sentence(desk: Desk) -> None:
    cells = b"".join(b'<c t="inlineStr"><is><t>Column</t></is></c>' for _ in range(16_384))
    hostile.sheet_workbook(desk.home / "leads.xlsx", [b"<row>" + cells + b"</row>"] * 3)
    refused(desk, desk.home / "leads.xlsx", "no column for PhoneNumber", MIB)


def test_an_ods_behind_a_password(desk: Desk) -> None:
    path = desk.home / "leads.ods"
    open_document(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["content.xml"] = os.urandom(3_000)
    entries["META-INF/manifest.xml"] = entries["META-INF/manifest.xml"].replace(
        b"</manifest:manifest>",
        b'<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/>'
        b"</manifest:file-entry></manifest:manifest>",
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    refused(desk, path, "protected by a password", MIB)
