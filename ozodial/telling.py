"""What the ledger recorded of a batch, as the events and the words that viewers get."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ozodial.claims import BatchResult, Claims
from ozodial.events import BatchEvent, RowEvent
from ozodial.interpret import Decision, Verdict
from ozodial.ledger import Ledger
from ozodial.marking import with_remark
from ozodial.models import SettledRow, State
from ozodial.staging import Run


def now_there(run: Run, ledger: Ledger) -> str:
    """The present time in the run's time zone, written as a ScheduledTime."""
    zone = ZoneInfo(run.options.timezone)
    now = datetime.fromtimestamp(ledger.clock.instant().wall, zone)
    return now.strftime("%Y-%m-%d %H:%M:%S")


def row_event(run_id: int, row: SettledRow) -> RowEvent:
    """A settled row as an event."""
    said = with_remark(row.message, row.remark)
    known = (run_id, row.row, row.phone, row.state, row.reason)
    return RowEvent(*known, said, row.name, row.remark)


def batch_event(run_id: int, number: int, rows: int, result: BatchResult) -> BatchEvent:
    """A request that is over as an event."""
    return BatchEvent(run_id, number, rows, result.outcome, result.seconds, result.message)


def given_up(run: Run, ledger: Ledger, lost: Sequence[int]) -> list[RowEvent]:
    """The rows of a run that became `unknown` because nobody waits for these batches' answers."""
    if not lost:
        return []
    return [row_event(run.id, row) for row in Claims(ledger, run).of_batches(lost)]


def batch_outcome(verdict: Verdict) -> str:
    """The one word of the batch event: answered, not_sent, refused or unknown."""
    if verdict.decision is not Decision.ROWS:
        return "refused" if verdict.arrived else "not_sent"
    if all(outcome.state is State.UNKNOWN for outcome in verdict.outcomes):
        return "unknown"
    return "answered"
