"""Rows as leads: what is sent, and every problem of a row by name."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE
from ozodial.models import Checked, Chunk, Columns, Field, Reason, Row, Rules
from ozodial.validate import Validator

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZoneInfo("Asia/Kolkata"))
HEADER = ("Mobile", "Call\nTime", "Customer", "Till", "Prio", "Agent", "Skill", "City")
FIELDS = tuple((field, index) for index, field in enumerate(Field))


def check(
    *cells: str,
    needs_time: bool = True,
    at: str | None = None,
    row_characters: int | None = None,
    fields: Sequence[tuple[Field, int]] = FIELDS,
    v4: bool = False,
    strict: bool = False,
) -> Checked:
    rules = Rules("IN", NOON, needs_time, at, row_characters, strict=strict)
    rules = replace(rules, plain_names=v4, expiry_as_date=v4)
    columns = Columns(HEADER, 1, tuple(fields), (("City", 7),))
    validator = Validator(columns, rules)
    checked = validator.check(Row(2, cells))
    # a row that lacks cells is odd by itself, whatever stands in those that it has
    whole = [*cells, *[""] * (len(HEADER) - len(cells))]
    many = validator.check_many(Chunk([2], [whole]))
    if not many.odd:
        fast = (many.phones[0], many.values[0], many.times[0], (), "")
        assert fast == checked[1:]
    else:
        assert many.odd == [0]
        assert validator.check_odd(Row(2, whole), 0, many) == validator.check(Row(2, whole))
    return checked


def reasons(checked: Checked) -> list[tuple[Reason, str]]:
    return [(problem.reason, problem.column) for problem in checked.problems]


TIME = "2026-11-25 10:00:00"


@pytest.mark.parametrize(
    ("phone", "limit", "found"),
    [
        ("#REF!", None, [Reason.CELL_ERROR]),
        ("#N/A", 2_000, [Reason.CELL_ERROR]),
        ("1" * 200, 250, [Reason.PHONE_INVALID, Reason.ROW_TOO_LONG]),
    ],
)
def test_a_row_whose_phone_alone_is_odd_lacks_no_reason(
    phone: str, limit: int | None, found: list[Reason]
) -> None:
    checked = check(phone, TIME, "Asha", "", "", "", "", "Pune", row_characters=limit)
    assert [problem.reason for problem in checked.problems] == found


def test_a_lead_comes_in_the_form_that_is_sent() -> None:
    checked = check(
        " +91 98765 43210 ", "25/11/2026 10 am", " Asha  Rao ", "31/12/2026", "05", "a1", "", "Pune"
    )
    assert checked == Checked(
        2,
        "9876543210",
        ("9876543210", TIME, "Asha  Rao", "2026-12-31 23:59:59", "5", "a1", "", "Pune"),
        TIME,
        (),
    )


def test_values_stand_in_the_order_of_the_columns_that_are_sent() -> None:
    fields = ((Field.NAME, 2), (Field.PHONE, 0), (Field.PRIORITY, 4))
    checked = check("9876543210", TIME, "Asha", "", "5", "", "", "Pune", fields=fields, at=TIME)
    assert Columns(HEADER, 1, fields, (("City", 7),)).sent(True) == (
        "PhoneNumber", "ScheduledTime", "Name", "Priority", "City",
    )  # fmt: skip
    assert checked.values == ("9876543210", TIME, "Asha", "5", "Pune")


def test_an_endpoint_without_time_sends_none() -> None:
    checked = check("9876543210", "whenever", "Asha", needs_time=False)
    assert (checked.problems, checked.scheduled) == ((), "")
    assert checked.values == ("9876543210", "Asha", "", "", "", "", "")


def test_a_file_of_phones_alone_will_do() -> None:
    columns = Columns(("Phone",), 1, ((Field.PHONE, 0),))
    checked = Validator(columns, Rules("IN", NOON, False)).check(Row(2, ["9876543210"]))
    assert checked.values == ("9876543210",)


def test_cells_that_a_row_lacks_are_empty() -> None:
    assert check("9876543210", TIME).values[2:] == ("", "", "", "", "", "")


def test_every_problem_of_a_row_is_named() -> None:
    checked = check("12345", "soon", "Asha", "31/02/2026", "high")
    assert reasons(checked) == [
        (Reason.PHONE_INVALID, "Mobile"),
        (Reason.DATE_UNREADABLE, "Call Time"),
        (Reason.DATE_UNREADABLE, "Till"),
        (Reason.PRIORITY_INVALID, "Prio"),
    ]
    for problem, text in zip(
        checked.problems, ["12345", "soon", "31/02/2026", "high"], strict=True
    ):
        assert f'"{text}"' in problem.message
    assert checked.phone == "12345"


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("", Reason.PHONE_MISSING),
        ("12345", Reason.PHONE_INVALID),
        ("9.87654E+09", Reason.PHONE_LOST_DIGITS),
        ("1800 123 4567", Reason.PHONE_NOT_DIALLABLE),
    ],
)
def test_a_bad_phone_keeps_its_own_text(phone: str, reason: Reason) -> None:
    checked = check(phone, TIME)
    assert reasons(checked) == [(reason, "Mobile")]
    assert checked.phone == phone


def test_what_was_taken_of_several_phones_is_noted() -> None:
    assert "9876543210 was taken" in check("9876543210 / 9123456780", TIME).note


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("", Reason.TIME_MISSING),
        ("2026-11-25", Reason.TIME_MISSING),
        ("2026-11-22 12:00:00", Reason.TIME_PAST),
        ("2020-01-01 10:00", Reason.TIME_PAST),
        ("2026-12-22 12:00:01", Reason.TIME_BEYOND_30_DAYS),
        ("01/01/2099 10:00", Reason.TIME_BEYOND_30_DAYS),
        ("12/25/2026 10:00", Reason.DATE_UNREADABLE),
    ],
)
def test_a_time_must_be_in_the_coming_30_days(time: str, reason: Reason) -> None:
    assert reasons(check("9876543210", time)) == [(reason, "Call Time")]


@pytest.mark.parametrize("time", ["2026-11-22 12:00:01", "2026-12-22 12:00:00"])
def test_the_ends_of_the_30_days_are_in(time: str) -> None:
    checked = check("9876543210", time)
    assert (checked.scheduled, checked.problems) == (time, ())


def test_the_window_is_the_accounts_not_the_machines() -> None:
    rules = Rules("IN", NOON.astimezone(ZoneInfo("America/New_York")), True)
    columns = Columns(HEADER, 1, FIELDS)
    checked = Validator(columns, rules).check(Row(2, ["9876543210", "2026-11-22 08:00:00"]))
    assert checked.problems == ()


def test_at_fills_only_times_that_are_empty() -> None:
    assert check("9876543210", "", at=TIME).scheduled == TIME
    assert check("9876543210", "2026-11-26 09:00", at=TIME).scheduled == "2026-11-26 09:00:00"
    assert reasons(check("9876543210", "soon", at=TIME)) == [(Reason.DATE_UNREADABLE, "Call Time")]
    assert reasons(check("9876543210", "26/11/2026", at=TIME)) == [
        (Reason.TIME_MISSING, "Call Time")
    ]


def test_a_lead_lives_through_its_last_day() -> None:
    assert check("9876543210", TIME, "", "25/11/2026").problems == ()
    assert check("9876543210", "", "", "22/11/2026", needs_time=False).problems == ()


@pytest.mark.parametrize("expiry", ["24/11/2026", "2026-11-25 09:59:59", "2020-01-01"])
def test_expiry_is_not_before_the_time(expiry: str) -> None:
    assert reasons(check("9876543210", TIME, "", expiry)) == [
        (Reason.EXPIRY_BEFORE_SCHEDULE, "Till")
    ]


def test_expiry_is_not_past_where_there_is_no_time() -> None:
    checked = check("9876543210", "", "", "2026-11-22 12:00:00", needs_time=False)
    assert reasons(checked) == [(Reason.EXPIRY_PAST, "Till")]


def test_a_past_expiry_is_named_beside_a_time_that_is_wrong() -> None:
    assert reasons(check("9876543210", "soon", "", "2020-01-01")) == [
        (Reason.DATE_UNREADABLE, "Call Time"),
        (Reason.EXPIRY_PAST, "Till"),
    ]


@pytest.mark.parametrize(
    ("text", "sent"),
    [("1", "1"), ("99", "99"), ("05", "5"), ("5.0", "5"), (" 7 ", "7"), ("", "")],
)
def test_priorities_from_1_to_99(text: str, sent: str) -> None:
    checked = check("9876543210", TIME, "", "", text)
    assert (checked.values[4], checked.problems) == (sent, ())


@pytest.mark.parametrize("text", ["0", "100", "-1", "2.5", "high", "1e1", "5 5", "٠"])
def test_other_priorities_are_invalid(text: str) -> None:
    assert reasons(check("9876543210", TIME, "", "", text)) == [(Reason.PRIORITY_INVALID, "Prio")]


def test_a_row_of_too_many_characters_is_invalid_where_there_is_a_limit() -> None:
    size = len("PhoneNumberNameExpiryDatePriorityAgentIDskillCity") + len("9876543210")
    for spare, problems in ((2000 - size, []), (2001 - size, [(Reason.ROW_TOO_LONG, "")])):
        lead = ("9876543210", "", "x" * spare)
        assert reasons(check(*lead, needs_time=False, row_characters=2000)) == problems
    assert check("9876543210", "", "x" * 5000, needs_time=False).problems == ()


def v4(name: str = "", expiry: str = "", *, strict: bool = False, limit: int = 2000) -> Checked:
    cells = ("9876543210", "", name, expiry, "", "", "", "")
    return check(*cells, needs_time=False, row_characters=limit, v4=True, strict=strict)


@pytest.mark.parametrize("name", ["", "Asha", "A_b (c). +$%-:9", "  Asha  Rao "])
def test_names_within_the_rule_of_v4_are_sent_as_they_stand(name: str) -> None:
    checked = v4(name, strict=True)
    assert (checked.problems, checked.note) == ((), "")
    assert BULK_ADD_V4.value(Field.NAME, checked.values[1]) == name.strip()


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("O'Brien & Sons, Ltd", "O Brien Sons Ltd"),
        ("asha@example.com", "asha example.com"),
        ("A/B#C", "A B C"),
        ("José", "Jos"),
        ("नेहा", ""),
        ("Neha नेहा", "Neha"),
        ("A\nB's", "A B s"),
        ("١٢٣", ""),
    ],
)
def test_what_the_rule_of_v4_forbids_is_a_space_and_said(name: str, sent: str) -> None:
    checked = v4(name)
    assert checked.problems == ()
    assert f' is sent as "{sent}": V4 takes letters' in checked.note
    assert checked.note.startswith("C2: ")
    assert BULK_ADD_V4.value(Field.NAME, checked.values[1]) == sent
    for other in (SCHEDULE, BULK_ADD_V1):
        assert other.value(Field.NAME, checked.values[1]) == checked.values[1]
    assert reasons(v4(name, strict=True)) == [(Reason.NAME_UNCLEAN, "Customer")]
    assert "strict = true" in v4(name, strict=True).problems[0].message


def test_other_endpoints_take_any_name() -> None:
    checked = check("9876543210", "", "O'Brien नेहा", "", "", "", "", "", needs_time=False)
    assert (checked.values[1], checked.note) == ("O'Brien नेहा", "")


def test_v4_takes_a_date_and_the_time_that_is_left_out_is_said() -> None:
    for date in ("31/12/2026", "2026-12-31"):
        assert v4(expiry=date).note == ""
    checked = v4(expiry="31/12/2026 10:00")
    assert checked.note.endswith("is sent as 2026-12-31: V4 takes a date without a time")
    assert BULK_ADD_V4.value(Field.EXPIRY, checked.values[2]) == "2026-12-31"
    assert check("9876543210", "", "", "31/12/2026 10:00", "", needs_time=False).note == ""


def test_the_length_of_a_v4_row_is_that_of_what_is_sent() -> None:
    names = ("PhoneNumber", "Name", "ExpiryDate", "Priority", "AgentId", "skill", "City")
    room = 2000 - sum(map(len, names)) - 10
    assert v4("A" * (room - 10), "2026-12-31").problems == ()
    assert reasons(v4("A" * (room - 9), "2026-12-31")) == [(Reason.ROW_TOO_LONG, "")]
    assert v4("A" * room).problems == ()


def test_more_filled_cells_than_headers_make_a_row_unreadable() -> None:
    cells = ["9876543210", TIME, "Rao", "", "", "", "", "Pune", "", "moved"]
    checked = check(*cells)
    assert reasons(checked) == [(Reason.ROW_UNREADABLE, "")]
    assert '"moved"' in checked.problems[0].message
    assert len(checked.values) == len(HEADER)
    assert check(*cells[:8], "", " ").problems == ()


def test_a_message_cannot_act_on_the_terminal_and_stays_short() -> None:
    checked = check("9\x1b[31m", "\x1b]0;x\x07" + "y" * 500, "", "", "\u202e5")
    assert len(checked.problems) == 3
    for problem in checked.problems:
        assert problem.message.isprintable()
        assert len(problem.message) < 250


CELLS = {
    "phone": [
        "9876543210",
        "+91 98765 43210",
        "9876543210.0",
        "+12025550143",
        "12345",
        "",
        "1 / 2",
    ],
    "time": [
        TIME,
        "25/11/2026 10 am",
        "25/11/2026",
        "",
        "soon",
        "2020-01-01 10:00",
        "2099-01-01 1:00",
    ],
    "name": ["Asha", " Asha ", "A\nB", "", "नेहा", "A/B", "NULL", "#REF!", "-"],
    "expiry": [
        "",
        "N/A",
        "0000-00-00",
        "#N/A",
        "31/12/2026",
        "2026-12-31 10:00",
        "25/11/2026",
        "2020-01-01",
        "never",
    ],
    "priority": ["", "5", "05", "0", "x"],
}


@settings(deadline=None)
@given(
    st.tuples(*map(st.sampled_from, CELLS.values()), st.sampled_from(["", "x" * 1900])),
    st.booleans(),
    st.sampled_from([None, TIME]),
    st.sampled_from([None, 1950]),
    st.sampled_from([FIELDS, FIELDS[:1], (FIELDS[0], *FIELDS[2:])]),
    st.booleans(),
)
def test_the_check_of_many_rows_is_the_check(
    cells: tuple[str, ...],
    needs_time: bool,
    at: str | None,
    limit: int | None,
    fields: tuple[tuple[Field, int], ...],
    v4: bool,
) -> None:
    check(*cells, needs_time=needs_time, at=at, row_characters=limit, fields=fields, v4=v4)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*map(st.sampled_from, CELLS.values())).map(list)
        | st.sampled_from([[], ["9876543210"], ["9876543210", *[""] * 7, "moved"]]),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([None, "10:00:00"]),
    st.booleans(),
    st.booleans(),
)
def test_of_many_rows_each_is_checked_as_by_itself(
    rows: list[list[str]], default_time: str | None, last_name: bool, constant: bool
) -> None:
    rules = Rules("IN", NOON, True, default_time=default_time, unvalued={3: [2]})
    fields = [pair for pair in FIELDS if not constant or pair[0] is not Field.EXPIRY]
    constants = ((Field.EXPIRY, "2026-12-31"),) if constant else ()
    columns = Columns(HEADER, 1, tuple(fields), (), 7 if last_name else None, constants)
    validator = Validator(columns, rules)
    for _ in range(2):  # what was learned in the first time counts in the second
        many = validator.check_many(Chunk(range(2, 2 + len(rows)), rows))
        checked = [validator.check(Row(number, row)) for number, row in enumerate(rows, start=2)]
        for place, one in enumerate(checked):
            if place not in many.odd:
                found = (many.phones[place], many.values[place], many.times[place], (), "")
                assert found == one[1:]
            else:
                assert validator.check_odd(Row(2 + place, rows[place]), place, many) == one
        wrong = {place for place, one in enumerate(checked) if one.problems or one.note}
        assert wrong <= set(many.odd)
