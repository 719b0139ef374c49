"""Why a date can't be sent, in a sentence: nothing there, unreadable, past, or too far ahead."""

from ozodial.dates import DATE, other_order
from ozodial.models import DateOrder, Reason
from ozodial.shown import shown

_FORMS = {
    DateOrder.DMY: "2026-12-25 15:30:00, or day first as 25/12/2026 15:30",
    DateOrder.MDY: "2026-12-25 15:30:00, or month first as 12/25/2026 15:30",
    DateOrder.YMD: "2026-12-25 15:30:00",
}


def unreadable(text: str, order: DateOrder) -> str:
    """Of a text that is no date, or one in the other order."""
    other = other_order(text, order)
    said = f"{shown(text)} is not a date that exists or can be read: write it as {_FORMS[order]}"
    return f'{said}, or put date_order = "{other}" into a --map-file' if other else said


def wrong_time(
    text: str, when: str | None, now: str, days: int, order: DateOrder
) -> tuple[Reason, str]:
    """Of a ScheduledTime that stands as `text` and was read as `when`; `now` is canonical."""
    if not text and when is None:
        return Reason.TIME_MISSING, "the row has no ScheduledTime"
    if when is None:
        return Reason.DATE_UNREADABLE, unreadable(text, order)
    if len(when) == DATE:
        return Reason.TIME_MISSING, f"{shown(text)} is a date without a time of day"
    if when <= now:
        return Reason.TIME_PAST, f"{shown(text)} is past: the account's time is {now}"
    said = f"{shown(text)} is more than {days} days ahead: the vendor takes no more"
    return Reason.TIME_BEYOND_30_DAYS, said
