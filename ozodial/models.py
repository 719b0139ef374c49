"""What passes between the steps: the words of the design as enums, and small frozen records.

Nothing here reads, sends or stores. `NamedTuple` is used for what exists once per row (a million
of them must be cheap), frozen dataclasses for the rest.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ozodial.hours import Hours


class State(StrEnum):
    """The state of a row; the same word in code, ledger, JSON, tables and README."""

    READY = "ready"
    SENDING = "sending"
    ACCEPTED = "accepted"
    QUEUED = "queued"
    REJECTED = "rejected"
    INVALID = "invalid"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"
    ALREADY_ACCEPTED = "already_accepted"
    UNKNOWN = "unknown"
    REMOVED = "removed"


class Field(StrEnum):
    """Our fields, in the order in which they are sent, as the schedule page spells them."""

    PHONE = "PhoneNumber"
    SCHEDULED = "ScheduledTime"
    NAME = "Name"
    EXPIRY = "ExpiryDate"
    PRIORITY = "Priority"
    AGENT = "AgentID"
    SKILL = "skill"


class Reason(StrEnum):
    """Why a row stands where it stands: short fixed words for programs."""

    # our own checks
    PHONE_MISSING = "phone_missing"
    PHONE_INVALID = "phone_invalid"
    PHONE_LOST_DIGITS = "phone_lost_digits"
    PHONE_NOT_DIALLABLE = "phone_not_diallable"
    TIME_MISSING = "time_missing"
    TIME_PAST = "time_past"
    TIME_BEYOND_30_DAYS = "time_beyond_30_days"
    TIME_OUTSIDE_HOURS = "time_outside_hours"
    DATE_UNREADABLE = "date_unreadable"
    EXPIRY_BEFORE_SCHEDULE = "expiry_before_schedule"
    EXPIRY_PAST = "expiry_past"
    PRIORITY_INVALID = "priority_invalid"
    ROW_TOO_LONG = "row_too_long"
    ROW_UNREADABLE = "row_unreadable"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    ON_SUPPRESSION_LIST = "on_suppression_list"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    CELL_ERROR = "cell_error"
    SEVERAL_PHONES = "several_phones"
    NAME_UNCLEAN = "name_unclean"
    # what earlier runs did
    SENT_BEFORE = "sent_before"
    UNKNOWN_ELSEWHERE = "unknown_elsewhere"
    # what the vendor said
    EXISTS_AT_VENDOR = "exists_at_vendor"
    EXISTS_AFTER_RESEND = "exists_after_resend"
    DND = "dnd"
    REFUSED_BY_VENDOR = "refused_by_vendor"
    # why nobody knows
    NO_ANSWER = "no_answer"
    NO_ROW_ANSWER = "no_row_answer"
    ANSWER_UNREADABLE = "answer_unreadable"
    OWNER_GONE = "owner_gone"
    CANCELLED = "cancelled"
    # what `undo` found
    IN_ANOTHER_RUN = "in_another_run"
    NO_ROW_ID = "no_row_id"
    NOT_AT_VENDOR = "not_at_vendor"
    REMOVED_ELSEWHERE = "removed_elsewhere"


class Row(NamedTuple):
    """One row of a sheet as text; `number` is the row's number as the spreadsheet shows it."""

    number: int
    cells: Sequence[str]


class Chunk(NamedTuple):
    """Rows that stand together, as many as are quick to work on at once."""

    numbers: Sequence[int]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a workbook says of a sheet beside its cells.

    `unvalued` are formulas without a stored value (row number to column indexes), `texts` what
    cells show that the library leaves empty, such as errors (row number, column index),
    `hidden_rows` those hidden or filtered away, `others` the visible sheets with data that were not
    taken, `since_1904` that bare day numbers count from there.
    """

    unvalued: Mapping[int, Sequence[int]] = dataclasses.field(default_factory=dict)
    texts: Mapping[int, Mapping[int, str]] = dataclasses.field(default_factory=dict)
    hidden_rows: int = 0
    others: tuple[str, ...] = ()
    since_1904: bool = False


NOTHING_TOLD = Told()


class BrokenRow(list[str]):
    """The cells of a row that can't be read with certainty, as they stand, and why."""

    def __init__(self, cells: Iterable[str], why: str) -> None:
        super().__init__(cells)
        self.why = why


