"""The two charts of a run's page, drawn by matplotlib (an extra): counts in, SVG text out.

Each is drawn wide and narrow, so that its letters can be read on a phone, too. Glyphs are paths, so
it looks the same wherever it is opened. Times are aware datetimes in the account's zone.
"""

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEADS, WAIT, PAUSE, TROUBLE = "#2a6fbb", "#e0c98f", "#e4e7ec", "#c0392b"
WIDE, NARROW = (9.0, 2.9), (4.3, 2.9)

_Draw = Callable[["Axes"], None]

_BINS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 360, 1440))
_MOST_BARS = 120
_TICKS = ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
_FIRST_TICKS = ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request on the time axis; `resumed`: what lies before it is no wait, nothing ran."""

    begin: datetime
    end: datetime
    rows: int
    answered: bool
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in both its sizes, as SVG."""

    wide: str
    narrow: str


def per_minute(requests: Sequence[Sent]) -> tuple[list[tuple[datetime, float]], timedelta]:
    """Leads answered a minute, and the width of the bars: (begin of the bar, leads a minute).

    A lead counts when its answer came. The bars are a minute wide, wider where the run is long.
    """
    first, last = requests[0].begin, max(request.end for request in requests)
    width = next((w for w in _BINS if (last - first) / w <= _MOST_BARS), _BINS[-1])
    counts: dict[int, int] = {}
    for request in requests:
        if request.answered:
            place = (request.end - first) // width
            counts[place] = counts.get(place, 0) + request.rows
    minutes = width / timedelta(minutes=1)
    return [(first + place * width, counts[place] / minutes) for place in sorted(counts)], width


def pauses(requests: Sequence[Sent]) -> list[tuple[datetime, datetime, bool]]:
    """Where no request was on its way, from 1 s on: (begin, end, nothing ran at all)."""
    found, ended = [], requests[0].end
    for request in requests[1:]:
        if request.begin - ended >= timedelta(seconds=1):
            found.append((ended, request.begin, request.resumed))
        ended = max(ended, request.end)
    return found


def speed_chart(requests: Sequence[Sent]) -> Chart:
    """Leads a minute over the run, with its waits behind them and the requests that failed."""
    bars, width = per_minute(requests)

    def draw(axes: "Axes") -> None:
        from matplotlib.dates import date2num

        for begin, end, nothing_ran in pauses(requests):
            colour, bottom = (PAUSE, 0.0) if nothing_ran else (WAIT, 0.95)
            axes.axvspan(date2num(begin), date2num(end), ymin=bottom, color=colour, lw=0)
        days = width / timedelta(days=1)
        begins = [date2num(begin) for begin, _ in bars]
        axes.bar(begins, [rate for _, rate in bars], days * 0.96, align="edge", color=LEADS)
        failed = [date2num(request.end) for request in requests if not request.answered]
        if failed:
            axes.plot(failed, [0] * len(failed), "x", color=TROUBLE, clip_on=False)
        axes.set_xlim(date2num(requests[0].begin), _right_end(requests, bars, width))
        axes.set_ylim(top=1.12 * max((rate for _, rate in bars), default=1))
        axes.set_ylabel("leads a minute")

    return _both(draw, requests[0].begin)


def _right_end(
    requests: Sequence[Sent], bars: Sequence[tuple[datetime, float]], width: timedelta
) -> float:
    from matplotlib.dates import date2num

    ends = [request.end for request in requests] + [begin + width for begin, _ in bars]
    return float(date2num(max(ends)))


def hours_chart(hours: Sequence[tuple[datetime, int]]) -> Chart:
    """How many leads are to be called in each hour."""

    def draw(axes: "Axes") -> None:
        from matplotlib.dates import date2num

        begins = [date2num(begin) for begin, _ in hours]
        axes.bar(begins, [rows for _, rows in hours], 0.96 / 24, align="edge", color=LEADS)
        axes.set_ylabel("leads an hour")

    return _both(draw, hours[0][0])


def _both(draw: _Draw, begin: datetime) -> Chart:
    return Chart(_svg(draw, begin, WIDE), _svg(draw, begin, NARROW))


def _svg(draw: _Draw, begin: datetime, size: tuple[float, float]) -> str:
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it remarks on its own cache
    import matplotlib
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    style = {"svg.fonttype": "path", "svg.hashsalt": "ozodial", "font.size": 9.5}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.xaxis_date(str(begin.tzinfo))
        draw(axes)
        locator = AutoDateLocator(begin.tzinfo, 2, 5 if size == NARROW else 9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(
            ConciseDateFormatter(locator, begin.tzinfo, formats=_TICKS, zero_formats=_FIRST_TICKS)
        )
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
