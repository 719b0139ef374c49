"""What a sheet's XML says of its cells that the workbook library doesn't: one pass, in pieces.

In: pieces of the XML of an .xlsx's sheet. It counts hidden rows, notes cells that show an error and
formulas without a stored value, and holds every cell to its place: FileError where one stands so
far out that the library would lay out more than there is room for, ValueError where a cell's name
or a row's number is that of none, or a row stands twice.
"""

import html
import re
from itertools import pairwise

from ozodial.places import MOST_COLUMNS, MOST_ROWS
from ozodial.unpacking import MOST_TOLD, far_out

_MOST_CELLS = 40_000_000
"""A million rows of 40 columns; the library takes 32 bytes for each, filled or not."""

_LONGEST_ROW = 1 << 19

_FORMULA = re.compile(
    rb"<c\s([^<>]*)>\s*<f(?:\s[^<>]*)?(?:/>|>[^<]*</f>)\s*(<v\s*/>|<v>\s*</v>|<v\s[^<>]*/>)?\s*</c>"
)
_ERROR = re.compile(
    rb"""<c\s([^<>]*\bt="e"[^<>]*)>(?:\s*<f(?:\s[^<>]*)?(?:/>|>[^<]*</f>))?\s*<v>([^<]{1,20})</v>"""
)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN_ROW = re.compile(rb'<row\s(?:[^<>]*\s)?hidden="(?:1|true)"')
_FAR_CELL = re.compile(rb'<c\s(?:[^<>]*\s)?r="([A-Z]{2,3})\d')

# In a large text these are found faster than by `in`.
_ANY_FORMULA, _ANY_ERROR = re.compile(rb"<f[\s/>]"), re.compile(rb't="e"')
_ANY_HIDDEN, _ANY_FAR = re.compile(rb'hidden="'), re.compile(rb'r="[A-Z]{2}')
_ANY_PREFIX = re.compile(rb":(?:row|c)[\s/>]")
_PREFIXED = re.compile(rb"<[^\s<>/:?!]+:(?:row|c)[\s/>]")

_ROOT = re.compile(rb"<((?:[^\s<>/:?!]+:)?)worksheet[\s>]")
_ROW_NUMBER = re.compile(rb'<row r="(\d{1,7})"')
_OTHERS = rb'(?: (?!r=)[\w:.]+="[^"<>]*+")*+ ?/?>'
_CONTENT = rb"(?:<(?!/?row[\s>]|c[\s/>])[^<]*+)*+"
# The two shapes of most cells stand first: a text written in its cell, and a value.
_BEHIND_NAME = (
    rb'(?: t="inlineStr"><is><t>[^<]*+</t></is></c>'
    rb'|(?: s="\d++")?+(?: t="\w++")?+><v>[^<]*+</v></c>|' + _OTHERS + _CONTENT + rb")"
)
_CELLS = rb'(?:<c r="[A-Z]{1,3}\1"' + _BEHIND_NAME + rb")*+"
_UNPLAIN_ROW = re.compile(
    rb'<row(?=[\s/>])(?! r="(\d{1,7})"' + _OTHERS + rb"(?:(?<=/>)|" + _CELLS + rb"</row>)"
    rb"\s*+(?:<row[\s/>]|</sheetData>|\Z))"
)
"""A row that is not written as most programs do, with its own number in the name of each cell."""

