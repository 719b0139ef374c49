"""Which leads stand twice in a file, and which are on a suppression list.

In: normalised phones. Out: the row that had the same key before, or the list that holds the number.
Keys are 64-bit hashes in a compact table (20 MB for a million rows): among a million leads two meet
in one key with a chance of 3 in 100 million. It never keeps a phone's text.
"""

from array import array
from collections.abc import Sequence
from itertools import chain, islice

from ozodial.errors import FileError
from ozodial.headers import usual_field
from ozodial.models import Field, PhoneForm, Row
from ozodial.phones import Phones
from ozodial.places import MOST_NAMED, cell, letters
from ozodial.reader import Sheet, open_source, read
from ozodial.shown import shown

_ROOM = 0.6
_FULL = 0.75
_LEAST = 1024

_MOST_EXPECTED = 1 << 20
"""More is only believed when it comes: a file of empty lines may seem to have billions of rows."""

_LIST_HEAD = 50


class Seen:
    """The leads of one file so far; `expected` rows need no growing on the way.

    Open addressing: a slot holds the place in two arrays of keys and rows, so one look-up goes
    astray in memory and not three. 20 bytes a lead, where a dict of integers takes over 100.
    """

    def __init__(self, expected: int = 0) -> None:
        self._keys = array("q", [0])
        self._rows = array("I", [0])
        self._make(max(_LEAST, int(min(expected, _MOST_EXPECTED) / _ROOM)))

    def first(self, phone: str, scheduled: str, row: int) -> int | None:
        """The row that had this phone and time before, or None: then `row` has them from now on."""
        again = self.again([hash((phone, scheduled))], [row])
        return again[0][1] if again else None

    def again(self, keys: Sequence[int], rows: Sequence[int]) -> list[tuple[int, int]]:
        """Which of the keys were there before: (place among them, row that had it first)."""
        known = self._keys
        begin = len(known)
        if begin + len(keys) > self._most:
            self._make(2 * (begin + len(keys)))
        # The key of a lead that stands twice is kept twice: cheaper than to look first.
        known.extend(keys)
        self._rows.extend(rows)
        slots, mask = self._slots, self._mask
        found_again = []
        for number, key in enumerate(keys, begin):
            place = key & mask
            while found := slots[place]:
                if known[found] == key:
                    found_again.append((number - begin, self._rows[found]))
                    break
                place = (place + 1) & mask
            else:
                slots[place] = number
        return found_again

    def row_of(self, phone: str, scheduled: str) -> int | None:
        """The row that has this phone and time, and nothing changed."""
        key = hash((phone, scheduled))
        place = key & self._mask
        while found := self._slots[place]:
            if self._keys[found] == key:
                return self._rows[found]
            place = (place + 1) & self._mask
        return None

    def _make(self, least: int) -> None:
        """Slots anew, a power of two of them, with all keys so far."""
        size = 1 << (least - 1).bit_length()
        self._slots = slots = array("I", [0]) * size
        self._mask = mask = size - 1
        self._most = int(size * _FULL)
        for number, key in enumerate(self._keys):
            if number:
                place = key & mask
                while slots[place]:
                    place = (place + 1) & mask
                slots[place] = number


class Suppressed:
    """The numbers of all suppression lists, whose SHA-256s are `digests`.

    `said` is what a person should know of how they were read.
    """

    def __init__(self) -> None:
        self.lists: list[str] = []
        self.digests: list[str] = []
        self.said: list[str] = []
        self._numbers = Seen()

    def add(self, number: str, source: int) -> None:
        """Put a number of the list at that place in `lists`."""
        self._numbers.first(number, "", source + 1)

    def list_with(self, number: str) -> str | None:
        """The name of the first list that holds a normalised number."""
        found = self._numbers.row_of(number, "")
        return None if found is None else self.lists[found - 1]


def load_suppression(
    paths: Sequence[str], region: str, form: PhoneForm = PhoneForm.NATIONAL
) -> Suppressed:
    """Read suppression lists of any readable format: every column of phones, header or not.

    Every number of a cell counts. Raises FileError for a file that can't be read or has no phones.
    """
    suppressed = Suppressed()
    if not paths:
        return suppressed
    phones = Phones(region, form)
    for place, path in enumerate(paths):
        with open_source(path) as source:
            suppressed.lists.append(source.label)
            suppressed.digests.append(source.sha256)
            sheet = read(source, fits=lambda cells: any(map(phones.every, cells)))
            _load(sheet, phones, suppressed, place)
    return suppressed


def _load(sheet: Sheet, phones: Phones, suppressed: Suppressed, place: int) -> None:
    label, rows = suppressed.lists[place], iter(sheet.rows)
    head = list(islice(rows, _LIST_HEAD))
    columns = _phone_columns(head, phones)
    if len(head) == 1 and any(usual_field(text) is Field.PHONE for text in head[0].cells):
        suppressed.said.append(f"the suppression list {shown(label)} holds no numbers")
        return
    if not columns:
        raise FileError(
            f"{label} has no column of phone numbers.",
            "A suppression list needs its numbers in a column of their own.",
        )
    if len(columns) > 1:
        suppressed.said.append(
            f"the suppression list {shown(label)} has phone numbers in {len(columns)} columns "
            f"({letters(columns)}): all of them count"
        )
    unread: list[str] = []
    count = 0
    begun: set[int] = set()
    for row in chain(head, rows):
        for column in columns:
            text = row.cells[column] if column < len(row.cells) else ""
            numbers = phones.every(text)
            for number in numbers:
                suppressed.add(number, place)
            if numbers:
                begun.add(column)
            # What stands above the first number is a title or a header.
            elif column in begun and text.strip():
                count += 1
                if len(unread) < MOST_NAMED:
                    unread.append(cell(sheet.name, row.number, column))
    if count:
        suppressed.said.append(_unread(label, count, unread))


def _unread(label: str, count: int, named: Sequence[str]) -> str:
    cells = "1 cell" if count == 1 else f"{count:,} cells"
    more = ", …" if count > len(named) else ""
    return (
        f"{cells} of the suppression list {shown(label)} can't be read as a phone number: "
        f"{', '.join(named)}{more}"
    )


def _phone_columns(head: Sequence[Row], phones: Phones) -> list[int]:
    """The columns in which most filled cells below a header are phones."""
    width = max((len(row.cells) for row in head), default=0)
    found = []
    for column in range(width):
        cells = [row.cells[column] for row in head if column < len(row.cells)]
        filled = [text for text in cells if text.strip()]
        good = sum(bool(phones.every(text)) for text in filled)
        if good and good * 2 >= len(filled) - 1:
            found.append(column)
    return found
