"""Dates of cells and of --at: day first, never guessed, never rolled."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.parser import parse
from hypothesis import given
from hypothesis import strategies as st

from ozodial.appointed import resolve_at
from ozodial.dates import Dates
from ozodial.errors import UsageError
from ozodial.models import DateOrder

INDIA = ZoneInfo("Asia/Kolkata")
DATES = Dates(INDIA)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=INDIA)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-12-25 15:30:00",
        "2026-12-25 15:30",
        "2026-12-25T15:30",
        "2026-12-25T15:30:00",
        "2026-12-25T15:30:00.000",
        "2026-12-25T15:30:00+05:30",
        "2026-12-25T10:00:00Z",
        "2026-12-25 10:00:00 UTC",
        "2026-12-25 10:00 GMT",
        "2026-12-25 10:00:00+00:00",
        "2026-12-25T05:00:00-0500",
        "2026/12/25 15:30",
        "25/12/2026 15:30",
        "25-12-2026 15:30:00",
        "25.12.2026 15.30",
        "25/12/26 15:30",
        "25/12/2026 3:30 pm",
        "25/12/2026, 3:30:00 PM",
        "25/12/2026 03:30p.m.",
        "25/12/2026 15:30 hrs",
        "25-Dec-2026 15:30",
        "25-Dec-26 3:30 PM",
        "25 December 2026 at 15:30",
        "25th Dec, 2026 15:30",
        "Dec 25, 2026 3:30 PM",
        "Friday, 25 December 2026 15:30",
        "Fri Dec 25 15:30:00 2026",
        "Fri, 25 Dec 2026 10:00:00 GMT",
        "25 Dec 2026 15:30 IST",
        "2026-12-25 15:30 IST",
        "25/12/2026 3:30 pm (IST)",
        "20261225 15:30",
        "46381.6458333333",
        " '25/12/2026   15:30 ",
        "२५/१२/२०२६ १५:३०",
    ],
)
def test_one_moment_in_many_forms(cell: str) -> None:
    assert DATES.read(cell) == "2026-12-25 15:30:00"


@pytest.mark.parametrize(
    "cell",
    [
        "2026-12-25",
        "2026/12/25",
        "25/12/2026",
        "25-12-26",
        "25.12.2026",
        "25-Dec-26",
        "25 Dec 2026",
        "25Dec2026",
        "December 25, 2026",
        "25th of December 2026",
        "20261225",
        "46381",
    ],
)
def test_a_date_without_a_time_stays_one(cell: str) -> None:
    assert DATES.read(cell) == "2026-12-25"


def test_month_first_where_a_mapping_file_says_so() -> None:
    dates = Dates(INDIA, DateOrder.MDY)
    assert dates.read("12/25/2026") == "2026-12-25"
    assert dates.read("12/25/2026 15:30") == dates.read("12/25/2026 15:30") == "2026-12-25 15:30:00"
    assert dates.read("3-4-26 3:30 pm") == "2026-03-04 15:30:00"
    assert dates.read("25/12/2026") is None
    assert dates.read("2026-03-04") == "2026-03-04"
    assert dates.read("25-Dec-26") == "2026-12-25"


def test_year_first_where_a_mapping_file_says_so() -> None:
    dates = Dates(INDIA, DateOrder.YMD)
    assert dates.read("26/12/25 15:30") == "2026-12-25 15:30:00"
    assert dates.read("2026/12/25") == "2026-12-25"
    for text in ("25/12/2026", "25/12/2026 15:30", "25/12/2026 15:30:00", "25/12/2026T15:30"):
        assert dates.read(text) is None


def test_a_zones_letters_count_where_the_account_has_them_at_that_time() -> None:
    york = Dates(ZoneInfo("America/New_York"))
    assert york.read("2026-07-25 10:00 EDT") == york.read("2026-07-25 10:00")
    refused = (
        "2026-07-25 10:00 EST",
        "2026-07-25 10:00 IST",
        "2026-12-25 IST",
        "31/02/2026 9:00 IST",
    )
    for text in (*refused, "2026-12-25 04:30 UTC EST", "2026-12-25T10:00:00+05:30 EST"):
        assert york.read(text) is None, text
    assert DATES.read("2026-12-25 10:00 EST") is None
    assert Dates(None).read("2026-12-25 10:00 IST") is None


def test_a_day_that_was_read_before_is_read_the_same_again() -> None:
    for text in ("31/12/2026 15:30", "31/12/2026 16:45", "31/12/2026 24:00", "31/12/2026"):
        assert Dates(INDIA).read(text) == DATES.read(text)
    assert DATES.read("31/12/2026 1:60") is None


def test_day_first_except_in_iso() -> None:
    assert DATES.read("03/04/2026") == "2026-04-03"
    assert DATES.read("2026-03-04") == "2026-03-04"


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "5",
        "10",
        "12:30",
        "May",
        "2026",
        "May 2026",
        "12/2026",
        "25 Dec",
        "Dec 25",
        "tomorrow",
        "soon",
        "31/02/2026",
        "30-Feb-2026",
        "Feb 30 2026 at noon",
        "29/02/2027",
        "2026-13-01",
        "2026-02-30 10:00:00",
        "12/25/2026",
        "10/13/2026 10:00",
        "25/12-2026",
        "2026-12-25 24:00:00",
        "25/12/2026 24:00",
        "25/12/2026 10:60",
        "25/12/2026 15:30 pm",
        "25/12/2026 0:30 am",
        "25/12/2026 15",
        "2026-12-25T10+05:30",
        "25/12/2026 10+05",
        "2026-W52-5",
        "0000-00-00 00:00:00",
        "25 Dec 2026 10:00 XYZ",
        "99999",
        "9876543210",
        "1" * 300,
    ],
)
def test_what_is_not_certain_is_not_read(cell: str) -> None:
    assert DATES.read(cell) is None


def test_two_digit_years_turn_in_1969() -> None:
    assert DATES.read("01/01/68") == "2068-01-01"
    assert DATES.read("01/01/69") == "1969-01-01"


def test_a_zone_of_its_own_is_converted_to_the_accounts() -> None:
    assert Dates(ZoneInfo("UTC")).read("2026-12-25T01:00:00+05:30") == "2026-12-24 19:30:00"


def test_a_time_in_a_gap_of_summer_time_is_not_shifted() -> None:
    assert Dates(ZoneInfo("Europe/London")).read("2027-03-28 01:30:00") == "2027-03-28 01:30:00"


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)
FORMS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y %I:%M:%S %p",
    "%d.%m.%y %H:%M:%S",
    "%d-%b-%y %H:%M:%S",
    "%d %B %Y %I:%M:%S %p",
    "%b %d, %Y %H:%M:%S",
]


@given(MOMENTS, st.sampled_from(FORMS))
def test_every_accepted_form_gives_its_moment_back(moment: datetime, form: str) -> None:
    assert DATES.read(moment.strftime(form)) == moment.strftime("%Y-%m-%d %H:%M:%S")


LESS = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%d/%m/%Y %I:%M %p",
    "%d-%b-%Y",
    "%d-%b-%y %H:%M",
    "%d %b %Y %I:%M %p",
    "%B %d, %Y",
    "%a, %d %b %Y %H:%M",
    "%Y%m%d",
]
"""Forms without seconds, or without a time."""


@given(MOMENTS, st.sampled_from(FORMS + LESS))
def test_accepted_forms_mean_what_dateutil_reads(moment: datetime, form: str) -> None:
    text = moment.strftime(form)
    theirs = parse(text, dayfirst=not form.startswith("%Y"))
    if "%y" not in form or theirs.year == moment.year:
        timed = "%H" in form or "%I" in form
        meant = theirs.strftime("%Y-%m-%d %H:%M:%S" if timed else "%Y-%m-%d")
        assert DATES.read(text) == meant
        assert Dates(INDIA).read(text) == meant


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 9999), st.sampled_from("/-."))
def test_dates_never_roll(day: int, month: int, year: int, sep: str) -> None:
    found = DATES.read(f"{day:02}{sep}{month:02}{sep}{year:04}")
    try:
        expected = date(year, month, day).isoformat()
    except ValueError:
        assert found is None
    else:
        assert found == expected


@given(st.text(max_size=30) | st.from_regex(r"[0-9 /:.T-]{0,25}", fullmatch=True))
def test_whatever_is_read_is_canonical(text: str) -> None:
    found = DATES.read(text)
    if found is not None:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", found, re.ASCII)
        assert datetime.fromisoformat(found)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("today 18:30", "2026-11-22 18:30:00"),
        ("TODAY 6:30 pm", "2026-11-22 18:30:00"),
        ("tomorrow 10:00", "2026-11-23 10:00:00"),
        ("  Tomorrow   10 am ", "2026-11-23 10:00:00"),
        ("tomorrow at 10:00", "2026-11-23 10:00:00"),
        ("+3d 10:00", "2026-11-25 10:00:00"),
        ("+3D 10:00:05", "2026-11-25 10:00:05"),
        ("+30d 11:59", "2026-12-22 11:59:00"),
        ("2026-11-25 10:00", "2026-11-25 10:00:00"),
        ("25/11/2026 3:30 pm", "2026-11-25 15:30:00"),
        ("25-Nov-26 15:30", "2026-11-25 15:30:00"),
    ],
)
def test_at_says_when(text: str, means: str) -> None:
    assert resolve_at(text, NOON) == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("today 11:59", "is past"),
        ("today 12:00", "is past"),
        ("2020-01-01 10:00", "is past"),
        ("tomorrow", "has no time of day"),
        ("2026-11-25", "has no time of day"),
        ("+31d 10:00", "more than 30 days"),
        ("+30d 12:01", "more than 30 days"),
        ("+999d 10:00", "more than 30 days"),
        ("next week 10:00", "can be read"),
        ("tomorrow25:00", "can be read"),
        ("tomorrow 25:00", "can be read"),
        ("", "can be read"),
    ],
)
def test_at_that_will_not_do_gets_an_example(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_at(text, NOON)
    assert says in caught.value.message
    assert "tomorrow 10:00" in (caught.value.hint or "")


def test_tomorrow_is_tomorrow_in_the_accounts_zone() -> None:
    late = datetime(2026, 11, 22, 19, 0, tzinfo=ZoneInfo("UTC")).astimezone(INDIA)
    assert resolve_at("today 10:00", late) == "2026-11-23 10:00:00"
    assert late.date() - timedelta(days=1) == date(2026, 11, 22)
