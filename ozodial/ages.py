"""How long ago: text of a person in, a moment out. `90d`, `2w`, `12h`, `today`, a date. Pure."""

import re
from datetime import datetime, timedelta

from ozodial.errors import UsageError

_AGE = re.compile(r"(\d{1,5})\s*(h|d|w|hours?|days?|weeks?)", re.IGNORECASE)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def before(text: str, now: datetime, flag: str) -> datetime:
    """The moment that lies an age before `now` (aware): `90d`, `2 weeks` (UsageError if not)."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{flag} {text}: an age is a number of days, such as 90d.", f"{flag} 90d")
    try:
        return now - int(found[1]) * _UNITS[found[2][0].lower()]
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)


def since(text: str, now: datetime, flag: str) -> datetime:
    """The moment from which on: an age, `today`, `yesterday`, or a date in ISO form."""
    word = text.strip().lower()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "yesterday"):
        return midnight - timedelta(days=word == "yesterday")
    if _AGE.fullmatch(word):
        return before(word, now, flag)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        said = "say 7d, today, yesterday, or a date such as 2026-01-31"
        raise UsageError(f"{flag} {text}: {said}.", f"{flag} 7d") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
