"""Whatever the headers are: no column is two things, no row is lost, or it is one sentence."""

import unicodedata
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.errors import FileError
from ozodial.headers import key
from ozodial.mapping import Wanted, locate
from ozodial.models import Chunk, Field

USUAL = [
    *("Mobile", "Phone No.", "mobile no", "Name", "Customer Name", "First Name", "Last Name"),
    *("Priority", "Expiry", "Call Time", "Agent", "Skill", "City", "", " ", "Name ", "WhatsApp"),
    *("ozodial_status", "मोबाइल नंबर", "9876543210", "Notes", "Name#2", "\u202eeliboM"),
]
headers = st.lists(st.sampled_from(USUAL) | st.text(max_size=12), min_size=1, max_size=9)
cells = st.sampled_from(["9876543210", "Asha", "", "5", "31/12/2099", "Mobile"]) | st.text(
    max_size=8
)
names = st.sampled_from(USUAL) | st.text(max_size=6)


@st.composite
def wishes(draw: st.DrawFn) -> Wanted:
    """Some columns by hand, some sent besides, some constants."""
    columns = draw(st.dictionaries(st.sampled_from(list(Field)), names, max_size=3))
    constant = draw(st.sampled_from([{}, {Field.PRIORITY: "5"}]))
    last = draw(st.none() | names)
    return Wanted(columns, draw(st.lists(names, max_size=2)), last, constant)


@given(headers, st.lists(st.lists(cells, max_size=9), max_size=6), wishes(), st.booleans())
@settings(max_examples=300)
def test_no_column_is_two_things_and_no_row_is_lost(
    header: list[str], below: list[list[str]], wanted: Wanted, needs_time: bool
) -> None:
    rows = [header, *below]

    def chunks() -> Iterator[Chunk]:
        yield Chunk(range(1, len(rows) + 1), rows)

    said = ""
    try:
        columns, left = locate(chunks(), wanted, needs_time=needs_time, has_at=False, file="x.csv")
    except FileError as error:
        said = error.message
    if said:
        assert said.startswith("x.csv")
        acting = {char for char in said if unicodedata.category(char)[0] == "C"}
        assert acting <= {"\u200c", "\u200d"}
        assert len(said) < 10_000
        return
    taken = [index for _, index in columns.fields]
    assert len(set(taken)) == len(taken)
    assert len(dict(columns.fields)) == len(columns.fields)
    assert all(0 <= index < len(columns.header) for index in taken)
    assert Field.PHONE in dict(columns.fields)
    sent = [key(name) for name in columns.sent(needs_time)]
    assert len(set(sent)) == len(sent)
    numbers = [number for chunk in left for number in chunk.numbers]
    filled = [number for number, row in enumerate(rows, 1) if any(map(str.strip, row))]
    assert [number for number in numbers if number in filled] == [
        number for number in filled if number > columns.header_row
    ]
    assert len(set(numbers)) == len(numbers)
