"""The days and hours in which leads may be called, and how a person writes them.

In: `09:00-21:00`, `mon-sat`, a ScheduledTime. Out: whether it stands inside, or the next time that
does. Pure; times are `YYYY-MM-DD HH:MM:SS` in the account's zone, and compare as texts do.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from ozodial.errors import UsageError
from ozodial.shown import shown

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAYS = frozenset(range(7))
ALL_DAY = ("00:00:00", "24:00:00")

_HOURS = re.compile(
    r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|\.\.|to)\s*(\d{1,2})(?:[:.](\d{2}))?", re.IGNORECASE
)
_DAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` until before `closes` (HH:MM:SS) on these days of the week, Monday is 0.

    `shift`: a time outside is moved to the next opening; otherwise its row is refused.
    """

    opens: str = ALL_DAY[0]
    closes: str = ALL_DAY[1]
    days: frozenset[int] = ALL_DAYS
    shift: bool = False

    def hold(self, when: str) -> bool:
        """Whether a ScheduledTime stands inside."""
        return self.opens <= when[11:] < self.closes and _weekday(when[:10]) in self.days

    def shifted(self, when: str) -> str:
        """The time itself, or the next opening after it."""
        if self.hold(when):
            return when
        day = date.fromisoformat(when[:10])
        if when[11:] >= self.opens:
            day += timedelta(days=1)
        while day.weekday() not in self.days:
            day += timedelta(days=1)
        return f"{day.isoformat()} {self.opens}"

    def placed(self, when: str) -> tuple[str, str]:
        """The time that is sent, and what is to be said of it: "" where it stands inside."""
        if self.hold(when):
            return when, ""
        if not self.shift:
            return when, f"{when} is outside of the calling hours {self}"
        moved = self.shifted(when)
        return moved, f"{when} is outside of {self}, so it is called at {moved}"

    def __str__(self) -> str:
        """As a person writes it: `09:00-21:00 mon-sat`."""
        hours = f"{self.opens[:5]}-{self.closes[:5]}"
        if self.days == ALL_DAYS:
            return hours
        days = days_text(self.days)
        return days if (self.opens, self.closes) == ALL_DAY else f"{hours} {days}"


def parse_hours(text: str, source: str) -> tuple[str, str]:
    """`09:00-21:00` as (opens, closes); `source` names the option in the UsageError."""
    match = _HOURS.fullmatch(text.strip())
    times = [
        f"{int(hour):02}:{int(minute or 0):02}:00"
        for hour, minute in ((match[1], match[2]), (match[3], match[4]))
        if int(hour) <= 24 and int(minute or 0) < 60
    ] if match else []  # fmt: skip
    if len(times) != 2 or not times[0] < times[1] <= ALL_DAY[1]:
        raise UsageError(
            f"{source} {shown(text)} is not two times of one day, the earlier first.",
            "--calling-hours 09:00-21:00",
        )
    return times[0], times[1]


def parse_days(text: str, source: str) -> frozenset[int]:
    """`mon-sat`, `mon,wed,fri` as days of the week; `source` names the option in the UsageError."""
    found: set[int] = set()
    for part in text.split(","):
        ends = [_DAY.fullmatch(word.strip()) for word in part.replace("–", "-").split("-")]
        numbers = [DAYS.index(end[1].lower()) for end in ends if end is not None]
        if not numbers or len(numbers) != len(ends) or len(numbers) > 2:
            raise UsageError(f"{source} {shown(text)} is not days of the week.", "--days mon-sat")
        first, last = numbers[0], numbers[-1]
        found.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return frozenset(found)


def days_text(days: frozenset[int]) -> str:
    """`mon-sat`, `mon,wed,fri`."""
    parts: list[list[int]] = []
    for day in sorted(days):
        if parts and parts[-1][-1] == day - 1:
            parts[-1].append(day)
        else:
            parts.append([day])
    return ",".join(
        DAYS[part[0]] if len(part) == 1 else f"{DAYS[part[0]]}-{DAYS[part[-1]]}" for part in parts
    )


def day_name(day: str) -> str:
    """`mon` for `2026-11-23`."""
    return DAYS[_weekday(day)]


@lru_cache(4096)
def _weekday(day: str) -> int:
    return date.fromisoformat(day).weekday()
