"""Many rows at once, checked column by column: what `validate` says of each, for half the cost.

In: rows of a sheet. Out: the values of all of them as they will be sent, and the places of those
that are odd in any way. Of an odd row nothing here counts: `Validator.check` reads it itself, and
is the only one that finds problems. A test holds the two equal.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import NamedTuple

from ozodial.dates import DATE, Dates, canonical
from ozodial.endpoints import fits_name_rule
from ozodial.fillers import ERRORS, FILLERS, NAME_FILLERS
from ozodial.models import BrokenRow, Columns, Field, Rules
from ozodial.moments import Moments
from ozodial.phones import Phone, Phones

END_OF_DAY = " 23:59:59"
PRIORITIES = frozenset(["", *map(str, range(1, 100))])

_NEVER = "9999-12-31"

_WIDE = 5
"""To turn the whole table round costs as much for each of its columns as a fifth of a pick."""

_Rows = Sequence[Sequence[str]]
_Table = Mapping[int, Sequence[str]]
"""Columns by their index, those at least that are used."""

_Pick = Callable[[_Table], Sequence[str]]
_Read = Callable[[Sequence[str], set[int]], Sequence[str]]
"""A column's texts as they will be sent; the places of what isn't plain are added."""


class Many(NamedTuple):
    """Rows after the check: `values` in the order of `Columns.sent`, `odd` in that of the rows.

    `told` are the phones of those odd rows where all else is plain.
    """

    phones: Sequence[str]
    values: Sequence[tuple[str, ...]]
    times: Sequence[str]
    odd: Sequence[int]
    told: Mapping[int, Phone]


class Bulk:
    """Checks the rows of one file."""

    def __init__(self, columns: Columns, rules: Rules, phones: Phones, dates: Dates) -> None:
        self._phones = phones
        self._read_date = dates.read
        self._rules = rules
        self._now = canonical(rules.now)
        self._horizon = canonical(rules.now + timedelta(days=rules.horizon_days))
        self._is_plain = fits_name_rule if rules.plain_names else str.isprintable
        self._width = len(columns.header)
        alone = f" {rules.default_time}" if rules.default_time is not None else None
        self._in_hours = rules.hours.hold if rules.hours is not None else None
        # within calling hours no day is open to any time, so none is remembered
        last = self._horizon if rules.hours is None else self._now
        times = Moments(self._time, dates.read, self._now, last, alone)
        expiries = Moments(self._expiry, dates.read, self._now, _NEVER, END_OF_DAY)
        self._readers: dict[str, _Read] = {
            Field.PHONE: self._phone_numbers,
            Field.SCHEDULED: _on_stripped(times.read),
            Field.NAME: self._printable,
            Field.EXPIRY: _on_stripped(expiries.read),
            Field.PRIORITY: self._priorities,
        }
        names = columns.sent(rules.needs_time)
        self._expiry_at = names.index(Field.EXPIRY) if Field.EXPIRY in names else 0
        self._header_characters = sum(map(len, names))
        self._names: list[_Pick] = []
        self._told: dict[int, Phone] = {}
        self._columns = self._of(columns)

    def _of(self, columns: Columns) -> list[tuple[_Pick, _Read]]:
        """Where the texts of each value come from, and how they are read."""
        picks = {field: _column(index) for field, index in columns.fields}
        alike = dict(columns.constants)
        if columns.last_name is not None:
            parts = dict(columns.fields)[Field.NAME], columns.last_name
            picks[Field.NAME] = _joined(*parts)
            self._names = [*map(_column, parts)]
        if not self._rules.needs_time:
            picks.pop(Field.SCHEDULED, None)
        elif Field.SCHEDULED not in picks:
            alike[Field.SCHEDULED] = ""
        reads = {field: self._readers.get(field, _telling) for field in picks}
        for field, text in alike.items():
            picks[field] = _same(text)
            reads[field] = _once(self._readers.get(field, _telling))
        used = {*dict(columns.fields).values(), *(index for _, index in columns.extra)}
        self._used = sorted(used if columns.last_name is None else {*used, columns.last_name})
        ours = [(picks[field], reads[field]) for field in Field if field in picks]
        return [*ours, *((_column(index), _right) for _, index in columns.extra)]

    def __call__(self, rows: _Rows) -> Many:
        """All of the rows."""
        odd: set[int] = set()
        self._told = {}
        table = self._table(self._of_one_width(rows, odd))
        columns = [read(pick(table), odd) for pick, read in self._columns]
        for pick in self._names:
            self._printable(pick(table), odd)
        times = columns[1] if self._rules.needs_time else [""] * len(rows)
        if self._expiry_at:
            pairs = enumerate(zip(columns[self._expiry_at], times, strict=True))
            odd.update(place for place, (expiry, time) in pairs if expiry and expiry < time)
        values = list(zip(*columns, strict=True))
        if self._rules.row_characters is not None:
            most = self._rules.row_characters - self._header_characters
            odd.update(place for place, row in enumerate(values) if len("".join(row)) > most)
        told = {place: phone for place, phone in self._told.items() if place not in odd}
        return Many(columns[0], values, times, sorted(odd.union(told)), told)

    def _table(self, rows: _Rows) -> _Table:
        if rows and self._width < _WIDE * len(self._used):
            return dict(enumerate(zip(*rows, strict=True)))
        return {index: list(map(itemgetter(index), rows)) for index in self._used}

    def _of_one_width(self, rows: _Rows, odd: set[int]) -> _Rows:
        """The rows, with an empty one for each that is broken, or too short or long."""
        if set(map(len, rows)) == {self._width} and BrokenRow not in set(map(type, rows)):
            return rows
        blank = [""] * self._width
        whole = []
        for place, row in enumerate(rows):
            good = len(row) == self._width and type(row) is not BrokenRow
            whole.append(row if good else blank)
            if not good:
                odd.add(place)
        return whole

    def _phone_numbers(self, texts: Sequence[str], _odd: set[int]) -> Sequence[str]:
        numbers = self._phones.fast_many(texts)
        if not all(numbers):
            for place in [place for place, number in enumerate(numbers) if not number]:
                found = self._phones.read_odd(texts[place].strip())
                numbers[place] = found.number
                if found.reason is not None or found.note:
                    self._told[place] = found
        return numbers

    def _time(self, text: str) -> str | None:
        when = self._read_date(text) if text else self._rules.at
        if when is not None and len(when) == DATE and self._rules.default_time is not None:
            when = f"{when} {self._rules.default_time}"
        if when is None or len(when) == DATE or not self._now < when <= self._horizon:
            return None
        return when if self._in_hours is None or self._in_hours(when) else None

    def _expiry(self, text: str) -> str | None:
        expiry = self._read_date(text) if text else ""
        if expiry is not None and len(expiry) == DATE:
            expiry += END_OF_DAY
        if self._rules.expiry_as_date and expiry and expiry[DATE:] != END_OF_DAY:
            return None
        return expiry if expiry == "" or (expiry is not None and expiry > self._now) else None

    def _printable(self, texts: Sequence[str], odd: set[int]) -> Sequence[str]:
        names = _right(texts, odd)
        if not NAME_FILLERS.isdisjoint(names):
            odd.update(place for place, name in enumerate(names) if name in NAME_FILLERS)
        if not self._is_plain("".join(names)):
            odd.update(place for place, name in enumerate(names) if not self._is_plain(name))
        return names

    def _priorities(self, texts: Sequence[str], odd: set[int]) -> Sequence[str]:
        found = _stripped(texts, odd)
        if not PRIORITIES.issuperset(found):
            odd.update(place for place, text in enumerate(found) if text not in PRIORITIES)
        return found


def _column(index: int) -> _Pick:
    return itemgetter(index)


def _same(text: str) -> _Pick:
    return lambda table: [text] * len(next(iter(table.values())))


def _joined(first: int, last: int) -> _Pick:
    return lambda table: [
        f"{one.strip()} {two.strip()}" for one, two in zip(table[first], table[last], strict=True)
    ]


def _right(texts: Sequence[str], odd: set[int]) -> list[str]:
    """Any text but a formula's error."""
    found = _stripped(texts, odd)
    if not ERRORS.isdisjoint(found):
        odd.update(place for place, text in enumerate(found) if text in ERRORS)
    return found


def _telling(texts: Sequence[str], odd: set[int]) -> list[str]:
    """Any text but one that stands for an empty cell."""
    found = _right(texts, odd)
    if not FILLERS.isdisjoint(found):
        odd.update(place for place, text in enumerate(found) if text in FILLERS)
    return found


def _stripped(texts: Sequence[str], _odd: set[int]) -> list[str]:
    return list(map(str.strip, texts))


def _on_stripped(read: _Read) -> _Read:
    return lambda texts, odd: read(_stripped(texts, odd), odd)


def _once(read: _Read) -> _Read:
    """For a column that has the same text in all rows."""

    def alike(texts: Sequence[str], odd: set[int]) -> Sequence[str]:
        found: set[int] = set()
        value = read(texts[:1], found)
        if found:
            odd.update(range(len(texts)))
        return [*value] * len(texts)

    return alike
