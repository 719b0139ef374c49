import csv
import json
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from ozodial.errors import UsageError
from ozodial.export import ADDED, ExportRow, check_target, export
from ozodial.fixes import FIXES, fix_for
from ozodial.formula import unguarded
from ozodial.models import Reason, State

HEADER = ("Name", "Mobile No.", "Name", "")
ROWS = [
    ExportRow(
        2, ["Sita", "+919876543210", "Devi", "x"], State.ACCEPTED, None, "SuccessFully Updated"
    ),
    ExportRow(3, ["=HYPERLINK(1)"], State.INVALID, Reason.PHONE_MISSING, "Mobile No. is empty"),
    ExportRow(5, ["a\nb", "0987", ' "q"', "", "beyond", "007"], State.REJECTED, "dnd", "-5"),
]
ADDED_CELLS = [
    ["2", "accepted", "", "SuccessFully Updated", ""],
    ["3", "invalid", "phone_missing", "Mobile No. is empty", FIXES[Reason.PHONE_MISSING]],
    ["5", "rejected", "dnd", "-5", FIXES[Reason.DND]],
]


def read_csv(path: Path) -> list[list[str]]:
    """As our own reader does."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [[unguarded(cell) for cell in row] for row in csv.reader(file, strict=True)]


def read_xlsx(path: Path) -> list[list[object]]:
    """As our own reader does."""
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    return [list(row) for row in sheet.to_python()]


def test_csv_has_the_original_columns_and_then_ours(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert export(path, HEADER, ROWS) == 3
    assert path.read_bytes().startswith(b"\xef\xbb\xbfName,Mobile No.,Name,,ozodial_row,")
    assert read_csv(path) == [
        [*HEADER, *ADDED],
        ["Sita", "+919876543210", "Devi", "x", *ADDED_CELLS[0]],
        ["=HYPERLINK(1)", "", "", "", *ADDED_CELLS[1]],
        ["a\nb", "0987", ' "q"', "", *ADDED_CELLS[2], "beyond", "007"],
    ]


def test_csv_holds_nothing_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export(path, ("=1", "b"), [ExportRow(2, ["@x", "-1"], "invalid", None, "=cmd()")])
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=cmd()" in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_xlsx_is_text_throughout(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    assert export(path, HEADER, ROWS) == 3
    rows = read_xlsx(path)
    assert rows[0][:9] == [*HEADER, *ADDED]
    assert rows[1][:9] == ["Sita", "+919876543210", "Devi", "x", *ADDED_CELLS[0]]
    assert rows[2][:9] == ["=HYPERLINK(1)", "", "", "", *ADDED_CELLS[1]]
    assert rows[3] == ["a\nb", "0987", ' "q"', "", *ADDED_CELLS[2], "beyond", "007"]
    assert all(isinstance(cell, str) for row in rows for cell in row)


def test_xlsx_takes_a_name_that_looks_like_its_own_xml(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    names = ["<r><t>&</r>", "<r></r>", "x" * 40_000, "😀" * 20_000, "\ud800", " padded "]
    export(path, ("Name",), [ExportRow(2, [name], "invalid", None, None) for name in names])
    read = [row[0] for row in read_xlsx(path)[1:]]
    assert read[:2] == names[:2]
    assert read[2] == "x" * 32_767
    assert read[3] == "😀" * 16_383
    assert read[4:] == ["?", " padded "]


def test_jsonl_names_every_cell(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    assert export(path, HEADER, ROWS) == 3
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert records[0] == {
        "Name": "Sita",
        "Mobile No.": "+919876543210",
        "Name (2)": "Devi",
        "column 4": "x",
        "ozodial_row": 2,
        "ozodial_status": "accepted",
        "ozodial_reason": None,
        "ozodial_message": "SuccessFully Updated",
        "ozodial_fix": None,
    }
    assert (records[2]["column 5"], records[2]["column 6"]) == ("beyond", "007")
    assert records[2]["ozodial_message"] == "-5"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl"])
def test_an_export_fed_back_has_our_columns_once(tmp_path: Path, suffix: str) -> None:
    header = ("Name", *ADDED[:-1], "Ozodial_Fix ", "ozodial_notes")
    cells = ["Sita", "2", "invalid", "phone_invalid", "old", "fix", "mine"]
    path = tmp_path / f"again{suffix}"
    export(path, header, [ExportRow(7, cells, State.ACCEPTED, None, "new")])
    if suffix == ".jsonl":
        record = json.loads(path.read_text())
        assert list(record) == ["Name", "ozodial_notes", *ADDED]
        assert list(record.values()) == ["Sita", "mine", 7, "accepted", None, "new", None]
    else:
        rows = read_csv(path) if suffix == ".csv" else read_xlsx(path)
        assert rows[0] == ["Name", "ozodial_notes", *ADDED]
        assert rows[1] == ["Sita", "mine", "7", "accepted", "", "new", ""]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=6))
def test_csv_reads_back_unchanged(tmp_path: Path, cells: list[str]) -> None:
    path = tmp_path / "out.csv"
    export(path, ("a", "b", "c"), [ExportRow(2, cells, "invalid", None, None)])
    _, row = read_csv(path)
    assert row[:3] == (cells + [""] * 3)[:3]
    assert row[8:] == cells[3:]


def test_only_the_owner_may_read_it_and_a_rerun_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.touch(0o644)
    for _ in range(2):
        export(path, HEADER, ROWS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    def broken() -> Iterator[ExportRow]:
        yield ROWS[0]
        raise RuntimeError("ledger gone")

    for name in ("out.csv", "out.xlsx", "out.jsonl"):
        path = tmp_path / name
        export(path, HEADER, ROWS)
        before = path.read_bytes()
        with pytest.raises(RuntimeError, match="ledger gone"):
            export(path, HEADER, broken())
        assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize("name", ["leads.csv", "leads.xlsx", "leads.jsonl"])
def test_what_is_no_export_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Mobile,Name\n9876543210,Asha\n")
    with pytest.raises(UsageError, match="not an earlier export") as refused:
        export(path, HEADER, ROWS)
    assert str(path.with_stem("leads-ozodial")) in str(refused.value.hint)
    assert path.read_text() == "Mobile,Name\n9876543210,Asha\n"


def test_a_workbook_of_another_program_is_no_export_and_one_saved_by_it_is(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    for header, ours in (("Mobile", False), ("ozodial_status", True)):
        with xlsxwriter.Workbook(str(path)) as book:  # with shared strings, as Excel writes
            book.add_worksheet().write_string(0, 0, header)
        if ours:
            assert export(path, HEADER, ROWS) == 3
        else:
            with pytest.raises(UsageError, match="not an earlier export"):
                check_target(path)


def test_every_reason_has_its_fix() -> None:
    assert set(FIXES) == set(Reason)
    assert fix_for("accepted", None) == fix_for("accepted", "of the vendor's own") == ""
    assert fix_for("rejected", "of the vendor's own") == FIXES[Reason.REFUSED_BY_VENDOR]
    assert "--resend-unknown" in fix_for("unknown", None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", "the suffix: .csv, .xlsx, .jsonl"),
        ("out", "the suffix"),
        ("folder.csv", "is a folder"),
        ("link.csv", "is a link"),
        ("fifo.csv", "not an ordinary file"),
        ("none/out.csv", "there is no folder"),
    ],
)
def test_a_target_that_cannot_be_is_refused_at_once(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("elsewhere.csv")
    os.mkfifo(tmp_path / "fifo.csv")
    with pytest.raises(UsageError) as error:
        check_target(tmp_path / name)
    assert message in error.value.message
    with pytest.raises(UsageError):
        export(tmp_path / name, HEADER, iter(ROWS))
    assert not (tmp_path / "elsewhere.csv").exists()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, suffix: str) -> None:
    def peak(count: int) -> int:
        rows = (
            ExportRow(n, ["Sita", f"98765{n:05}"], "accepted", None, "ok") for n in range(count)
        )
        tracemalloc.start()
        export(tmp_path / f"out{suffix}", ("Name", "Phone"), rows)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(4000) < peak(400) + 300_000
