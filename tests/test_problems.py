"""Every sentence about a cell as a person reads it: where it is, what stands there, what to do."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ozodial.hours import Hours
from ozodial.models import (
    BrokenRow,
    Checked,
    Chunk,
    Columns,
    DateOrder,
    Field,
    Problem,
    Reason,
    Row,
    Rules,
)
from ozodial.validate import Validator

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Asia/Kolkata"))
HEADER = ("Mobile", "Call\nTime", "Customer", "Till", "Prio", "Agent", "Skill", "City")
FIELDS = tuple((field, index) for index, field in enumerate(Field))
PHONE, TIME = "9876543210", "2026-11-25 10:00:00"
GOOD = (PHONE, TIME, "Asha", "", "", "", "", "Pune")

COLUMNS = Columns(HEADER, 1, FIELDS, (("City", 7),))
RULES = Rules("IN", NOON, True, sheet="Leads")


def check(
    row: tuple[str, ...] | BrokenRow,
    columns: Columns = COLUMNS,
    rules: Rules = RULES,
    number: int = 17,
) -> Checked:
    return Validator(columns, rules).check(Row(number, row))


NAMES = ("phone", "time", "name", "till", "prio", "agent", "skill", "city")


def row(**cells: str) -> tuple[str, ...]:
    """A good row with some other cells."""
    return tuple(cells.get(name, text) for name, text in zip(NAMES, GOOD, strict=True))


MDY = replace(RULES, date_order=DateOrder.MDY)
YMD = replace(RULES, date_order=DateOrder.YMD)
STRICT = replace(RULES, strict=True)
V4 = replace(RULES, plain_names=True, expiry_as_date=True, needs_time=False)
OFFICE = replace(RULES, hours=Hours("09:00:00", "18:00:00"))

PROBLEMS: list[tuple[tuple[str, ...], Rules, Reason, str, str]] = [
    (row(time=""), RULES, Reason.TIME_MISSING, "Call Time",
     "Leads!B17: the row has no ScheduledTime"),
    (row(time="25/11/2026"), RULES, Reason.TIME_MISSING, "Call Time",
     'Leads!B17: "25/11/2026" is a date without a time of day'),
    (row(time="22/11/2026 11 am"), RULES, Reason.TIME_PAST, "Call Time",
     'Leads!B17: "22/11/2026 11 am" is past: the account\'s time is 2026-11-22 12:00:00'),
    (row(time="2027-01-01 10:00"), RULES, Reason.TIME_BEYOND_30_DAYS, "Call Time",
     'Leads!B17: "2027-01-01 10:00" is more than 30 days ahead: the vendor takes no more'),
    (row(time="soon"), RULES, Reason.DATE_UNREADABLE, "Call Time",
     'Leads!B17: "soon" is not a date that exists or can be read: '
     "write it as 2026-12-25 15:30:00, or day first as 25/12/2026 15:30"),
    (row(time="12/25/2026 10:00"), RULES, Reason.DATE_UNREADABLE, "Call Time",
     'Leads!B17: "12/25/2026 10:00" is not a date that exists or can be read: '
     "write it as 2026-12-25 15:30:00, or day first as 25/12/2026 15:30, "
     'or put date_order = "mdy" into a --map-file'),
    (row(time="soon"), MDY, Reason.DATE_UNREADABLE, "Call Time",
     'Leads!B17: "soon" is not a date that exists or can be read: '
     "write it as 2026-12-25 15:30:00, or month first as 12/25/2026 15:30"),
    (row(till="never"), YMD, Reason.DATE_UNREADABLE, "Till",
     'Leads!D17: "never" is not a date that exists or can be read: '
     "write it as 2026-12-25 15:30:00"),
    (row(till="2026-11-24"), RULES, Reason.EXPIRY_BEFORE_SCHEDULE, "Till",
     'Leads!D17: "2026-11-24" is before the row\'s ScheduledTime 2026-11-25 10:00:00'),
    (row(till="2026-11-21"), V4, Reason.EXPIRY_PAST, "Till",
     'Leads!D17: "2026-11-21" is past: the account\'s time is 2026-11-22 12:00:00'),
    (row(prio="high"), RULES, Reason.PRIORITY_INVALID, "Prio",
     'Leads!E17: "high" is not a priority: write a whole number from 1 to 99'),
    (row(phone="9876543210 / 9123456780"), STRICT, Reason.SEVERAL_PHONES, "Mobile",
     'Leads!A17: "9876543210 / 9123456780" holds 2 numbers: 9876543210 would be taken, '
     "which the mapping file's strict = true makes an error"),
    (row(name="A\nB"), STRICT, Reason.NAME_UNCLEAN, "Customer",
     'Leads!C17: the name "A\\nB" was cleaned: "A B", '
     "which the mapping file's strict = true makes an error"),
    (row(time="2026-11-25 20:00"), OFFICE, Reason.TIME_OUTSIDE_HOURS, "Call Time",
     "Leads!B17: 2026-11-25 20:00:00 is outside of the calling hours 09:00-18:00"),
    (row(city="#REF!"), RULES, Reason.CELL_ERROR, "",
     "Leads!A17:H17: in Leads!H17 the cell shows the error #REF!: mend its formula, "
     "or empty the cell"),
    (row(name=" #N/A "), RULES, Reason.CELL_ERROR, "Customer",
     "Leads!C17: the cell shows the error #N/A: mend its formula, or empty the cell"),
    ((*GOOD, "", " moved "), RULES, Reason.ROW_UNREADABLE, "",
     'Leads!A17:H17: the row has 10 cells under 8 headers ("moved" is one too many): '
     "a stray delimiter moved its cells"),
    (row(name="x" * 60), replace(RULES, row_characters=100), Reason.ROW_TOO_LONG, "",
     "Leads!A17:H17: the row and its headers have 155 characters; the vendor takes 100"),
    (row(till="2026-12-31 10:00"), replace(RULES, row_characters=100), Reason.ROW_TOO_LONG, "",
     "Leads!A17:H17: the row and its headers have 118 characters; the vendor takes 100"),
    (row(name="x" * 2000), replace(RULES, row_characters=2000), Reason.ROW_TOO_LONG, "",
     "Leads!A17:H17: the row and its headers have 2,095 characters; the vendor takes 2,000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "rules", "reason", "column", "sentence"),
    PROBLEMS,
    ids=[f"{reason} {number}" for number, (_, _, reason, *_) in enumerate(PROBLEMS)],
)
def test_a_problem_is_a_sentence(
    cells: tuple[str, ...], rules: Rules, reason: Reason, column: str, sentence: str
) -> None:
    assert check(cells, rules=rules).problems == (Problem(reason, column, sentence),)


NOTES: list[tuple[tuple[str, ...], Rules, str]] = [
    (row(till="N/A"), RULES, 'Leads!D17: "N/A" was taken as empty'),
    (row(name="-", prio="nil"), RULES,
     'Leads!C17: "-" was taken as empty; Leads!E17: "nil" was taken as empty'),
    (row(phone="9876543210 / 9123456780"), RULES,
     'Leads!A17: "9876543210 / 9123456780" holds 2 numbers: 9876543210 was taken'),
    (row(name="A\nB"), RULES, 'Leads!C17: the name "A\\nB" was cleaned: "A B"'),
    (row(name="नेहा\nRao"), RULES,
     'Leads!C17: the name "नेहा\\nRao" was cleaned: "नेहा Rao"'),
    (row(name="José"), V4,
     'Leads!C17: the name "José" is sent as "Jos": '
     "V4 takes letters and digits of English, spaces and _ ( ) . + $ % - : alone"),
    (row(till="2026-12-31 10:00"), V4,
     'Leads!D17: "2026-12-31 10:00" is sent as 2026-12-31: V4 takes a date without a time'),
    (row(time="2026-11-25 20:00"), replace(OFFICE, hours=Hours("09:00:00", "18:00:00", shift=True)),
     "Leads!B17: 2026-11-25 20:00:00 is outside of 09:00-18:00, "
     "so it is called at 2026-11-26 09:00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "rules", "note"), NOTES, ids=range(len(NOTES)))
def test_what_is_sent_otherwise_than_it_stands_is_noted(
    cells: tuple[str, ...], rules: Rules, note: str
) -> None:
    checked = check(cells, rules=rules)
    assert (checked.problems, checked.note) == ((), note)


def test_a_broken_quote_says_how_it_is_written() -> None:
    cells = BrokenRow([PHONE, TIME, '"Asha" Rao', "", "", "", "", "Pune"], "a quote is not closed")
    assert check(cells) == Checked(
        17, PHONE, (PHONE, TIME, '"Asha" Rao', "", "", "", "", "Pune"), "",
        (Problem(Reason.ROW_UNREADABLE, "", "Leads!A17:H17: a quote is not closed: "
                 'write a quote inside a cell twice ("")'),),
    )  # fmt: skip


def test_a_broken_row_that_is_short_has_empty_cells() -> None:
    checked = check(BrokenRow([" " + PHONE], "a quote is not closed"))
    assert (checked.phone, checked.values) == (PHONE, (PHONE, "", "", "", "", "", "", ""))


def test_a_row_with_too_many_cells_keeps_those_under_its_headers() -> None:
    assert check((*GOOD, "moved")).values == GOOD


def test_a_constant_is_in_no_cell() -> None:
    columns = replace(COLUMNS, fields=FIELDS[:3], constants=((Field.PRIORITY, "100"),))
    (problem,) = check(GOOD, columns).problems
    assert (problem.column, problem.message[:15]) == ("Priority", "Leads!A17:H17: ")
    columns = replace(columns, constants=((Field.PRIORITY, "7"), (Field.SKILL, "sales")))
    assert check(GOOD, columns).values == (PHONE, TIME, "Asha", "7", "sales", "Pune")
    assert check((*GOOD, "moved"), columns).values == (PHONE, TIME, "Asha", "7", "sales", "Pune")


def test_a_time_for_all_rows_may_be_a_constant() -> None:
    columns = replace(COLUMNS, fields=FIELDS[:1], constants=((Field.SCHEDULED, TIME),), extra=())
    assert check(GOOD, columns).values == (PHONE, TIME)
    without = replace(columns, constants=())
    assert check(GOOD, without, replace(RULES, at=TIME)).values == (PHONE, TIME)
    (problem,) = check(GOOD, without).problems
    assert problem == Problem(
        Reason.TIME_MISSING, "ScheduledTime", "Leads!A17:H17: the row has no ScheduledTime"
    )


def test_a_column_without_a_header_is_called_by_its_field() -> None:
    columns = replace(COLUMNS, header=("", *HEADER[1:]))
    assert check(row(phone="1"), columns).problems[0].column == "PhoneNumber"


def test_a_last_name_stands_behind_the_name() -> None:
    columns = replace(COLUMNS, last_name=6, fields=FIELDS[:6])
    assert check(row(skill=" Rao "), columns).values[2] == "Asha Rao"
    assert check(row(name="", skill="Rao"), columns).values[2] == "Rao"
    for filler in ("", "N/A", "-"):
        assert check(row(skill=filler), columns).values[2] == "Asha"
    assert check(row(skill="#N/A"), columns).problems[0].message.startswith("Leads!A17:H17: in ")


@pytest.mark.parametrize("name", ["Na", "Nil", "None"])
def test_people_are_called_what_is_empty_elsewhere(name: str) -> None:
    checked = check(row(name=name))
    assert (checked.values[2], checked.note) == (name, "")
    assert check(row(agent=name)).values[5] == ""


def test_a_broken_cell_counts_only_where_it_is_sent() -> None:
    unsent = replace(COLUMNS, extra=())
    assert check(row(city="#REF!"), unsent).problems == ()
    formula = replace(RULES, unvalued={17: [7], 18: [0]})
    assert check(GOOD, unsent, formula).problems == ()
    assert check(GOOD, rules=formula).problems == (
        Problem(
            Reason.FORMULA_WITHOUT_VALUE,
            "",
            "Leads!A17:H17: in Leads!H17 the formula has no stored value: "
            "open the file in a spreadsheet, save it, and run again",
        ),
    )
    assert check(GOOD, rules=formula, number=19).problems == ()


def test_a_broken_cell_stands_for_what_its_field_seems_to_lack() -> None:
    rules = replace(RULES, unvalued={17: [1, 0]})
    checked = check(row(phone="", time="", prio="high"), rules=rules)
    assert [(problem.reason, problem.column) for problem in checked.problems] == [
        (Reason.FORMULA_WITHOUT_VALUE, "Mobile"),
        (Reason.FORMULA_WITHOUT_VALUE, "Call Time"),
        (Reason.PRIORITY_INVALID, "Prio"),
    ]


def test_rows_with_such_formulas_are_never_checked_in_bulk() -> None:
    validator = Validator(COLUMNS, replace(RULES, unvalued={18: [2], 40: [2]}))
    many = validator.check_many(Chunk([17, 18, 19], [GOOD, GOOD, row(phone="1")]))
    assert many.odd == [1, 2]


def test_without_a_column_of_names_nothing_is_a_name() -> None:
    columns = Columns(("Mobile", "City"), 1, ((Field.PHONE, 0),), (("City", 1),))
    checked = check((PHONE, "A\nB"), columns, V4)
    assert (checked.values, checked.note, checked.problems) == ((PHONE, "A\nB"), "", ())
    checked = check(("1\n2", ""), columns, V4)
    assert (checked.phone, checked.values, checked.note) == ("1\n2", ("1\n2", ""), "")


@pytest.mark.parametrize(
    ("opens", "time", "sent"),
    [
        ("09:00:00", "2026-11-25 08:00", "2026-11-25 09:00:00"),
        ("09:00:00", "2026-11-25 17:59:59", "2026-11-25 17:59:59"),
        ("09:00:00", "2026-12-22 11:00", "2026-12-22 11:00:00"),
    ],
)
def test_calling_hours_shift_a_time(opens: str, time: str, sent: str) -> None:
    hours = Hours(opens, "18:00:00", shift=True)
    checked = check(row(time=time), rules=replace(RULES, hours=hours))
    assert (checked.scheduled, checked.values[1], checked.problems) == (sent, sent, ())


def test_calling_hours_say_nothing_of_a_time_that_is_wrong_anyway() -> None:
    hours = Hours("09:00:00", "18:00:00", shift=True)
    for time, reason in (
        ("2026-11-21 20:00", Reason.TIME_PAST),
        ("25/11/2026", Reason.TIME_MISSING),
    ):
        checked = check(row(time=time), rules=replace(RULES, hours=hours))
        assert [problem.reason for problem in checked.problems] == [reason]
        assert checked.note == ""


def test_now_is_past_whatever_the_calling_hours() -> None:
    hours = Hours("13:00:00", "18:00:00", shift=True)
    checked = check(row(time="2026-11-22 12:00:00"), rules=replace(RULES, hours=hours))
    assert [problem.reason for problem in checked.problems] == [Reason.TIME_PAST]
    checked = check(row(time="2026-11-22 12:00:01"), rules=replace(RULES, hours=hours))
    assert checked.scheduled == "2026-11-22 13:00:00"


def test_a_lead_may_expire_at_the_moment_it_is_called() -> None:
    checked = check(row(till=TIME))
    assert (checked.problems, checked.values[3]) == ((), TIME)


def test_a_time_that_is_shifted_past_the_30_days_is_not_sent() -> None:
    hours = Hours("09:00:00", "11:00:00", shift=True)
    checked = check(row(time="2026-12-22 11:30"), rules=replace(RULES, hours=hours))
    assert [problem.reason for problem in checked.problems] == [Reason.TIME_BEYOND_30_DAYS]


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        (RULES, "25/11/2026 10:00"),
        (MDY, "11/25/2026 10:00"),
        (YMD, "2026-11-25 10:00"),
        (RULES, "2026-11-25T04:30:00Z"),  # the account's zone is India's
        (RULES, "46351.4166666667"),
        (replace(RULES, since_1904=True), "44889.4166666667"),
    ],
)
def test_a_time_is_read_by_the_rules_of_the_file(rules: Rules, text: str) -> None:
    checked = check(row(time=text), rules=rules)
    assert (checked.scheduled, checked.problems) == (TIME, ())


def test_a_default_time_is_for_dates_alone() -> None:
    rules = replace(RULES, default_time="10:00:00", at="2026-11-26")
    assert check(row(time="25/11/2026"), rules=rules).scheduled == TIME
    assert check(row(time=""), rules=rules).scheduled == "2026-11-26 10:00:00"
    assert check(row(time="25/11/2026 11 am"), rules=rules).scheduled == "2026-11-25 11:00:00"


def test_a_row_that_is_refused_shows_what_it_would_have_sent() -> None:
    checked = check(row(phone=" 12 ", time="2020-01-01 10:00", till="31/12/2026", prio=" x "))
    assert checked.values == (
        "12", "2020-01-01 10:00:00", "Asha", "2026-12-31 23:59:59", "x", "", "", "Pune",
    )  # fmt: skip
    assert checked.phone == "12"
    unread = check(row(time=" soon ", till="never"))
    assert (unread.values[1], unread.values[3], unread.scheduled) == ("soon", "never", "")
    assert check(row(time="25/11/2026")).scheduled == ""
