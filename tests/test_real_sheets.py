"""Sheets as people have them: errors, fillers, covers, no header, stdin, a guessed encoding."""

import zipfile
from collections.abc import Callable
from csv import DictReader
from pathlib import Path

import pytest
import xlsxwriter

from ozodial.layout import Layout
from ozodial.models import Field, Reason, State
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk
from tests.hostile import old_workbook
from tests.test_prepare import Read

Write = Callable[[str], Path]


@pytest.fixture
def csv(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "leads.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return path


# --- cells that show an error ---


def failed_formulas(path: Path) -> Path:
    """A workbook in which three formulas failed, as Excel stores that."""
    whole = path.with_name("whole.xlsx")
    lead: list[object] = ["9800100001", "Asha", "2030-01-01", "Pune"]
    rows: list[list[object]] = [["Mobile", "Name", "Expiry", "City"], lead]
    rows += [
        [f"={place}" if at == place else cell for at, cell in enumerate(lead)] for place in range(4)
    ]
    workbook(whole, Leads=rows)
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            for place, error in enumerate((b"#N/A", b"#REF!", b"#DIV/0!", b"#VALUE!")):
                cell = b'r="%c%d"' % (b"ABCD"[place], place + 3)
                formula = b"<f>%d</f><v>" % place
                text = text.replace(
                    cell + b">" + formula + b"0</v>", cell + b' t="e">' + formula + error + b"</v>"
                )
            after.writestr(name, text)
    return path


def test_a_cell_with_an_error_is_named_and_stands_in_the_rejects(tmp_path: Path) -> None:
    read = Read(failed_formulas(tmp_path / "leads.xlsx"))
    assert read.states == {
        2: State.READY,
        3: State.INVALID,
        4: State.INVALID,
        5: State.INVALID,
        6: State.DUPLICATE,
    }
    errors = {"A3": "#N/A", "B4": "#REF!", "C5": "#DIV/0!"}
    for row, (cell, error) in zip(read.rows[1:4], errors.items(), strict=True):
        assert row.reason == Reason.CELL_ERROR
        assert row.message == (
            f"Leads!{cell}: the cell shows the error {error}: mend its formula, or empty the cell"
        )
        assert error in row.cells


def test_an_error_counts_only_in_a_column_that_is_sent(tmp_path: Path) -> None:
    path = failed_formulas(tmp_path / "leads.xlsx")
    sent_too = Read(path, layout=Layout(extra=("City",)))
    assert sent_too.rows[4].reason == Reason.CELL_ERROR
    assert "in Leads!D6 the cell shows the error #VALUE!" in str(sent_too.rows[4].message)


def test_an_error_in_a_csv_is_one_too(csv: Write) -> None:
    read = Read(csv("Mobile,Name,City\n9800100001,#N/A,Pune\n9800100002,Uma,#REF!\n"))
    assert [row.reason for row in read.rows] == [Reason.CELL_ERROR, ""]
    named_apart = csv("Mobile,First Name,Last Name\n9800100001,Asha,#NAME?\n9800100002,Uma,Das\n")
    assert Read(named_apart).told[0][3] == (
        "A2:C2: in C2 the cell shows the error #NAME?: mend its formula, or empty the cell"
    )


def test_an_old_workbook_tells_its_errors_hidden_rows_and_first_year(tmp_path: Path) -> None:
    path = tmp_path / "leads.xls"
    header = (0, 0, "Mobile"), (0, 1, "Name"), (0, 2, "Expiry")
    rows = (1, 0, 9_800_100_001.0), (1, 1, "#N/A"), (2, 0, 9_800_100_002.0), (2, 2, 46_022.0)
    formula = (3, 0, 9_800_100_003.0), (3, 1, "=#REF!")
    old_workbook(path, *header, *rows, *formula, hidden=2)
    read = Read(path)
    assert read.states == {2: State.INVALID, 3: State.READY, 4: State.INVALID}
    assert "Leads!B4: the cell shows the error #REF!" in str(read.rows[2].message)
    assert "Leads!B2: the cell shows the error #N/A" in str(read.rows[0].message)
    assert "2030-01-01 23:59:59" in read.rows[1].values
    assert "1 hidden row was read like all others" in read.said


# --- cells that say nothing ---


@pytest.mark.parametrize(
    "text", ["N/A", "NULL", "null", "-", "--", "nan", "0000-00-00", "00/00/0000"]
)
def test_what_stands_for_nothing_is_empty_with_a_remark(csv: Write, text: str) -> None:
    read = Read(csv(f"Mobile,Expiry,Priority,Agent ID\n9800100001,{text},{text},{text}\n"))
    ((_, state, reason, note),) = read.told
    assert (state, reason) == (State.READY, "")
    assert note == "; ".join(f'{cell}: "{text}" was taken as empty' for cell in ("B2", "C2", "D2"))
    assert read.rows[0].values == '["9800100001","","",""]'
    assert any("1 row is sent with a remark" in said for said in read.said)


def test_a_time_that_says_nothing_takes_the_default_or_is_missing(csv: Write) -> None:
    path = csv("Mobile,Call Time\n9800100001,NULL\n")
    assert Read(path, "schedule").told[0][2] == Reason.TIME_MISSING
    assert (
        Read(path, "schedule", at="2026-11-25 10:00:00").rows[0].scheduled == "2026-11-25 10:00:00"
    )


def test_people_are_called_na_and_none(csv: Write) -> None:
    read = Read(csv("Mobile,Name\n9800100001,Na\n9800100002,None\n9800100003,NULL\n"))
    assert [row.name for row in read.rows] == ["Na", "None", ""]


def test_a_last_name_that_says_nothing_is_left_out(csv: Write) -> None:
    read = Read(csv("Mobile,First Name,Last Name\n9800100001,Asha,-\n9800100002,.,Das\n"))
    assert [row.name for row in read.rows] == ["Asha", "Das"]


# --- which sheet ---

LEADS: list[list[object]] = [["Mobile", "Name"], ["9800100001", "Asha"]]
COVER: list[list[object]] = [["Diwali campaign"], ["made by Uma"]]


def test_a_cover_is_passed_over(tmp_path: Path) -> None:
    read = Read(workbook(tmp_path / "leads.xlsx", Cover=COVER, Leads=LEADS, More=LEADS))
    assert read.states == {2: State.READY}
    assert 'sheet "Leads" was taken, not "Cover", "More" (--sheet NAME)' in read.said


def test_a_named_phone_column_tells_the_sheet(tmp_path: Path) -> None:
    other: list[list[object]] = [["Tel (new)"], ["9800100009"]]
    path = workbook(tmp_path / "leads.xlsx", Leads=LEADS, Other=other)
    read = Read(path, layout=Layout(columns={Field.PHONE: "Tel (new)"}))
    assert [row.phone for row in read.rows] == ["9800100009"]


def test_without_a_sheet_of_leads_the_error_names_the_sheet(tmp_path: Path, desk: Desk) -> None:
    path = workbook(tmp_path / "leads.xlsx", Cover=COVER, Notes=[["nothing here"]])
    result = desk.run("check", path)
    assert result.code == 3
    assert 'leads.xlsx, sheet "Cover": no column for PhoneNumber' in result.err


def test_a_suppression_list_may_have_a_cover(tmp_path: Path, desk: Desk) -> None:
    never = workbook(tmp_path / "never.xlsx", Cover=COVER, Numbers=[["Mobile"], ["9800100001"]])
    leads = desk.write("leads.csv", "Mobile\n9800100001\n9800100002\n")
    result = desk.run("check", leads, "--suppress", never, "--json")
    assert result.summary["suppressed"] == 1


# --- headers, stdin, profiles, encodings ---


def test_without_a_header_no_hint_would_lose_a_lead(desk: Desk) -> None:
    leads = desk.write("leads.csv", "Asha,9800100001,Pune\nUma,9800100002,Pune\n")
    result = desk.run("check", leads)
    assert result.code == 3
    assert "Row 1 looks like a lead, and would be lost as a header." in result.err
    assert "Put a header row above it, such as A,PhoneNumber,C" in result.err
    assert "--map" not in result.err.partition("next:")[2]
    forced = desk.run("check", leads, "--map", "PhoneNumber=9800100001")
    assert forced.code == 3
    assert '--map: "9800100001" is a phone, not a header' in forced.err


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Mobile,Name\n9800100001,Asha\n", "bulk-add"),
        ("Mobile,Call Time\n9800100001,2020-01-01 10:00\n", "schedule"),
    ],
)
def test_stdin_is_checked_without_saying_for_what(desk: Desk, text: str, command: str) -> None:
    result = desk.run("check", "-", "--json", stdin=text)
    (run,) = result.of("run")
    assert (run["command"], run["rows"]) == (command, 1)


