"""One delete request after the other: the worker of `undo`, from the pace to the recorded outcome.

It claims rows that a run put in, asks the vendor to remove them, reads the answer, commits what
came of it and tells it only then. What it can't go on from is raised as an error of ours.
"""

import threading
from collections.abc import Callable

from ozodial.address import SANDBOX
from ozodial.claims import Claims
from ozodial.crew import Wire
from ozodial.deletes import DeleteCall
from ozodial.endpoints import Access
from ozodial.events import Event, SendingEvent, WaitEvent
from ozodial.interpret import Decision, Verdict, interpret_delete
from ozodial.ledger import Ledger
from ozodial.models import Reason, SettledRow, State
from ozodial.pacing import POLL_SECONDS, Pacer, Patience
from ozodial.reacting import (
    STALE_CLAIM,
    START_WITHIN,
    Answered,
    check_readable,
    delay_after,
    result_of,
    stale_after,
)
from ozodial.removals import Removal, Removals
from ozodial.replies import Lost, NotSent, Reply
from ozodial.shift import HaltError
from ozodial.slots import SlotKey, Slots
from ozodial.staging import Run
from ozodial.telling import batch_event, batch_outcome, now_there, row_event
from ozodial.tokens import Tokens


def undo_command(run: Run) -> str:
    """What a person types to take a run back, or to go on with that."""
    sandbox = " --sandbox" if run.target.account.endswith(f"@{SANDBOX}") else ""
    return f"ozodial undo {run.id}{sandbox}"


class Remover:
    """One pass over what a run put in. `emit` is called after the fact is committed.

    `left`: leads so far that can't be taken back; `in_doubt`: an answer was missing.
    """

    def __init__(
        self,
        run: Run,
        ledger: Ledger,
        call: DeleteCall,
        wire: Wire,
        emit: Callable[[Event], None],
        halt: threading.Event,
    ) -> None:
        account = run.target.account
        slots = Slots(ledger)
        self._run = run
        self._call = call
        self._wire = wire
        self._ledger = ledger
        self._emit = emit
        self._halt = halt
        self._removals = Removals(ledger, run, call)
        self._patience = Patience(ledger.clock, wire.patience)
        # one at a time even without a pace: a second process must not ask for the same rows
        key = SlotKey(account, call.name, exclusive=True)
        self._pacer = Pacer(slots, key, wire.pace, wire.timeout)
        self._tokens = None
        if wire.auth == "token":
            self._tokens = Tokens(slots, wire.client, wire.access, account, self._patience)
        self._stale: str | None = None
        self._unknown_in_a_row = 0
        self.in_doubt = False
        self.left = 0
        self._told = 0
        self._waiting_for = ""

    def work(self) -> None:
        """Until every row was asked for. Raises what ends it early."""
        self._removals.begin()
        self._await_senders()
        after = 0
        while self._removals.any_left(after):
            after = self._one_request(after)
        if not self.in_doubt:
            self._removals.finish()

    def _one_request(self, after: int) -> int:
        """The last row that is done with."""
        token = self._tokens.get(self._pause, self._reap, self._stale) if self._tokens else None
        self._pacer.await_turn(self._pause, self._reap)
        if self._halt.is_set():
            self._pacer.give_back()
            raise HaltError
        claim = self._removals.claim(after, now_there(self._run, self._ledger))
        if claim.lost:
            return after  # somebody took us for dead, and our turn with it
        self._tell_left(claim)
        if not claim.rows:
            self._pacer.give_back()
            return claim.upto
        self._emit(SendingEvent(self._run.id, claim.number, len(claim.rows)))
        access = Access(self._wire.access.user_name, self._wire.access.api_key, token)
        started = self._ledger.clock.instant()
        answer = self._send(claim, access)
        ended = self._ledger.clock.instant()
        verdict = interpret_delete(claim.rows, answer, access, asked_before=claim.asked_before)
        self._record(claim, Answered(answer, verdict, max(0.0, ended.since(started)), ended))
        self._react(verdict, token)
        again = verdict.decision in (Decision.RETRY, Decision.TOKEN)
        return after if again else claim.upto

    def _send(self, claim: Removal, access: Access) -> Reply | NotSent | Lost:
        lease = self._ledger.lease_seconds
        if self._ledger.clock.instant().since(claim.at) > STALE_CLAIM * lease:
            return NotSent("the process stood still before it was sent")
        phones = [lead.phone for lead in claim.rows]
        row_ids = [claim.row_ids[lead.row] for lead in claim.rows if lead.row in claim.row_ids]
        request = self._call.write(access, self._run.target.campaign, phones, row_ids)
        return self._wire.client.send(request, START_WITHIN * lease)

    def _record(self, claim: Removal, answered: Answered) -> None:
        verdict, run_id = answered.verdict, self._run.id
        if verdict.decision is not Decision.RETRY:
            self._patience.answered()
        delay, trouble = delay_after(answered, self._pacer, self._patience)
        result = result_of(answered, delay)
        told = self._removals.record(claim, verdict.outcomes, result, self._pacer.key)
        self._emit(batch_event(run_id, claim.number, len(claim.rows), result))
        leads = {lead.row: lead for lead in claim.rows}
        for outcome in told:
            lead = leads[outcome.row]
            self.left += outcome.state not in (State.REMOVED, State.UNKNOWN)
            settled = SettledRow(lead.row, lead.phone, lead.name, *outcome[1:], lead.remark)
            self._emit(row_event(run_id, settled))
        if trouble is not None:
            raise trouble

    def _react(self, verdict: Verdict, token: str | None) -> None:
        self._stale = stale_after(verdict, token, self._stale)
        if verdict.decision is Decision.ROWS:
            unknown = batch_outcome(verdict) == "unknown"
            self.in_doubt |= unknown
            self._unknown_in_a_row = self._unknown_in_a_row + 1 if unknown else 0
        check_readable(verdict, self._unknown_in_a_row)

    # --- waiting and telling ---

    def _await_senders(self) -> None:
        """What another process has in flight of this run is known before anything is removed."""
        claims = Claims(self._ledger, self._run)
        while (own_and_others := sum(claims.in_flight())) > 0:
            self._reap()
            said = f"another request has {own_and_others} rows in flight"
            self._pause(POLL_SECONDS, "busy", said)

    def _pause(self, seconds: float, why: str, message: str) -> None:
        """Wait, and say so once; HaltError when told to stop."""
        what = message if why == "busy" else ""
        if not what or what != self._waiting_for:
            self._emit(WaitEvent(seconds, why, message))
        self._waiting_for = what
        if self._ledger.clock.wait(seconds, self._halt):
            raise HaltError

    def _reap(self) -> None:
        self._ledger.reap()

    def _tell_left(self, claim: Removal) -> None:
        """The rows that stay in, once each: a request that is made again finds them again."""
        for row in claim.left:
            if row.row > self._told:
                self.left += row.reason != Reason.IN_ANOTHER_RUN
                self._emit(row_event(self._run.id, row))
        self._told = max(self._told, claim.upto)
