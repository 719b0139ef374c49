"""Headers of two rows, below titles, beside merged cells."""

import pytest

from ozodial.headrows import find_header
from ozodial.models import BrokenRow, Row


def names(*table: tuple[str, ...]) -> tuple[tuple[str, ...], int, int]:
    header = find_header([Row(n, cells) for n, cells in enumerate(table, start=1)], (), None)
    return header.cells, header.number, len(header.below)


LEAD = ("1", "Asha", "9000000001", "25/12/2026", "10:00")


def test_a_group_over_two_columns_and_single_names_beside_it() -> None:
    upper = ("Sr", "Name", "Mobile", "Call", "")
    lower = ("", "", "", "Date", "Time")
    joined = ("Sr", "Name", "Mobile", "Call Date", "Call Time")
    assert names(upper, lower, LEAD) == (joined, 2, 1)


def test_the_phone_in_the_lower_row_takes_the_names_above_along() -> None:
    upper = ("Name", "Contact", "", "City")
    lower = ("", "Mobile", "Email", "")
    assert names(upper, lower, ("Asha", "9000000001", "", "Pune")) == (
        ("Name", "Contact Mobile", "Contact Email", "City"),
        2,
        1,
    )


def test_a_groups_name_stays_away_where_the_lower_name_says_it_all() -> None:
    upper = ("Name", "Customer details", "")
    lower = ("", "Mobile", "City")
    assert names(upper, lower, ("Asha", "9000000001", "Pune"))[0] == (
        "Name",
        "Mobile",
        "Customer details City",
    )


@pytest.mark.parametrize(
    "title",
    [("Leads of May", "", ""), ("Branch", "Pune", ""), ("A", "B", "C"), ("May 2026", "", "x")],
)
def test_a_title_is_no_part_of_the_header(title: tuple[str, ...]) -> None:
    assert names(title, ("Mobile", "Name", "City"), ("9000000001", "", ""))[0] == (
        "Mobile",
        "Name",
        "City",
    )


@pytest.mark.parametrize(
    "row", [("", "Asha", ""), ("", "Asha", "Pune"), ("9000000001", "", ""), ("", "", "")]
)
def test_a_lead_is_no_part_of_the_header(row: tuple[str, ...]) -> None:
    assert names(("Mobile", "Name", ""), row)[2] == 1


def test_a_broken_row_is_no_header() -> None:
    rows = [Row(1, BrokenRow(["Mobile"], "why")), Row(2, ("Mobile", "Name"))]
    assert find_header(rows, (), None).number == 2
