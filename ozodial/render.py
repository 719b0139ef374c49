"""The screen: events go in, and what a person or a program reads comes out on stdout and stderr.

Picks the viewer for the streams at hand (live, plain lines, JSON lines, or errors alone) and keeps
showing from ever hurting a run: a closed stream falls silent, a fault in a viewer is told once.
Never decides anything about rows. rich is loaded for a live screen only.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from ozodial.events import Event
from ozodial.plain import PlainViewer, QuietViewer
from ozodial.streams import Sink
from ozodial.words import sentences


class Listener(Protocol):
    """Who else is told of every event, beside the screen."""

    def show(self, event: Event) -> None:
        """Take in one event."""
        ...


@dataclass(frozen=True, slots=True)
class Viewing:
    """How to show, and where. A stream is None where the caller closed it (`>&-`)."""

    stdout: TextIO | None
    stderr: TextIO | None
    json: bool = False
    quiet: bool = False
    verbosity: int = 0
    stdout_is_tty: bool = False
    stderr_is_tty: bool = False
    no_color: bool = False
    term: str = ""
    live: bool = True
    listeners: Sequence[Listener] = ()
    stdin_is_tty: bool = False

    @property
    def can_ask(self) -> bool:
        """A person sits there: both ends are a terminal, and no program reads along."""
        return self.stdin_is_tty and self.stderr_is_tty and not self.json and not self.quiet

    @property
    def wants_live(self) -> bool:
        """A live screen: stderr is a terminal that can move its cursor."""
        able = self.stderr_is_tty and self.term not in ("dumb", "unknown")
        return able and self.live and not self.json and not self.quiet

    @property
    def wants_tables(self) -> bool:
        """Tables with colour on stdout."""
        return self.stdout_is_tty and self.term not in ("dumb", "unknown") and not self.json


class Screen(Protocol):
    """What every kind of viewer can do."""

    def show(self, event: Event) -> None:
        """Show one event."""
        ...

    def log(self, text: str) -> None:
        """Show a line of the log."""
        ...

    def hold(self, lines: Sequence[str]) -> None:
        """Stop drawing, write these lines, and draw again with the next event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it should be left."""
        ...


class Viewer:
    """A screen whose own faults never reach the run (design section 4, rule 10)."""

    def __init__(self, screen: Screen, err: Sink, listeners: Sequence[Listener] = ()) -> None:
        self._screen: Screen | None = screen
        self._err = err
        self._listeners = listeners

    def show(self, event: Event) -> None:
        """Show one event; never raises."""
        for listener in self._listeners:
            with suppress(Exception):  # its own fault stays its own
                listener.show(event)
        screen = self._screen
        if screen is None:
            return
        try:
            screen.show(event)
        except Exception as fault:  # whatever it is, the leads come first
            self._give_up(fault)

    def log(self, text: str) -> None:
        """A line of the log, above the live screen or on stderr; never raises."""
        screen = self._screen
        if screen is None:
            return
        try:
            screen.log(text)
        except Exception as fault:  # as above
            self._give_up(fault)

    def hold(self, lines: Sequence[str]) -> None:
        """Leave the terminal to a question, with these lines above it; the next event ends it."""
        screen = self._screen
        if screen is None:
            return
        try:
            screen.hold(lines)
        except Exception as fault:  # as above
            self._give_up(fault)

    def close(self) -> None:
        """End the display; the second call does nothing."""
        screen, self._screen = self._screen, None
        if screen is None:
            return
        try:
            screen.close()
        except Exception as fault:  # as above
            self._give_up(fault)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _give_up(self, fault: Exception) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            with suppress(Exception):  # already in trouble; all that matters is that it stops
                screen.close()
        told = f"{type(fault).__name__}: {fault}"
        self._err.line(f"note: the display failed ({told!r}); the run goes on without it")


def open_viewer(mode: Viewing) -> Viewer:
    """The viewer for these streams; close it, or use it as a context manager."""
    err = Sink(mode.stderr)
    out = Sink(mode.stdout, lambda why: err.line(f"note: stdout can't be written any more: {why}"))
    return Viewer(_screen(mode, out, err), err, mode.listeners)


def show_error(stream: TextIO | None, message: str, hint: str | None = None) -> None:
    """`error: sentence` and, where there is one, `next: command`; never raises."""
    from ozodial.jsonl import write_error

    write_error(Sink(stream), message, hint)


def show_warning(stream: TextIO | None, text: str) -> None:
    """`warning: sentence`, whatever the mode; never raises."""
    Sink(stream).line(f"warning: {sentences(text)}")


def _screen(mode: Viewing, out: Sink, err: Sink) -> Screen:
    if mode.json:
        from ozodial.jsonl import JsonViewer

        return JsonViewer(out, err, mode.verbosity)
    if mode.quiet:
        return QuietViewer(err)
    if mode.wants_live:
        from ozodial.live import LiveViewer, can_draw

        if can_draw():
            summary = None if mode.stdout_is_tty else out
            return LiveViewer(summary, err, mode.verbosity, mode.no_color)
    return PlainViewer(out, err, mode.verbosity)
