"""Which item is about which row: phone, index, time, name and order, and none of them alone."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.matching import Item, match
from ozodial.models import LeadRow
from tests.batches import batch, lead

THREE = batch(3)
MORNING, EVENING = "2026-11-23 10:00:00", "2026-11-23 18:00:00"


def item(
    position: int = 0,
    phone: str = "",
    number: int | None = None,
    scheduled: str = "",
    name: str = "",
) -> Item:
    return Item(position, phone, number, scheduled, name, (f"item {position}",))


def placed(items: list[Item], leads: list[LeadRow]) -> dict[int, list[int]]:
    """Row -> the positions of the items about it."""
    return {row: [item.position for item in said] for row, said in match(items, leads).items()}


def by_phone(*phones: str) -> list[Item]:
    return [item(position, phone) for position, phone in enumerate(phones)]


def indexed(*numbers: int) -> list[Item]:
    return [item(position, number=number) for position, number in enumerate(numbers)]


@pytest.mark.parametrize("form", ["{}", "+91{}", "91{}", "0{}", "0091{}", "+91-{}", " 91 {}"])
def test_a_phone_is_known_in_all_its_forms(form: str) -> None:
    items = by_phone(*(form.format(row.phone) for row in reversed(THREE)))
    assert placed(items, THREE) == {4: [0], 3: [1], 2: [2]}


@pytest.mark.parametrize("phone", ["", "xx", "210", "+91xxxx8", "7000000000", "98765432", "None"])
def test_a_phone_that_nobody_sent_is_about_no_row(phone: str) -> None:
    assert placed(by_phone(phone), THREE) == {}


def test_foreign_phones_are_known() -> None:
    leads = [lead(2, "+14155550123"), lead(3, "+6591234567"), lead(4, "9876543210")]
    items = by_phone("14155550123", "+6591234567", "+919876543210")
    assert placed(items, leads) == {2: [0], 3: [1], 4: [2]}


def test_equal_ends_of_two_numbers_are_told_apart_or_left_out() -> None:
    leads = [lead(2, "4155550123"), lead(3, "+14155550123")]
    assert placed(by_phone("4155550123", "+14155550123"), leads) == {2: [0], 3: [1]}
    # the first item could be about either, and order proves nothing
    assert placed(by_phone("+914155550123", "+14155550123"), leads) == {3: [1]}
    assert placed(by_phone("+914155550123"), leads) == {}


def test_repeated_items_are_all_about_their_row() -> None:
    items = by_phone(THREE[0].phone, THREE[0].phone, THREE[2].phone)
    assert placed(items, THREE) == {2: [0, 1], 4: [2]}


# --- the same phone twice: only `schedule` sends such batches ---

TWICE = [lead(2, "9876543210", "", MORNING), lead(3, "9876543210", "", EVENING)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (
            [item(0, "+919876543210", scheduled=EVENING), item(1, "9876543210", scheduled=MORNING)],
            {3: [0], 2: [1]},
        ),
        ([item(0, "9876543210", 1), item(1, "9876543210", 0)], {3: [0], 2: [1]}),
        ([item(0, "9876543210", 2), item(1, "9876543210", 1)], {3: [0], 2: [1]}),
        ([item(0, "9876543210"), item(1, "9876543210")], {}),  # answers come in any order
        ([item(0, "9876543210")], {}),
        ([item(0, "9876543210", scheduled="2026-11-24 00:00:00")], {}),
        ([item(0, "9876543210", 1)], {}),  # the second from 0, or the first from 1
    ],
    ids=["time", "index from 0", "index from 1", "order", "nothing", "another time", "either"],
)
def test_the_same_phone_twice(items: list[Item], expected: dict[int, list[int]]) -> None:
    assert placed(items, TWICE) == expected


# --- no phone: the index, where it is proven ---


@pytest.mark.parametrize("first", [0, 1])
def test_a_whole_set_of_indexes_shows_where_it_starts(first: int) -> None:
    assert placed(indexed(first + 2, first, first + 1), THREE) == {4: [0], 2: [1], 3: [2]}


@pytest.mark.parametrize("numbers", [(0, 1), (1, 2), (1,), (0, 0, 1), (1, 2, 3, 4), (7,), ()])
def test_indexes_that_prove_no_start_place_nothing(numbers: tuple[int, ...]) -> None:
    assert placed(indexed(*numbers), THREE) == {}


@pytest.mark.parametrize("first", [0, 1])
def test_one_phone_proves_where_indexes_start(first: int) -> None:
    items = [item(0, THREE[1].phone, first + 1), item(1, number=first + 2)]
    assert placed(items, THREE) == {3: [0], 4: [1]}


def test_a_phone_that_contradicts_its_index_takes_the_proof_away() -> None:
    items = [item(0, THREE[1].phone, 0), item(1, THREE[2].phone, 0), item(2, number=1)]
    assert placed(items, THREE) == {3: [0], 4: [1]}


def test_an_index_beyond_the_batch_is_about_no_row() -> None:
    items = [item(0, THREE[0].phone, 0), item(1, THREE[1].phone, 1), item(2, number=3)]
    assert placed(items, THREE) == {2: [0], 3: [1]}


@pytest.mark.parametrize(
    "odd", [item(2, number=2, name="Somebody Else"), item(2, number=2, scheduled=EVENING)]
)
def test_an_index_is_not_trusted_against_a_name_or_a_time(odd: Item) -> None:
    items = [item(0, THREE[0].phone, 0), item(1, THREE[1].phone, 1), odd]
    assert placed(items, THREE) == {2: [0], 3: [1]}
    same = odd._replace(name="LEAD  2", scheduled=THREE[2].scheduled)
    assert placed([*items[:2], same], THREE) == {2: [0], 3: [1], 4: [2]}


# --- no phone, no index: the order, where a name stands with it ---


def test_order_counts_only_with_a_name_in_an_answer_that_keeps_it() -> None:
    first, last = item(0, THREE[0].phone), item(2, THREE[2].phone)
    assert placed([first, item(1, name="Lead 1"), last], THREE) == {2: [0], 3: [1], 4: [2]}
    assert placed([first, item(1), last], THREE) == {2: [0], 4: [2]}
    assert placed([first, item(1, name="Lead 0"), last], THREE) == {2: [0], 4: [2]}
    assert placed([first, item(1, name="Lead 1")], THREE) == {2: [0]}
    turned = [item(0, THREE[2].phone), item(1, name="Lead 1"), item(2, THREE[0].phone)]
    assert placed(turned, THREE) == {4: [0], 2: [2]}


def test_names_alone_prove_nothing() -> None:
    assert placed([item(i, name=f"Lead {i}") for i in range(3)], THREE) == {}


@given(st.randoms(use_true_random=False), st.integers(1, 30))
def test_shuffled_and_thinned_answers_are_placed_right(random: random.Random, count: int) -> None:
    leads = batch(count)
    items = [item(0, f"+91{row.phone}", place) for place, row in enumerate(leads)]
    random.shuffle(items)
    items = [item._replace(position=p) for p, item in enumerate(items[: random.randint(1, count)])]
    for row, said in match(items, leads).items():
        assert [leads[row - 2].phone] == [item.phone[3:] for item in said]
    assert len(match(items, leads)) == len(items)
