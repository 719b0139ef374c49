"""What an answer means for the requests after it: wait, another token, or no more of them.

Uploads and removals alike; each worker keeps its own counts. Nothing here sends or records.
"""

from dataclasses import dataclass

from ozodial.claims import BatchResult
from ozodial.errors import RefusedError, StoppedError
from ozodial.interpret import Decision, Verdict
from ozodial.models import Instant
from ozodial.pacing import Pacer, Patience
from ozodial.replies import Lost, NotSent, Reply
from ozodial.telling import batch_outcome

UNKNOWN_IN_A_ROW = 2
"""After so many, a sick server can't be trusted with the rest of the file."""

STALE_CLAIM = 1 / 6
"""A claim this old, in leases, has been asleep (SIGSTOP): ask the ledger whether it holds."""

START_WITHIN = 2 / 3
"""A request that has not left by then, in leases, is not sent: others may have given up on us."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request's answer, read; how long it took in seconds, and when it came."""

    answer: Reply | NotSent | Lost
    verdict: Verdict
    seconds: float
    ended: Instant


def delay_after(
    answered: Answered, pacer: Pacer, patience: Patience
) -> tuple[float, StoppedError | None]:
    """How long the account's requests wait after a refusal, or that patience is over."""
    verdict, answer = answered.verdict, answered.answer
    if verdict.decision is not Decision.RETRY:
        return 0.0, None
    asked = answer.retry_after if isinstance(answer, Reply) else None
    least = pacer.pace if verdict.arrived else 0.0
    try:
        return patience.back_off(least, verdict.message or "", asked), None
    except StoppedError as error:
        return 0.0, error


def result_of(answered: Answered, delay: float) -> BatchResult:
    """What the ledger keeps of a request."""
    verdict, answer = answered.verdict, answered.answer
    return BatchResult(
        outcome=batch_outcome(verdict),
        seconds=answered.seconds,
        answered_at=answered.ended,
        message=verdict.message,
        http_status=answer.status if isinstance(answer, Reply) else None,
        transaction_id=verdict.transaction_id,
        row_ids=verdict.row_ids,
        delay=delay,
        split=verdict.decision is Decision.SPLIT,
    )


def words_of(verdict: Verdict) -> str:
    """What the vendor said, as the beginning of a sentence."""
    said = (verdict.message or "").rstrip(". ")
    return f"{said} ({verdict.explanation})" if verdict.explanation else said


def stale_after(
    verdict: Verdict, token: str | None, stale: str | None, hint: str | None = None
) -> str | None:
    """The token that the vendor refuses, if there is one now: the next request takes another.

    `token` went with the request, `stale` was refused before. RefusedError if the vendor refuses
    the account, or a second token.
    """
    if verdict.decision is Decision.STOP:
        raise RefusedError(f"The vendor refused the request: {words_of(verdict)}.", hint)
    if verdict.decision is Decision.TOKEN:
        if token is None or stale is not None:
            raise RefusedError(f"The vendor refused the token: {words_of(verdict)}.", hint)
        return token
    return None if verdict.decision is Decision.ROWS else stale


def check_readable(verdict: Verdict, unknown_in_a_row: int) -> None:
    """StoppedError after too many requests whose answers nobody could read."""
    if unknown_in_a_row >= UNKNOWN_IN_A_ROW:
        raise StoppedError(
            f"{UNKNOWN_IN_A_ROW} requests in a row got no readable answer: {words_of(verdict)}."
        )
