"""Files as rows of text: encodings, delimiters, row numbers, workbooks, and what is no table."""

import csv
import io
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

from ozodial.errors import FileError
from ozodial.formula import guarded
from ozodial.models import BrokenRow, Row
from ozodial.reader import Kind, open_source, read


def rows_of(path: Path, sheet: str | None = None) -> list[Row]:
    with open_source(str(path)) as source:
        return list(read(source, sheet).rows)


def cells_of(path: Path, sheet: str | None = None) -> list[list[str]]:
    return [list(row.cells) for row in rows_of(path, sheet)]


def fails(path: Path | str, sheet: str | None = None) -> FileError:
    with pytest.raises(FileError) as caught, open_source(str(path)) as source:
        list(read(source, sheet).rows)
    return caught.value


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, encoding: str = "utf-8", name: str = "leads.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


CsvFile = Callable[..., Path]


def test_a_source_knows_its_name_its_kind_and_its_hash(csv_file: CsvFile) -> None:
    path = csv_file("Phone\n9000000001\n")
    with open_source(str(path)) as source:
        assert (source.label, source.kind) == ("leads.csv", Kind.CSV)
        assert source.sha256 == sha256(path.read_bytes()).hexdigest()
        assert read(source).name is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_in_usual_encodings_is_read(csv_file: CsvFile, encoding: str) -> None:
    path = csv_file("Phone,Name\n9000000001,José Ünal\n", encoding)
    assert cells_of(path) == [["Phone", "Name"], ["9000000001", "José Ünal"]]


def test_utf8_is_told_from_cp1252_even_when_only_the_last_row_tells(csv_file: CsvFile) -> None:
    plain = "Phone,Name\n" + "9000000001,Asha\n" * 80_000
    assert cells_of(csv_file(plain + "9000000002,नेहा\n"))[-1][1] == "नेहा"
    assert cells_of(csv_file(plain + "9000000002,José\n", "cp1252"))[-1][1] == "José"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected(csv_file: CsvFile, delimiter: str) -> None:
    text = "Phone D Name D Note\n9000000001 D Rao, Asha D a;b\n9000000002 D Roy, Uma D c|d\n"
    quoted = text.replace("Rao, Asha", '"Rao, Asha"').replace("Roy, Uma", '"Roy, Uma"')
    quoted = quoted.replace("a;b", '"a;b"').replace("c|d", '"c|d"')
    path = csv_file(quoted.replace(" D ", delimiter))
    assert cells_of(path)[1] == ["9000000001", "Rao, Asha", "a;b"]


def test_a_semicolon_file_may_hold_commas_in_every_row(csv_file: CsvFile) -> None:
    path = csv_file("Phone;Name;Amount\n9000000001;Asha;1,5\n9000000002;Uma;2,5\n")
    assert cells_of(path)[2] == ["9000000002", "Uma", "2,5"]


def test_excels_own_delimiter_line_is_obeyed_and_not_counted(csv_file: CsvFile) -> None:
    assert rows_of(csv_file("sep=|\r\nPhone|Name\r\n9000000001|A,B\r\n")) == [
        Row(1, ["Phone", "Name"]),
        Row(2, ["9000000001", "A,B"]),
    ]


def test_one_column_needs_no_delimiter(csv_file: CsvFile) -> None:
    assert cells_of(csv_file("Phone\n9000000001\n")) == [["Phone"], ["9000000001"]]


def test_rows_count_as_a_spreadsheet_shows_them(csv_file: CsvFile) -> None:
    path = csv_file('Phone,Note\n9000000001,"two\nlines"\n\n , \n9000000002,x\n')
    assert [row.number for row in rows_of(path) if any(map(str.strip, row.cells))] == [1, 2, 5]
    assert rows_of(path)[1].cells == ["9000000001", "two\nlines"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(csv_file: CsvFile, end: str) -> None:
    assert [row.number for row in rows_of(csv_file(f"Phone{end}9000000001{end}"))] == [1, 2]


def test_leading_zeros_and_plus_signs_survive(csv_file: CsvFile) -> None:
    assert cells_of(csv_file("Phone,x\n0987,+91\n"))[1] == ["0987", "+91"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"Phone\n9000\x0000001\n", "line 2 holds a NUL byte"),
        (b'Phone,Name\n1,a\n2,"Asha\n3,b\n', "a quote that opens in line 3 is never closed"),
        (b"Phone,Name\n1," + b"x" * 200_000 + b"\n", "a cell of more than 131,072 characters"),
        (b"x" * (17 << 20), "a line of more than 16 MB"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"\x1f\x8b\x08 ...", "is a gzip archive"),
        (b"\n <HTML><table><tr><td>Phone", "is a web page or XML"),
        (b'{"Mobile": "9000000001"}\n', "is JSON, not a table"),
        (b'\xef\xbb\xbf\n[\n  {\n    "Na\\"me" : ["x"]}]', "is JSON, not a table"),
        (b"\x81\x8d\x8f,\x90\n", "unknown encoding"),
        (b"\xff\xfeP\x00h\x00o", "not whole"),
        (b"PK\x03\x04 not a zip", "is not a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is not a workbook"),
    ],
)
def test_what_is_no_table_gets_one_sentence(csv_file: CsvFile, content: bytes, says: str) -> None:
    error = fails(csv_file(content))
    assert says in error.message
    assert "leads.csv" in error.message
    assert "\n" not in error.message


