"""The live screen on a terminal: events go in, a display at the foot of stderr comes out.

A thread of its own draws at most four times a second and only what changed, so a countdown runs
while the run waits, and a slow terminal never holds up a request. After the run the problems and
the summary stay. Never raises because of a terminal; never touches stdin or the alternate screen.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from rich.console import detect_legacy_windows

from ozodial.events import (
    BatchEvent,
    ErrorEvent,
    Event,
    NoticeEvent,
    RowEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.jsonl import write_error
from ozodial.painter import Painter
from ozodial.progress import Progress
from ozodial.screen import LiveScreen, Moment
from ozodial.streams import Sink
from ozodial.words import (
    batch_line,
    duration,
    harmless,
    row_line,
    sentences,
    summary_line,
    wait_reason,
)

TICK = 0.25
ASLEEP = 2.0
"""A tick this late without processor time was spent suspended; the shell wrote meanwhile."""


def can_draw() -> bool:
    """False on a Windows console that takes no escape codes."""
    return not (sys.platform == "win32" and detect_legacy_windows())


class LiveViewer:
    """Events change the progress at once; the thread draws it when its tick comes."""

    def __init__(self, out: Sink | None, err: Sink, verbosity: int, no_color: bool) -> None:
        self._out = out
        self._err = err
        self._verbosity = verbosity
        self._painter = Painter(err)
        self._screen = LiveScreen(no_color, err.unicode)
        self._progress = Progress(time.monotonic())
        self._above: deque[str] = deque()
        self._error: ErrorEvent | None = None
        self._state = threading.Lock()
        self._painting = threading.Lock()
        self._stop = threading.Event()
        self._held = False
        self._fault: Exception | None = None
        self._thread: threading.Thread | None = None

    def show(self, event: Event) -> None:
        """Note the event; the screen follows."""
        if self._fault is not None:
            raise self._fault
        with self._state:
            self._held = False
            self._progress.take(event, time.monotonic())
            self._above.extend(self._kept(event))
        if isinstance(event, ErrorEvent):
            self._error = event
        elif isinstance(event, SummaryEvent):
            self._finish()
        elif self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._ticks, name="ozodial-live", daemon=True)
            self._thread.start()

    def log(self, text: str) -> None:
        """A line that stays above the display."""
        with self._state:
            self._above.append(harmless(text))
        if self._stop.is_set() or self._thread is None:
            self._flush_above()

    def hold(self, lines: Sequence[str]) -> None:
        """A question follows these lines: nothing is drawn until the next event."""
        with self._state:
            self._held = True
            self._above.extend(lines)
        with self._painting:
            self._flush_above()

    def close(self) -> None:
        """Leave the last word on the screen: after an interrupt the run as far as it got."""
        self._finish()
        if self._fault is not None:
            raise self._fault

    def _kept(self, event: Event) -> list[str]:
        """Lines that stay above the display."""
        if isinstance(event, NoticeEvent):
            return f"note: {sentences(event.message)}".split("\n")
        if not self._verbosity:
            return []
        run = self._progress.run
        if isinstance(event, BatchEvent):
            return [batch_line(event, self._progress.batches())]
        if isinstance(event, WaitEvent):
            reason = wait_reason(event, run.pace if run else 0.0)
            return [f"waiting {duration(event.seconds)}: {reason}"]
        if isinstance(event, RowEvent) and self._verbosity >= 2:
            return [row_line(event, mask=True)]
        return []

    def _ticks(self) -> None:
        try:
            while not self._stop.is_set():
                self._draw()
                self._sleep()
        except Exception as fault:  # kept for the run's own thread, where the viewer contains it
            self._fault = fault

    def _sleep(self) -> None:
        began, used = time.monotonic(), time.process_time()
        self._stop.wait(TICK)
        gap = time.monotonic() - began
        if gap > ASLEEP and time.process_time() - used < gap / 10:
            self._painter.forget()

    def _draw(self) -> None:
        moment = Moment(time.monotonic(), datetime.now().astimezone())
        with self._painting:
            self._flush_above()
            with self._state:
                if self._held:
                    return
                lines = self._screen.frame(self._progress, moment, self._painter.size())
            self._painter.frame(lines)

    def _flush_above(self) -> None:
        with self._state:
            lines = list(self._above)
            self._above.clear()
        if lines:
            self._painter.above(lines)

    def _finish(self) -> None:
        """Stop drawing and put the final screen where the frame stood; once."""
        first = not self._stop.is_set()
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._flush_above()
        if first and self._progress.run is not None:
            columns, _ = self._painter.size()
            self._painter.above(self._screen.final(self._progress, columns))
        elif first:
            self._painter.above([])
        self._last_words(first)

    def _last_words(self, first: bool) -> None:
        summary, error = self._progress.summary, self._error
        self._error = None
        if first and summary is not None and self._out is not None:
            run = self._progress.run
            self._out.line(summary_line(summary, run is not None and run.dry))
        if error is not None:
            write_error(self._err, error.message, error.hint)
        elif first and summary is not None and summary.hint:
            self._err.line(f"next: {sentences(summary.hint)}")
