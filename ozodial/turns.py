"""Which leads are taken, and when each has its turn: `--limit` and `--spread` on checked rows.

In: the rows of a file with their states, in order. Out: the same rows, cut or timed. Keeps none.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ozodial.findings import Findings
from ozodial.models import Field, Reason, State

if TYPE_CHECKING:
    from ozodial.judging import Judged
    from ozodial.spread import SpreadTime


def wants_time(judged: "Judged", at: str | None) -> bool:
    """Whether the lead got `at` because its row has no time: the very object, not its like."""
    return judged[5] is State.READY and judged[4] is at


def given_times(
    found: "Iterator[Judged]", at: str | None, times: "Iterator[SpreadTime]", sent: Sequence[str]
) -> "Iterator[Judged]":
    """Each lead without a time of its own gets the next one; it must not expire before."""
    time_at = sent.index(Field.SCHEDULED)
    expiry_at = sent.index(Field.EXPIRY) if Field.EXPIRY in sent else None
    for judged in found:
        if not wants_time(judged, at):
            yield judged
            continue
        number, cells, phone, sent_as, _, state, reason, message = judged
        when, values = next(times), list(sent_as)
        values[time_at] = str(when)
        if expiry_at is not None and "" < values[expiry_at] < when:
            state, reason = State.INVALID, Reason.EXPIRY_BEFORE_SCHEDULE
            message = f"its ExpiryDate {values[expiry_at]} is before {when}, its turn in --spread"
        yield number, cells, phone, tuple(values), when, state, reason, message


def first_leads(limit: int, found: "Iterator[Judged]", findings: Findings) -> "Iterator[Judged]":
    """The rows up to the last lead that is wanted; the others are counted."""
    left = limit
    for judged in found:
        if not left:
            findings.left_out(judged[0])
            continue
        if judged[5] is State.READY:
            left -= 1
            findings.closed = not left  # what is remarked on further rows is not sent
        yield judged
