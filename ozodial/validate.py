"""A row as a lead, or everything that is wrong with it.

In: one row, how its columns were matched, and the rules. Out: `Checked`, its values as they will be
sent. Every problem of a row is named with its cell, not only the first. It never changes a value
beyond the form that the vendor asks for, says so where it did, and never looks at any other row.
"""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from operator import itemgetter

from ozodial.bulk import END_OF_DAY, PRIORITIES, Bulk, Many
from ozodial.dates import DATE, Dates, canonical
from ozodial.endpoints import NAME_RULE, fits_name_rule, plain_name
from ozodial.fillers import ERRORS, FILLERS, NAME_FILLERS
from ozodial.misdated import unreadable, wrong_time
from ozodial.models import (
    BrokenRow,
    Checked,
    Chunk,
    Columns,
    Field,
    Problem,
    Reason,
    Row,
    Rules,
)
from ozodial.phones import Phones
from ozodial.places import before, letter
from ozodial.shown import cleaned, one_line, shown

_PRIORITY = re.compile(r"0*([1-9]\d?)(?:\.0*)?", re.ASCII)
_STRICT = "which the mapping file's strict = true makes an error"
_VALUED = "open the file in a spreadsheet, save it, and run again"

_Wrong = tuple[Reason, Field | None, str]
"""What is wrong, with the field whose cell it is in; None means the row."""

_Note = tuple[Field, str]
"""What is sent otherwise than it stands, with its field."""

_strip = str.strip

_PHONE = 0
_SCHEDULED = 1
"""`Columns.sent` begins with the phone and, where the endpoint has one, the time."""


