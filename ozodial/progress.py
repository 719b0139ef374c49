"""Where a run stands: events and a clock reading in; counts, rate, time left, rows to show out.

Pure: no clock of its own, no output, and memory that does not grow with the file.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping

from ozodial.events import (
    BatchEvent,
    Event,
    ReadingEvent,
    RowEvent,
    RunEvent,
    SendingEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.models import SettledRow, State
from ozodial.words import PROBLEM_STATES, PROBLEMS_SHOWN

LATEST_KEPT = 60
REQUEST_SECONDS = 0.5
"""What a request is thought to take before the first one has ended, as in the plan."""


class Progress:
    """One run, as far as it has got. `changes` counts what altered the rows to show."""

    def __init__(self, now: float) -> None:
        self.run: RunEvent | None = None
        self.summary: SummaryEvent | None = None
        self.reading = 0
        self.sending: SendingEvent | None = None
        self.changes = 0
        self.latest: deque[SettledRow] = deque(maxlen=LATEST_KEPT)
        self.problem_counts: Counter[State] = Counter()
        self._problems: dict[State, list[SettledRow]] = {state: [] for state in PROBLEM_STATES}
        self._tally: Counter[State] = Counter()
        self._wait: WaitEvent | None = None
        self._wait_until = now
        self._began = now
        self._requests = 0
        self._request_seconds = 0.0
        self._sent_rows = 0
        self._highest = 0
        self._in_flight: dict[int, int] = {}
        self._told_twice = 0  # rows of answered requests that their own events have yet to tell

    def take(self, event: Event, now: float) -> None:
        """Note one event."""
        match event:
            case ReadingEvent():
                self.reading = event.rows
            case RunEvent():
                self.run, self._began = event, now
                self.changes += 1
            case RowEvent():
                self._row(event)
            case SendingEvent():
                self.sending, self._wait = event, None
                self._in_flight[event.batch] = event.rows
                self._highest = max(self._highest, event.batch)
            case WaitEvent():
                self.sending, self._wait, self._wait_until = None, event, now + event.seconds
            case BatchEvent():
                self._batch(event)
            case SummaryEvent():
                self.summary, self.sending, self._wait = event, None, None
            case _:
                pass

    def _row(self, event: RowEvent) -> None:
        self._tally[event.status] += 1
        self._told_twice = max(0, self._told_twice - 1)
        row = SettledRow(
            event.row, event.phone, event.name, event.status, event.reason, event.message
        )
        self.latest.append(row)
        self.changes += 1
        if event.status in self._problems:
            self.problem_counts[event.status] += 1
            kept = self._problems[event.status]
            if len(kept) < PROBLEMS_SHOWN:
                kept.append(row)

    def _batch(self, event: BatchEvent) -> None:
        self.sending = None
        self._in_flight.pop(event.batch, None)
        self._highest = max(self._highest, event.batch)
        if event.outcome in ("answered", "unknown"):
            self._requests += 1
            self._request_seconds += event.seconds
            self._sent_rows += event.rows
            self._told_twice += event.rows

    def counts(self) -> Mapping[State, int]:
        """Rows per state, the summary's own figures once there is one."""
        undoes = self.run is not None and self.run.undoes
        if self.summary is not None and not undoes:
            return self.summary.counts
        counts = Counter(self._tally)
        if self.run is None:
            return counts
        if self.run.continued:
            counts.update({s: n for s, n in self.run.counts.items() if s not in _OPEN})
        settled = sum(number for state, number in counts.items() if state not in _OPEN)
        counts[State.READY] = max(0, self.run.rows - settled)
        return counts

    def done(self) -> int:
        """Rows that this run has nothing left to do for."""
        return sum(number for state, number in self.counts().items() if state not in _OPEN)

    def settled(self) -> int:
        """Rows that this command settled."""
        return self._tally.total()

    def rows(self) -> int:
        """Rows of the file, as far as they are known."""
        return self.run.rows if self.run else self.reading

    def elapsed(self, now: float) -> float:
        """Seconds since the run began or went on."""
        return max(0.0, now - self._began)

    def rate(self, now: float) -> float | None:
        """Answered rows a minute, the pause after them included; None before the first answer."""
        waiting = self.waiting(now)
        spent = self.elapsed(now) + (waiting[1] if waiting else 0.0)
        return self._sent_rows / spent * 60 if self._sent_rows and spent > 0 else None

    def waiting(self, now: float) -> tuple[WaitEvent, float] | None:
        """What the next request waits for, and for how many more seconds."""
        if self._wait is None:
            return None
        return self._wait, max(0.0, self._wait_until - now)

    def left(self, now: float) -> float | None:
        """Seconds to the end; at the start exactly the run's own estimate."""
        run = self.run
        if run is None or run.dry:
            return None
        requests = self.requests_left()
        if not requests:
            return 0.0
        if run.pace:
            pauses = (requests - 1) * run.pace
            waiting = self.waiting(now)
            upcoming = waiting[1] if waiting else run.pace if self._between_requests() else 0.0
        else:
            pauses = upcoming = 0.0
        return upcoming + pauses + requests * self._per_request(now)

    def requests_left(self) -> int:
        """Requests still to come, the one in flight included."""
        run = self.run
        if run is None or not run.ready or not run.batches:
            return 0
        rows = self.counts().get(State.READY, 0)
        return math.ceil(round(rows * run.batches / run.ready, 6))

    def stops(self, now: float) -> float | None:
        """Seconds until the command stops by itself, None if it does not."""
        stops_in = self.run.stops_in if self.run is not None else None
        return None if stops_in is None else max(0.0, stops_in - self.elapsed(now))

    def batches(self) -> int:
        """How many requests the run has in all, as far as is known now; repeated ones count too.

        0: nobody can say; the numbers of an undo go on from those of the upload.
        """
        run = self.run
        if run is None or not run.ready or run.undoes:
            return 0
        told = self._told_twice + sum(self._in_flight.values())
        unclaimed = max(0, self.counts().get(State.READY, 0) - told)
        return self._highest + math.ceil(round(unclaimed * run.batches / run.ready, 6))

    def _between_requests(self) -> bool:
        return self._requests > 0 and self.sending is None

    def _per_request(self, now: float) -> float:
        run = self.run
        planned = REQUEST_SECONDS
        if run is not None and run.batches:
            pauses = max(0, run.batches - 1) * run.pace
            planned = max(0.0, run.estimated_seconds - pauses) / run.batches
        # Without a pace requests may overlap, so the wall clock counts and not each one's length.
        spent = self._request_seconds if run is not None and run.pace else self.elapsed(now)
        return (planned + spent) / (1 + self._requests) if self._requests else planned

    def problem_total(self) -> int:
        """Problem rows that this command settled."""
        return self.problem_counts.total()

    def problems(self, limit: int) -> list[SettledRow]:
        """At most `limit` problem rows, worst state first; no state crowds out another."""
        share = dict.fromkeys(self._problems, 0)
        while sum(share.values()) < limit:
            growing = [s for s, kept in self._problems.items() if share[s] < len(kept)]
            if not growing:
                break
            share[min(growing, key=share.__getitem__)] += 1
        return [row for state, kept in self._problems.items() for row in kept[: share[state]]]


_OPEN = frozenset((State.READY, State.SENDING))
