"""Whole files as staged rows: cells by name, rows that are no leads, what is said of the file."""

import json
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from ozodial.endpoints import endpoint
from ozodial.errors import FileError
from ozodial.layout import Layout
from ozodial.models import DateOrder, Field, PhoneForm, Reason, StagedRow, State
from ozodial.prepare import Recipe, open_leads
from ozodial.storing import json_list, lead_hash, lead_hasher
from tests.command import Desk

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Asia/Kolkata"))


class Read:
    """A file that was read: its rows, and what was said of it."""

    def __init__(self, path: Path, command: str = "bulk-add", **options: Any) -> None:  # noqa: ANN401
        recipe = Recipe(endpoint(command), str(path), "IN", "Asia/Kolkata", NOON, **options)
        with open_leads(recipe) as leads:
            self.rows: list[StagedRow] = list(leads.rows())
            again = list(leads.rows())
            self.said = [said for said, _ in leads.findings.notices()]
            self.content = leads.content
        assert again == self.rows

    @property
    def told(self) -> list[tuple[int, str, str | None, str | None]]:
        return [
            (row.row, str(row.state), row.reason, row.message or row.remark) for row in self.rows
        ]

    @property
    def states(self) -> dict[int, str]:
        return {row.row: str(row.state) for row in self.rows}


Write = Callable[[str], Path]


