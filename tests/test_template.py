"""The empty sheet: what it holds, and that filled in by another library it goes straight in."""

import csv
import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from ozodial.endpoints import ENDPOINTS, endpoint
from ozodial.errors import UsageError
from ozodial.models import Field
from ozodial.sandbox_server import ServerHandle
from ozodial.template import GUIDES, write_template
from tests.command import Desk

LEAVE = dt.date.today() + dt.timedelta(days=3)


@pytest.mark.parametrize("command", ["schedule", "bulk-add"])
def test_the_workbook_has_headers_forms_checks_and_a_guide(tmp_path: Path, command: str) -> None:
    write_template(tmp_path / "t.xlsx", endpoint(command))
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    leads, columns = book["Leads"], book["Columns"]
    headers = [cell.value for cell in leads[1]]
    wanted = [str(field) for field in Field if command == "schedule" or field != Field.SCHEDULED]
    assert headers == wanted
    assert leads.max_row == 1  # no example that somebody could be dialled for
    form = {
        name: leads.column_dimensions["ABCDEFG"[i]].number_format for i, name in enumerate(headers)
    }
    assert (form["PhoneNumber"], form["ExpiryDate"]) == ("@", "yyyy-mm-dd")
    checks = {str(check.sqref): check.type for check in leads.data_validations.dataValidation}
    assert checks["A2:A1048576"] == "textLength"
    assert sorted(checks.values()) == sorted(
        ["textLength", "date", "whole"] + ["date"] * (command == "schedule")
    )
    told = {
        row[0].value: row[2].value for row in columns.iter_rows(min_row=2, max_row=1 + len(wanted))
    }
    assert told == {str(guide.field): guide.says for guide in GUIDES if guide.field in wanted}
    assert f"ozodial {command} FILE.xlsx" in str([cell.value for cell in columns["A"]])


def test_filled_in_it_goes_straight_in(desk: Desk, vendor: ServerHandle) -> None:
    assert desk.run("template", "t.xlsx").code == 0
    book = openpyxl.load_workbook(desk.home / "t.xlsx")
    sheet = book["Leads"]
    sheet.append(["98765 43210", dt.datetime(LEAVE.year, LEAVE.month, LEAVE.day, 15, 30), "Asha"])
    late = LEAVE + dt.timedelta(days=5)
    sheet.append([9876543211, f"{LEAVE:%d/%m/%Y} 16:00", "Bo", late, 5, "agent7", "hindi"])
    book.save(desk.home / "t.xlsx")
    checked = desk.run("check", "t.xlsx", "--json")
    assert (checked.code, checked.of("run")[0]["command"]) == (0, "schedule")
    assert desk.run("schedule", "t.xlsx").code == 0
    first, second = (lead.fields for lead in vendor.sandbox.leads)
    assert (first["PhoneNumber"], first["ScheduledTime"]) == ("9876543210", f"{LEAVE} 15:30:00")
    assert second == {
        "PhoneNumber": "9876543211",
        "ScheduledTime": f"{LEAVE} 16:00:00",
        "Name": "Bo",
        "ExpiryDate": f"{late} 23:59:59",
        "Priority": "5",
        "AgentID": "agent7",
        "skill": "hindi",
    }


def test_a_csv_template_too(desk: Desk, vendor: ServerHandle) -> None:
    assert desk.run("template", "t.csv", "--for", "bulk-add").code == 0
    path = desk.home / "t.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbfPhoneNumber,Name,")
    with path.open("a", newline="") as file:
        csv.writer(file).writerow(["9876543210", "Asha", "", "5", "", ""])
    assert desk.run("bulk-add", "t.csv").code == 0
    assert [lead.fields["Priority"] for lead in vendor.sandbox.leads] == ["5"]


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])
def test_an_empty_template_has_no_leads(desk: Desk, name: str) -> None:
    desk.run("template", name, "--for", "bulk-add")
    done = desk.run("check", name, "--for", "bulk-add")
    assert (done.code, "no leads below" in done.err) == (3, True)


def test_nothing_is_written_over(desk: Desk) -> None:
    path = desk.write("t.csv", "Mobile\n1\n")
    done = desk.run("template", "t.csv")
    assert (done.code, "t.csv exists already" in done.err) == (2, True)
    assert path.read_text() == "Mobile\n1\n"
    for name in ("t.pdf", "no/such/folder/t.csv"):
        done = desk.run("template", name)
        assert (done.code, name in done.err, "Traceback" in done.err) == (2, True, False)


def test_every_field_of_every_endpoint_is_explained(tmp_path: Path) -> None:
    assert [guide.field for guide in GUIDES] == list(Field)
    assert all(len(guide.says) <= 255 for guide in GUIDES)  # Excel shows no more beside a cell
    for number, entry in enumerate(ENDPOINTS):
        write_template(tmp_path / f"{number}.xlsx", entry)
    with pytest.raises(UsageError, match="exists already"):
        write_template(tmp_path / "0.xlsx", ENDPOINTS[0])
