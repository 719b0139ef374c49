"""How the live screen looks: progress goes in, styled lines that fit the terminal come out.

The head says what goes where, below it stand the bar, the counts, what is going on and the times,
and then problems and latest rows share what room there is. Writes nothing, and has no clock.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from rich.console import RenderableType
from rich.text import Text

from ozodial.events import RunEvent
from ozodial.models import SettledRow, State
from ozodial.progress import Progress
from ozodial.tables import STYLES, Drawing, Widths, counts_text, measured, rows_table
from ozodial.words import (
    PROBLEM_STATES,
    PROBLEMS_SHOWN,
    TOLD_ORDER,
    clipped,
    clock,
    duration,
    endpoint_name,
    plural,
    rest_command,
    run_name,
    sandbox_line,
    summary_line,
    wait_reason,
)

LATEST_SHOWN = 15
LATEST_AT_END = 5
WIDEST_BAR = 100


class Moment(NamedTuple):
    """A clock reading for waits, and the time of day for a person."""

    now: float
    wall: datetime


class LiveScreen:
    """The frames of one run. Tables are drawn again only when a row came in or the size changed."""

    def __init__(self, no_color: bool = False, unicode: bool = True) -> None:
        self._drawing = Drawing(no_color, unicode)
        self._full, self._empty, self._dot, self._arrow = "━─·→" if unicode else "#-->"
        self._widths = Widths()
        self._tables: list[str] = []
        self._tables_of = (0, 0, 0)

    def frame(self, progress: Progress, moment: Moment, size: tuple[int, int]) -> list[str]:
        """The frame for this moment."""
        columns, rows = size
        if progress.run is None:
            return self._lines([_before_the_run(progress, moment.now)], columns)
        top = self._lines(self._top(progress, progress.run, moment, columns), columns)
        key = (progress.changes, columns, rows - len(top))
        if key != self._tables_of:
            self._tables = self._draw_tables(progress, columns, rows - len(top))
            self._tables_of = key
        return (top + self._tables)[:rows]

    def final(self, progress: Progress, columns: int) -> list[str]:
        """What stays on the screen after the run: its head, its rows worth a look, its counts."""
        run, summary = progress.run, progress.summary
        lines: list[str] = []
        if run is not None:
            lines += self._lines([*self._head(run), self._bar(progress, columns)], columns)
            lines += self._drawing.lines(self._rows_at_end(progress, run, columns), columns)
        if summary is not None:
            style = "bold green" if summary.exit_code == 0 else "bold"
            line = summary_line(summary, run is not None and run.dry)
            lines += self._drawing.lines([Text(""), Text(line, style)], columns)
        return lines

    def _lines(self, parts: Sequence[Text], columns: int) -> list[str]:
        return self._drawing.lines([self._drawing.cut(part, columns) for part in parts], columns)

    def _top(self, progress: Progress, run: RunEvent, moment: Moment, columns: int) -> list[Text]:
        lines = [*self._head(run), Text(""), self._bar(progress, columns)]
        counts = progress.counts()
        lines.append(_counts_line(run, counts))
        return [*lines, _doing(progress, run, moment.now), self._times(progress, moment)]

    def _head(self, run: RunEvent) -> list[Text]:
        facts = [endpoint_name(run.command, run.api), run_name(run.run, run.dry)]
        facts += [clipped(run.account)] if run.account else []
        facts += ["goes on"] if run.continued and run.ready else []
        head = Text.assemble(
            (clipped(run.file), "bold"),
            f" {self._arrow} ",
            (clipped(run.campaign), "bold cyan"),
            "   ",
            (f" {self._dot} ".join(facts), "dim"),
        )
        sandbox = Text.assemble((" SANDBOX ", "bold reverse yellow"), f" {sandbox_line(run)}")
        return [head, sandbox] if run.sandbox else [head]

    def _bar(self, progress: Progress, columns: int) -> Text:
        """A bar with a stretch for each state, in its colour."""
        rows, done = progress.rows(), progress.done()
        percent = 100 * done // rows if rows else 100
        label = f"  {percent} %  {min(done, rows)} of {plural(rows, 'row')}"
        cells = max(1, min(columns, WIDEST_BAR) - len(label))
        bar = Text()
        for state, stretch in _stretches(progress.counts(), rows, cells):
            bar.append(self._full * stretch, STYLES[state])
        bar.append(self._empty * (cells - len(bar)), "dim")
        return bar.append(label, "bold")

    def _times(self, progress: Progress, moment: Moment) -> Text:
        parts = [f"{duration(int(progress.elapsed(moment.now)))} so far"]
        left = progress.left(moment.now)
        if left is not None:
            end = clock(moment.wall + timedelta(seconds=left), moment.wall)
            parts.append(f"about {duration(ceil(left))} left, until {end}")
            stops = progress.stops(moment.now)
            if stops is not None and stops < left:
                end = clock(moment.wall + timedelta(seconds=stops), moment.wall)
                parts[-1] = f"about {duration(ceil(left))} left, but it stops at {end}"
        rate = progress.rate(moment.now)
        if rate is not None:
            parts.append(f"{rate:,.0f} rows a minute")
        return Text(f" {self._dot} ".join(parts), "dim")

    def _draw_tables(self, progress: Progress, columns: int, room: int) -> list[str]:
        """Problems and latest rows; the latest give way when both don't fit."""
        latest = list(progress.latest)
        kept = len(progress.problems(PROBLEMS_SHOWN))
        room -= 4 if kept else 3
        if room < 1 or not latest:
            return []
        problems = min(kept, max((room + 1) // 2, room - min(len(latest), LATEST_SHOWN)))
        room = min(LATEST_SHOWN, room - problems - (1 if kept else 0))
        parts: list[RenderableType] = [Text("")]
        chosen = progress.problems(problems)
        shown = latest[-room:] if room > 0 else []
        self._widths = measured(chosen + shown, self._widths, columns)
        if chosen:
            parts += [_problem_title(progress, len(chosen)), self._table(chosen)]
        if shown:
            parts += [Text("")] if chosen else []
            parts += [Text("Latest rows", "bold"), self._table(shown, header=not chosen)]
        return self._drawing.lines(parts, columns)

    def _rows_at_end(self, progress: Progress, run: RunEvent, columns: int) -> list[RenderableType]:
        rows = progress.problems(PROBLEMS_SHOWN)
        title = _problem_title(progress, len(rows))
        if progress.settled() <= PROBLEMS_SHOWN:
            rows, title = list(progress.latest), Text("Rows", "bold")
        elif not rows:
            rows, title = list(progress.latest)[-LATEST_AT_END:], Text("Latest rows", "bold")
        if not rows:
            return []
        self._widths = measured(rows, Widths(), columns)
        parts: list[RenderableType] = [Text(""), title, self._table(rows, fold=True)]
        if progress.problem_total() > len(rows):
            more = progress.problem_total() - len(rows)
            command = rest_command(run.run, run.sandbox)
            parts.append(Text(f"and {plural(more, 'problem row')} more: {command}"))
        return parts

    def _table(
        self, rows: Sequence[SettledRow], fold: bool = False, header: bool = True
    ) -> RenderableType:
        return rows_table(rows, self._widths, fold, header)


def _stretches(counts: Mapping[State, int], rows: int, cells: int) -> list[tuple[State, int]]:
    """How many cells of a bar each state gets; a problem is seen, however few rows have it."""
    found: list[tuple[State, int]] = []
    upto = drawn = 0
    for state in TOLD_ORDER[:-2]:
        upto += counts.get(state, 0)
        edge = min(cells, cells * upto // rows) if rows else cells
        found.append((state, edge - drawn))
        drawn = edge
    hidden = [s for s, n in found if not n and s in PROBLEM_STATES and counts.get(s)]
    longest = max(found, key=lambda each: each[1])[0]
    return [
        (s, 1 if s in hidden else max(1, n - len(hidden)) if s == longest and n else n)
        for s, n in found
    ]


def _problem_title(progress: Progress, shown: int) -> Text:
    counts = progress.problem_counts
    title = Text.assemble(("Problems", "bold"), "  ")
    title.append_text(counts_text(((state, counts[state]) for state in STYLES), ", "))
    more = progress.problem_total() - shown
    return title.append(f"  ({shown} shown)", "dim") if more else title


def _counts_line(run: RunEvent, counts: Mapping[State, int]) -> Text:
    told = TOLD_ORDER[:-2] if run.undoes else TOLD_ORDER
    line = counts_text((state, counts.get(state, 0)) for state in told)
    asked = counts.get(State.REMOVED, 0) + counts.get(State.UNKNOWN, 0)
    left = min(counts.get(State.READY, 0), run.ready - asked)
    if run.undoes and left > 0:
        line.append(f"{'   ' if line else ''}{left} to remove", "dim")
    return line


def _before_the_run(progress: Progress, now: float) -> Text:
    waiting = progress.waiting(now)
    if waiting is not None:
        return Text(f"waiting: {wait_reason(waiting[0], 0.0)}")
    return Text(f"reading: {plural(progress.reading, 'row')} so far")


def _doing(progress: Progress, run: RunEvent, now: float) -> Text:
    """What is going on, or what the next request waits for."""
    waiting = progress.waiting(now)
    if waiting is not None:
        event, seconds = waiting
        reason = wait_reason(event, run.pace)
        if not seconds:
            return Text(f"waiting: {reason}")
        return Text.assemble("next request in ", (f"{ceil(seconds)} s", "bold"), f": {reason}")
    if progress.sending is not None:
        sent = progress.sending
        rows = plural(sent.rows, "row")
        total = progress.batches()
        of = f" of {total}" if total else ""
        return Text(f"request {sent.batch}{of} is on its way: {rows}")
    return Text(
        "preparing the next request" if progress.requests_left() else "nothing left to send"
    )
