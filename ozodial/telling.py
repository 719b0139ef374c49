"""What the ledger recorded of a batch, as the events and the words that viewers get."""

from collections.abc import Sequence
from dataclasses import dataclass

from ozodial.claims import Claims
from ozodial.events import RowEvent
from ozodial.interpret import Decision, Verdict
from ozodial.ledger import Ledger
from ozodial.models import Instant, SettledRow, State
from ozodial.staging import Run


@dataclass(frozen=True, slots=True)
class BatchTime:
    """How long a request took, and when its answer came."""

    seconds: float
    ended: Instant


def row_event(run_id: int, row: SettledRow) -> RowEvent:
    """A settled row as an event."""
    return RowEvent(run_id, row.row, row.phone, row.state, row.reason, row.message, row.name)


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