def test_a_profile_names_its_mapping_file(desk: Desk) -> None:
    recipe = desk.write("crm.toml", '[columns]\nPhoneNumber = "Tel (new)"\n')
    config = desk.write("config.toml", f'[profiles.crm]\nmap_file = "{recipe}"\n')
    leads = desk.write("leads.csv", "Tel (new),Mobile\n9800100001,9800100002\n")
    result = desk.run("check", leads, "--profile", "crm", "--json", OZODIAL_CONFIG=str(config))
    assert [row["phone"] for row in result.of("row")] == ["9800100001"]


def test_a_guessed_encoding_is_said_with_the_way_to_name_it(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes("Mobile,Name\n9800100001,José Núñez\n".encode("cp1252"))
    (said,) = Read(path).said
    assert "that it is cp1252 is a guess" in said
    assert "encoding" in said
    assert Read(path, layout=Layout(encoding="cp1252")).said == []


def test_a_header_alone_says_what_to_do(desk: Desk) -> None:
    result = desk.run("check", desk.write("leads.csv", "Mobile,Name\n"))
    assert result.code == 3
    assert "has a header in row 1, but no leads below" in result.err
    assert "next: Put a lead into each row below it" in result.err


@pytest.mark.parametrize("command", [["bulk-add"], ["schedule", "--at", "tomorrow 10:00"]])
def test_a_remark_stays_in_the_results(desk: Desk, command: list[str]) -> None:
    text = "Mobile,Name\n9800100001 / 9800100002,Asha\n9800100003,Uma\n"
    leads, results = desk.write("leads.csv", text), desk.home / "results.csv"
    result = desk.run(*command, leads, "--results", results)
    assert result.code == 0, result.err
    with results.open(newline="", encoding="utf-8-sig") as file:
        said = [row["ozodial_message"] for row in DictReader(file)]
    assert said[0].endswith('; A2: "9800100001 / 9800100002" holds 2 numbers: 9800100001 was taken')
    assert said[0].startswith(said[1])
    assert said[1]


@pytest.mark.parametrize("command", [["bulk-add"], ["schedule", "--at", "tomorrow 10:00"]])
def test_a_remark_outlives_every_change_of_state(
    desk: Desk, vendor: ServerHandle, command: list[str]
) -> None:
    vendor.sandbox.misbehave("cut-after@1")
    remark = 'A2: "9800100001 / 9800100002" holds 2 numbers: 9800100001 was taken'
    leads = desk.write("leads.csv", "Mobile,Name\n9800100001 / 9800100002,Asha\n")

    def said() -> tuple[str, str]:
        out = desk.home / "out.csv"
        assert desk.run("runs", "export", "1", out).code == 0
        with out.open(newline="", encoding="utf-8-sig") as file:
            (row,) = DictReader(file)
        out.unlink()
        return row["ozodial_status"], row["ozodial_message"]

    for step, ends in (
        ([*command, leads], {"unknown"}),
        (["resume", "1", "--resend-unknown"], {"accepted", "duplicate"}),
    ):
        done = desk.run(*step, "--json")
        state, message = said()
        assert state in ends
        assert message.endswith(f"; {remark}"), message
        assert message.count("holds 2 numbers") == 1
        assert [(row["status"], row["message"]) for row in done.of("row")] == [(state, message)]


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (["bulk-add", "leads.csv"], "accepted"),
        (["undo", "1", "--yes"], "removed"),
        (["bulk-add", "leads.csv", "--check-duplicate", "--api", "v4"], "queued"),
    ],
)
def test_a_remark_is_told_with_the_row(desk: Desk, command: list[str], state: str) -> None:
    leads = desk.write("leads.csv", "Mobile,Name\n9800100001 / 9800100002,Asha\n")
    if command[0] == "undo":
        desk.run("bulk-add", leads)
    done = desk.run(*(str(leads) if word == "leads.csv" else word for word in command), "--json")
    (row,) = done.of("row")
    assert row["status"] == state
    assert str(row["message"]).endswith(
        'A2: "9800100001 / 9800100002" holds 2 numbers: 9800100001 was taken'
    )
