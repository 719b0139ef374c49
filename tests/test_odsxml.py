"""Workbooks of LibreOffice: what their cells show, and what repeats without end."""

import zipfile
from pathlib import Path

import pytest

from tests.command import Desk
from tests.test_hostile import refused

NAMES = "urn:oasis:names:tc:opendocument:xmlns"
HEAD = (
    f'<office:document-content xmlns:office="{NAMES}:office:1.0" xmlns:text="{NAMES}:text:1.0" '
    f'xmlns:table="{NAMES}:table:1.0" xmlns:calcext="urn:org:documentfoundation:names:'
    'experimental:calc:xmlns:calcext:1.0"><office:body><office:spreadsheet>'
)
TAIL = "</office:spreadsheet></office:body></office:document-content>"
KIND = "application/vnd.oasis.opendocument.spreadsheet"
ERROR = (
    '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
)
OLD_ERROR = (
    '<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0">'
    "<text:p>Err:502</text:p></table:table-cell>"
)
UNVALUED = '<table:table-cell table:formula="of:=1+1"/>'
MANY = ERROR.replace("table:formula", 'table:number-columns-repeated="90" table:formula')
FILLER = (
    '<table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)


def cell(text: str, more: str = "") -> str:
    """A cell with text."""
    said = f'office:value-type="string"{more}><text:p>{text}</text:p>'
    return f"<table:table-cell {said}</table:table-cell>"


def row(*cells: str, more: str = "") -> str:
    """A row of cells."""
    whole = "".join(each if each.startswith("<") else cell(each) for each in cells)
    return f"<table:table-row{more}>{whole}</table:table-row>"


def ods(path: Path, *rows: str) -> Path:
    """A workbook with one sheet, Leads."""
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest'
    manifest += f':1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="{KIND}"/>'
    table = f'<table:table table:name="Leads">{"".join(rows)}</table:table>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", KIND)
        archive.writestr("content.xml", HEAD + table + TAIL)
        archive.writestr("META-INF/manifest.xml", manifest + "</manifest:manifest>")
    return path


def test_errors_and_formulas_without_a_value_are_named_by_cell(desk: Desk) -> None:
    leads = ods(
        desk.home / "leads.ods",
        row("Mobile", "Name", "Priority"),
        row("9800100001", "Asha", "5"),
        row("9800100002", ERROR, "5"),
        row("9800100003", "Uma", OLD_ERROR, more=' table:number-rows-repeated="2"'),
        row(UNVALUED, "Kabir", "5", more=' table:visibility="filter"'),
        FILLER,
    )
    result = desk.run("check", leads, "--for", "bulk-add", "--json")
    assert result.code == 4, result.err
    told = {line["row"]: (line["reason"], str(line["message"])) for line in result.of("row")}
    assert told[2][0] is None
    assert told[3][0] == told[4][0] == told[5][0] == "cell_error"
    assert told[3][1].startswith("Leads!B3: the cell shows the error #N/A")
    assert told[5][1].startswith("Leads!C5: the cell shows the error Err:502")
    assert told[6][0] == "formula_without_value"
    assert told[6][1].startswith("Leads!A6: ")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row("9800100001", "A", more=' table:number-rows-repeated="1048574"')], "the same row"),
        ([row(cell("A", ' table:number-columns-repeated="4000000000"'))], "4,000,000,000 columns"),
        ([FILLER, row('<table:table-cell table:number-columns-repeated="99"/>', "far")], "far out"),
        ([row(MANY, more=' table:number-rows-repeated="60000"')], "no value"),
    ],
)
def test_what_repeats_without_end_is_refused_in_a_sentence(
    desk: Desk, rows: list[str], says: str
) -> None:
    leads = ods(desk.home / "leads.ods", row("Mobile", "Name"), *rows)
    result = desk.run("check", leads)
    assert result.code == 3
    assert says in result.err
    assert "Traceback" not in result.err


HIDDEN = {
    "behind an angle": (' table:name="a&gt;b>c" table:number-columns-repeated="4000000000"', "4,0"),
    "in other quotes": (" table:number-columns-repeated='4000000000'", "no program does"),
    "as an entity": (' table:number-rows-repeated="&#57;999999999"', "no program does"),
    "with a sign": (' table:number-columns-repeated="+4000000000"', "no program does"),
    "behind a long name": (f' table:name="{"x" * 900_000}" table:n="1"', "longer than any"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_number_of_cells_that_is_hidden_is_found(desk: Desk, name: str) -> None:
    more, says = HIDDEN[name]
    leads = ods(desk.home / "leads.ods", row("Mobile"), row(cell("9800100001", more)))
    refused(desk, leads, says)


def test_spaces_without_end_are_refused_and_some_are_read(desk: Desk) -> None:
    leads = ods(desk.home / "leads.ods", row("Mobile"), row('9800100001<text:s text:c="3"/>'))
    assert desk.run("check", leads, "--for", "bulk-add").code == 0
    refused(desk, ods(leads, row("Mobile"), row('98<text:s text:c="400000000"/>')), "more spaces")
    refused(desk, ods(leads, row("Mobile"), row('98<text:s text:c="+9"/>')), "spaces that is none")


def test_words_about_repeating_are_words(desk: Desk) -> None:
    rows = row("Mobile", "Name"), row("9800100001", "number-rows-repeated text:c")
    assert desk.run("check", ods(desk.home / "l.ods", *rows), "--for", "bulk-add").code == 0
