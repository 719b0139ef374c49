"""What `check` finds out about a file: records that `report` shows. Times are text for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ozodial.models import SettledRow, State


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows share a state and a reason; `message` is one row's sentence as an example."""

    state: State
    reason: str | None
    rows: int
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """A field of ours, the file's header that it is read from, and the first values there."""

    field: str
    column: str
    samples: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one endpoint would take for the same rows. `ends` is text for a person."""

    endpoint: str
    requests: int
    pace: float
    seconds: float
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `check` found out. `chosen` is the endpoint it was asked for.

    `hours` are `2026-11-23 10:00` with the leads of that hour. `said` is about the file, `notes`
    about rows that are sent otherwise than they stand; the notes may be cut, `noted_rows` is how
    many there are.
    """

    file: str
    rows: int
    chosen: Forecast
    columns: Sequence[ColumnLine] = ()
    unmatched: Sequence[str] = ()
    counts: Mapping[State, int] = field(default_factory=dict)
    reasons: Sequence[ReasonCount] = ()
    problems: Sequence[SettledRow] = ()
    problem_rows: int = 0
    others: Sequence[Forecast] = ()
    said: Sequence[str] = ()
    notes: Sequence[str] = ()
    noted_rows: int = 0
    hours: Sequence[tuple[str, int]] = ()
