"""One request after the other: the worker of a run, from the pace to the recorded outcome.

A worker claims a batch of ready rows, sends it, reads the answer and commits the outcomes, and
tells the viewer only then. Several workers share one `Shift`. What a worker can't go on from is
raised as an error of ours; nothing is sent after that.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from ozodial.batching import upload_of
from ozodial.claims import BatchResult, Claim, Claims
from ozodial.client import Client
from ozodial.clock import Clock
from ozodial.endpoints import Access, Endpoint
from ozodial.errors import RefusedError, StoppedError
from ozodial.events import BatchEvent, Event, RowEvent, SendingEvent, WaitEvent
from ozodial.interpret import Decision, Verdict, interpret
from ozodial.ledger import Ledger
from ozodial.limits import Limit
from ozodial.models import Instant, Lost, NotSent, Outcome, Reply, SettledRow, State
from ozodial.pacing import POLL_SECONDS, Pacer, Patience
from ozodial.staging import Run
from ozodial.tokens import Tokens

UNKNOWN_IN_A_ROW = 2
"""After so many, a sick server can't be trusted with the rest of the file."""

STALE_CLAIM = 1 / 6
"""A claim this old, in leases, has been asleep (SIGSTOP): ask the ledger whether it holds."""

START_WITHIN = 2 / 3
"""A request that has not left by then, in leases, is not sent: others may have given up on us."""

HOPELESS_ROWS = 10
"""So many single rows refused, and none ever taken: it is the columns, not the rows."""


class HaltError(Exception):
    """The run was told to stop; not an error."""


@dataclass(slots=True)
class Shift:
    """What the workers of one run share. `emit` is called after the fact is committed."""

    ledger: Ledger
    run: Run
    endpoint: Endpoint
    client: Client
    access: Access
    pacer: Pacer
    patience: Patience
    tokens: Tokens | None
    clock: Clock
    emit: Callable[[Event], None]
    halt: threading.Event
    limit: Limit | None = None
    ended: int = 0  # requests of this process that are over and recorded
    recorded: threading.Condition = field(default_factory=threading.Condition)
    unknown_in_a_row: int = 0
    refused_rows: int = 0
    any_taken: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def access_with(self, token: str | None) -> Access:
        """The account's access, with the token of this request."""
        return Access(self.access.user_name, self.access.api_key, token)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """A request is on its way; whoever has nothing to send meanwhile waits for its end."""
        try:
            yield
        finally:
            with self.recorded:
                self.ended += 1
                self.recorded.notify_all()

    def await_end(self, seen: int) -> None:
        """Until a request of this process ends that had not by `seen`; looks up now and then."""
        with self.recorded:
            self.recorded.wait_for(lambda: self.ended != seen, POLL_SECONDS)


