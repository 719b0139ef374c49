"""A cell's date as the vendor wants it, day first, in the account's zone.

In: the text of a cell. Out: `YYYY-MM-DD HH:MM:SS`, or `YYYY-MM-DD` where the cell has no time, or
None. Only what names day, month and year is read: nothing is filled in from today, an impossible
date is refused and never rolled, and day and month never change places. `python-dateutil` reads
what no shape here fits, if a month's name settles its order.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import cache, lru_cache

from ozodial.models import DateOrder

DATE, _MINUTE, _MOMENT = 10, 16, 19
"""The lengths of `YYYY-MM-DD`, of it with hour and minute, and of it with seconds too."""

_LONGEST = 64
_CACHED = 4096
_PIVOT = 69
"""POSIX: two-digit years 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068."""

_SERIALS = range(36526, 73051)
"""Excel's day numbers for 2000 to 2099; no other date is written as five digits."""
_BETWEEN_EPOCHS = 1462
"""Days from 1899-12-30, where Excel counts from, to 1904-01-01, where it did on a Mac."""

_MONTH_NAMES = """
jan january|feb february|mar march|apr april|may|jun june
jul july|aug august|sep sept september|oct october|nov november|dec december
"""
_MONTHS = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.strip().replace("\n", "|").split("|"), start=1)
    for name in names.split()
}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_TIME = (
    r"(?:(?:\s*,\s*|\s+|T)(?:at\s+)?(?P<hour>\d{1,2})"
    r"(?:[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:\.\d+)?)?)?"
    r"\s*(?:(?P<half>[ap])\.?m\.?|(?P<hours>hrs?\.?|hours))?)?"
)
_DAY = r"(?P<day>\d{1,2})"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_NUMBER = r"(?P<month>\d{1,2})"
_NUMERIC = {
    DateOrder.DMY: rf"{_DAY}(?P<sep>[-/.]){_NUMBER}(?P=sep){_YEAR}",
    DateOrder.MDY: rf"{_NUMBER}(?P<sep>[-/.]){_DAY}(?P=sep){_YEAR}",
    DateOrder.YMD: rf"(?P<year>\d{{2}})(?P<sep>[-/.]){_NUMBER}(?P=sep){_DAY}",
}
_REVERSED = {DateOrder.DMY: DateOrder.MDY, DateOrder.MDY: DateOrder.DMY}
_ORDERLESS = (
    r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})",
    rf"(?:[a-z]{{3,9}},?\s+)?{_DAY}(?:st|nd|rd|th)?[-/.,\s]*{_MONTH}[-/.,\s]*{_YEAR}",
    rf"(?:[a-z]{{3,9}},?\s+)?{_MONTH}[-/.\s]*{_DAY}(?:st|nd|rd|th)?(?:\s*,\s*|[-/.\s]+){_YEAR}",
    r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})",
)
_ISO_ZONED = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?\s?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)",
    re.ASCII,
)
_UTC = re.compile(r"\s?(?:Z|UTC|GMT)$")
_NAMED_ZONE = re.compile(r"(.*\d(?: ?[AaPp][Mm])?) ?(?:\(([A-Z]{3,5})\)|([A-Z]{3,5}))")
_SERIAL = re.compile(r"\d{5}(?:\.\d{1,12})?", re.ASCII)


