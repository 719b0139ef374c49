"""`--spread`: leads spaced evenly over a window of a day, and over as many days as they need.

In: a window, a rate, days of the week, how many leads. Out: a ScheduledTime for each, in order.
Pure, and without a clock: the same window and number give the same times whenever they are asked
for. Spaced in real seconds, so that a change to or from summer time neither makes a time that no
clock shows nor doubles an hour: the hour that comes twice is used once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from ozodial.appointed import HORIZON_DAYS, read_at
from ozodial.dates import canonical
from ozodial.errors import UsageError
from ozodial.hours import ALL_DAYS, Hours, days_text
from ozodial.shown import shown

_EXAMPLE = '--spread "tomorrow 10:00..18:00"'
_FORM = re.compile(r"(?P<start>.+?)\s*(?:\.\.|…|–)\s*(?P<end>\d{1,2}(?:[:.]\d{2}){0,2}.*)")
_HOUR = 3600
_QUARTER = 900
"""Clocks are set at quarters of an hour of UTC, everywhere since 1972."""


class SpreadTime(str):
    """A ScheduledTime that `--spread` gave.

    Its lead is known to the ledger by the window and not by the second: when the file has grown,
    the times of all its leads are others, and none of them may be sent again.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """From `start` until before `end` (HH:MM:SS), on `day` or the first day after it in `days`.

    `per_hour` leads at most go into an hour; the rest goes into the next days' windows.
    """

    day: date
    start: str
    end: str
    zone: ZoneInfo
    per_hour: int | None = None
    days: frozenset[int] = ALL_DAYS

    @property
    def key(self) -> str:
        """What stands for the time of these leads in their delivery keys."""
        return f"{self.day.isoformat()} {self.start}..{self.end}"

    @property
    def first(self) -> str:
        """Where the first window begins: the time of the first lead."""
        return next(self._windows()).text(0, 1)

    def times(self, count: int, now: datetime) -> Iterator[SpreadTime]:
        """The times of `count` leads. UsageError if they do not fit into 30 days from `now`."""
        fitting = self._fitting(count, canonical(now + timedelta(days=HORIZON_DAYS)))
        left = count - sum(number for _, number in fitting)
        if left:
            raise UsageError(self._too_many(count, left, len(fitting)), "a higher --per-hour")
        return (
            SpreadTime(window.text(place, number))
            for window, number in fitting
            for place in range(number)
        )

    def check(self, now: datetime) -> None:
        """UsageError if the first window has begun, or lies more than 30 days ahead."""
        first, here = self.first, canonical(now)
        if first <= here:
            said = f"--spread begins at {first}, which is past: it is {here} there."
            raise UsageError(said, _EXAMPLE)
        if first > canonical(now + timedelta(days=HORIZON_DAYS)):
            said = f"--spread begins at {first}, more than 30 days ahead: the vendor takes no more."
            raise UsageError(said, _EXAMPLE)

    def check_hours(self, hours: Hours) -> None:
        """UsageError if the window leaves the calling hours."""
        if self.start < hours.opens or self.end > hours.closes:
            inside = f"{max(self.start, hours.opens)[:5]}..{min(self.end, hours.closes)[:5]}"
            raise UsageError(
                f"--spread {self.start[:5]}..{self.end[:5]} stands outside of the calling hours "
                f"{hours.opens[:5]}-{hours.closes[:5]}.",
                f'--spread "{self.day.isoformat()} {inside}"' if inside[:5] < inside[7:] else None,
            )

    def __str__(self) -> str:
        """`2026-11-23 10:00..18:00`, in words for a person."""
        rate = f", at most {self.per_hour} an hour" if self.per_hour else ""
        days = "" if self.days == ALL_DAYS else f", {days_text(self.days)}"
        return f"{self.day.isoformat()} {self.start[:5]}..{self.end[:5]}{rate}{days}"

    def _windows(self) -> Iterator["_Window"]:
        day = self.day
        while True:
            if day.weekday() in self.days:
                window = _window(day, self.start, self.end, self.zone)
                if window.seconds:
                    yield window
            day += timedelta(days=1)

    def _fitting(self, count: int, horizon: str) -> list[tuple["_Window", int]]:
        """Windows with the number of leads in each, as far as the vendor looks ahead."""
        found: list[tuple[_Window, int]] = []
        for window in self._windows():
            if not count or window.last > horizon:
                break
            rate = self.per_hour
            number = count if rate is None else min(count, window.seconds * rate // _HOUR)
            if number:
                found.append((window, number))
            count -= number
            if rate is None:
                break
        return found

    def _too_many(self, count: int, left: int, windows: int) -> str:
        if self.per_hour is None:
            return f"--spread {self} ends more than 30 days ahead: the vendor takes no more."
        days = "1 day" if windows == 1 else f"{windows} days"
        return (
            f"{left:,} of {count:,} leads don't fit into 30 days: {self.per_hour:,} an hour from "
            f"{self.start[:5]} to {self.end[:5]} on {days} take {count - left:,}."
        )


def parse_spread(
    text: str,
    now: datetime,
    zone: ZoneInfo,
    per_hour: int | None = None,
    days: frozenset[int] = ALL_DAYS,
) -> Spread:
    """`tomorrow 10:00..18:00`; `now`, in the account's zone, says only which day that is."""
    match = _FORM.fullmatch(" ".join(text.split()))
    start = read_at(match["start"], now) if match else None
    end = read_at(f"{start[:10]} {match['end']}", now) if match and start else None
    if start is None or end is None or not start[11:] or not end[11:]:
        said = f"--spread {shown(text)} is not a day with two times of day."
        raise UsageError(said, _EXAMPLE)
    if not start[11:] < end[11:]:
        raise UsageError(f"--spread {shown(text)} ends before it begins.", _EXAMPLE)
    return Spread(date.fromisoformat(start[:10]), start[11:], end[11:], zone, per_hour, days)


@dataclass(frozen=True, slots=True)
class _Window:
    """One day's window as stretches of real time: seconds since 1970, the end not included."""

    stretches: Sequence[tuple[int, int]]
    zone: ZoneInfo

    @property
    def seconds(self) -> int:
        return sum(end - start for start, end in self.stretches)

    @property
    def last(self) -> str:
        return self._written(self.stretches[-1][1] - 1)

    def text(self, place: int, number: int) -> str:
        """The time of one of `number` leads that share this window."""
        left = place * self.seconds // number
        for start, end in self.stretches:
            if left < end - start:
                return self._written(start + left)
            left -= end - start
        raise IndexError(place)

    def _written(self, moment: int) -> str:
        return canonical(datetime.fromtimestamp(moment, self.zone))


def _window(day: date, start: str, end: str, zone: ZoneInfo) -> _Window:
    """The window without the hour that a clock shows for the second time."""
    first, last = (
        int(datetime.fromisoformat(f"{day.isoformat()} {clock}").replace(tzinfo=zone).timestamp())
        for clock in (start, end)
    )
    if first >= last:
        return _Window([], zone)  # no clock shows these times on this day
    if _offset(first, zone) == _offset(last, zone):
        return _Window([(first, last)], zone)
    stretches: list[tuple[int, int]] = []
    edges = [first, *range(first - first % _QUARTER + _QUARTER, last, _QUARTER), last]
    for begin, until in pairwise(edges):
        if datetime.fromtimestamp(begin, zone).fold:
            continue
        if stretches and stretches[-1][1] == begin:
            begin = stretches.pop()[0]
        stretches.append((begin, until))
    return _Window(stretches, zone)


def _offset(moment: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