class Validator:
    """Checks the rows of one file."""

    def __init__(self, columns: Columns, rules: Rules) -> None:
        self._rules = rules
        self._phones = Phones(rules.region, rules.phone_form)
        self._fast_phone = self._phones.fast
        dates = Dates(rules.now.tzinfo, rules.date_order, since_1904=rules.since_1904)
        self._read_date = dates.read
        self._now = canonical(rules.now)
        self._horizon = canonical(rules.now + timedelta(days=rules.horizon_days))
        self._width = len(columns.header)
        self._columns = columns
        self._needs_time = rules.needs_time
        self._hours = rules.hours
        self._places: dict[Field | None, int] = dict(columns.fields)
        self._letters = {field: letter(index) for field, index in self._places.items()}
        self._headers = {
            field: one_line(columns.header[index]) or str(field) for field, index in columns.fields
        }
        self._sheet = before(rules.sheet)
        places = dict(columns.fields)
        self._added: list[str] = []
        self._add_cells(places)
        indexes = [places[field] for field in Field if field in places]
        self._pick = _picker([*indexes, *(index for _, index in columns.extra)])
        names = columns.sent(rules.needs_time)
        self._name = names.index(Field.NAME) if Field.NAME in places else 0
        self._is_plain = fits_name_rule if rules.plain_names else str.isprintable
        self._last_name = columns.last_name
        self._expiry = names.index(Field.EXPIRY) if Field.EXPIRY in places else 0
        self._priority = names.index(Field.PRIORITY) if Field.PRIORITY in places else 0
        self._limit = rules.row_characters
        self._header_characters = sum(map(len, names))
        self._unvalued = rules.unvalued
        self._optional = [
            (names.index(field), field, NAME_FILLERS if field is Field.NAME else FILLERS)
            for field in Field
            if field is not Field.PHONE and field in names
        ]
        used = {*indexes, *(index for _, index in columns.extra), columns.last_name}
        self._used = frozenset(index for index in used if index is not None)
        self._bulk = Bulk(columns, rules, self._phones, dates)

    def _add_cells(self, places: dict[Field, int]) -> None:
        """Constants, and an empty ScheduledTime where there is no column, stand behind the row."""
        if not self._needs_time:
            places.pop(Field.SCHEDULED, None)
        added = dict(self._columns.constants)
        if self._needs_time and Field.SCHEDULED not in places:
            added.setdefault(Field.SCHEDULED, "")
        for field, value in added.items():
            places[field] = self._width + len(self._added)
            self._added.append(value)

    def check_many(self, chunk: Chunk) -> Many:
        """Most rows at once; the odd ones want `check_odd`."""
        many = self._bulk(chunk.rows)
        if self._unvalued:
            missing = {i for i, number in enumerate(chunk.numbers) if number in self._unvalued}
            told = {place: phone for place, phone in many.told.items() if place not in missing}
            return many._replace(odd=sorted(missing.union(many.odd)), told=told)
        return many

    def check_odd(self, row: Row, place: int, many: Many) -> Checked:
        """`check` for an odd row of many; where its phone alone is odd, for a third of the cost."""
        found = many.told.get(place)
        if found is None or (found.several and self._rules.strict):
            return self.check(row)
        values, time = many.values[place], many.times[place]
        if found.reason is None:
            note = f"{self._ref(row.number, Field.PHONE)}: {found.note}"
            return Checked(row.number, found.number, values, time, (), note)
        text = row.cells[self._places[Field.PHONE]].strip()
        if self._limit is not None or text in ERRORS:
            return self.check(row)
        problems = self._placed(row.number, [(found.reason, Field.PHONE, found.message)])
        return Checked(row.number, text, (text, *values[1:]), time, problems)

    def check(self, row: Row) -> Checked:
        """The row as it will be sent, or with its problems."""
        number, cells = row
        if len(cells) != self._width or isinstance(cells, BrokenRow):
            if isinstance(cells, BrokenRow) or any(map(_strip, cells[self._width :])):
                return self._unreadable(row)
            cells = [*cells, *[""] * (self._width - len(cells))]
        cells = [*cells[: self._width], *self._added]
        values = [*map(_strip, self._pick(cells))]
        problems: list[_Wrong] = []
        notes: list[_Note] = []
        for place, field, fillers in self._optional:
            if values[place] in fillers:
                notes.append((field, f"{shown(values[place])} was taken as empty"))
                values[place] = ""
        phone = self._fast_phone(values[_PHONE])
        values[_PHONE] = phone or self._odd_phone(values[_PHONE], problems, notes)
        scheduled = self._time(values, problems, notes) if self._needs_time else ""
        if self._last_name is not None:
            last_name = cells[self._last_name].strip()
            last_name = "" if last_name in NAME_FILLERS else last_name
            values[self._name] = f"{values[self._name]} {last_name}".strip()
        if self._name and not self._is_plain(values[self._name]):
            self._odd_name(values, problems, notes)
        if self._expiry and values[self._expiry]:
            self._expires(values, scheduled, problems, notes)
        if self._priority and values[self._priority] not in PRIORITIES:
            self._odd_priority(values, problems)
        if self._limit is not None:
            self._too_long(values, self._limit, problems)
        if broken := self._broken(number, cells):
            problems = self._instead(number, broken, problems)
        told = self._placed(number, problems)
        note = "; ".join(f"{self._ref(number, at)}: {said}" for at, said in notes)
        return Checked(number, values[_PHONE], tuple(values), scheduled, told, note)

    def _odd_phone(self, text: str, problems: list[_Wrong], notes: list[_Note]) -> str:
        found = self._phones.read_odd(text)
        if found.reason is not None:
            problems.append((found.reason, Field.PHONE, found.message))
            return text
        if found.several and self._rules.strict:
            said = found.note.replace(" was taken", " would be taken")
            problems.append((Reason.SEVERAL_PHONES, Field.PHONE, f"{said}, {_STRICT}"))
            return text
        if found.note:
            notes.append((Field.PHONE, found.note))
        return found.number

    def _time(self, values: list[str], problems: list[_Wrong], notes: list[_Note]) -> str:
        """The ScheduledTime that is sent, "" where there is none; problems are added."""
        text = values[_SCHEDULED]
        when = self._read_date(text) if text else self._rules.at
        if when is not None and len(when) == DATE and self._rules.default_time is not None:
            when = f"{when} {self._rules.default_time}"
        if self._hours is not None and when is not None and len(when) > DATE and self._now < when:
            when, said = self._hours.placed(when)
            if said and self._hours.shift:
                notes.append((Field.SCHEDULED, said))
            elif said:
                problems.append((Reason.TIME_OUTSIDE_HOURS, Field.SCHEDULED, said))
        if when is None or not self._now < when <= self._horizon or len(when) == DATE:
            days, order = self._rules.horizon_days, self._rules.date_order
            reason, said = wrong_time(text, when, self._now, days, order)
            problems.append((reason, Field.SCHEDULED, said))
        scheduled = when if when is not None and len(when) > DATE else ""
        values[_SCHEDULED] = scheduled or text
        return scheduled

    def _odd_name(self, values: list[str], problems: list[_Wrong], notes: list[_Note]) -> None:
        """A name with line breaks, or with characters that can't be sent, as it is sent."""
        name = values[self._name]
        values[self._name] = sent = cleaned(name)
        message = f"the name {shown(name)} was cleaned: {shown(sent)}"
        if self._rules.plain_names and not fits_name_rule(sent):
            sent = plain_name(sent)
            message = f"the name {shown(name)} is sent as {shown(sent)}: V4 takes {NAME_RULE} alone"
        if sent == name:
            return
        if self._rules.strict:
            problems.append((Reason.NAME_UNCLEAN, Field.NAME, f"{message}, {_STRICT}"))
        else:
            notes.append((Field.NAME, message))

    def _expires(
        self, values: list[str], scheduled: str, problems: list[_Wrong], notes: list[_Note]
    ) -> None:
        text = values[self._expiry]
        expiry = self._read_date(text)
        if expiry is not None and len(expiry) == DATE:
            expiry += END_OF_DAY  # the lead lives through its last day
        values[self._expiry] = expiry or text
        if expiry is None:
            message = unreadable(text, self._rules.date_order)
            problems.append((Reason.DATE_UNREADABLE, Field.EXPIRY, message))
        elif expiry < scheduled:
            message = f"{shown(text)} is before the row's ScheduledTime {scheduled}"
            problems.append((Reason.EXPIRY_BEFORE_SCHEDULE, Field.EXPIRY, message))
        elif expiry <= self._now:
            message = f"{shown(text)} is past: the account's time is {self._now}"
            problems.append((Reason.EXPIRY_PAST, Field.EXPIRY, message))
        elif self._rules.expiry_as_date and expiry[DATE:] != END_OF_DAY:
            message = f"{shown(text)} is sent as {expiry[:DATE]}: V4 takes a date without a time"
            notes.append((Field.EXPIRY, message))

    def _odd_priority(self, values: list[str], problems: list[_Wrong]) -> None:
        text = values[self._priority]
        match = _PRIORITY.fullmatch(text)
        if match is not None:
            values[self._priority] = match[1]
            return
        message = f"{shown(text)} is not a priority: write a whole number from 1 to 99"
        problems.append((Reason.PRIORITY_INVALID, Field.PRIORITY, message))

    def _too_long(self, values: Sequence[str], limit: int, problems: list[_Wrong]) -> None:
        size = self._header_characters + sum(map(len, values))
        if self._rules.expiry_as_date and self._expiry:
            size -= len(values[self._expiry][DATE:])
        if size > limit:
            message = (
                f"the row and its headers have {size:,} characters; the vendor takes {limit:,}"
            )
            problems.append((Reason.ROW_TOO_LONG, None, message))

    def _broken(self, number: int, cells: Sequence[str]) -> dict[int, tuple[Reason, str]]:
        """Cells that are sent and have no value: a formula's error, or a formula never reckoned."""
        unvalued = self._unvalued.get(number, ())
        without = Reason.FORMULA_WITHOUT_VALUE, f"the formula has no stored value: {_VALUED}"
        if not unvalued and ERRORS.isdisjoint(map(_strip, cells)):
            return {}
        broken = dict.fromkeys(self._used.intersection(unvalued), without)
        for index in self._used:
            if (text := cells[index].strip()) in ERRORS:
                said = f"the cell shows the error {text}: mend its formula, or empty the cell"
                broken[index] = Reason.CELL_ERROR, said
        return broken

    def _instead(
        self, number: int, broken: dict[int, tuple[Reason, str]], problems: list[_Wrong]
    ) -> list[_Wrong]:
        """A broken cell stands for all that its field seems to lack."""
        fields = {self._places[field]: field for field in Field if field in self._places}
        found: list[_Wrong] = []
        for index in sorted(broken):
            reason, said = broken[index]
            if index not in fields:
                said = f"in {self._sheet}{letter(index)}{number} {said}"
            found.append((reason, fields.get(index), said))
        told = {field for _, field, _ in found}
        return [*found, *(problem for problem in problems if problem[1] not in told)]

    def _unreadable(self, row: Row) -> Checked:
        """More cells than the header has, or a broken quote: nobody knows what belongs where."""
        cells = row.cells
        if isinstance(cells, BrokenRow):
            message = f'{cells.why}: write a quote inside a cell twice ("")'
        else:
            filled = [cell for cell in cells[self._width :] if cell.strip()]
            message = (
                f"the row has {len(cells)} cells under {self._width} headers "
                f"({shown(filled[0].strip())} is one too many): a stray delimiter moved its cells"
            )
        whole = [*cells, *[""] * (self._width - len(cells))][: self._width]
        values = [cell.strip() for cell in self._pick([*whole, *self._added])]
        problems = self._placed(row.number, [(Reason.ROW_UNREADABLE, None, message)])
        return Checked(row.number, values[_PHONE], tuple(values), "", problems)

    def _placed(self, number: int, problems: Sequence[_Wrong]) -> tuple[Problem, ...]:
        """The problems with the column's header, and the cell before the sentence."""
        return tuple(
            Problem(reason, self._header(field), f"{self._ref(number, field)}: {message}")
            for reason, field, message in problems
        )

    def _header(self, field: Field | None) -> str:
        return "" if field is None else self._headers.get(field, str(field))

    def _ref(self, number: int, field: Field | None) -> str:
        """The cell of a field, `Leads!B17`; the whole row where it is in no cell of its own."""
        column = self._letters.get(field)
        if column is None:
            return f"{self._sheet}A{number}:{letter(self._width - 1)}{number}"
        return f"{self._sheet}{column}{number}"


def _picker(indexes: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """The wanted cells of a row in one call."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    only = indexes[0]
    return lambda cells: (cells[only],)
