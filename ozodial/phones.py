"""A cell's phone number as the dialer wants it, read by libphonenumber's rules for one region.

In: the text of a cell. Out: a `Phone`: the national number for the home region, `+CC…` for another
country, or what is wrong with it. What a spreadsheet adds (`.0`, an apostrophe, non-breaking and
zero-width characters) is taken off first; a value that lost digits is never completed, and letters
are never turned into digits. The fast path takes only what the library's own patterns take.
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ozodial.errors import UsageError
from ozodial.models import PhoneForm, Reason
from ozodial.numbering import PLAIN, Abroad, fast_path, least_digits, many_path, short_code_in
from ozodial.shown import shown

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber


class Phone(NamedTuple):
    """A number as it is sent, perhaps with a note; or the reason and a sentence why not.

    `several`: it is the first good one of several in the cell.
    """

    number: str
    note: str = ""
    reason: Reason | None = None
    message: str = ""
    several: bool = False


_LONGEST = 250
"""The library reads no more; a cell of that length is no phone number."""

_WHOLE = 10
_MANY = 64
"""For fewer cells the pattern for many takes longer to make than it saves."""

_CACHED = 4096

_EXCEL_FLOAT = re.compile(r"(\+?\d+)(?:\.0+|(?<=\d{7}),00?)")
_SCIENTIFIC = re.compile(r"\+?(\d(?:[.,]\d*)?)[Ee]\+?(\d{1,2})")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{2,3}){2,}")
_STD_CODE = re.compile(r"\(?0\d{2,4}\)?\s*/\s*\d[\d -]+")
_BETWEEN = re.compile(r"[/;,|&\r\n\\]|\b(?:or|and)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]|#")
_SAYS = re.compile(r"[^\W_]")
_CORE = re.compile(r"(?:\+[^\w]*|[(\[]*)\d(?:.*\d)?", re.DOTALL)
_EXTENSION = re.compile(
    r"(.*\d)[\s,;(-]*(?:extension|extn|ext|xtn|x|#)[\s.:]*(\d{1,7})", re.IGNORECASE
)


class Phones:
    """Reads phone numbers for one home region (a two-letter country code, as "IN")."""

    def __init__(self, region: str, form: PhoneForm = PhoneForm.NATIONAL) -> None:
        import phonenumbers

        self.region = region.upper()
        if self.region not in phonenumbers.SUPPORTED_REGIONS:
            raise UsageError(f"--region: there is no region {shown(region)}.", "--region IN")
        self._home_code = phonenumbers.country_code_for_region(self.region)
        self._home: Callable[[str], str | None] = fast_path(self.region)
        self._form = form
        self.fast = self._home if form is PhoneForm.NATIONAL else self._fast_written
        """The number for a cell that is plainly a home number, None for all else."""
        self._abroad = Abroad(self._home_code)
        self._least = least_digits(self.region)
        self._read_odd = lru_cache(_CACHED)(self._odd)

    @cached_property
    def _home_many(self) -> Callable[[Sequence[str]], list[str]]:
        return many_path(self.region)

    @cached_property
    def _short_code(self) -> Callable[[str], object]:
        return short_code_in(self.region)

    def fast_many(self, texts: Sequence[str]) -> list[str]:
        """`fast` for many cells at once; "" for what needs a look by itself."""
        if len(texts) < _MANY:
            return [self.fast(text) or "" for text in texts]
        numbers = self._home_many(texts)
        if self._form is PhoneForm.NATIONAL:
            return numbers
        return [number and self._written(number) for number in numbers]

    def read(self, text: str) -> Phone:
        """The number in a cell; of several the first valid one, with a note."""
        number = self.fast(text)
        return Phone(number) if number is not None else self.read_odd(text)

    def read_odd(self, text: str) -> Phone:
        """The same for a cell that `fast` has refused."""
        if text.startswith("+") and (number := self._abroad(text)) is not None:
            return Phone(self._written(number))
        if text.endswith(".0") and (number := self.fast(text[:-2])) is not None:
            return Phone(number) if _EXCEL_FLOAT.fullmatch(text) else self._read_odd(text)
        return self._read_odd(text)

    def every(self, text: str) -> tuple[str, ...]:
        """All valid numbers in a cell, for lists where each of them counts."""
        found = (self._single(part) for part in _parts(_undamaged(text)))
        numbers = tuple(phone.number for phone in found if phone.reason is None)
        whole = self.read(text)
        return numbers or ((whole.number,) if whole.reason is None else ())

    def _fast_written(self, text: str) -> str | None:
        number = self._home(text)
        return None if number is None else self._written(number)

    def _written(self, number: str) -> str:
        """A national number, or `+CC…`, in the form that was asked for."""
        if self._form is PhoneForm.NATIONAL:
            return number
        whole = number if number.startswith("+") else f"+{self._home_code}{number}"
        return whole if self._form is PhoneForm.E164 else whole[1:]

    def _odd(self, text: str) -> Phone:
        cell = _undamaged(text)
        if not _SAYS.search(cell) or cell.casefold() in _NOTHING:
            return Phone("", "", Reason.PHONE_MISSING, "the row has no phone number")
        if len(cell) > _LONGEST:
            return _invalid(text, "it is too long")
        lost = _lost_digits(cell, text)
        if lost is not None:
            return lost
        parts = _parts(cell)
        if len(parts) < 2:
            return self._single(cell)
        return self._first_of([self._single(part) for part in parts], text)

    def _first_of(self, found: list[Phone], text: str) -> Phone:
        first = next((phone for phone in found if phone.reason is None), None)
        if first is not None:
            note = f"{shown(text)} holds {len(found)} numbers: {first.number} was taken"
            said = "; ".join(filter(None, (note, first.note)))
            return Phone(first.number, said, several=True)
        refused = next((each for each in found if each.reason != Reason.PHONE_INVALID), None)
        return refused or _invalid(text, f"none of its {len(found)} numbers is valid")

    def _single(self, cell: str) -> Phone:
        """One number, with whatever label or extension stands around it."""
        number = self._home(cell) or self._abroad(cell)
        if number is not None:
            return Phone(self._written(number))
        match = _CORE.search(cell)
        if match is None:
            return _invalid(cell, "it has no digits")
        core, extension = match[0], ""
        if _LETTER.search(core):
            with_extension = _EXTENSION.fullmatch(core)
            core, extension = with_extension.groups() if with_extension else (core, "")
            if _LETTER.search(core):
                return _invalid(cell, "letters stand among its digits")
        number = self._home(core) or self._abroad(core)
        found = Phone(number) if number is not None else self._by_library(core, cell)
        phone = found._replace(number=self._written(found.number)) if found.number else found
        if extension and phone.reason is None:
            return Phone(phone.number, f"extension {extension} was left out")
        return phone

    def _by_library(self, core: str, cell: str) -> Phone:
        import phonenumbers

        digits = re.sub(r"\D", "", core)
        if len(digits) < self._least and not core.startswith(("+", "00")):
            return self._too_short(digits, cell)
        try:
            parsed = phonenumbers.parse(core, self.region)
        except phonenumbers.NumberParseException:
            return self._unknown(digits, core, cell)
        if not phonenumbers.is_valid_number(parsed):
            return self._unknown(digits, core, cell)
        kind = _never_dialled().get(phonenumbers.number_type(parsed))
        return Phone(self._as_sent(parsed)) if kind is None else _not_dialled(cell, kind)

    def _as_sent(self, parsed: "PhoneNumber") -> str:
        import phonenumbers

        if parsed.country_code == self._home_code:
            return phonenumbers.national_significant_number(parsed)
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

    def _too_short(self, digits: str, cell: str) -> Phone:
        if self._short_code(digits):
            return _not_dialled(cell, "a short code")
        return _invalid(cell, f"it has {len(digits)} digits, too few for {self.region}")

    def _unknown(self, digits: str, core: str, cell: str) -> Phone:
        if core.startswith("+"):
            return _invalid(cell, f"no country has such a number of {len(digits)} digits")
        return _invalid(cell, f"no number of {self.region} looks like these {len(digits)} digits")


_NOTHING = frozenset({"na", "n/a", "#n/a", "nil", "null", "none", "nan"})


@lru_cache(1)
def _never_dialled() -> dict[int, str]:
    from phonenumbers import PhoneNumberType

    return {
        PhoneNumberType.TOLL_FREE: "a toll-free number",
        PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
        PhoneNumberType.SHARED_COST: "a shared-cost number",
        PhoneNumberType.UAN: "a company's service number",
        PhoneNumberType.VOICEMAIL: "a voicemail number",
        PhoneNumberType.PAGER: "a pager",
    }


def _undamaged(text: str) -> str:
    """The cell without what spreadsheets and other programs put around a number."""
    # What is ASCII has no character to be made plain but the tab.
    plain = text if text.isascii() and "\t" not in text else text.translate(PLAIN)
    cell = plain.strip().lstrip("'`’").strip()
    whole = _EXCEL_FLOAT.fullmatch(cell)
    if whole is not None:
        return whole[1]
    if _THOUSANDS.fullmatch(cell):
        return cell.replace(",", "")
    complete = _SCIENTIFIC.fullmatch(cell)
    if complete is not None:
        digits = re.sub(r"\D", "", complete[1])
        if len(digits) - 1 == int(complete[2]):
            return digits
    return cell


def _lost_digits(cell: str, text: str) -> Phone | None:
    if _SCIENTIFIC.fullmatch(cell) is None:
        return None
    message = (
        f"{shown(text)} lost digits in a spreadsheet: format the column as a number "
        "without decimals, or as text, where all digits still are, and export again"
    )
    return Phone("", "", Reason.PHONE_LOST_DIGITS, message)


def _parts(cell: str) -> list[str]:
    """The numbers that stand in one cell."""
    if _STD_CODE.fullmatch(cell):
        return [cell.replace("/", " ")]
    parts = [part.strip() for part in _BETWEEN.split(cell)] if _BETWEEN.search(cell) else [cell]
    whole = [number for part in parts if _DIGIT.search(part) for number in _side_by_side(part)]
    return whole or [cell]


def _side_by_side(part: str) -> list[str]:
    """Whole numbers that only a space parts: `9876543210 9123456780`."""
    words = part.split()
    if len(words) > 1 and all(len(_DIGIT.findall(word)) >= _WHOLE for word in words):
        return words
    return [part]


def _not_dialled(cell: str, kind: str) -> Phone:
    message = f"{shown(cell)} is {kind}, which no dialer should call"
    return Phone("", "", Reason.PHONE_NOT_DIALLABLE, message)


def _invalid(text: str, why: str) -> Phone:
    return Phone("", "", Reason.PHONE_INVALID, f"{shown(text)} is not a phone number: {why}")
