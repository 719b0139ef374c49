"""Headers to fields: usual words, --map, --extra, and every problem in one error."""

from collections.abc import Mapping, Sequence

import pytest

from ozodial.errors import FileError, UsageError
from ozodial.headers import key, usual_field
from ozodial.mapping import Wanted, locate, parse_map
from ozodial.models import Chunk, Columns, Field, Row


def found(
    *table: Sequence[str],
    wanted: Mapping[Field, str] | None = None,
    extra: Sequence[str] = (),
    needs_time: bool = False,
    has_at: bool = False,
) -> tuple[Columns, list[Row]]:
    chunks = (Chunk([number], [cells]) for number, cells in enumerate(table, start=1))
    columns, below = locate(
        chunks, Wanted(wanted or {}, extra), needs_time=needs_time, has_at=has_at, file="f.csv"
    )
    return columns, [row for chunk in below for row in map(Row, *chunk)]


def fails(*table: Sequence[str], **options: object) -> FileError:
    with pytest.raises(FileError) as caught:
        found(*table, **options)  # type: ignore[arg-type]
    return caught.value


LEAD = ("9000000001", "Asha")


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("PhoneNumber", Field.PHONE),
        ("phone_number", Field.PHONE),
        ("Mobile No.", Field.PHONE),
        ("  MOBILE   number ", Field.PHONE),
        ("Contact Number", Field.PHONE),
        ("मोबाइल नंबर", Field.PHONE),
        ("फ़ोन नंबर", Field.PHONE),
        ("Customer Name", Field.NAME),
        ("Lead Name", Field.NAME),
        ("full_name", Field.NAME),
        ("नाम", Field.NAME),
        ("Expiry", Field.EXPIRY),
        ("Valid Till", Field.EXPIRY),
        ("Call Time", Field.SCHEDULED),
        ("Scheduled Date & Time", Field.SCHEDULED),
        ("AgentId", Field.AGENT),
        ("Agent_ID", Field.AGENT),
        ("Skill", Field.SKILL),
        ("PRIORITY", Field.PRIORITY),
        ("Contact", None),
        ("Alternate Mobile", None),
        ("Last Call Time", None),
        ("", None),
        ("ozodial_status", None),
    ],
)
def test_headers_are_known_by_their_usual_words(header: str, field: Field | None) -> None:
    assert usual_field(header) is field


def test_a_columns_key_forgets_case_spaces_and_points() -> None:
    assert key(" Mobile-No. ") == key("MOBILE NO") == "mobileno"
    assert key("ozodial_row") == ""


def test_the_fields_stand_in_the_order_of_sending() -> None:
    columns, rows = found(("Skill", "Name", "Mobile"), ("a", "b", "9000000001"))
    assert columns.fields == ((Field.PHONE, 2), (Field.NAME, 1), (Field.SKILL, 0))
    assert columns.header == ("Skill", "Name", "Mobile")
    assert [row.number for row in rows] == [2]


def test_titles_above_the_header_are_passed_over() -> None:
    columns, rows = found(("Leads of May", ""), ("Branch", "Pune"), ("Phone", "Name"), LEAD)
    assert columns.header_row == 3
    assert rows == [Row(4, LEAD)]


def test_rows_beyond_those_looked_at_come_too() -> None:
    _, rows = found(("Phone", "Name"), *[LEAD] * 100)
    assert [row.number for row in rows] == list(range(2, 102))


def test_map_wins_over_the_usual_words() -> None:
    columns, _ = found(("Mobile", "Office line"), LEAD, wanted={Field.PHONE: "office LINE"})
    assert columns.fields == ((Field.PHONE, 1),)


def test_map_finds_its_header_below_titles() -> None:
    columns, _ = found(("Mobile",), ("Ring me", "x"), LEAD, wanted={Field.PHONE: "Ring me"})
    assert columns.header_row == 2


def test_a_mapped_column_means_nothing_else() -> None:
    columns, _ = found(("Mobile", "Phone"), LEAD, wanted={Field.NAME: "Phone"})
    assert columns.fields == ((Field.PHONE, 0), (Field.NAME, 1))


def test_extra_columns_keep_their_own_name() -> None:
    columns, _ = found(("Phone", " Loan  Id "), LEAD, extra=("loan id", "loan id"))
    assert columns.extra == (("Loan Id", 1),)


def test_a_missing_phone_column_shows_headers_and_flag() -> None:
    error = fails(("Who", "Where"), ("a", "b"))
    assert "no column for PhoneNumber" in error.message
    assert '"Who", "Where"' in error.message
    assert error.hint == '--map PhoneNumber="COLUMN"'


def test_a_column_of_phones_is_proposed_and_not_taken() -> None:
    error = fails(("Who", "Ring"), ("a", "+91 90000 00001"), ("b", "9000000002"))
    assert error.hint == '--map PhoneNumber="Ring"'


