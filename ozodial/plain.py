"""A run as plain lines, for logs, cron and dumb terminals: events in, sentences out.

Progress goes to stderr (the run, each request, each wait from 1 s, the first problems, notices),
the last line on stdout is the summary. Never an escape code, never rich, never more than a limit of
problems.
"""

from collections import Counter
from collections.abc import Sequence

from ozodial.events import (
    BatchEvent,
    ErrorEvent,
    Event,
    NoticeEvent,
    RowEvent,
    RunEvent,
    SendingEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.jsonl import write_error
from ozodial.progress import Progress
from ozodial.streams import Sink
from ozodial.words import (
    PROBLEM_STATES,
    PROBLEMS_SHOWN,
    batch_line,
    clipped,
    duration,
    endpoint_name,
    harmless,
    plural,
    rest_command,
    row_line,
    run_name,
    sandbox_line,
    sentences,
    summary_line,
    told_counts,
    wait_reason,
)


class PlainViewer:
    """Lines as things happen."""

    def __init__(self, out: Sink, err: Sink, verbosity: int) -> None:
        self._out = out
        self._err = err
        self._verbosity = verbosity
        self._run: RunEvent | None = None
        self._progress = Progress(0.0)
        self._problems = 0
        self._told_next = False

    def show(self, event: Event) -> None:
        """Word one event, if it is worth a line."""
        self._progress.take(event, 0.0)
        match event:
            case RunEvent():
                self._begin(event)
            case RowEvent():
                self._row(event)
            case BatchEvent():
                self._err.line(batch_line(event, self._progress.batches()))
            case SendingEvent() if self._verbosity:
                self._err.line(f"batch {event.batch}: sending {plural(event.rows, 'row')}")
            case WaitEvent():
                self._wait(event)
            case NoticeEvent():
                self._err.line(f"note: {sentences(event.message)}")
            case ErrorEvent():
                write_error(self._err, event.message, event.hint)
                self._told_next = event.hint is not None
            case SummaryEvent():
                self._end(event)
            case _:
                pass

    def log(self, text: str) -> None:
        """A line for stderr."""
        self._err.line(harmless(text))

    def hold(self, lines: Sequence[str]) -> None:
        """A question follows these lines."""
        for line in lines:
            self._err.line(line)

    def close(self) -> None:
        """Nothing is held back."""

    def _begin(self, event: RunEvent) -> None:
        self._run = event
        for line in run_lines(event):
            self._err.line(line)

    def _row(self, event: RowEvent) -> None:
        if event.status in PROBLEM_STATES:
            self._problems += 1
            if self._problems <= PROBLEMS_SHOWN:
                self._err.line(row_line(event))
        elif self._verbosity >= 2:
            self._err.line(row_line(event, mask=True))

    def _wait(self, event: WaitEvent) -> None:
        # a wait for others has no known end, however short each look at them is
        if event.seconds >= 1 or event.why == "busy" or self._verbosity:
            reason = wait_reason(event, self._run.pace if self._run else 0.0)
            self._err.line(f"waiting {duration(event.seconds)}: {reason}")

    def _end(self, event: SummaryEvent) -> None:
        run = self._run
        if self._problems > PROBLEMS_SHOWN:
            rest = self._problems - PROBLEMS_SHOWN
            command = rest_command(event.run, run is not None and run.sandbox)
            self._err.line(f"and {plural(rest, 'problem row')} more: {command}")
        if event.hint and not self._told_next:
            self._err.line(f"next: {sentences(event.hint)}")
        self._out.line(summary_line(event, run is not None and run.dry))


class QuietViewer:
    """Nothing when all is well; on a failure what cron's mail must say, all of it on stderr."""

    def __init__(self, err: Sink) -> None:
        self._err = err
        self._told_next = False
        self._reasons: Counter[str] = Counter()

    def show(self, event: Event) -> None:
        """An error's sentence, the counts of a run that did not end well, the next command."""
        if isinstance(event, RowEvent) and event.status in PROBLEM_STATES:
            self._reasons[clipped(event.reason or event.status)] += 1
        elif isinstance(event, ErrorEvent):
            write_error(self._err, event.message, event.hint)
            self._told_next = event.hint is not None
        elif isinstance(event, SummaryEvent) and event.exit_code:
            self._err.line(summary_line(event))
            if self._reasons:
                told = (f"{count} {reason}" for reason, count in self._reasons.most_common())
                self._err.line(f"reasons: {', '.join(told)}")
            if event.hint and not self._told_next:
                self._err.line(f"next: {sentences(event.hint)}")

    def log(self, text: str) -> None:
        """Asked to be quiet."""

    def hold(self, lines: Sequence[str]) -> None:
        """Nobody is asked."""

    def close(self) -> None:
        """Nothing is held back."""


def run_lines(event: RunEvent) -> list[str]:
    """What is about to happen, in one line, and a second one in the sandbox."""
    number = run_name(event.run, event.dry)
    ended = event.continued and not event.ready
    goes_on = " has ended before" if ended else " goes on" if event.continued else ""
    way = "in" if event.undoes else "to"
    what = f"{endpoint_name(event.command, event.api)} {way} campaign {clipped(event.campaign)}"
    todo = "remove" if event.undoes else "send"
    rows = f"{plural(event.rows, 'row')}, {event.ready or 'nothing'} to {todo}"
    if event.ready:
        rows += f" in {plural(event.batches, 'request')}, about {duration(event.estimated_seconds)}"
    lines = [f"{number}{goes_on}: {what}, file {clipped(event.file)}: {rows}"]
    if event.continued and event.counts:
        lines.append(f"{number} so far: {told_counts(event.counts)}")
    if event.stops_in is not None and event.stops_in < event.estimated_seconds:
        lines.append(f"{number} stops before its end, in {duration(int(event.stops_in))}")
    if event.left_out and event.continued:  # otherwise a note has said it
        left_out = plural(event.left_out, "row")
        lines.append(f"{number}: {left_out} of the file left out by --limit")
    if event.sandbox:
        lines.append(f"sandbox: {sandbox_line(event)}")
    return lines
