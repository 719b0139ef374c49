"""What a run tells its viewer, one frozen record a fact; the JSON lines are these fields.

`upload` yields them, `render` shows them; neither knows the other. Fields may be added, never
renamed (design section 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ozodial.errors import ExitCode
from ozodial.models import State

UNDO = "undo"
"""The command of a `RunEvent` that takes a run back."""


@dataclass(frozen=True, slots=True)
class ReadingEvent:
    """The file is being read: rows so far. Shown on a live screen only."""

    rows: int


@dataclass(frozen=True, slots=True)
class RunEvent:
    """A run begins or goes on. `run` is None where nothing is staged (check, dry run).

    `left_out` rows stay out of the run by --limit; after `stops_in` seconds no request begins.
    """

    run: int | None
    command: str
    campaign: str
    file: str
    rows: int
    ready: int
    batches: int
    estimated_seconds: float
    api: str = ""
    account: str = ""
    sandbox: bool = False
    continued: bool = False
    counts: Mapping[State, int] = field(default_factory=dict)
    pace: float = 0.0
    dry: bool = False
    left_out: int = 0
    stops_in: float | None = None

    @property
    def undoes(self) -> bool:
        """Whether rows are taken back: `rows` are those that were in, `ready` those to remove."""
        return self.command == UNDO


@dataclass(frozen=True, slots=True)
class RowEvent:
    """One row was settled by this command. `status` is a State.

    `message` ends in the `remark` that the row got when it was read.
    """

    run: int | None
    row: int
    phone: str
    status: State
    reason: str | None
    message: str | None
    name: str = ""
    remark: str | None = None

    @property
    def without_remark(self) -> str | None:
        """The message for a log: the remark quotes cells."""
        message = (self.message or "").removesuffix(self.remark or "")
        return message.removesuffix("; ") or None


@dataclass(frozen=True, slots=True)
class BatchEvent:
    """One request ended. `outcome` is answered, not_sent, refused or unknown."""

    run: int
    batch: int
    rows: int
    outcome: str
    seconds: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class SendingEvent:
    """A request is leaving now; live screens only."""

    run: int
    batch: int
    rows: int


@dataclass(frozen=True, slots=True)
class WaitEvent:
    """The next request waits. `why` is pace, busy or retry; `message` tells a person what for."""

    seconds: float
    why: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class NoticeEvent:
    """Something a person should know that changes nothing (shown once, on stderr).

    `message` ends in what it `quotes` of the file's cells.
    """

    message: str
    quotes: str = ""

    @property
    def without_quotes(self) -> str:
        """The message for a log: cells hold names."""
        return self.message.removesuffix(self.quotes).removesuffix(": ")


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Why the run stopped, and the next command to type."""

    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class SummaryEvent:
    """The whole run's counts, as the ledger has them."""

    run: int | None
    rows: int
    counts: Mapping[State, int]
    seconds: float
    exit_code: ExitCode
    hint: str | None = None
    left_out: int = 0


Event = (
    ReadingEvent
    | RunEvent
    | RowEvent
    | BatchEvent
    | SendingEvent
    | WaitEvent
    | NoticeEvent
    | ErrorEvent
    | SummaryEvent
)