class Dates:
    """Reads the dates of cells; those with a zone of their own are converted to `zone`.

    `since_1904`: bare day numbers count from there, as in workbooks from old Macs.
    """

    def __init__(
        self,
        zone: tzinfo | None,
        order: DateOrder = DateOrder.DMY,
        *,
        since_1904: bool = False,
    ) -> None:
        self._zone = zone
        self._order = order
        self._days_added = _BETWEEN_EPOCHS if since_1904 else 0
        self._read_odd: Callable[[str], str | None] = lru_cache(_CACHED)(self._odd)
        self._days: dict[str, str] = {}

    def read(self, text: str) -> str | None:
        """`YYYY-MM-DD HH:MM:SS` (19 characters), `YYYY-MM-DD` (10: no time), or None."""
        marks = text[4::3]
        try:
            if marks == "-- ::" and len(text) == _MOMENT:
                datetime.fromisoformat(text)
                # From Python 3.13 on, hour 24 is read, as the next day.
                return text if text[11:13] != "24" else None
            if marks == "--" and len(text) == DATE:
                date.fromisoformat(text)
                return text
        except ValueError:
            return None
        # A file has few days: `25/12/2026` is turned round once, not for each of its rows.
        day, clock = self._days.get(text[:DATE]), _clocks().get(text[DATE:])
        if day is not None and clock is not None:
            return day + clock
        return self._by_slices(text) or self._read_odd(text)

    def _by_slices(self, text: str) -> str | None:
        """The commonest other shapes, rearranged: year last, without seconds, with a T."""
        iso = text
        if len(text) not in (DATE, _MINUTE, _MOMENT):
            return None
        if turned := text[2] == text[5] and text[2] in "/-.":
            iso = _turned(text, self._order) + text[DATE:]
            if len(iso) != len(text):
                return None
        if len(text) == DATE:
            marks = "--"
        else:
            iso = f"{iso[:10]} {iso[11:]}" if iso[10] == "T" else iso
            iso = iso if len(text) == _MOMENT else f"{iso}:00"
            marks = "-- ::"
        if iso[4::3] != marks or iso[11:13] == "24":
            return None
        try:
            datetime.fromisoformat(iso)
        except ValueError:
            return None
        if turned and len(self._days) < _CACHED:
            self._days[text[:DATE]] = iso[:DATE]
        return iso

    def _odd(self, text: str) -> str | None:
        cell = " ".join(text.replace("\u200b", "").split()).lstrip("'")
        if not cell or len(cell) > _LONGEST:
            return None
        if not cell.isascii():
            cell = "".join(str(int(char)) if char.isdecimal() else char for char in cell)
        named = _NAMED_ZONE.fullmatch(cell)
        if named is not None and (found := self._here(named[1], named[2] or named[3])) is not None:
            return found
        for shape in _shapes(self._order):
            match = shape.fullmatch(cell)
            if match is not None:
                return _from_parts(match.groupdict())
        if _ISO_ZONED.fullmatch(cell):
            return self._zoned(cell)
        if _SERIAL.fullmatch(cell):
            return _from_serial(cell, self._days_added)
        return self._by_dateutil(cell) if _named_month()(cell) else None

    def _here(self, text: str, name: str) -> str | None:
        """A text before a zone's letters, where the account's own zone has these at that time."""
        found = None if _ISO_ZONED.fullmatch(text) else self.read(text)
        if found is None or len(found) == DATE:
            return None
        moment = datetime.fromisoformat(found).replace(tzinfo=self._zone)
        return found if moment.tzname() == name else None

    def _zoned(self, cell: str) -> str | None:
        try:
            moment = datetime.fromisoformat(_UTC.sub("Z", cell).replace(" +", "+"))
            return canonical(moment.astimezone(self._zone))
        except (ValueError, OverflowError):
            return None

    def _by_dateutil(self, cell: str) -> str | None:
        """The last resort. Read over two defaults: what differs was guessed, and is refused."""
        from dateutil.parser import parse

        readings = []
        for default in (datetime(2000, 1, 1), datetime(2004, 2, 2, 11, 11, 11)):
            try:
                moment = parse(cell, dayfirst=True, default=default, tzinfos=self._named_zone)
                readings.append(moment.astimezone(self._zone) if moment.tzinfo else moment)
            except (ValueError, OverflowError, TypeError):
                return None
        one, two = readings
        if one.date() != two.date():
            return None
        timed = one.hour == two.hour and one.minute == two.minute
        return canonical(one) if timed else one.date().isoformat()

    def _named_zone(self, name: str | None, offset: int | None) -> tzinfo | int | None:
        """An offset counts as it stands; a zone's letters only where they can mean one thing."""
        if offset is not None or name is None:
            return offset
        if (
            self._zone is not None
            and name == datetime(2000, 1, 1).replace(tzinfo=self._zone).tzname()
        ):
            return self._zone
        raise ValueError(f"zone {name}")


# Made when a cell needs them: that takes longer than the whole check of a small file.


@cache
def _clocks() -> Mapping[str, str]:
    """What may stand behind a day, and what is sent for it."""
    clocks = (f" {hour:02}:{minute:02}" for hour in range(24) for minute in range(60))
    return {"": "", **{clock: f"{clock}:00" for clock in clocks}}


@cache
def _shapes(order: DateOrder) -> Sequence[re.Pattern[str]]:
    shapes = (_NUMERIC[order], *_ORDERLESS)
    return [re.compile(shape + _TIME, re.IGNORECASE | re.ASCII) for shape in shapes]


@cache
def _named_month() -> Callable[[str], object]:
    names = "|".join(_MONTHS)
    return re.compile(rf"(?<![a-z])(?:{names})(?![a-z])", re.IGNORECASE).search


def other_order(text: str, order: DateOrder) -> DateOrder | None:
    """Month first instead of day first, or the reverse, where only so the text is a date."""
    other = _REVERSED.get(order)
    return other if other is not None and _read_in(other)(text) is not None else None


@lru_cache
def _read_in(order: DateOrder) -> Callable[[str], str | None]:
    return Dates(None, order).read


def canonical(moment: datetime) -> str:
    """A moment's wall clock as `YYYY-MM-DD HH:MM:SS`; such texts sort as the times do."""
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def _turned(text: str, order: DateOrder) -> str:
    """`25/12/2026` as `2026-12-25`; nothing where the order doesn't know such a date."""
    if order is DateOrder.YMD:
        return ""
    day, month = (text[:2], text[3:5]) if order is DateOrder.DMY else (text[3:5], text[:2])
    return f"{text[6:10]}-{month}-{day}"


def _from_parts(parts: dict[str, str | None]) -> str | None:
    year, month, day = parts["year"] or "", parts["month"] or "", int(parts["day"] or 0)
    whole_year = (
        int(year) if len(year) == 4 else int(year) + (1900 if int(year) >= _PIVOT else 2000)
    )
    try:
        found = date(whole_year, int(month) if month.isdigit() else _MONTHS[month.lower()], day)
    except ValueError:
        return None
    if parts["hour"] is None:
        return found.isoformat()
    if parts["minute"] is None and parts["half"] is None:
        return None
    clock = _clock(parts)
    return f"{found.isoformat()} {clock}" if clock else None


def _clock(parts: dict[str, str | None]) -> str | None:
    hour = int(parts["hour"] or 0)
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    half = (parts["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return f"{hour:02}:{minute:02}:{second:02}"


def _from_serial(cell: str, days_added: int) -> str | None:
    """Excel's day number, its fraction the time of day."""
    if int(cell[:5]) + days_added not in _SERIALS:
        return None
    seconds = round(float(cell) * 86400) + days_added * 86400
    moment = datetime(1899, 12, 30) + timedelta(seconds=seconds)
    return canonical(moment) if seconds % 86400 else moment.date().isoformat()
