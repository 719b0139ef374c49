"""An .xlsx's cells: each in its place, or the sheet is refused before the library lays it out."""

import zipfile
from collections import deque
from pathlib import Path

import pytest

from ozodial.errors import FileError
from ozodial.sheetcells import Look
from ozodial.workbook import read_workbook
from tests.hostile import sheet_workbook, text_row

HEAD = text_row(1, "Mobile", "Name")
LEADS = [("9800100001", "Asha"), ("9800100002", "Ravi")]
OTHER = '<Relationship Id="rId1" Target="worksheets/other.xml"/>'


def rows_of(path: Path) -> dict[int, tuple[str, ...]]:
    """A workbook's rows by their numbers."""
    with path.open("rb") as file:
        chunks = list(read_workbook(file, path.name, None).chunks)
    return {
        number: tuple(row)
        for chunk in chunks
        for number, row in zip(chunk.numbers, chunk.rows, strict=True)
    }


def looked(text: bytes, size: int) -> Look:
    """What is seen of a sheet's XML in pieces of so many bytes."""
    look = Look("leads.xlsx")
    for start in range(0, len(text), size):
        look.at(text[start : start + size])
    look.at(b"", last=True)
    return look


def packed_again(path: Path, **replaced: tuple[str, str]) -> None:
    """The same workbook with a text replaced in the parts whose names hold a word."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            text = content.decode()
            for word, (old, new) in replaced.items():
                text = text.replace(old, new) if word in name else text
            archive.writestr(name, text)


@pytest.mark.parametrize(
    ("cell", "unvalued"),
    [
        (b'<c r="C7"><f>A1</f></c>', {7: [2]}),
        (b'<c r="C7"><f>A1</f><v/></c>', {7: [2]}),
        (b'<c r="C7"><f>A1</f><v></v></c>', {7: [2]}),
        (b'<c s="1" r="AA7"><f t="shared" si="0"/><v /></c>', {7: [26]}),
        (b'<c r="C7" t="str"><f>""</f><v></v></c>', {}),
        (b'<c r="C7"><f>A1</f><v>5</v></c>', {}),
        (b'<c r="C7"/><c r="D7"><f>A1</f><v>5</v></c>', {}),
        (b'<c r="C7" t="inlineStr"><is><t>&lt;f></t></is></c>', {}),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_formulas_are_found_whatever_the_pieces(
    cell: bytes, unvalued: dict[int, list[int]], size: int
) -> None:
    text = b'<row r="7" hidden="1">' + cell + b'</row><row r="8"><c r="A8"><v>1</v></c></row>'
    look = looked(text, size)
    assert (look.unvalued, look.hidden) == (unvalued, 1)


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 18])
@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="5"/><row r="6"><c r="A6"/><c r="B6" t="s"><v>1</v></c></row>',
        b"<row r='5'><c r='A5'/></row><row spans='1:2' r='6'><c s='1' r='a6'><v>1</v></c></row>",
        b'<row r="6"><c r="A6" t="inlineStr"><is><r><t>As</t></r><r><t>ha</t></r></is></c></row>',
        b"<row><c><v>1</v></c><c/></row>" * 6,
        b'<row r="6"><!-- </row> --><c r="A6" t="inlineStr"><is><t>a > b</t></is></c></row>',
        b'<row  r="6"  x="a>b"><c\nr="A6" y=\'>\'><v>1</v></c></row>',
        b'<row><c r="A4"><v>1</v></c></row><row><c><v>2</v></c></row><row><c r="A6"/></row>',
        b'<row r="6"><c r="A6" t="inlineStr"><is><t>r="XYZ123" x:c </t></is></c></row>',
    ],
)
@pytest.mark.parametrize("prefix", [b"", b"x:"])
def test_unusual_rows_are_in_their_place(rows: bytes, size: int, prefix: bytes) -> None:
    if prefix:
        rows = rows.replace(b"</", b"</x:").replace(b"<", b"<x:").replace(b"<x:/x:", b"</x:")
        rows = rows.replace(b"<x:!--", b"<!--")
    text = b"<" + prefix + b"worksheet><sheetData>" + rows + b"</sheetData></worksheet>"
    assert looked(text, size).row == 6


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 18])
@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="2"><c r="AAAA2"/></row>',
        b'<row r="2"><c r="enxmlforA2"/></row>',
        b'<row r="2"><c r="A98765432101"/></row>',
        b'<row r="2"><c r="A2"/><c r="B3"/></row>',
        b'<row r="2"><c r="A3"/></row><row r="3"><c r="A3"/></row>',
        b'<row r="2"><c r="A2"/></row><row r="2"><c r="A2"/></row>',
        b'<row r="3"><c r="A3"/></row><row r="2"><c r="A2"/></row>',
        b'<row r="2"><c s="1" r="A2"/></row><row s="1" r="2"><c r="A2"/></row>',
        b'<row r="2"><!-- </row> --><c r="AAAAAA2"/></row>',
        b"<row r=\"2\"><c r = 'ABCDE2'/></row>",
        b'<row r="2"><c x=">" r="ABCDE2"/></row>',
        b'<row r="2"><c r="A2" t="s"r="XFD1048576"><v>0</v></c></row>',
        b'<row r="2" s="1"r="3"><c r="A2"/></row>',
        b'<row r="2"><c r="2"/></row>',
        b'<row r="2"><c r=""/></row>',
        b'<row r="12345678"/>',
        b'<row><c/><c r="XFD1048576"/></row>',
        b'<row><c r="A2"/><c r="XFD1048576"/></row>',
        b'<row><c r="A2"/></row><row><c r="A2"/></row>',
        b'<row r="5"><c r="A5"/></row><row><c/></row><row r="6"><c r="A6"/></row>',
        b'<x:row r="2"><x:c r="XFD1048576"/></x:row>',
        b'<row r="2"><x:c r="XFD1048576"/></row>',
        b'<row r="x2"/>',
        b'<row r="0"/>',
    ],
)
def test_a_cell_out_of_its_place_is_refused(rows: bytes, size: int) -> None:
    text = b'<worksheet><sheetData><row r="1"/>' + rows + b"</sheetData></worksheet>"
    with pytest.raises(ValueError, match="row"):
        looked(text, size)


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="2"><c r="XFE2"/></row>',
        b"<row r='2'><c r='ZZZ2'/></row>",
        b'<row r="1048577"><c r="A1048577"/></row>',
        b'<row r="2"><c r="XFD2"/></row><row r="1048576"><c r="A1048576"/></row>',
        b'<row r="1048576"/>' + b"<row/>",
        b'<row><c r="XFD1048576"/></row>',
    ],
)
def test_a_cell_too_far_out_is_refused(rows: bytes) -> None:
    look = Look("leads.xlsx")
    with pytest.raises(FileError, match="so far out"):
        look.at(b'<worksheet><sheetData><row r="1"/>' + rows, last=True)


def test_rows_without_a_cell_are_laid_out_by_nobody() -> None:
    """LibreOffice writes the last row of all where a whole column has a format."""
    look = looked(b'<row r="1"><c r="CZ1"/></row><row r="1048576" ht="12"></row>', 1 << 18)
    assert look.row == 1_048_576
    with pytest.raises(FileError, match="so far out"):
        looked(b'<row r="1"><c r="CZ1"/></row><row r="1048576"><c r="A1048576"/></row>', 1 << 18)


def test_more_errors_than_there_is_room_for_are_refused() -> None:
    cell = b'<c r="A%d" t="e"><v>#N/A</v></c>'
    rows = (b'<row r="%d">' % n + (cell % n) * 10_000 + b"</row>" for n in range(1, 300))
    look = Look("leads.xlsx")
    with pytest.raises(ValueError, match="room for"):
        deque(map(look.at, rows), maxlen=0)


def test_a_row_longer_than_any_is_taken_in_pieces() -> None:
    look = Look("leads.xlsx")
    cell = b'<c r="%s7" t="inlineStr"><is>%s</is></c>'
    run = b"<r><t>x</t></r>" * 50_000
    text = b'<row r="7">' + cell % (b"A", run) + cell % (b"B", b"<t>y</t>") + b"</row>"
    for start in range(0, len(text), 1 << 16):
        look.at(text[start : start + (1 << 16)])
    look.at(b'<row r="8"><c r="A8"/><c r="C7"/></row>')
    with pytest.raises(ValueError, match="its row 8"):
        look.at(b"", last=True)
    with pytest.raises(ValueError, match="longer than any"):
        Look("leads.xlsx").at(b"<" + b"x" * (1 << 20))


@pytest.mark.parametrize(
    "replaced",
    [
        {"rels": ("worksheets/sheet1.xml", "/xl/worksheets/Sheet1.XML")},
        {"rels": ("worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml")},
        {"xl/workbook.xml": ('name="Leads"', 'state="visible" name="A>B &amp; Co"')},
        {},
    ],
)
@pytest.mark.parametrize("hidden", ["", ' hidden="1"'])
def test_the_part_that_is_looked_at_is_the_one_that_is_read(
    tmp_path: Path, replaced: dict[str, tuple[str, str]], hidden: str
) -> None:
    path = tmp_path / "leads.xlsx"
    leads = [text_row(2 + at, *lead) for at, lead in enumerate(LEADS)]
    sheet_workbook(path, [HEAD, *leads])
    packed_again(path, **replaced)
    packed_again(path, **{"sheet1.xml": ('<row r="3"', f'<row r="3"{hidden}')})
    with path.open("rb") as file:
        assert read_workbook(file, path.name, None).told.hidden_rows == bool(hidden)
    assert rows_of(path) == {1: ("Mobile", "Name"), 2: LEADS[0], 3: LEADS[1]}


def test_a_sheet_with_a_prefix_before_each_tag_is_read_and_held_to_its_places(
    tmp_path: Path,
) -> None:
    path = tmp_path / "leads.xlsx"
    sheet_workbook(path, [HEAD, text_row(2, *LEADS[0])])
    packed_again(path, **{"sheet1.xml": ("</", "</x:")})
    packed_again(path, **{"sheet1.xml": ("<", "<x:")})
    packed_again(path, **{"sheet1.xml": ("<x:/x:", "</x:")})
    packed_again(path, **{"sheet1.xml": ("xmlns=", "xmlns:x=")})
    assert rows_of(path) == {1: ("Mobile", "Name"), 2: LEADS[0]}
    packed_again(path, **{"sheet1.xml": ('"A2"', '"A3"')})
    with pytest.raises(FileError, match="its row 2 is named"):
        rows_of(path)


def test_a_lead_behind_a_row_of_the_same_number_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    sheet_workbook(path, [HEAD, text_row(2, *LEADS[0]), text_row(2, *LEADS[1])])
    with pytest.raises(FileError, match="row 2 stands twice"):
        rows_of(path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("worksheets/sheet1.xml", "xl/worksheets/sheet1.xml", "where its sheet is"),
        ("<Relationship ", OTHER + "<Relationship ", "two names"),
        ("</Relationships>", "", "can be read"),
        ('Target="', 'Target="worksheets/bad.xml" z:Target="', "where its sheet is"),
    ],
)
def test_a_sheet_that_is_nowhere_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "leads.xlsx"
    sheet_workbook(path, [HEAD])
    packed_again(path, **{"workbook.xml.rels": (old, new)})
    with pytest.raises(FileError, match=says):
        rows_of(path)


BAD = '<row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"/></row>'


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/workbook.xml", "<sheets>", '<!-- <sheet name="Leads" r:id="rId7"/> --><sheets>'),
        ("sheet1.xml", "<worksheet", "<!-- <x:worksheet > --><worksheet"),
    ],
)
def test_comments_say_nothing(tmp_path: Path, part: str, old: str, new: str) -> None:
    path = tmp_path / "leads.xlsx"
    sheet_workbook(path, [HEAD, text_row(2, *LEADS[0])])
    packed_again(path, **{part: (old, new)})
    assert rows_of(path) == {1: ("Mobile", "Name"), 2: LEADS[0]}
    sheet_workbook(path, [BAD.encode()])
    packed_again(path, **{part: (old, new)})
    with pytest.raises(FileError, match="so far out"):
        rows_of(path)


def test_a_part_of_almost_the_same_name_is_another(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    sheet_workbook(path, [BAD.encode()])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/work\u017fheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(FileError, match="so far out"):
        rows_of(path)


@pytest.mark.parametrize(
    "head",
    [
        '<sst uniqueCount="7777777777">',
        "<sst uniqueCount='" + "0" * 30 + "900000000'>",
        f'<!-- {"x" * 400_000} --><sst uniqueCount="+99999999">',
        '<x:sst xmlns:x="urn:x" uniqueCount="16777217">',
    ],
)
def test_more_texts_than_any_workbook_has_are_not_believed(tmp_path: Path, head: str) -> None:
    path = tmp_path / "leads.xlsx"
    sheet_workbook(path, [HEAD])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", head)
    with pytest.raises(FileError, match="more texts than any"):
        rows_of(path)
