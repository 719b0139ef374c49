"""The time that `--at` names: words or a date in, a ScheduledTime in the account's zone out.

What a command line may name more freely than a cell: `tomorrow 10:00`, `+3d 10:00`.
"""

import re
from datetime import datetime, timedelta

from ozodial.dates import DATE, Dates, canonical
from ozodial.errors import UsageError
from ozodial.shown import shown

HORIZON_DAYS = 30
"""The newest vendor page; older ones said 365."""

_RELATIVE = re.compile(
    r"(?P<day>today|tomorrow|\+\s?(?P<ahead>\d{1,3})\s?d(?:ays?)?)(?P<rest>.*)", re.IGNORECASE
)
_AT_EXAMPLE = '--at "tomorrow 10:00", --at "+3d 10:00" or --at "25/12/2026 15:30"'


def read_at(text: str, now: datetime) -> str | None:
    """What a person's `tomorrow 10:00` or date means, as `Dates.read` gives it; past or not."""
    said = " ".join(text.split())
    relative = _RELATIVE.fullmatch(said)
    if relative is not None:
        word = relative["day"].lower()
        ahead = int(relative["ahead"] or 0) + (word == "tomorrow")
        said = (now.date() + timedelta(days=ahead)).isoformat() + relative["rest"]
    return Dates(now.tzinfo).read(said)


def resolve_at(text: str, now: datetime) -> str:
    """The ScheduledTime that `--at` asks for; `now` is in the account's zone.

    Raises UsageError when it can't be read, has no time, lies in the past or more than 30 days
    ahead.
    """
    found = meaning_of_at(text, now)
    check_at(text, found, now)
    return found


def meaning_of_at(text: str, now: datetime) -> str:
    """The time that `--at` means, past or not.

    Takes `today 18:30`, `tomorrow 10:00`, `+3d 10:00`, or a date with a time; gives
    `YYYY-MM-DD HH:MM:SS`. Raises UsageError when it can't be read or has no time.
    """
    found = read_at(text, now)
    if found is None:
        raise UsageError(f"--at {shown(text)} is not a time that can be read.", _AT_EXAMPLE)
    if len(found) == DATE:
        raise UsageError(f"--at {shown(text)} has no time of day.", _AT_EXAMPLE)
    return found


def check_at(text: str, found: str, now: datetime) -> None:
    """UsageError if what `--at` means lies in the past, or more than 30 days ahead."""
    here = canonical(now)
    if found <= here:
        raise UsageError(
            f"--at {shown(text)} means {found}, which is past: it is {here} there.", _AT_EXAMPLE
        )
    if found > canonical(now + timedelta(days=HORIZON_DAYS)):
        raise UsageError(
            f"--at {shown(text)} means {found}, more than 30 days ahead: the vendor takes no more.",
            _AT_EXAMPLE,
        )