def test_a_quote_that_swallows_rows_is_named_by_its_line(csv_file: CsvFile) -> None:
    error = fails(csv_file('Phone,Name\n1,a\n2,"b\n3,c\n4,"d\n5,e\n'))
    assert "lines 3 to 5" in error.message
    error = fails(csv_file('Phone,Name\n9000000001,a\n9000000002,"b\n9000000003,c"\n'))
    assert "a quote that opens in line 3 takes in the rows up to line 4" in error.message


def test_a_cell_of_several_lines_is_no_swallowed_row(csv_file: CsvFile) -> None:
    path = csv_file('Phone,Address\n9000000001,"12, MG Road\nPune, 411001"\n9000000002,"a\nb"\n')
    assert cells_of(path)[1:] == [
        ["9000000001", "12, MG Road\nPune, 411001"],
        ["9000000002", "a\nb"],
    ]


@pytest.mark.parametrize(
    "line", ['9000000002,"Asha" Rao', '9000000002,"""Asha" Rao', '9000000002,"Asha Rao']
)
def test_a_quote_that_spoils_one_line_alone_spoils_one_row(csv_file: CsvFile, line: str) -> None:
    rows = rows_of(csv_file(f'Phone,Name\n9000000001,"a"\n{line}'))
    assert [row.number for row in rows] == [1, 2, 3]
    assert rows[1].cells == ["9000000001", "a"]
    broken = rows[2].cells
    assert isinstance(broken, BrokenRow)
    assert broken == line.split(",")
    assert "line 3" in broken.why


def test_rows_after_a_broken_one_come_too(csv_file: CsvFile) -> None:
    rows = rows_of(csv_file('Phone,Name\n1,"a" b\n2,"c" d\n3,e\n'))
    assert [isinstance(row.cells, BrokenRow) for row in rows] == [False, True, True, False]
    assert rows[3] == Row(4, ["3", "e"])


def test_what_our_own_export_guards_comes_back_as_it_was(csv_file: CsvFile) -> None:
    table = [["Phone", "=Name", "'-"], ["+919000000001", "O'Brien", "''x"], ["1", "'@a", "'a'"]]
    written = "\n".join(",".join(map(guarded, row)) for row in table)
    assert "'+91" in written
    assert cells_of(csv_file(written)) == table
    assert cells_of(csv_file(written, "utf-16")) == table


def test_a_missing_file_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    assert "does not exist" in fails(tmp_path / "nope.csv").message
    assert "is a folder" in fails(tmp_path).message
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    error = fails(pipe)
    assert "is a pipe" in error.message
    assert error.hint == "Name a file, or pipe the content in and write - for FILE."
    assert "write - for FILE" in (error.hint or "")
    assert "can't be opened" in fails("a\0b").message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_is_named(csv_file: CsvFile) -> None:
    path = csv_file("Phone\n1\n")
    path.chmod(0)
    assert "no permission" in fails(path).message


def test_a_text_file_has_no_sheets(csv_file: CsvFile) -> None:
    assert "has no sheets" in fails(csv_file("Phone\n1\n"), "Leads").message


def test_a_file_that_changes_while_it_is_read_is_refused(csv_file: CsvFile) -> None:
    path = csv_file("Phone,Name\n" + "9000000001,Asha\n" * 10)
    with open_source(str(path)) as source:
        rows = read(source).rows
        next(rows)
        with path.open("a") as file:
            file.write("9000000002,Uma\n")
        with pytest.raises(FileError, match="changed while it was read"):
            list(rows)


