"""What is known of runs and files outside of a run: records that `report` shows.

Frozen, made by whoever asked the ledger or checked the file. Times are text for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ozodial.models import SettledRow, State
from ozodial.plans import ReasonCount


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in a list. `created` is text for a person; `state` is open, finished, cancelled,
    undoing or undone."""

    run: int
    created: str
    command: str
    campaign: str
    file: str
    rows: int
    counts: Mapping[State, int]
    state: str
    api: str = ""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One request of a run.

    `waited` is how many seconds passed since the one before; `resumed`: by another process.
    """

    batch: int
    started: str
    rows: int
    outcome: str
    seconds: float | None = None
    http_status: int | None = None
    transaction: str | None = None
    message: str | None = None
    kind: str = "add"
    waited: float | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class RunStory:
    """All about one run. `problems` may be cut; `problem_rows` is how many there are."""

    line: RunLine
    reasons: Sequence[ReasonCount] = ()
    batches: Sequence[BatchLine] = ()
    problems: Sequence[SettledRow] = ()
    problem_rows: int = 0
    settings: Sequence[tuple[str, str, str]] = ()
    """(name, value, where it came from)"""