_TAG = re.compile(rb"""<(row|c)(?=[\s/>])((?:[^>"']++|"[^"]*+"|'[^']*+')*+)""")
_ATTRIBUTE = re.compile(rb"""(?<![\w:.-])r\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_CELL = re.compile(rb"([A-Za-z]{1,3})(\d{1,7})")


class Look:
    """One pass over a sheet's XML, piece by piece."""

    def __init__(self, label: str) -> None:
        self.row = 0
        self.unvalued: dict[int, list[int]] = {}
        self.errors: dict[int, dict[int, str]] = {}
        self.hidden = 0
        self._label = label
        self._prefix = b""
        self._rest = b""
        self._columns = 26
        self._filled = 0
        self._is_settled = True
        self._told = 0

    def at(self, piece: bytes, *, last: bool = False) -> None:
        """Take in a piece; what stands at its end may go on in the next."""
        text = self._rest + piece
        if not self.row and not self._prefix and (root := _ROOT.search(text)) is not None:
            self._prefix = root[1]
        cut = len(text) if last else self._cut(text)
        done, self._rest = text[:cut], text[cut:]
        if self._prefix:
            done = done.replace(b"<" + self._prefix, b"<").replace(b"</" + self._prefix, b"</")
        if _ANY_FORMULA.search(done) is not None:
            self._formulas(done)
        if _ANY_ERROR.search(done) is not None:
            self._errors(done)
        if _ANY_HIDDEN.search(done) is not None:
            self.hidden += len(_HIDDEN_ROW.findall(done))
        self._places(done)

    def _cut(self, text: bytes) -> int:
        """Where the last row begins; in a row that is too long its last cell, or its last tag."""
        for tag in (b"row", b"c ", b""):
            cut = max(0, text.rfind(b"<" + (self._prefix + tag if tag else b"")))
            if len(text) - cut <= _LONGEST_ROW:
                return cut
        raise ValueError("a piece of its XML is longer than any")

    def _formulas(self, text: bytes) -> None:
        for match in _FORMULA.finditer(text):
            attributes, value = match.groups()
            place = _PLACE.search(attributes)
            # The value of a formula that gives text may well be empty.
            if place is not None and (value is None or b't="str"' not in attributes):
                row, column = int(place[2]), _column(place[1])
                self._tell()
                self.unvalued.setdefault(row, []).append(column)

    def _errors(self, text: bytes) -> None:
        for attributes, value in _ERROR.findall(text):
            place = _PLACE.search(attributes)
            if place is not None:
                row, column = int(place[2]), _column(place[1])
                self._tell()
                self.errors.setdefault(row, {})[column] = html.unescape(
                    value.decode("ascii", "replace")
                )

    def _tell(self) -> None:
        self._told += 1
        if self._told > MOST_TOLD:
            raise ValueError("more of its cells have no value than there is room for")

    def _places(self, text: bytes) -> None:
        """A cell in a far corner makes the library lay out all that lies between."""
        if _ANY_PREFIX.search(text) is not None and _PREFIXED.search(text) is not None:
            raise ValueError("its rows are not of the sheet's own kind")
        if _ANY_FAR.search(text) is not None:
            self._columns = max(self._columns, *map(_width, _FAR_CELL.findall(text)), 1)
        at = _next_row(text, 0)
        self._one_by_one(text[:at])
        while at < len(text):
            unplain = _UNPLAIN_ROW.search(text, at)
            begin = unplain.start() if unplain is not None else len(text)
            self._in_order(list(map(int, _ROW_NUMBER.findall(text, at, begin))))
            at = _next_row(text, begin + 1)
            self._one_by_one(text[begin:at])
        if (last := text.rfind(b"<c ")) >= 0:
            number = _ROW_NUMBER.match(text, max(0, text.rfind(b"<row ", 0, last)))
            self._filled = max(self._filled, int(number[1]) if number is not None else 0)
        rows, columns = self._filled, self._columns
        if self.row > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > _MOST_CELLS:
            raise far_out(self._label, rows, columns)

    def _in_order(self, numbers: list[int]) -> None:
        for before, number in pairwise([self.row, *numbers]):
            if number <= before:
                raise ValueError(f"its row {number} stands twice, or not in its place")
        self.row = numbers[-1] if numbers else self.row

    def _one_by_one(self, text: bytes) -> None:
        """The rows and cells of a text that may begin within a row."""
        for tag, attributes in _TAG.findall(text):
            names = [one or two for one, two in _ATTRIBUTE.findall(attributes)]
            if len(names) > 1:
                raise ValueError(f"what stands below its row {self.row} has two names")
            name = names[0] if names else None
            if tag == b"row":
                self._in_order([_number(name) if name is not None else self.row + 1])
                self._is_settled = name is not None
                continue
            if name is None:
                self._is_settled = True
            else:
                self._named(name)
            self._filled = self.row

    def _named(self, name: bytes) -> None:
        """A row without a number may have that of its first cell."""
        cell = _CELL.fullmatch(name)
        row = int(cell[2]) if cell is not None else 0
        if cell is None or (row < self.row if not self._is_settled else row != self.row):
            raise ValueError(f"a cell of its row {self.row} is named as none can be")
        self.row, self._is_settled = row, True
        self._columns = max(self._columns, _width(cell[1]))


def _next_row(text: bytes, at: int) -> int:
    found = text.find(b"<row", at)
    return found if found >= 0 else len(text)


def _number(name: bytes) -> int:
    if not name.isdigit() or len(name) > 7:
        raise ValueError("a row has a number that none can have")
    return int(name)


def _width(letters: bytes) -> int:
    """A, Z, AA as 1, 26, 27."""
    return _column(letters) + 1


def _column(letters: bytes) -> int:
    """A, Z, AA as 0, 25, 26."""
    number = 0
    for byte in letters.upper():
        number = number * 26 + byte - 64
    return number - 1
