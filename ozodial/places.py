"""Cells by the name that a spreadsheet shows: `B17`, `Leads!B17`, `'May leads'!B17`.

In: a sheet's name (None for a CSV), a row's number, a column's index. Out: text safe to show.
"""

import re

from ozodial.shown import shown

_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_LONGEST_NAME = 31
"""Excel takes no longer sheet names."""

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
"""Of a sheet in Excel."""

MOST_NAMED = 5
"""Columns in one sentence."""


def letter(index: int) -> str:
    """A column as a spreadsheet names it: A, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def letters(indexes: list[int]) -> str:
    """Several columns: `A, C, AA`; of very many the first ones and `…`."""
    named = ", ".join(map(letter, indexes[:MOST_NAMED]))
    return f"{named}, …" if len(indexes) > MOST_NAMED else named


def before(sheet: str | None) -> str:
    """What stands before a cell's letters: nothing for a CSV, `Leads!` for a workbook's sheet."""
    if sheet is None:
        return ""
    if _PLAIN_NAME.fullmatch(sheet):
        return f"{sheet}!"
    return "'" + shown(sheet, _LONGEST_NAME)[1:-1].replace("'", "''") + "'!"


def cell(sheet: str | None, row: int, column: int) -> str:
    """One cell."""
    return f"{before(sheet)}{letter(column)}{row}"