def test_every_column_problem_is_in_one_error() -> None:
    error = fails(
        ("Mobile", "Phone", "Name", "Customer Name"),
        ("1", "2", "3", "4"),
        wanted={Field.SKILL: "Skil", Field.PRIORITY: "Nmae"},
        extra=("City",),
        needs_time=True,
    )
    for part in (
        '2 columns fit PhoneNumber: "Mobile" and "Phone" (columns A, B)',
        '2 columns fit Name: "Name" and "Customer Name" (columns C, D)',
        "no column for ScheduledTime",
        '--map: there is no column "Skil"',
        '--extra: there is no column "City"',
    ):
        assert part in error.message
    for flag in (
        '--map PhoneNumber="Mobile"',
        '--map Name="Name"',
        '--map ScheduledTime="COLUMN" (or --at "tomorrow 10:00")',
        '--map Priority="Name"',
        '--extra "COLUMN"',
    ):
        assert flag in (error.hint or "")


def test_a_time_is_needed_only_without_at() -> None:
    assert "ScheduledTime" in fails(("Phone",), ("9000000001",), needs_time=True).message
    columns, _ = found(("Phone",), ("9000000001",), needs_time=True, has_at=True)
    assert columns.sent(True) == ("PhoneNumber", "ScheduledTime")


def test_two_times_that_nobody_asks_for_are_no_problem() -> None:
    header = ("Phone", "Call Time", "Callback Time")
    columns, _ = found(header, ("9000000001", "", ""))
    assert columns.fields == ((Field.PHONE, 0),)
    assert "2 columns fit ScheduledTime" in fails(header, ("1", "", ""), needs_time=True).message


def test_columns_of_the_same_name_are_told_by_number() -> None:
    header = ("Phone", "Phone", "Name")
    error = fails(header, LEAD)
    assert error.hint == '--map PhoneNumber="Phone#1"'
    columns, _ = found(header, LEAD, wanted={Field.PHONE: "Phone#2"})
    assert columns.fields == ((Field.PHONE, 1), (Field.NAME, 2))
    twice = fails(header, LEAD, wanted={Field.PHONE: "Phone"})
    assert "2 columns are called" in twice.message


def test_duplicate_headers_that_nobody_needs_are_left_alone() -> None:
    assert found(("Phone", "City", "City", "", ""), LEAD)[0].matched == {Field.PHONE}


def test_an_extra_column_is_not_sent_twice_under_one_name() -> None:
    assert "sent already, as Name" in fails(("Phone", "Name"), LEAD, extra=("Name",)).message


def test_columns_of_our_own_export_are_never_taken() -> None:
    header = ("Phone", "ozodial_row", "ozodial_status")
    assert found(header, LEAD)[0].fields == ((Field.PHONE, 0),)
    assert "no column" in fails(header, LEAD, extra=("ozodial_row",)).message


def test_a_first_row_that_is_a_lead_is_seen_as_one() -> None:
    assert "looks like a lead" in fails(("9000000001", "Asha"), LEAD).message


@pytest.mark.parametrize(
    "table", [(), (("Phone", "Name"),), (("Title",), ("Phone", "Name"))], ids=len
)
def test_no_leads_is_an_error(table: Sequence[Sequence[str]]) -> None:
    assert "no " in fails(*table).message


def test_a_header_of_many_columns_is_listed_in_part() -> None:
    error = fails([f"Column {number}" for number in range(16_384)], LEAD)
    assert "and 16,344 more" in error.message
    assert len(error.message) < 2000


def test_a_header_cannot_act_on_the_terminal_or_the_shell() -> None:
    error = fails(("Ring $(rm)\x1b[31m", "x"), ("9000000001", ""))
    assert "\x1b" not in error.message + (error.hint or "")
    assert error.hint == "--map 'PhoneNumber=Ring $(rm)[31m'"
    columns, _ = found(("Ring $(rm)\x1b[31m", "x"), LEAD, wanted={Field.PHONE: "Ring $(rm)[31m"})
    assert columns.matched == {Field.PHONE}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("PhoneNumber=Mobile", (Field.PHONE, "Mobile")),
        ("phonenumber= a=b ", (Field.PHONE, "a=b")),
        ("mobile=Cell", (Field.PHONE, "Cell")),
        ("agentid=Who", (Field.AGENT, "Who")),
        ("Expiry Date=Till", (Field.EXPIRY, "Till")),
    ],
)
def test_map_names_a_field_in_any_case(text: str, parsed: tuple[Field, str]) -> None:
    assert parse_map(text) == parsed


@pytest.mark.parametrize("text", ["", "Phone", "Phone=", "=Mobile", "Planet=Mars", " = "])
def test_map_in_another_form_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError):
        parse_map(text)
