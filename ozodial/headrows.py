"""The header among the first rows: below titles, above the leads, perhaps of two rows.

In: the first rows of a sheet, and which columns were asked for. Out: the header's names, and the
rows below it. A header of two rows, as merged cells leave it, becomes one: a group's name stands
before the names below it where only both together say what the column is.
"""

import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from ozodial.headers import is_second_phone, key, usual_field
from ozodial.models import BrokenRow, Field, Row
from ozodial.shown import one_line

_LEAST_OF_A_GROUP_ROW = 2
_PHONE_DIGITS = range(10, 15)

_COLUMN_WORDS = re.compile(
    r"date|time|day|hour|from|to|start|end|no|number|id|code|type|status|amount|"
    r"email|emailid|city|state|district|pin|pincode|address|area|country|first|last|"
    r"middle|work|home|office|primary|secondary|alternate|landline|remarks|remark|"
    r"notes|due|paid|total"
)
"""What stands below a merged header and in no lead: one of them tells a second header row."""


class Header(NamedTuple):
    """The header as one row of names, its number in the sheet, and the rows that follow it."""

    cells: tuple[str, ...]
    number: int
    below: list[Row]


def find_header(
    head: Sequence[Row], asked: Collection[str], has_phone: Callable[[Sequence[str]], bool] | None
) -> Header:
    """The first row with the phone header; else with any column asked for; else the first row.

    `has_phone` tells the row by the phone column that was asked for, None: by the usual words.
    """
    position = _position(head, asked, has_phone)
    row, below = head[position], list(head[position + 1 :])
    if below and below[0].number == row.number + 1 and _go_together(row.cells, below[0].cells):
        lower = below.pop(0)
        return Header(_joined(row.cells, lower.cells), lower.number, below)
    above = head[position - 1] if position else None
    if above is not None and above.number == row.number - 1 and _is_group_row(above, row):
        return Header(_joined(above.cells, row.cells), row.number, below)
    return Header(tuple(row.cells), row.number, below)


def _position(
    head: Sequence[Row], asked: Collection[str], has_phone: Callable[[Sequence[str]], bool] | None
) -> int:
    whole = [position for position, row in enumerate(head) if not isinstance(row.cells, BrokenRow)]
    for position in whole:
        cells = head[position].cells
        if has_phone(cells) if has_phone is not None else names_a_phone(cells):
            return position
    for position in whole:
        keys = {key(cell) for cell in head[position].cells} - {""}
        if keys & set(asked) or names_a_phone(head[position].cells):
            return position
    for position in whole:
        if any(map(is_second_phone, head[position].cells)):
            return position
    return whole[0] if whole else 0


def names_a_phone(cells: Sequence[str]) -> bool:
    """Whether one of the headers usually means the phone."""
    return any(usual_field(cell) is Field.PHONE for cell in cells)


def _go_together(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether the lower row only divides what the upper one leaves open, and holds no data."""
    width = max(len(upper), len(lower))
    above = [_cell(upper, index) for index in range(width + 1)]
    below = [_cell(lower, index) for index in range(width + 1)]
    if any(char.isdigit() for text in below for char in text):
        return False
    filled = [index for index in range(width) if below[index]]
    divides = all(
        not above[index] or (not above[index + 1] and below[index + 1]) for index in filled
    )
    if not any(_is_header_word(below[index]) for index in filled):
        return False
    # The first column of all has nothing to its left that it could belong to.
    return divides and any(not above[index] and any(above[:index]) for index in filled)


def _is_header_word(text: str) -> bool:
    if usual_field(text) is not None or is_second_phone(text):
        return True
    return _COLUMN_WORDS.fullmatch(key(text)) is not None


def _is_group_row(above: Row, row: Row) -> bool:
    """Whether the row above the phone's holds the names of columns that have none here."""
    filled = [index for index, cell in enumerate(above.cells) if cell.strip()]
    return (
        len(filled) >= _LEAST_OF_A_GROUP_ROW
        and any(not _cell(row.cells, index) for index in filled)
        and not any(char.isdigit() for cell in above.cells for char in cell)
        and _go_together(above.cells, row.cells)
    )


def _joined(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    names, group = [], ""
    for index in range(max(len(upper), len(lower))):
        above, below = _cell(upper, index), _cell(lower, index)
        group = above or group
        names.append(_name(group, below) if below else above)
    return tuple(names)


def _name(group: str, below: str) -> str:
    both = one_line(f"{group} {below}")
    if group and (usual_field(both) is not None or usual_field(below) is None):
        return both
    return below


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""


def is_phone_like(cell: str) -> bool:
    """Whether a cell looks like a phone, or like several with a slash between."""
    if any(char.isalpha() or char == ":" for char in cell):
        return False
    numbers = cell.replace(";", "/").split("/")
    return any(sum(map(str.isdigit, one)) in _PHONE_DIGITS for one in (cell, *numbers))
