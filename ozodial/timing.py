"""When leads are called, as the options say it: --at, --spread, --calling-hours, --days.

In: what was typed and the settings. Out: one record of checked values, or one UsageError. Whether
the times are still ahead is asked later, for a new run only: the same command on the same file
finds its run also when they are past.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ozodial.appointed import meaning_of_at
from ozodial.errors import UsageError
from ozodial.hours import ALL_DAY, ALL_DAYS, Hours, parse_days, parse_hours
from ozodial.opening import Given
from ozodial.settings import Settings

if TYPE_CHECKING:
    from ozodial.spread import Spread


@dataclass(frozen=True, slots=True)
class Timing:
    """`at` is the time of leads without one (canonical), with a `spread` that of the first.

    `when` is what was typed, in one form: it tells two commands apart where `at` can't, since
    tomorrow is another day tomorrow.
    """

    at: str | None = None
    when: str = ""
    spread: "Spread | None" = None
    hours: Hours | None = None


def timing_of(given: Given, settings: Settings, now: datetime, zone: ZoneInfo) -> Timing:
    """The timing of a command whose endpoint takes times; `now` is in the account's zone."""
    hours = _hours(settings)
    if given.per_hour is not None and given.spread is None:
        raise UsageError("--per-hour needs a window.", '--spread "tomorrow 10:00..18:00"')
    if given.spread is not None:
        if given.at is not None:
            raise UsageError("--at and --spread exclude each other.")
        from ozodial.spread import parse_spread

        days = hours.days if hours is not None else ALL_DAYS
        spread = parse_spread(given.spread, now, zone, given.per_hour, days)
        if hours is not None:
            spread.check_hours(hours)
        rate = f" {given.per_hour}" if given.per_hour is not None else ""
        return Timing(spread.first, _plain(given.spread) + rate, spread, hours)
    if given.at is None:
        return Timing(hours=hours)
    at = meaning_of_at(given.at, now)
    if hours is not None and not hours.hold(at):
        if not hours.shift:
            said = f"--at {given.at} means {at}, outside of the calling hours {hours}."
            raise UsageError(said, "--outside shift moves it to the next opening")
        at = hours.shifted(at)
    return Timing(at, _plain(given.at), None, hours)


def _hours(settings: Settings) -> Hours | None:
    shift = settings.choice("outside", ("reject", "shift")) == "shift"
    hours, days = settings.given.get("calling_hours"), settings.given.get("days")
    if hours is None and days is None:
        return None
    opens, closes = ALL_DAY if hours is None else parse_hours(hours.value, hours.source)
    on = ALL_DAYS if days is None else parse_days(days.value, days.source)
    return Hours(opens, closes, on, shift)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
