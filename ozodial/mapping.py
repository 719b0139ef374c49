"""The header row, and which of its columns is which of our fields.

In: the rows of a sheet and what the user said about its columns. Out: `Columns` and the rows below
the header. Everything that is missing, unknown or ambiguous comes as one `FileError` with the flag
that would mend each. It never decides between two columns and never takes one by its content.
"""

import shlex
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from itertools import chain

from ozodial.errors import FileError, UsageError
from ozodial.headers import (
    OURS,
    is_first_name,
    is_last_name,
    is_second_phone,
    key,
    usual_field,
)
from ozodial.headrows import find_header, is_phone_like, names_a_phone
from ozodial.models import Chunk, Columns, Field, Row
from ozodial.places import MOST_NAMED, letter, letters
from ozodial.shown import one_line, shown

_HEAD_ROWS = 25
"""How far down a header row is looked for, below titles and notes."""

_ONE_COLUMN = 'Put delimiter = ":", or what else parts the columns, into a --map-file.'
_LISTED = 40
_PROPOSED = 8
_MOSTLY = 0.8


def parse_map(text: str) -> tuple[Field, str]:
    """`FIELD=COLUMN` of `--map`: the field in any case, or by a usual word for it.

    Raises UsageError when it has another form or names no field.
    """
    name, equals, column = text.partition("=")
    found = usual_field(name)
    if not equals or not column.strip() or not name.strip():
        raise UsageError(
            f"--map {shown(text)} is not FIELD=COLUMN.", '--map PhoneNumber="Mobile No."'
        )
    if found is None:
        raise UsageError(f"--map: there is no field {shown(name)}.", "Fields: " + ", ".join(Field))
    return found, column.strip()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person said about the columns, by --map, --extra and the mapping file.

    `columns` wins over the usual words; `last_name` is put behind the column of Name; `constants`
    need no column.
    """

    columns: Mapping[Field, str] = field(default_factory=dict)
    extra: Sequence[str] = ()
    last_name: str | None = None
    constants: Mapping[Field, str] = field(default_factory=dict)


def locate(
    chunks: Iterator[Chunk], wanted: Wanted, *, needs_time: bool, has_at: bool, file: str
) -> tuple[Columns, Iterator[Chunk]]:
    """Find the header row and match its columns; what comes back are the rows below it.

    Raises FileError that names every column problem at once, or that there are no leads.
    """
    head = _head(chunks)
    if not head:
        raise FileError(f"{file} has no rows.", "Export the leads again, with a header row.")
    phone = wanted.columns.get(Field.PHONE)
    has_phone = partial(_has_column, phone) if phone is not None else None
    header = find_header(
        head[:_HEAD_ROWS], {key(name) for name in wanted.columns.values()}, has_phone
    )
    names = tuple(one_line(cell) for cell in header.cells)
    match = _Match(names, header.below, needs_time and not has_at, set(wanted.constants))
    matched = match.fields(wanted.columns, needs_time)
    last_name = match.last_name(wanted, matched)
    extras = match.extras(wanted.extra, matched)
    if match.problems:
        raise match.error(file, header.number)
    below = [*header.below, *head[_HEAD_ROWS:]]
    if not below:
        message = f"{file} has a header in row {header.number}, but no leads below."
        raise FileError(message, "Put a lead into each row below it, or export the leads again.")
    columns = Columns(
        header=header.cells,
        header_row=header.number,
        fields=tuple(matched.items()),
        extra=extras,
        last_name=last_name,
        constants=tuple(wanted.constants.items()),
    )
    numbers, rows = zip(*below, strict=True)
    return columns, chain([Chunk(numbers, rows)], chunks)


def header_test(wanted: Wanted) -> Callable[[Sequence[str]], bool]:
    """Whether a row is the header: by the phone's column if it was named, else by usual words."""
    phone = wanted.columns.get(Field.PHONE)
    if phone is not None:
        return partial(_has_column, phone)
    return lambda cells: names_a_phone(cells) or any(map(is_second_phone, cells))


def _head(chunks: Iterator[Chunk]) -> list[Row]:
    """The filled rows of as many chunks as it takes to see a header."""
    head: list[Row] = []
    for numbers, rows in chunks:
        head += filter(_is_filled, map(Row, numbers, rows))
        if len(head) > _HEAD_ROWS:
            break
    return head