class Worker:
    """Sends batches of a run until there are none left."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._claims = Claims(shift.ledger, shift.run)
        self._stale: str | None = None
        self._waiting_for = ""

    def work(self) -> None:
        """Until no row of the run is ready or in flight. Raises what ends the run early."""
        while self._one_batch():
            pass

    def _one_batch(self) -> bool:
        shift, seen = self._shift, self._shift.ended
        if shift.halt.is_set():
            raise HaltError
        if not self._claims.any_ready():
            return self._others_at_work(0, seen)
        self._check_limit()
        token = shift.tokens.get(self._pause, self._reap, self._stale) if shift.tokens else None
        shift.pacer.await_turn(self._pause, self._reap)
        try:
            self._check_limit()
            if shift.halt.is_set():
                raise HaltError
        except (StoppedError, HaltError):
            shift.pacer.give_back()
            raise
        claim = self._claims.claim(shift.endpoint.rows_per_request, self._now())
        self._tell_settled(claim.settled)
        if claim.lost:
            return True  # somebody took us for dead, and our turn with it
        if not claim.rows:
            shift.pacer.give_back()
            return bool(claim.settled) or self._others_at_work(claim.blocked, seen)
        self._waiting_for = ""
        if self._slept_since(claim.at) and not self._claims.still_mine(claim):
            self._claims.hand_back(claim)
            return True
        shift.emit(SendingEvent(shift.run.id, claim.number, len(claim.rows)))
        with shift.in_flight():
            self._send(claim, token)
        return True

    def _send(self, claim: Claim, token: str | None) -> None:
        shift = self._shift
        upload = upload_of(shift.run, claim.rows)
        access = shift.access_with(token)
        request = shift.endpoint.write(access, upload)
        started = shift.clock.instant()
        answer = shift.client.send(request, START_WITHIN * shift.ledger.lease_seconds)
        ended = shift.clock.instant()
        verdict = interpret(shift.endpoint, claim.rows, answer, access)
        seconds = max(0.0, ended.since(started))
        self._record(claim, answer, verdict, BatchTime(seconds, ended))
        self._react(verdict, token)

    def _record(
        self, claim: Claim, answer: Reply | NotSent | Lost, verdict: Verdict, time: "BatchTime"
    ) -> None:
        shift = self._shift
        delay, trouble = self._delay(answer, verdict)
        result = BatchResult(
            outcome=batch_outcome(verdict),
            seconds=time.seconds,
            answered_at=time.ended,
            message=verdict.message,
            http_status=answer.status if isinstance(answer, Reply) else None,
            transaction_id=verdict.transaction_id,
            delay=delay,
            split=verdict.decision is Decision.SPLIT,
        )
        recorded = self._claims.record(claim, verdict.outcomes, result, shift.pacer.key)
        self._count(verdict, recorded)
        shift.emit(
            BatchEvent(
                shift.run.id,
                claim.number,
                len(claim.rows),
                result.outcome,
                time.seconds,
                verdict.message,
            )
        )
        self._tell_outcomes(claim, recorded)
        if trouble is not None:
            raise trouble

    def _delay(
        self, answer: Reply | NotSent | Lost, verdict: Verdict
    ) -> tuple[float, StoppedError | None]:
        """How long the account's requests wait after a refusal, or that patience is over."""
        if verdict.decision is not Decision.RETRY:
            return 0.0, None
        asked = answer.retry_after if isinstance(answer, Reply) else None
        least = self._shift.pacer.pace if verdict.arrived else 0.0
        try:
            return self._shift.patience.back_off(least, verdict.message or "", asked), None
        except StoppedError as error:
            return 0.0, error

    def _count(self, verdict: Verdict, recorded: Iterable[Outcome]) -> None:
        shift = self._shift
        if verdict.decision is Decision.RETRY:
            return
        shift.patience.answered()
        states = {outcome.state for outcome in recorded}
        with shift.lock:
            if batch_outcome(verdict) == "unknown":
                shift.unknown_in_a_row += 1
            elif verdict.decision is Decision.ROWS:
                shift.unknown_in_a_row = 0
            shift.any_taken |= bool(states & {State.ACCEPTED, State.QUEUED, State.DUPLICATE})
            shift.refused_rows += verdict.refused_alone

    def _react(self, verdict: Verdict, token: str | None) -> None:
        shift = self._shift
        said = (verdict.message or "").rstrip(". ")
        said += f" ({verdict.explanation})" if verdict.explanation else ""
        if verdict.decision is Decision.STOP:
            raise RefusedError(f"The vendor refused the request: {said}.", self._hint())
        if verdict.decision is Decision.TOKEN:
            if shift.tokens is None or self._stale is not None:
                raise RefusedError(f"The vendor refused the token: {said}.", self._hint())
            self._stale = token
        elif verdict.decision is Decision.ROWS:
            self._stale = None
        if shift.unknown_in_a_row >= UNKNOWN_IN_A_ROW:
            raise StoppedError(
                f"{UNKNOWN_IN_A_ROW} requests in a row got no readable answer: {said}."
            )
        if shift.refused_rows >= HOPELESS_ROWS and not shift.any_taken:
            raise RefusedError(
                f"The vendor refuses every row: {said}.",
                "compare the file's columns with the campaign's map file",
            )

    def _hint(self) -> str:
        command = self._shift.run.resume_command
        return f"with another key: {command}; with another campaign: the command again"

    # --- waiting ---

    def _others_at_work(self, blocked: int, seen: int) -> bool:
        """Nothing to claim: go on only while some other request may still change that."""
        own, others = self._claims.in_flight()
        if not (own or others or blocked):
            return False
        if own and not (others or blocked):
            self._shift.await_end(seen)  # it may give some back
            return True
        self._reap()
        what = f"{others} rows" if others else f"{blocked} leads of another run"
        self._pause(POLL_SECONDS, "busy", f"another request has {what} in flight")
        return True

    def _pause(self, seconds: float, why: str, message: str) -> None:
        """Wait, and say so once; HaltError when the run is told to stop.

        What would end after the run's time is over is not waited for.
        """
        self._check_limit(seconds)
        what = message if why == "busy" else ""
        if not what or what != self._waiting_for:
            self._shift.emit(WaitEvent(seconds, why, message))
        self._waiting_for = what
        if self._shift.clock.wait(seconds, self._shift.halt):
            raise HaltError

    def _check_limit(self, seconds: float = 0.0) -> None:
        """StoppedError if no request may begin any more in `seconds` from now."""
        limit, now = self._shift.limit, self._shift.clock.instant()
        if limit is not None and limit.left(now) <= seconds:
            raise StoppedError(
                f"Stopped between two requests by {limit.reason(now)}; "
                "the same command goes on with the rest."
            )

    def _reap(self) -> None:
        shift = self._shift
        for event in given_up(shift.run, shift.ledger, shift.ledger.reap()):
            shift.emit(event)

    def _slept_since(self, at: Instant) -> bool:
        slept = self._shift.clock.instant().since(at)
        return slept > STALE_CLAIM * self._shift.ledger.lease_seconds

    def _now(self) -> str:
        zone = ZoneInfo(self._shift.run.options.timezone)
        now = datetime.fromtimestamp(self._shift.clock.instant().wall, zone)
        return now.strftime("%Y-%m-%d %H:%M:%S")

    # --- telling ---

    def _tell_settled(self, settled: Iterable[SettledRow]) -> None:
        for row in settled:
            self._shift.emit(row_event(self._shift.run.id, row))

    def _tell_outcomes(self, claim: Claim, recorded: Iterable[Outcome]) -> None:
        leads = {lead.row: lead for lead in claim.rows}
        for outcome in recorded:
            if outcome.state is not State.READY:
                lead = leads[outcome.row]
                settled = SettledRow(lead.row, lead.phone, lead.name, *outcome[1:])
                self._shift.emit(row_event(self._shift.run.id, settled))


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
