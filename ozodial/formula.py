"""Cells of a CSV file that a spreadsheet would run as a formula, and how they are defused.

`guarded` puts an apostrophe before such a cell (and before one that looks guarded already),
`unguarded` takes it off again: for any text, `unguarded(guarded(text)) == text`. Never touches
anything else. Phones such as `+9198…` are guarded too: Excel would turn them into `9.198E+11`.
"""

import re

_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(cell: str) -> str:
    """The cell as it goes into a CSV file."""
    return "'" + cell if _RISKY.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell
