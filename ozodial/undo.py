"""Taking back what a run put in: one delete request after the other, within the vendor's pace.

`take_back` yields the same events as an upload and ends with the run's summary. A worker thread
sends, so that the main thread is free to notice a signal; what was asked and what came of it is
committed before it is told. Doing the same again goes on where this one ended.
"""

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from ozodial.claims import Claims
from ozodial.crew import Events, Stop, Wire
from ozodial.deletes import DeleteCall
from ozodial.errors import ExitCode, LedgerFullError, OzodialError
from ozodial.events import UNDO, ErrorEvent, Event, NoticeEvent, RunEvent, SummaryEvent
from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.removals import Outlook
from ozodial.remover import Remover, undo_command
from ozodial.shift import HaltError
from ozodial.staging import Run, Staging
from ozodial.telling import row_event
from ozodial.upload import exit_code
from ozodial.words import plural


@dataclass(slots=True)
class Undo:
    """What taking one run back needs, and what it has come to. `again` is the command to go on."""

    ledger: Ledger
    run: Run
    call: DeleteCall
    wire: Wire
    stop: Stop
    again: str = ""
    trouble: OzodialError | None = None
    remover: Remover = field(init=False)

    def take_back(self, outlook: Outlook, *, sandbox: bool) -> Iterator[Event]:
        """Remove what the run put in; the last event is the summary, with the exit code."""
        started = self.ledger.clock.instant()
        yield self._run_event(outlook, sandbox=sandbox)
        events = Events()
        self.stop.wake = lambda: events.put(None)
        self.remover = Remover(
            self.run,
            self.ledger,
            self.call,
            self.wire,
            lambda event: events.put([event]),
            self.stop.halt,
        )
        threading.Thread(target=self._work, args=(events,), daemon=True).start()
        end = yield from _until_the_end(events, self.stop)
        if isinstance(end, OzodialError):
            self.trouble = end
        elif end is not None and not isinstance(end, HaltError | _DoneError):
            raise end
        try:
            for batch_id in self.ledger.abandon():
                yield from self._given_up(batch_id)
        except LedgerFullError as error:  # they are `unknown` at the next start
            self.trouble = self.trouble or error
        if left := self.remover.left:
            said = f"{plural(left, 'lead')} could not be taken back"
            yield NoticeEvent(f"{said}: `ozodial runs show {self.run.id}` tells why")
        seconds = max(0.0, self.ledger.clock.instant().since(started))
        summary = self._summary(seconds)
        if self.trouble is not None:
            again = self.again or undo_command(self.run)
            hint = (self.trouble.hint or again).replace("ozodial resume", again)
            yield ErrorEvent(self.trouble.message, hint)
        yield summary

    def _work(self, events: Events) -> None:
        try:
            self.remover.work()
        except BaseException as error:  # the main thread raises what is no error of ours
            events.put(error)
        else:
            events.put(_DoneError())

    def _given_up(self, batch_id: int) -> Iterator[Event]:
        for row in Claims(self.ledger, self.run).of_batches([batch_id]):
            yield row_event(self.run.id, row)

    def _run_event(self, outlook: Outlook, *, sandbox: bool) -> RunEvent:
        call, pace = self.call, self.wire.pace
        return RunEvent(
            run=self.run.id,
            command=UNDO,
            campaign=self.run.target.campaign,
            file=self.run.file,
            rows=outlook.remove + outlook.staying,
            ready=outlook.remove,
            batches=outlook.requests,
            estimated_seconds=call.estimated_seconds(outlook.requests, pace),
            account=self.run.target.account,
            sandbox=sandbox,
            pace=pace,
        )

    def _summary(self, seconds: float) -> SummaryEvent:
        counts = Staging(self.ledger).counts(self.run.id)
        interrupted = self.stop.exit_code
        code = undo_exit(counts, self.remover.left, self.trouble, interrupted)
        # where all was asked for and answered, the same command again is no help
        unfinished = self.trouble or interrupted or self.remover.in_doubt
        hint = (self.again or undo_command(self.run)) if unfinished else None
        return SummaryEvent(self.run.id, sum(counts.values()), counts, seconds, code, hint)


def undo_exit(
    counts: dict[State, int], left: int, trouble: OzodialError | None, interrupted: ExitCode | None
) -> ExitCode:
    """As after an upload; 4 where leads are `left` in that can't be taken back."""
    settled = {State.UNKNOWN: counts.get(State.UNKNOWN, 0), State.REJECTED: left}
    return exit_code(settled, trouble, interrupted)


class _DoneError(Exception):
    """The worker found nothing more to do."""


def _until_the_end(events: Events, stop: Stop) -> Generator[Event, None, BaseException | None]:
    """The worker's events; returns how it ended, None where nobody waits for that any more."""
    end: BaseException | None = None
    while end is None and not stop.at_once:
        arrived = events.get()
        if isinstance(arrived, BaseException):
            end = arrived
        elif arrived is not None:
            yield from arrived
    return end
