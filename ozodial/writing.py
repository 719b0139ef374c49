"""Staged rows into the ledger's table, fast: as lots of fifty a statement, or by COPY.

It knows nothing of runs or of whose turn it is: that is `staging`.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice

from sqlalchemy.engine import Connection

from ozodial.database import many
from ozodial.models import StagedRow
from ozodial.postgres import copy_in

Lot = tuple[object, ...]
"""The values of some rows, one after the other."""

_FIELDS = StagedRow._fields
_WIDTH = len(_FIELDS)
_COLUMNS = (*_FIELDS, "run_id")
_NAMES = ", ".join(f'"{name}"' for name in _COLUMNS)
_NULLABLE = frozenset({"reason", "message", "remark"})
TOGETHER = 50
"""Rows a statement: one for each row costs a fifth more; SQLite once took 999 values at most."""


def lots(staged: Iterable[StagedRow]) -> Iterator[Lot]:
    """Rows in lots; they are laid out flat as they come, while the processor has them at hand."""
    source = iter(staged)
    return iter(lambda: tuple(chain.from_iterable(islice(source, TOGETHER))), ())


def rows_in(some: Sequence[Lot]) -> int:
    """How many rows these lots are."""
    return sum(map(len, some)) // _WIDTH


def write_rows(connection: Connection, run_id: int, some: Sequence[Lot]) -> None:
    """Insert the lots' rows as rows of a run; a reason, message or remark that is empty is NULL."""
    if connection.dialect.name == "postgresql":
        single = zip(*[chain.from_iterable(some)] * _WIDTH, strict=True)
        copy_in(connection, "rows", _COLUMNS, ((*_with_nulls(row), run_id) for row in single))
        return
    for size, alike in groupby(some, len):
        many(connection, _insert(run_id, size // _WIDTH), list(alike))


def _with_nulls(row: Lot) -> Iterator[object]:
    return (
        None if name in _NULLABLE and value == "" else value
        for name, value in zip(_FIELDS, row, strict=True)
    )


def _insert(run_id: int, count: int) -> str:
    marks = ("nullif(?, '')" if name in _NULLABLE else "?" for name in _FIELDS)
    one = f"({', '.join(marks)}, {run_id})"
    return f"INSERT INTO rows ({_NAMES}) VALUES {', '.join([one] * count)}"  # noqa: S608