@pytest.fixture
def csv(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "leads.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_problem_names_its_cell(csv: Write) -> None:
    read = Read(csv("Name,Priority,Mobile\nAsha,high,12345\nUma,5,9800100001\n"))
    ((row, state, reason, message), good) = read.told
    assert (row, state, reason) == (2, State.INVALID, Reason.PHONE_INVALID)
    assert message is not None
    first, second = message.split("; ")
    assert first.startswith('C2: "12345" is not a phone number')
    assert second.startswith('B2: "high" is not a priority')
    assert good == (3, State.READY, "", "")


@pytest.mark.parametrize(
    ("sheet", "cell"),
    [("Leads", "Leads!B4"), ("May leads", "'May leads'!B4"), ("A'b", "'A''b'!B4")],
)
def test_a_workbooks_problem_names_sheet_and_cell(tmp_path: Path, sheet: str, cell: str) -> None:
    path = tmp_path / "leads.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet(sheet)
        page.write_row(1, 1, ["Mobile", "Name"])
        page.write_row(3, 1, ["12345", "Asha"])
        page.write_row(4, 1, ["9800100001 / 9800100002", "Uma"])
    read = Read(path)
    assert read.told[0][3] == f'{cell}: "12345" is not a phone number: ' + (
        "it has 5 digits, too few for IN"
    )
    note = read.told[1][3]
    assert note == (
        cell.replace("B4", "B5")
        + ': "9800100001 / 9800100002" holds 2 numbers: 9800100001 was taken'
    )
    assert any(note in said for said in read.said)


def test_what_is_wrong_with_a_whole_row_names_its_cells(csv: Write) -> None:
    read = Read(csv('Mobile,Name\n9800100001,"Asha" Rao\n9800100002,Uma,moved\n'))
    assert [message[:6] for *_, message in read.told if message] == ["A2:B2:", "A3:B3:"]
    assert [reason for _, _, reason, _ in read.told] == [Reason.ROW_UNREADABLE] * 2
    assert read.rows[0].cells == '["9800100001","\\"Asha\\" Rao"]'


def test_totals_headers_and_closing_notes_are_passed_over_and_said(csv: Write) -> None:
    read = Read(
        csv(
            "Sr,Mobile,Name\n1,9800100001,Asha\nSubtotal,1,\nSr,Mobile,Name\n2,9800100002,Uma\n"
            "Total,2,\n\nExported on 12/11/2026\nchecked by Uma,,\n"
        )
    )
    assert read.states == {2: State.READY, 5: State.READY}
    (said,) = read.said
    assert 'row 3 "Subtotal" is a total, row 4 "Sr" is the header again' in said
    assert "and 2 more" in said


def test_a_note_with_a_lead_below_it_is_an_invalid_row(csv: Write) -> None:
    read = Read(csv("Sr,Mobile\n1,9800100001\nfrom Pune,\n2,9800100002\nend of list,\n"))
    assert read.states == {2: State.READY, 3: State.INVALID, 4: State.READY}
    assert read.told[1][2] == Reason.PHONE_MISSING


def test_a_lead_without_a_phone_is_never_passed_over(csv: Write) -> None:
    assert Read(csv("Mobile,Name\n9800100001,Asha\n,Uma\n")).states[3] == State.INVALID
    assert Read(csv("Mobile\n9800100001\nnot given\n")).states[3] == State.INVALID


def without_values(whole: Path, path: Path) -> None:
    """The workbook as a program writes it that computes nothing."""
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            after.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f><v />", before.read(name)))


def test_a_formula_without_a_value_is_named(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.xlsx", tmp_path / "leads.xlsx"
    with xlsxwriter.Workbook(str(whole)) as book:
        page = book.add_worksheet("Leads")
        page.write_row(0, 0, ["Mobile", "Name", "City"])
        page.write_row(1, 0, ["9800100001", '="A"&"b"', "Pune"])
        page.write_row(2, 0, ["=9800100000+2", "Uma", "=1"])
        page.write_row(3, 0, ["9800100003", "Devi", "=1"])
    without_values(whole, path)
    read = Read(path)
    assert read.states == {2: State.INVALID, 3: State.INVALID, 4: State.READY}
    assert [row.reason for row in read.rows[:2]] == [Reason.FORMULA_WITHOUT_VALUE] * 2
    assert str(read.rows[0].message).startswith("Leads!B2: the formula has no stored value")
    assert str(read.rows[1].message).startswith("Leads!A3: the formula")
    assert "no phone" not in str(read.rows[1].message)
    sent_too = Read(path, layout=Layout(extra=("City",)))
    assert sent_too.states[4] == State.INVALID


def test_formulas_count_by_their_stored_value(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Mobile", "Name"])
        page.write_formula(1, 0, "=9800100000+1", value=9800100001)
        page.write_formula(1, 1, '="A"', value="Asha")
    read = Read(path)
    assert read.states == {2: State.READY}
    assert read.rows[0].name == "Asha"


def test_hidden_rows_are_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "leads.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Other").write(0, 0, "notes")
        page = book.add_worksheet("Leads")
        page.write_column(0, 0, ["Mobile", "9800100001", "9800100002"])
        page.set_row(1, None, None, {"hidden": True})
        book.add_worksheet("Secret").hide()
    read = Read(path, layout=Layout(sheet="Leads"))
    assert read.states == {2: State.READY, 3: State.READY}
    assert read.said == [
        'sheet "Leads" was taken, not "Other" (--sheet NAME)',
        "1 hidden row was read like all others",
    ]


@pytest.mark.parametrize("since_1904", [False, True])
def test_dates_of_both_date_systems(tmp_path: Path, since_1904: bool) -> None:
    path = tmp_path / "leads.xlsx"
    days = 46351 - (1462 if since_1904 else 0)
    with xlsxwriter.Workbook(str(path), {"date_1904": since_1904}) as book:
        page = book.add_worksheet()
        stamp = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        page.write_row(0, 0, ["Mobile", "Call Time"])
        page.write(1, 0, "9800100001")
        page.write_datetime(1, 1, datetime(2026, 11, 25, 15, 30), stamp)
        page.write(2, 0, "9800100002")
        page.write_number(2, 1, days + 15.5 / 24)
    read = Read(path, "schedule")
    assert [row.scheduled for row in read.rows] == ["2026-11-25 15:30:00"] * 2


def test_the_content_tells_every_recipe_apart(csv: Write) -> None:
    path = csv("Mobile,Name,Ring\n9800100001,Asha,9800100002\n")
    recipes: list[dict[str, Any]] = [
        {},
        {"layout": Layout(extra=("Ring",))},
        {"layout": Layout(columns={Field.PHONE: "Ring"})},
        {"layout": Layout(last_name="Ring")},
        {"layout": Layout(constants={Field.PRIORITY: "5"})},
        {"layout": Layout(date_order=DateOrder.MDY)},
        {"layout": Layout(default_time="10:00:00")},
        {"layout": Layout(phone_form=PhoneForm.E164)},
        {"layout": Layout(strict=True)},
        {"layout": Layout(encoding="cp1252")},
        {"layout": Layout(delimiter=",")},
        {"at": "2026-11-25 10:00:00"},
    ]
    contents = [Read(path, **recipe).content for recipe in recipes]
    assert len(set(contents)) == len(recipes)
    assert Read(path).content == contents[0]


@pytest.mark.parametrize(
    ("form", "home", "abroad"),
    [
        (PhoneForm.NATIONAL, "9800100001", "+12025550143"),
        (PhoneForm.E164, "+919800100001", "+12025550143"),
        (PhoneForm.DIGITS, "919800100001", "12025550143"),
    ],
)
def test_phones_in_the_form_that_was_asked_for(
    csv: Write, tmp_path: Path, form: PhoneForm, home: str, abroad: str
) -> None:
    listed = tmp_path / "dnc.txt"
    listed.write_text("98001 00003\nnobody\n", encoding="utf-8")
    path = csv("Mobile\n98001 00001\n+91-98001-00001\n+1 202 555 0143\n9800100003\n9800100004.0\n")
    read = Read(path, layout=Layout(phone_form=form), suppress=[str(listed)])
    assert [row.phone for row in read.rows][::2] == [home, abroad, f"{home[:-1]}4"]
    assert read.states == {
        2: State.READY,
        3: State.DUPLICATE,
        4: State.READY,
        5: State.SUPPRESSED,
        6: State.READY,
    }
    assert read.said == [
        '1 cell of the suppression list "dnc.txt" can\'t be read as a phone number: A2'
    ]


def test_an_unusual_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    text = "Mobile,Name\n9800100001,Иван Петров\n9800100002,Мария Сидорова\n"
    path.write_bytes(text.encode("cp1251"))
    read = Read(path)
    assert read.rows[0].name == "Иван Петров"
    assert "cp1251" in read.said[0]
    named = Read(path, layout=Layout(encoding="koi8-r"))
    assert named.rows[0].name != "Иван Петров"
    with pytest.raises(FileError, match="is not text in the encoding utf-8"):
        Read(path, layout=Layout(encoding="utf-8"))


def test_a_delimiter_may_be_named(csv: Write) -> None:
    read = Read(csv("Mobile^Name\n9800100001^A,b;c\n"), layout=Layout(delimiter="^"))
    assert read.rows[0].name == "A,b;c"


def test_a_sheet_of_the_mapping_file_says_nothing_of_a_csv(csv: Write) -> None:
    path = csv("Mobile\n9800100001\n")
    assert Read(path, layout=Layout(sheet="Leads", sheet_by_file=True)).states == {2: State.READY}
    with pytest.raises(FileError, match="has no sheets"):
        Read(path, layout=Layout(sheet="Leads"))


def test_the_same_lead_has_one_hash() -> None:
    sent = ("PhoneNumber", "Name", "City")
    lead = lead_hash(sent, ("9800100001", "Asha", ""))
    assert lead == lead_hash(("Name", "PhoneNumber"), ("Asha", "9800100001"))
    assert len(lead) == 16
    others = [
        lead_hash(sent, ("9800100001", "", "Asha")),
        lead_hash(sent, ("9800100001", "Asha", "x")),
        lead_hash(("PhoneNumber",), ("9800100001",)),
        lead_hash(("PhoneNumber", "Name"), ("9800100001", "Asha\0")),
        lead_hash(("PhoneNumber", "Name"), ("9800100001\0Asha", "")),
        lead_hash(("PhoneNumber", "Name\0City"), ("9800100001", "Asha\0x")),
    ]
    assert len({lead, *others}) == 1 + len(others)


@given(st.lists(st.tuples(*[st.text(alphabet="xy\0", max_size=2)] * 3), max_size=5))
def test_many_leads_have_the_hashes_that_each_has_alone(leads: list[tuple[str, ...]]) -> None:
    sent = ("PhoneNumber", "Name", "City")
    assert lead_hasher(sent)(leads) == [lead_hash(sent, lead) for lead in leads]


def test_a_lead_s_hash_is_that_of_earlier_versions() -> None:
    sent = ("PhoneNumber", "Name", "City")
    known = {
        ("9800100001", "Asha", "Pune"): "4255e07423e21092dc16bd06d69f25dc",
        ("9800100001", "", "Pune"): "ee6829a05f901bf059ec420d78c67d6e",
        ("9800100001", "A\0b", ""): "e75b1cd4726fa33d635c90105a3ea881",
    }
    assert {lead: lead_hash(sent, lead).hex() for lead in known} == known


@given(st.lists(st.text(), max_size=4))
def test_cells_are_kept_as_json_whatever_they_hold(cells: list[str]) -> None:
    assert json.loads(json_list(cells)) == cells


@given(st.lists(st.text(alphabet='"\\,ab[] ', max_size=4), max_size=4))
def test_cells_of_quotes_are_kept_too(cells: list[str]) -> None:
    assert json.loads(json_list(cells)) == cells


def test_check_shows_what_a_person_should_know(desk: Desk) -> None:
    leads = desk.write(
        "leads.csv", "Sr,Mobile\n1,98001 00001 / 98001 00002\n2,080-22334455 ext 5\nTotal,2\n"
    )
    shown = desk.run("check", leads, "--for", "bulk-add")
    assert shown.code == 0
    assert 'passed over as no leads: row 4 "Total" is a total' in shown.out
    assert "Sent with a remark" in shown.out
    assert 'B2: "98001 00001 / 98001 00002" holds 2 numbers: 9800100001 was taken' in shown.out
    assert "B3: extension 5 was left out" in shown.out
    told = desk.run("check", leads, "--for", "bulk-add", "--json", "-v")
    assert "9800100001 was taken" in str(told.of("row")[0]["message"])
    assert "row 4" in told.err
