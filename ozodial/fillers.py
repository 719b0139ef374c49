"""Cells that say nothing, or that something went wrong: `N/A`, `NULL`, `-`, `#REF!`.

The words as data, as programs and people write them. A spreadsheet's error is never taken for an
empty cell: a look-up that failed is for a person to see.
"""

_EMPTY = "n/a na nil none null nan nat undefined"
_EMPTY_NAMES = "n/a null nan undefined"
"""Fewer: people are called Na and None."""

_DASHES = frozenset({"-", "--", "---", "–", "—", ".", "..", "..."})
_ZERO_DATES = frozenset(
    day + time
    for day in ("0000-00-00", "00/00/0000", "00-00-0000")
    for time in ("", " 00:00", " 00:00:00", "T00:00:00")
)


def _cases(words: str) -> frozenset[str]:
    return frozenset(
        form for word in words.split() for form in (word, word.upper(), word.capitalize())
    )


FILLERS = _cases(_EMPTY) | {"NaN", "NaT"} | _DASHES | _ZERO_DATES
"""What stands in a field that may be empty, for want of a value."""

NAME_FILLERS = _cases(_EMPTY_NAMES) | {"NaN"} | _DASHES
"""The same for a name."""

ERRORS = frozenset(
    [
        *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"),
        *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!"),
        *(f"Err:{number}" for number in range(501, 541)),
    ]
)
"""What a spreadsheet shows where a formula failed."""
