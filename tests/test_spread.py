"""The spreading of leads over the day: pure, whatever the window, the rate and the zone."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ozodial.errors import UsageError
from ozodial.hours import ALL_DAYS, Hours, days_text, parse_days, parse_hours
from ozodial.spread import Spread, parse_spread

INDIA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=INDIA)
"""A Sunday."""

ZONES = [
    ZoneInfo(name)
    for name in ("Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
]
CLOCKS = st.integers(0, 86_399).map(lambda s: f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}")


def spread(text: str = "tomorrow 10:00..18:00", rate: int | None = None, days: str = "") -> Spread:
    return parse_spread(text, NOON, INDIA, rate, parse_days(days, "--days") if days else ALL_DAYS)


def test_480_leads_in_8_hours_are_one_a_minute() -> None:
    times = list(spread().times(480, NOON))
    assert times[:3] == ["2026-11-23 10:00:00", "2026-11-23 10:01:00", "2026-11-23 10:02:00"]
    assert times[-1] == "2026-11-23 17:59:00"


def test_a_rate_fills_further_windows_on_the_days_that_count() -> None:
    times = list(spread("+1d 10:00..12:00", 100, "mon,wed-thu").times(450, NOON))
    assert Counter(time[:10] for time in times) == {
        "2026-11-23": 200,
        "2026-11-25": 200,
        "2026-11-26": 50,
    }
    assert times[400:403] == ["2026-11-26 10:00:00", "2026-11-26 10:02:24", "2026-11-26 10:04:48"]


def test_the_first_day_that_counts_is_taken() -> None:
    assert spread("today 18:00..19:00", days="tue").first == "2026-11-24 18:00:00"


def test_what_does_not_fit_into_30_days_is_counted() -> None:
    with pytest.raises(UsageError, match=r"^218 of 450 leads don't fit .* take 232\.$"):
        list(spread(rate=1).times(450, NOON))
    with pytest.raises(UsageError, match="more than 30 days ahead"):
        spread("+31d 10:00..18:00").check(NOON)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", "not a day with two times"),
        ("tomorrow 10:00", "not a day with two times"),
        ("tomorrow..18:00", "not a day with two times"),
        ("10:00..18:00", "not a day with two times"),
        ("tomorrow 18:00..10:00", "ends before it begins"),
        ("tomorrow 10:00..10:00", "ends before it begins"),
        ("tomorrow 10:00..tomorrow", "not a day with two times"),
        ("tomorrow 10:00..25:00", "not a day with two times"),
    ],
)
def test_a_window_that_is_none_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        spread(text)


def test_a_window_that_has_begun_is_for_no_new_run() -> None:
    spread("today 12:01..18:00").check(NOON)
    with pytest.raises(UsageError, match="is past: it is 2026-11-22 12:00:00"):
        spread("today 12:00..18:00").check(NOON)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)

windows = st.builds(
    Spread,
    st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    CLOCKS,
    CLOCKS,
    st.sampled_from(ZONES),
    st.one_of(st.none(), st.integers(1, 5000)),
    st.frozensets(st.integers(0, 6), min_size=1),
).filter(lambda found: found.start < found.end)


@given(windows, st.integers(0, 800))
def test_times_are_real_in_order_in_the_window_and_even(window: Spread, count: int) -> None:
    now = datetime.combine(window.day - timedelta(days=1), datetime.min.time(), window.zone)
    try:
        times = list(window.times(count, now))
    except UsageError:
        assume(False)
    assert len(times) == count
    assert times == sorted(times) == list(window.times(count, now + timedelta(hours=3)))
    real: list[float] = []
    for time in times:
        shown = datetime.fromisoformat(time).replace(tzinfo=window.zone)
        real.append(shown.timestamp())
        # a clock shows it, for the first time
        assert shown.astimezone(UTC).astimezone(window.zone).isoformat(" ")[:19] == time
        assert shown.weekday() in window.days
        shifted = window.zone.utcoffset(shown.replace(tzinfo=None)) != window.zone.utcoffset(
            datetime.combine(shown, datetime.min.time())
        )
        assert window.start <= time[11:] < window.end or shifted
    if window.per_hour is not None:
        for begin in real:
            assert sum(begin <= moment < begin + 3600 for moment in real) <= window.per_hour
    for day in {time[:10] for time in times}:
        mine = [moment for time, moment in zip(times, real, strict=True) if time[:10] == day]
        gaps = [after - before for before, after in pairwise(mine)]
        even = max(gaps, default=0) - min(gaps, default=0) <= 1
        assert even or any(gap >= 1800 for gap in gaps)  # the hour that comes twice is left out


@pytest.mark.parametrize("place", [0, 1, 2, 500, 998, 999])
def test_the_same_window_and_number_give_the_same_times_on_another_day(place: int) -> None:
    today = parse_spread("+2d 10:00..18:00", NOON, INDIA)
    later = parse_spread("tomorrow 10:00..18:00", NOON + timedelta(days=1), INDIA)
    assert list(today.times(1000, NOON))[place] == list(later.times(1000, NOON))[place]


def test_summer_time_makes_no_time_that_no_clock_shows() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2027, 3, 27, 12, tzinfo=berlin)
    times = list(parse_spread("2027-03-28 01:00..05:00", now, berlin).times(6, now))
    assert [time[11:16] for time in times] == ["01:00", "01:30", "03:00", "03:30", "04:00", "04:30"]
    now = datetime(2026, 10, 24, 12, tzinfo=berlin)
    times = list(parse_spread("2026-10-25 01:00..04:00", now, berlin).times(6, now))
    assert [time[11:16] for time in times] == ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]


# --- hours and days ---


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-sat", "mon-sat"),
        ("Sunday", "sun"),
        ("sat-mon", "mon,sat-sun"),
        ("mon, wed", "mon,wed"),
    ],
)
def test_days_are_read_and_written(text: str, days: str) -> None:
    assert days_text(parse_days(text, "--days")) == days


@pytest.mark.parametrize("text", ["", "mon-", "noday", "mon-tue-wed", "mon;tue"])
def test_days_that_are_none_name_their_source(text: str) -> None:
    with pytest.raises(UsageError, match="OZODIAL_DAYS"):
        parse_days(text, "OZODIAL_DAYS")


@pytest.mark.parametrize("text", ["9", "21:00-09:00", "09:00-25:00", "9:75-10", "09:00-09:00", ""])
def test_hours_that_are_none_name_their_source(text: str) -> None:
    with pytest.raises(UsageError, match="--calling-hours"):
        parse_hours(text, "--calling-hours")


def test_hours_are_read() -> None:
    assert parse_hours("9-21", "") == parse_hours("09:00 to 21:00", "") == ("09:00:00", "21:00:00")
    assert parse_hours("18:30-24:00", "") == ("18:30:00", "24:00:00")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
        lambda t: t.replace(microsecond=0)
    ),
    CLOCKS,
    CLOCKS,
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_a_shifted_time_is_the_next_one_inside(
    moment: datetime, opens: str, closes: str, days: frozenset[int]
) -> None:
    assume(opens < closes)
    hours, when = Hours(opens, closes, days, shift=True), moment.isoformat(" ")
    moved = hours.shifted(when)
    assert hours.hold(moved)
    assert moved >= when
    assert (moved == when) == hours.hold(when)
    if moved != when:
        assert moved[11:] == opens
        before = (datetime.fromisoformat(moved) - timedelta(days=1)).isoformat(" ")
        assert before < when or not hours.hold(before)