class Problem(NamedTuple):
    """One thing wrong with one row; `column` is the file's own header."""

    reason: Reason
    column: str
    message: str


class Checked(NamedTuple):
    """A row after validation: a lead (`problems` empty), or what is wrong with it.

    `phone` is normalised for a lead, and the cell's own text for a bad row.
    `values` stand in the order of `Columns.sent`; `scheduled` is "" where the endpoint has no time.
    """

    row: int
    phone: str
    values: tuple[str, ...]
    scheduled: str
    problems: tuple[Problem, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """How the file's columns were matched: (field, column index) and (own name, column index).

    `last_name` is the column that is put behind the name, with a space; `constants` are the fields
    that have one value for all rows.
    """

    header: tuple[str, ...]
    header_row: int
    fields: tuple[tuple[Field, int], ...]
    extra: tuple[tuple[str, int], ...] = ()
    last_name: int | None = None
    constants: tuple[tuple[Field, str], ...] = ()

    @property
    def matched(self) -> frozenset[Field]:
        """The fields that the file has a column for, or a constant."""
        return frozenset(field for field, _ in (*self.fields, *self.constants))

    def sent(self, needs_time: bool) -> tuple[str, ...]:
        """The names of the values of a lead, in the order in which `Checked.values` has them."""
        wanted = (
            self.matched | {Field.SCHEDULED} if needs_time else self.matched - {Field.SCHEDULED}
        )
        ours = tuple(str(field) for field in Field if field in wanted)
        return ours + tuple(name for name, _ in self.extra)


class PhoneForm(StrEnum):
    """How phones are sent: `9876543210` (and `+CC…` abroad), `+919876543210`, `919876543210`."""

    NATIONAL = "national"
    E164 = "e164"
    DIGITS = "digits"


class DateOrder(StrEnum):
    """What stands first in a date whose month is a number."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a row is checked against. `now` is aware, in the account's time zone.

    `sheet` names the cells in messages; `unvalued` are formulas without a stored value: row number
    to column indexes; `default_time` (HH:MM:SS) is for a ScheduledTime without a time of day.
    """

    region: str
    now: datetime
    needs_time: bool
    at: str | None = None
    row_characters: int | None = None
    horizon_days: int = 30
    sheet: str | None = None
    unvalued: Mapping[int, Sequence[int]] = dataclasses.field(default_factory=dict)
    since_1904: bool = False
    date_order: DateOrder = DateOrder.DMY
    default_time: str | None = None
    phone_form: PhoneForm = PhoneForm.NATIONAL
    strict: bool = False
    plain_names: bool = False
    expiry_as_date: bool = False
    hours: Hours | None = None


class StagedRow(NamedTuple):
    """One row as the ledger keeps it; `values` and `cells` are JSON arrays of text.

    A reason, message or remark that is empty is none.
    """

    row: int
    state: str
    reason: str | None
    message: str | None
    phone: str
    name: str
    scheduled: str
    values: str
    lead_hash: bytes | bytearray | None
    cells: str
    remark: str | None = None  # what is sent otherwise than it stands


class LeadRow(NamedTuple):
    """One claimed row on its way: what batching writes and interpretation matches."""

    row: int
    phone: str
    name: str
    scheduled: str
    values: tuple[str, ...]
    lead_hash: bytes
    remark: str | None = None


class Outcome(NamedTuple):
    """What became of one row."""

    row: int
    state: State
    reason: Reason | None = None
    message: str | None = None


class SettledRow(NamedTuple):
    """An outcome with what a person needs to recognise the lead; a remark not yet in `message`."""

    row: int
    phone: str
    name: str
    state: State
    reason: str | None
    message: str | None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where leads go: the part of the delivery key that is not the lead."""

    account: str
    endpoint: str
    campaign: str


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks. `boot` names the boot that `mono` counts in ("" = none)."""

    wall: float
    mono: float
    boot: str

    def since(self, earlier: "Instant") -> float:
        """Seconds from `earlier` to here; the monotonic clock wins within one boot.

        Negative where the wall clock was set back between two boots.
        """
        if self.boot and self.boot == earlier.boot:
            return self.mono - earlier.mono
        return self.wall - earlier.wall
