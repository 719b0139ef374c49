"""A column of dates read by its parts says what each date says when it is read as a whole."""

from itertools import chain
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.dates import Dates
from ozodial.models import DateOrder
from ozodial.moments import Moments

DAYS = [
    *("2026-11-25", "25/11/2026", "5/1/2027", "05-01-27", "25.11.2026", "25-Nov-26", "20261125"),
    *("2026-11-31", "31/02/2027", "2026-13-01", "46351", "46351.5", "Nov", "today", "", "2026"),
    *("25", "2026-11-25T10:00", "1st", "Wed,", "2099-01-01", "11/25/2026"),
]
CLOCKS = [
    *("10:00", "9:30", "10:00:00", "10.15", "3:30 pm", "3:30pm", "12:00 AM", "24:00", "23:59:59"),
    *("10:00Z", "10:00 +00:00", "10:00+05:30", "10:00 IST", "25:00", "10:60", "10", "Nov 2026", ""),
    *("10:00 ", " 10:00", "13:00 pm", "10:00:00.5", "१०:००"),
]
TEXTS = st.builds(
    lambda day, gap, clock: f"{day}{gap}{clock}",
    st.sampled_from(DAYS),
    st.sampled_from([" ", " ", " ", "  ", "T", "", ", "]),
    st.sampled_from(CLOCKS),
)


@settings(deadline=None)
@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=12), min_size=1, max_size=4),
    st.sampled_from(DateOrder),
    st.sampled_from([None, " 10:00:00"]),
)
def test_a_column_is_read_as_its_cells(
    columns: list[list[str]], order: DateOrder, alone: str | None
) -> None:
    dates = Dates(ZoneInfo("Asia/Kolkata"), order)

    def whole(text: str) -> str | None:
        found = dates.read(text)
        if found is not None and len(found) == 10:
            found = found + alone if alone is not None else None
        return found if found is not None and "2026-11-22 12:00" < found <= "2027-01-05" else None

    moments = Moments(whole, dates.read, "2026-11-22 12:00:00", "2027-01-05 00:00:00", alone)
    for texts in columns:
        odd: set[int] = set()
        found = moments.read(texts, odd)
        expected = [whole(text) for text in texts]
        assert odd == {place for place, value in enumerate(expected) if value is None}
        assert found == [value or "" for value in expected]


SENT = ["2026-11-25 10:00:00", "2026-11-30 23:59:59", "2026-12-01 00:00:00"]
PIECES = [text[:10] for text in SENT] + [text[10:] for text in SENT] + ["", " ", "2026-11-25 10:00"]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.sampled_from(SENT),
                st.builds("".join, st.lists(st.sampled_from(PIECES), min_size=2, max_size=2)),
            ).map(str.strip),
            max_size=2,
        ),
        max_size=4,
    )
)
def test_a_column_of_times_as_they_are_sent_stays_as_it_is(columns: list[list[str]]) -> None:
    dates = Dates(ZoneInfo("Asia/Kolkata"))

    def whole(text: str) -> str | None:
        found = dates.read(text)
        return found if found is not None and len(found) == 19 else None

    moments = Moments(whole, dates.read, "2026-11-22 12:00:00", "2027-01-05 00:00:00", None)
    for texts in chain(*([SENT, SENT, column] for column in columns)):
        odd: set[int] = set()
        expected = [whole(text) for text in texts]
        assert moments.read(texts, odd) == [value or "" for value in expected]
        assert odd == {place for place, value in enumerate(expected) if value is None}