def _is_filled(row: Row) -> bool:
    return any(cell.strip() for cell in row.cells)


def _has_column(column: str, cells: Sequence[str]) -> bool:
    return bool(_places(cells, column))


def _places(names: Sequence[str], column: str) -> list[int]:
    """Where a column stands: by its exact header, else by its key, `Name#2` for the second."""
    text = one_line(column)
    exact = [index for index, name in enumerate(names) if one_line(name) == text]
    if exact:
        return exact
    wanted = key(text)
    alike = [index for index, name in enumerate(names) if wanted and key(name) == wanted]
    base, _, nth = text.rpartition("#")
    if base.strip() and nth.isdecimal() and int(nth) > 0:
        same = _places(names, base)
        return same[int(nth) - 1 : int(nth)] or alike
    return alike


@dataclass
class _Match:
    """The matching of one header; it collects what is wrong and the flags that mend it."""

    names: tuple[str, ...]
    sample: Sequence[Row]
    time_is_missing: bool
    constants: set[Field]
    problems: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def fields(self, wanted: Mapping[Field, str], needs_time: bool) -> dict[Field, int]:
        """Field to column index, in the order in which fields are sent."""
        explicit = {each: self._named(each, column) for each, column in wanted.items()}
        taken = set(explicit.values())
        matched: dict[Field, int] = {}
        for each in Field:
            if each in self.constants:
                continue
            if each in wanted:
                index = explicit[each]
            else:
                index = self._usual(each, taken, asks=each is not Field.SCHEDULED or needs_time)
            if index is not None and index in matched.values():
                other = next(one for one, place in matched.items() if place == index)
                name = shown(self.names[index])
                self.problems.append(f"{name} can't be both {other} and {each}")
            elif index is not None:
                matched[each] = index
        return matched

    def last_name(self, wanted: Wanted, matched: Mapping[Field, int]) -> int | None:
        """The column behind the name's, where a CRM keeps first and last names apart."""
        if wanted.last_name is not None:
            return self._one("Name", wanted.last_name, lambda name: f"Name = [..., {name!r}]")
        name = matched.get(Field.NAME)
        if name is None or Field.NAME in wanted.columns or not is_first_name(self.names[name]):
            return None
        return self._only(is_last_name)

    def extras(
        self, extra: Sequence[str], matched: Mapping[Field, int]
    ) -> tuple[tuple[str, int], ...]:
        """Own name and column index of every --extra column."""
        found: dict[str, int] = {}
        sent = {key(each): each for each in (*matched, *self.constants)}
        for column in dict.fromkeys(extra):
            index = self._one("--extra", column, lambda name: f"--extra {_quoted(name)}")
            if index is None:
                continue
            name = self.names[index]
            if key(name) in sent:
                clash = sent[key(name)]
                self.problems.append(f"--extra {shown(name)} is sent already, as {clash}")
            else:
                found[name] = index
        return tuple(found.items())

    def error(self, file: str, header_row: int) -> FileError:
        """All problems as one sentence with the file's headers, and the flags as the hint."""
        named = [shown(name) for name in self.names if name]
        more = f" and {len(named) - _LISTED:,} more" if len(named) > _LISTED else ""
        headers = ", ".join(named[:_LISTED]) + more
        message = f"{file}: {'; '.join(self.problems)}. Headers in row {header_row}: {headers}."
        if any(map(is_phone_like, self.names)):
            message += f" Row {header_row} looks like a lead, and would be lost as a header."
            return FileError(message, f"Put a header row above it, such as {self._proposed()}")
        return FileError(message, " ".join(self.flags) or None)

    def _proposed(self) -> str:
        """A header for rows that have none."""
        phone = next(i for i, name in enumerate(self.names) if is_phone_like(name))
        names = [letter(i) for i in range(len(self.names))][:_PROPOSED]
        if phone < len(names):
            names[phone] = Field.PHONE
        return ",".join(names) + (",…" if len(self.names) > len(names) else "")

    def _named(self, each: Field, column: str) -> int | None:
        return self._one("--map", column, lambda name: _flag(each, name))

    def _one(self, option: str, column: str, flag: Callable[[str], str]) -> int | None:
        """The one place of a column that the user named, or a problem."""
        places = (
            [] if key(column) == "" and column.startswith(OURS) else _places(self.names, column)
        )
        if len(places) == 1:
            if is_phone_like(self.names[places[0]]):
                self.problems.append(f"{option}: {shown(column)} is a phone, not a header")
            return places[0]
        if places:
            self.problems.append(
                f"{option}: {len(places)} columns are called {shown(column)} "
                f"(columns {letters(places)})"
            )
            self.flags.append(flag(f"{self.names[places[0]]}#1"))
        else:
            self.problems.append(f"{option}: there is no column {shown(column)}")
            close = get_close_matches(column, [name for name in self.names if name], 1)
            self.flags.append(flag(close[0] if close else "COLUMN"))
        return None

    def _usual(self, each: Field, taken: set[int | None], *, asks: bool) -> int | None:
        """The one column that usually means a field; two are a problem unless nobody asks."""
        places = [
            index
            for index, name in enumerate(self.names)
            if index not in taken and usual_field(name) is each
        ]
        if len(places) == 1:
            return places[0]
        if not places and each is Field.PHONE:
            places = self._such(is_second_phone, taken)
            if len(places) == 1:
                return places[0]
        if not places and each is Field.NAME:
            first = self._only(is_first_name, taken)
            return first if first is not None else self._only(is_last_name, taken)
        if places and asks:
            self._ambiguous(each, places)
        elif not places and each is Field.PHONE:
            self._no_phone(taken)
        elif not places and each is Field.SCHEDULED and self.time_is_missing:
            self.problems.append("no column for ScheduledTime")
            self.flags.append(f'{_flag(each, "COLUMN")} (or --at "tomorrow 10:00")')
        return None

    def _such(self, test: Callable[[str], bool], taken: Container[int | None]) -> list[int]:
        return [i for i, name in enumerate(self.names) if i not in taken and test(name)]

    def _only(self, test: Callable[[str], bool], taken: Container[int | None] = ()) -> int | None:
        """The place of the one header of that kind; nobody asks for the kind, so two are none."""
        places = self._such(test, taken)
        return places[0] if len(places) == 1 else None

    def _ambiguous(self, each: Field, places: list[int]) -> None:
        names = [self.names[index] for index in places]
        listed = " and ".join(shown(name) for name in names[:MOST_NAMED])
        self.problems.append(
            f"{len(places)} columns fit {each}: {listed} (columns {letters(places)})"
        )
        best = self.names[max(places, key=self._phones_in) if each is Field.PHONE else places[0]]
        same = _places(self.names, best)
        self.flags.append(_flag(each, best if len(same) == 1 else f"{best}#1"))

    def _no_phone(self, taken: set[int | None]) -> None:
        """Name the columns whose cells are phones; which one to take is for a person to say."""
        such = [index for index in range(len(self.names)) if self._holds_phones(index, taken)]
        self.problems.append("no column for PhoneNumber")
        named = [index for index in such if self.names[index]]
        if such:
            told = ", ".join(
                f"{shown(self.names[i])} ({letter(i)})" if self.names[i] else letter(i)
                for i in such[:_LISTED]
            )
            self.problems[-1] += f" (the cells of column {told} look like phones)"
        if not such and len(self.names) == 1:
            self.flags.append(_ONE_COLUMN)
            return
        self.flags.append(_flag(Field.PHONE, self.names[named[0]] if named else "COLUMN"))

    def _holds_phones(self, index: int, taken: Container[int | None]) -> bool:
        filled = sum(bool(cell.strip()) for cell in self._cells(index))
        alike = self._phones_in(index)
        return index not in taken and alike > 0 and alike >= _MOSTLY * filled

    def _phones_in(self, index: int) -> int:
        return sum(map(is_phone_like, self._cells(index)))

    def _cells(self, index: int) -> list[str]:
        return [row.cells[index] for row in self.sample if index < len(row.cells)]


def _flag(each: Field, column: str) -> str:
    return f"--map {_quoted(column, f'{each}=')}"


def _quoted(column: str, before: str = "") -> str:
    """Ready to paste: in double quotes, as people write it, unless the shell would act on it."""
    # Characters that don't print are no part of a column's key, so it is found without them.
    column = "".join(char for char in column if char.isprintable())
    safe = not set(column) & set('"$`\\!')
    return f'{before}"{column}"' if safe else shlex.quote(before + column)