def test_a_source_can_be_read_twice(csv_file: CsvFile) -> None:
    with open_source(str(csv_file("Phone\n9000000001\n"))) as source:
        assert list(read(source).rows) == list(read(source).rows)


def test_the_expected_number_of_rows_is_close(csv_file: CsvFile) -> None:
    path = csv_file("Phone,Name\n" + "9000000001,Asha Rao\n" * 20_000)
    with open_source(str(path)) as source:
        assert 19_000 < read(source).expected < 21_000


def test_stdin_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"Phone;Name\n9000000001;Asha\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with open_source("-") as source:
        assert (source.label, source.sha256) == ("stdin", sha256(content).hexdigest())
        assert [row.cells for row in read(source).rows][1] == ["9000000001", "Asha"]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), min_size=2, max_size=6))
@example([["", ";"], ["", "", ";"], ["", ""]])
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]
) -> None:
    table = [["Phone", "Name"], *([cell.replace("\0", "") for cell in row] for row in table)]
    path = tmp_path_factory.mktemp("any") / "any.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(table)
    with path.open(newline="", encoding="utf-8") as file:
        expected = [row for row in csv.reader(file) if row]
    assert cells_of(path) == expected


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_give_rows_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "leads.csv"
    path.write_bytes(content)
    with suppress(FileError):
        assert rows_of(path) is not None


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "leads.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        minute = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        book.add_worksheet("Cover")
        hidden = book.add_worksheet("Secret")
        hidden.write(0, 0, "Phone")
        hidden.hide()
        sheet = book.add_worksheet("Leads")
        sheet.write_row(3, 1, ["Phone", "Name", "When", "Until", "Sure"])
        sheet.write_row(5, 1, [9876543210, "  Asha  "])
        sheet.write_datetime(5, 3, datetime(2026, 12, 25, 15, 30), minute)
        sheet.write_datetime(5, 4, datetime(2026, 12, 31), day)
        sheet.write_boolean(5, 5, True)
        sheet.write_row(6, 1, [919876543210123456, "=not a formula"[1:], 0.1 + 0.2, 2.50, "x"])
        sheet.write_number(7, 3, 46381.6458333, minute)
        sheet.write_formula(7, 1, "=1+1", value=2)
    return path


def test_a_workbook_comes_as_the_text_a_person_sees(workbook: Path) -> None:
    with open_source(str(workbook)) as source:
        sheet = read(source)
        assert (source.kind, sheet.name) == (Kind.WORKBOOK, "Leads")
        assert [(row.number, list(row.cells)) for row in sheet.rows] == [
            (4, ["", "Phone", "Name", "When", "Until", "Sure"]),
            (6, ["", "9876543210", "  Asha  ", "2026-12-25 15:30:00", "2026-12-31", "TRUE"]),
            (7, ["", "9.19876543210124E+17", "not a formula", "0.3", "2.5", "x"]),
            (8, ["", "2", "", "2026-12-25 15:30:00", "", ""]),
        ]


def test_a_sheet_can_be_named_even_if_it_is_hidden(workbook: Path) -> None:
    assert cells_of(workbook, "Secret") == [["Phone"]]
    assert cells_of(workbook, " leads ")[0][1] == "Phone"


def test_an_unknown_sheet_lists_the_sheets(workbook: Path) -> None:
    error = fails(workbook, "Sheet9")
    assert '"Sheet9"' in error.message
    assert '"Cover", "Secret", "Leads"' in error.message
    assert fails(workbook, "2026").hint == '--sheet "Cover"'
    assert fails(workbook, "leeds ").hint == '--sheet "Leads"'


def test_a_workbook_without_data_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    xlsxwriter.Workbook(str(path)).close()
    assert "no visible sheet with data" in fails(path).message


def test_a_workbook_is_known_by_its_content(workbook: Path) -> None:
    assert cells_of(workbook.rename(workbook.with_suffix(".csv")))[0][1] == "Phone"


def test_a_cut_workbook_and_another_zip_are_refused(workbook: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(workbook.read_bytes()[:-500])
    assert "is not a workbook" in fails(cut).message
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("leads.csv", "Phone\n1\n")
    assert "is not a workbook" in fails(other).message


def test_a_zip_bomb_is_stopped_by_what_it_declares(workbook: Path) -> None:
    content = bytearray(workbook.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    first = content.index(b"PK\x01\x02")
    content[first + 24 : first + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    workbook.write_bytes(content)
    assert "would unpack to" in fails(workbook).message
