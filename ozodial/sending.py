"""One request after the other: the worker of a run, from the pace to the recorded outcome.

A worker claims a batch of ready rows, sends it, reads the answer and commits the outcomes, and
tells the viewer only then. Several workers share one `Shift`. What a worker can't go on from is
raised as an error of ours; nothing is sent after that.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from ozodial.batching import upload_of
from ozodial.claims import BatchResult, Claim, Claims
from ozodial.errors import LedgerFullError, RefusedError, StoppedError
from ozodial.events import NoticeEvent, RowEvent, SendingEvent, WaitEvent
from ozodial.interpret import Decision, Verdict, interpret
from ozodial.models import Instant, Outcome, SettledRow, State
from ozodial.pacing import POLL_SECONDS
from ozodial.reacting import (
    STALE_CLAIM,
    START_WITHIN,
    Answered,
    check_readable,
    delay_after,
    result_of,
    stale_after,
    words_of,
)
from ozodial.shift import HaltError, Shift
from ozodial.telling import batch_event, batch_outcome, given_up, now_there, row_event

HOPELESS_ROWS = 10
"""So many single rows refused and none ever taken: try as many from all over the file, and if those
are refused, too, it is the columns, not the rows."""


class Worker:
    """Sends batches of a run until there are none left."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._claims = Claims(shift.ledger, shift.run)
        self._stale: str | None = None
        self._waiting_for = ""
        self._next: Claim | None = None

    def work(self) -> None:
        """Until no row of the run is ready or in flight. Raises what ends the run early."""
        try:
            while self._one_batch():
                pass
        finally:
            with suppress(LedgerFullError):  # they are `unknown` at the next start
                self._put_back()

    def _one_batch(self) -> bool:
        shift, seen = self._shift, self._shift.ended
        if shift.halt.is_set():
            raise HaltError
        if self._next is not None and not self._next.rows:
            self._put_back()
        if self._next is None and not self._claims.any_ready():
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
        wave = shift.throttle.enter()
        if wave is None:
            self._put_back()
            shift.await_end(seen)
            return True
        try:
            return self._claim_and_send(token, seen, wave)
        finally:
            shift.throttle.leave()

    def _claim_and_send(self, token: str | None, seen: int, wave: int) -> bool:
        shift = self._shift
        limit, after = self._wanted()
        claim = self._next or self._claims.claim(limit, now_there(shift.run, shift.ledger), after)
        self._next = None
        self._tell_settled(claim)
        if claim.lost:
            return True  # somebody took us for dead, and our turn with it
        if not claim.rows:
            shift.pacer.give_back()
            more = bool(claim.settled or after)
            return more or self._others_at_work(claim.blocked, seen)
        self._waiting_for = ""
        if self._slept_since(claim.at) and not self._claims.still_mine(claim):
            self._claims.hand_back(claim)
            return True
        shift.emit([SendingEvent(shift.run.id, claim.number, len(claim.rows))])
        with shift.in_flight():
            self._send(claim, token, wave)
        return True

    def _wanted(self) -> tuple[int, int]:
        """How many rows to claim, and behind which row; single ones from afar, to try if any go."""
        shift = self._shift
        tried = shift.refused_rows - HOPELESS_ROWS
        if shift.any_taken or tried < 0:
            return shift.endpoint.rows_per_request, 0
        return 1, self._claims.place(1 - tried / HOPELESS_ROWS)

    def _send(self, claim: Claim, token: str | None, wave: int) -> None:
        shift = self._shift
        upload = upload_of(shift.run, claim.rows)
        access = shift.access_with(token)
        request = shift.endpoint.write(access, upload)
        started = shift.clock.instant()
        answer = shift.client.send(request, START_WITHIN * shift.ledger.lease_seconds)
        ended = shift.clock.instant()
        verdict = interpret(shift.endpoint, claim.rows, answer, access)
        self._record(claim, Answered(answer, verdict, max(0.0, ended.since(started)), ended))
        self._adapt(verdict, wave)
        self._react(verdict, token)

    def _record(self, claim: Claim, answered: Answered) -> None:
        shift, verdict = self._shift, answered.verdict
        delay, trouble = delay_after(answered, shift.pacer, shift.patience)
        result = result_of(answered, delay)
        recorded = self._commit(claim, verdict, result)
        self._count(verdict, recorded)
        batch = batch_event(shift.run.id, claim.number, len(claim.rows), result)
        shift.emit([batch, *self._settled(claim, recorded)])
        if trouble is not None:
            raise trouble

    def _commit(self, claim: Claim, verdict: Verdict, result: BatchResult) -> Sequence[Outcome]:
        """Record a batch; where no pace stands between, claim the next one in the same commit."""
        with self._shift.open() as may:
            if not may:
                raise HaltError
            return self._commit_open(claim, verdict, result)

    def _commit_open(
        self, claim: Claim, verdict: Verdict, result: BatchResult
    ) -> Sequence[Outcome]:
        shift, key = self._shift, self._shift.pacer.key
        waits = key.exclusive or verdict.decision is not Decision.ROWS or verdict.refused_alone
        if waits or shift.halt.is_set() or shift.throttle.width < shift.throttle.most:
            return self._claims.record(claim, verdict.outcomes, result, key)
        limit, now = shift.endpoint.rows_per_request, now_there(shift.run, shift.ledger)
        recorded, self._next = self._claims.record_and_claim(
            claim, verdict.outcomes, result, key, limit, now
        )
        return recorded

    def _put_back(self) -> None:
        """What was claimed for a next request that is not made now."""
        claim, self._next = self._next, None
        if claim is None:
            return
        self._tell_settled(claim)
        with self._shift.open() as may:
            if claim.rows and may:
                self._claims.unclaim(claim)

    def _adapt(self, verdict: Verdict, wave: int) -> None:
        """Fewer requests at once for a vendor that has no room, and more again when it has."""
        throttle = self._shift.throttle
        if verdict.decision is not Decision.RETRY:
            throttle.answered()
        elif verdict.arrived and throttle.busy(wave):
            said = f"the vendor is busy: {throttle.width} of {throttle.most} requests at once"
            self._shift.emit([NoticeEvent(said)])

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
        hint = f"with another key: {shift.run.resume_command}; "
        hint += "with another campaign: the command again"
        self._stale = stale_after(verdict, token, self._stale, hint)
        check_readable(verdict, shift.unknown_in_a_row)
        if shift.refused_rows >= 2 * HOPELESS_ROWS and not shift.any_taken:
            raise RefusedError(
                f"The vendor refuses every row that it is offered: {words_of(verdict)}.",
                "compare the file's columns with the campaign's map file",
            )

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
        self._put_back()
        what = message if why == "busy" else ""
        if not what or what != self._waiting_for:
            self._shift.emit([WaitEvent(seconds, why, message)])
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
        shift.emit(given_up(shift.run, shift.ledger, shift.ledger.reap()))

    def _slept_since(self, at: Instant) -> bool:
        slept = self._shift.clock.instant().since(at)
        return slept > STALE_CLAIM * self._shift.ledger.lease_seconds

    def _tell_settled(self, claim: Claim) -> None:
        if claim.settled:
            self._shift.emit([row_event(self._shift.run.id, row) for row in claim.settled])

    def _settled(self, claim: Claim, recorded: Iterable[Outcome]) -> Iterator[RowEvent]:
        run_id = self._shift.run.id
        leads = {lead.row: lead for lead in claim.rows}
        for row, state, reason, message in recorded:
            if state is not State.READY:
                lead = leads[row]
                told = (lead.phone, lead.name, state, reason, message, lead.remark)
                yield row_event(run_id, SettledRow(row, *told))
