"""The rejects file mended by hand goes straight back in, and sends only what was mended."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import load_workbook

from ozodial.sandbox_server import ServerHandle
from tests.command import Desk

GOOD = 9_800_100_000
DND = "9855501555"
"""The simulator refuses it."""


def leads(*bad: str) -> str:
    lines = ["Mobile,Name,Note,When"]
    lines += [f"+91{GOOD + i},Lead {i},'=x{i},{i}" for i in range(5)]
    return "\n".join([*lines, *bad]) + "\n"


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def mend_csv(path: Path, cells: Callable[[str], str]) -> None:
    rows = [[cells(cell) for cell in row] for row in table(path)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)


def mend_xlsx(path: Path, cells: Callable[[str], str]) -> None:
    rows = load_workbook(str(path)).get_sheet_by_index(0).to_python()
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("rows")
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(index, column, cells(str(cell)))


@pytest.mark.parametrize(
    ("name", "mend"), [("bad.csv", mend_csv), ("bad.xlsx", mend_xlsx)], ids=["csv", "xlsx"]
)
def test_only_what_was_mended_is_sent(
    desk: Desk, vendor: ServerHandle, name: str, mend: Callable[..., None]
) -> None:
    bad = ["12345,Asha,@a,7", '\'+9198,Uma "x",-b,8', "9800199999,Again,,9", "9800199999,,,"]
    first = desk.run("bulk-add", desk.write("leads.csv", leads(*bad)), "--rejects", name, "--json")
    assert first.code == 4
    assert first.summary["accepted"] == 6
    assert first.summary["invalid"] == 2
    mend(desk.home / name, lambda cell: cell.replace("12345", "98001 77777"))
    again = desk.run("bulk-add", name, "--json", "--results", "all.csv")
    assert again.summary["accepted"] == 1
    assert again.summary["invalid"] == 1
    assert again.code == 4
    sent = [lead.phone for lead in vendor.sandbox.leads]
    assert sorted(sent) == sorted([str(GOOD + i) for i in range(5)] + ["9800199999", "9800177777"])


def test_an_export_of_all_rows_goes_back_in_and_sends_nothing(desk: Desk) -> None:
    path = desk.write("leads.csv", leads())
    assert desk.run("bulk-add", path, "--results", "all.csv", "--quiet").code == 0
    again = desk.run("bulk-add", "all.csv", "--json", "--results", "again.csv")
    assert again.code == 0
    assert again.summary["already_accepted"] == 5
    before, after = table(desk.home / "all.csv"), table(desk.home / "again.csv")
    assert [row[:4] for row in before] == [row[:4] for row in after]
    assert before[0] == after[0]


@pytest.mark.parametrize(
    ("name", "mend"), [("bad.csv", mend_csv), ("bad.xlsx", mend_xlsx)], ids=["csv", "xlsx"]
)
def test_exported_problems_mended_in_a_spreadsheet_go_straight_back(
    desk: Desk, vendor: ServerHandle, name: str, mend: Callable[..., None]
) -> None:
    bad = ["12345,Asha,@a,7", f"{DND},Dora,,8"]
    refused = desk.run("bulk-add", desk.write("leads.csv", leads(*bad)), "--json")
    assert (refused.summary["rejected"], refused.summary["invalid"]) == (1, 1)
    out = desk.run("runs", "export", "1", name, "--only", "rejected,invalid")
    assert (out.code, len(vendor.sandbox.leads)) == (0, 5)
    mended = {"12345": "98001 77777", DND: "9800188888"}
    mend(desk.home / name, lambda cell: mended.get(cell, cell))
    again = desk.run("bulk-add", name, "--json")
    assert (again.code, again.summary["accepted"], again.summary["rows"]) == (0, 2, 2)
    assert [lead.phone for lead in vendor.sandbox.leads][5:] == ["9800177777", "9800188888"]
