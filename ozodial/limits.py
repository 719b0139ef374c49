"""How long a command may go on: `--max-duration 2h`, `--stop-at 20:00`.

In: what was typed, and a clock. Out: how many seconds are left until no further request may begin.
A request in flight is always waited for. A duration counts on the monotonic clock, a time of day
on the wall clock; nothing here waits.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from ozodial.appointed import read_at
from ozodial.dates import canonical
from ozodial.errors import UsageError
from ozodial.models import Instant
from ozodial.shown import shown

_UNITS = {"h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(
    r"(\d+(?:\.\d+)?)\s*"
    r"(?:(h)(?:(?:ou)?rs?)?|(m)(?:in(?:ute)?s?)?|(s)(?:ec(?:ond)?s?)?)(?![a-z])",
    re.IGNORECASE,
)
_DURATION = re.compile(rf"(?:{_PARTS.pattern}[\s,]*)+", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}(?:[:.]\d{2}){1,2}(?:\s*[ap]\.?m\.?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limit:
    """When to stop between two requests: `seconds` after `started`, at `wall` (since 1970), or
    at whichever comes first. `said` is the option that set each.
    """

    started: Instant
    seconds: float | None = None
    wall: float | None = None
    said: tuple[str, str] = ("", "")

    def left(self, now: Instant) -> float:
        """Seconds until no further request begins; not above zero: it is over."""
        return min(self._each(now))[0]

    def reason(self, now: Instant) -> str:
        """The option that ends first, as it was typed."""
        return min(self._each(now))[1]

    def _each(self, now: Instant) -> list[tuple[float, str]]:
        by_length, by_clock = self.said
        found = (
            [] if self.seconds is None else [(self.seconds - now.since(self.started), by_length)]
        )
        return found + ([] if self.wall is None else [(self.wall - now.wall, by_clock)])


def limit_of(
    max_duration: tuple[str, str] | None, stop_at: tuple[str, str] | None, started: Instant,
    now: datetime,
) -> Limit | None:  # fmt: skip
    """The limit of a command; each option is its value and its source, `now` in the account's zone.

    UsageError where a value can't be read.
    """
    if max_duration is None and stop_at is None:
        return None
    seconds = wall = None
    said = ["", ""]
    if max_duration is not None:
        seconds = parse_duration(*max_duration)
        said[0] = f"--max-duration {max_duration[0]}"
    if stop_at is not None:
        wall = parse_stop(*stop_at, now).timestamp()
        said[1] = f"--stop-at {stop_at[0]}"
    return Limit(started, seconds, wall, (said[0], said[1]))


def parse_duration(text: str, source: str) -> float:
    """`2h`, `90m`, `1h30m`, `45 s`, `3600` as seconds."""
    said = text.strip() + ("s" if text.strip().isdecimal() else "")
    parts = _PARTS.findall(said) if _DURATION.fullmatch(said) else []
    seconds = sum(float(number) * _UNITS["".join(unit).lower()] for number, *unit in parts)
    if not seconds:
        raise UsageError(f"{source} {shown(text)} is not a length of time.", "--max-duration 2h30m")
    return seconds


def parse_stop(text: str, source: str, now: datetime) -> datetime:
    """`20:00`, the next time that a clock shows it; or `tomorrow 06:00`, or a date and time."""
    said = " ".join(text.split())
    is_clock = _CLOCK.fullmatch(said) is not None
    found = read_at(f"today {said}" if is_clock else said, now)
    if found is None or not found[11:]:
        raise UsageError(f"{source} {shown(text)} is not a time of day.", "--stop-at 20:00")
    end = datetime.fromisoformat(found)
    if is_clock and found <= canonical(now):
        end += timedelta(days=1)
    end = end.replace(tzinfo=now.tzinfo)
    if end <= now:
        raise UsageError(f"{source} {shown(text)} is past: it is {canonical(now)} there.")
    return end
