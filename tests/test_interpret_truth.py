"""Answers of a vendor that is truthful, but tells it in a dialect of its own: none is misread.

Every row has a truth (taken, refused, or not told at all). It is written down in one dialect for
the whole answer: which fields an item has, how phones look, whether indexes count from 0 or 1,
whether they are text; in any order, some items twice. Then no row may be `accepted` or `rejected`
that was not, and an answer with phones has to be understood as a whole.
"""

from dataclasses import dataclass

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ozodial.endpoints import BULK_ADD_V1, SCHEDULE
from ozodial.interpret import interpret
from ozodial.models import LeadRow, State
from tests.batches import BEARER, Fields, lead, reply

TIMES = ["2026-11-23 10:00:00", "2026-11-23 11:00:00", "2026-11-24 10:00:00"]
WORDS = {
    State.ACCEPTED: ("success", "Data updated successfully"),
    State.REJECTED: ("FAIL", "PhoneNumber Added is a DND Number"),
    State.DUPLICATE: ("SUCCESS", "Number Already Exist"),
}


@dataclass(frozen=True)
class Dialect:
    """How this vendor writes its items; "" and None leave a field out."""

    phone: str = "+91{}"
    first: int | None = 0
    text: bool = False
    names: bool = True
    times: bool = True

    def item(self, row: LeadRow, place: int, truth: State) -> Fields:
        response, message = WORDS[truth]
        fields: Fields = {"Response": response, "msg": message}
        if self.phone:
            fields["PhoneNumber"] = self.phone.format(row.phone)
        if self.first is not None:
            index = place + self.first
            fields["index"] = str(index) if self.text else index
        if self.names:
            fields["Name"] = row.name
        if self.times:
            fields["ScheduleTime"] = row.scheduled
        return fields


dialects = st.builds(
    Dialect,
    phone=st.sampled_from(["+91{}", "91{}", "0{}", "{}", "+91-{}", ""]),
    first=st.sampled_from([0, 1, None]),
    text=st.booleans(),
    names=st.booleans(),
    times=st.booleans(),
)


@st.composite
def batches(draw: st.DrawFn) -> list[LeadRow]:
    """Leads of which some share a phone (with another time), and some a name."""
    pairs = st.tuples(st.integers(0, 5), st.sampled_from(TIMES))
    chosen = draw(st.lists(pairs, min_size=1, max_size=7, unique=True))
    names = st.sampled_from(["Asha", "Ravi", ""])
    return [
        lead(2 + place, f"98765432{10 + phone}", draw(names), time)
        for place, (phone, time) in enumerate(chosen)
    ]


Truth = list[State | None]


@st.composite
def told(draw: st.DrawFn, count: int) -> tuple[Truth, list[int]]:
    """What is true of each row (None: not told), and the places in the order of the answer."""
    truth = draw(st.lists(st.sampled_from([*WORDS, None]), min_size=count, max_size=count))
    present = [place for place, state in enumerate(truth) if state is not None]
    twice = draw(st.lists(st.sampled_from(present), max_size=2)) if present else []
    return truth, draw(st.permutations(present + twice))


def read(
    leads: list[LeadRow], dialect: Dialect, truth: Truth, order: list[int], *, v1: bool = False
) -> list[State]:
    items = [
        dialect.item(leads[place], place, state)
        for place in order
        if (state := truth[place]) is not None
    ]
    body = {"status": "success", "message": items}
    endpoint = BULK_ADD_V1 if v1 else SCHEDULE
    verdict = interpret(endpoint, leads, reply(body), BEARER)
    assert [outcome.row for outcome in verdict.outcomes] == [row.row for row in leads]
    return [outcome.state for outcome in verdict.outcomes]


@settings(max_examples=150, deadline=None)
@given(st.data(), dialects, batches(), st.booleans())
def test_no_row_gets_what_is_not_its_own(
    data: st.DataObject, dialect: Dialect, leads: list[LeadRow], v1: bool
) -> None:
    truth, order = data.draw(told(len(leads)))
    for state, true in zip(read(leads, dialect, truth, order, v1=v1), truth, strict=True):
        assert state in (true, State.UNKNOWN)


def test_order_is_no_evidence() -> None:
    twice = [lead(2 + place, "9876543210", "Asha", time) for place, time in enumerate(TIMES[:2])]
    truth: Truth = [State.ACCEPTED, State.REJECTED]
    for order in ([0, 1], [1, 0]):
        phones_alone = Dialect(first=None, names=False, times=False)
        assert read(twice, phones_alone, truth, order) == [State.UNKNOWN] * 2
        assert read(twice, Dialect(first=None), truth, order) == truth


@settings(max_examples=150, deadline=None)
@given(st.data(), dialects, batches())
def test_an_answer_with_phones_is_understood_as_a_whole(
    data: st.DataObject, dialect: Dialect, leads: list[LeadRow]
) -> None:
    assume(dialect.phone)
    assume(len({row.phone for row in leads}) == len(leads) or dialect.times)
    truth, order = data.draw(told(len(leads)))
    expected = [state or State.UNKNOWN for state in truth]
    assert read(leads, dialect, truth, order) == expected


@settings(max_examples=150, deadline=None)
@given(dialects, batches(), st.data())
@example(Dialect(phone="", names=False, times=False), [lead(2, "9876543210")], None)
def test_a_whole_answer_with_indexes_needs_no_phones(
    dialect: Dialect, leads: list[LeadRow], data: st.DataObject | None
) -> None:
    """All rows are there, so the indexes themselves show where they start."""
    assume(dialect.first is not None)
    truth: Truth = [State.ACCEPTED] * len(leads)
    order = data.draw(st.permutations(range(len(leads)))) if data is not None else [0]
    assert read(leads, dialect, truth, list(order)) == [State.ACCEPTED] * len(leads)
