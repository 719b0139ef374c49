"""A region's plain home numbers, recognised by patterns read from libphonenumber's metadata.

In: a region. Out: a function from a cell's text to its national number, or None for everything that
needs the library itself. It takes a shape only where the library is bound to read it the same way;
a test holds the two equal. `PLAIN` and `BARE` are the character tables that cells are read with.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata, PhoneNumberDesc

_INVISIBLE = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2069\ufeff"
)
_SPACES = "\t\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
_ZEROS = "\u0660\u06f0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\uff10"
"""Zero in Arabic, Persian, the scripts of India, and full width."""

_WIDE_PLUS = "\uff0b"
_DIGITS = {ord(zero) + value: str(value) for zero in _ZEROS for value in range(10)}
# A full stop stays: `0987654321.0` must not become eleven digits.
BARE = (
    _DIGITS
    | {ord(_WIDE_PLUS): "+"}
    | dict.fromkeys(map(ord, _INVISIBLE + _SPACES + _DASHES + " -()"))
)
_GROUP = re.compile(r"(?<!\\)\((?!\?)")
_BETWEEN_DIGITS = " -()\t"

PLAIN = (
    _DIGITS
    | {ord(_WIDE_PLUS): "+"}
    | dict.fromkeys(map(ord, _INVISIBLE))
    | dict.fromkeys(map(ord, _SPACES), " ")
    | dict.fromkeys(map(ord, _DASHES), "-")
)


def fast_path(region: str) -> Callable[[str], str | None]:
    """A function that takes plain home numbers by the library's own patterns.

    Its shapes are the bare national number and that behind a trunk prefix, `+CC`, `CC` or the
    international prefix. Where a region's metadata ask for more than that, it takes nothing.
    """
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region)
    dialled = dialled_in(region)
    if metadata is None or dialled is None:
        return lambda text: None
    general = "|".join(_patterns(metadata.general_desc))
    whole = re.compile(general, re.ASCII).fullmatch
    shapes = _shapes(metadata)
    lengths = frozenset(length for length, ways in shapes.items() if ("", 0) in ways)
    code = str(metadata.country_code)

    def prefixed(digits: str) -> str | None:
        for prefix, cut in shapes.get(len(digits), ()):
            if digits.startswith(prefix) and dialled(number := digits[cut:]):
                # Without a plus the country code may as well be the number's own beginning.
                either = whole(digits) if prefix == code else prefix == "" and begins(digits)
                return None if either else number
        return None

    def begins(text: str) -> bool:
        """Whether the country code stands before a number, though all of it is one, too."""
        return text.startswith(code) and dialled(text[len(code) :]) is not None

    def fast(text: str) -> str | None:
        # Three tries, the cheapest first: most cells end at one of the first two.
        if len(text) in lengths and dialled(text):
            return None if begins(text) else text
        digits = text
        if " " in digits or "-" in digits:
            digits = digits.replace(" ", "").replace("-", "")
        number = prefixed(digits)
        if number is not None or (digits.isdigit() and digits.isascii()):
            return number
        return prefixed(text.translate(BARE).removeprefix("'"))

    return fast


def many_path(region: str) -> Callable[[Sequence[str]], list[str]]:
    """What `fast_path` says of many cells at once, "" for None (and where cells hold line breaks).

    One pattern runs over all of them: a call for each costs more than the match.
    """
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region)
    dialled = _dialled(region)
    if metadata is None or dialled is None:
        return lambda texts: [""] * len(texts)
    dialled = _GROUP.sub("(?:", dialled)
    code, general = str(metadata.country_code), "|".join(_patterns(metadata.general_desc))
    prefixes = [re.escape(prefix) for prefix in _prefixes(metadata) if prefix not in ("", code)]
    # Without a plus the country code may as well be the number's own beginning.
    prefixes += [f"(?!(?:{general})$){code}", f"(?!{code}(?:{dialled})$)"]
    line = rf"^(?:'?(?:{'|'.join(prefixes)})({dialled})$|.*)"
    lines = re.compile(line, re.ASCII | re.MULTILINE)
    if lines.groups > 1:
        return lambda texts: [""] * len(texts)

    def many(texts: Sequence[str]) -> list[str]:
        column = "\n".join(texts)
        if column.isascii():
            for mark in _BETWEEN_DIGITS:
                column = column.replace(mark, "")
        else:
            column = column.translate(BARE)
        found: list[str] = lines.findall(column)
        return found if len(found) == len(texts) else [""] * len(texts)

    return many


def dialled_in(region: str) -> Callable[[str], object] | None:
    """A match for the mobile and fixed-line numbers that the library takes for nothing else.

    None for a region where a trunk prefix changes the number behind it.
    """
    pattern = _dialled(region)
    return re.compile(pattern, re.ASCII).fullmatch if pattern is not None else None


def _dialled(region: str) -> str | None:
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.national_prefix_transform_rule:
        return None
    dialled = _kinds(metadata.mobile, metadata.fixed_line)
    others = _kinds(
        metadata.premium_rate,
        metadata.toll_free,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
        metadata.pager,
        metadata.uan,
        metadata.voicemail,
    )
    lengths = set(_lengths(dialled))
    prefixes = (metadata.national_prefix_for_parsing, metadata.international_prefix)
    ahead = "".join(f"(?!{prefix})" for prefix in prefixes if prefix)
    for pattern, possible in others:
        if lengths & set(possible):
            ahead += f"(?!(?:{pattern})$)"
    kinds = "|".join(f"(?:{pattern})" for pattern, _ in dialled)
    return f"{ahead}(?:{kinds})" if kinds else None


def short_code_in(region: str) -> Callable[[str], object]:
    """A match for the short codes of a region: emergency, services, information."""
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.short_metadata_for_region(region)
    codes = _patterns(metadata.short_code) if metadata is not None else []
    return re.compile("|".join(codes) or r"(?!)", re.ASCII).fullmatch


def least_digits(region: str) -> int:
    """How many digits a number has at least, in the region or one that shares its code."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, country_code_for_region

    shared = COUNTRY_CODE_TO_REGION_CODE[country_code_for_region(region)]
    found = (PhoneMetadata.metadata_for_region(each) for each in shared)
    lengths = (_lengths(_kinds(each.general_desc)) for each in found if each is not None)
    return min((length for each in lengths for length in each), default=0)


class Abroad:
    """Plain numbers of other countries, written `+CC…`; each country's patterns are read once."""

    def __init__(self, home_code: int) -> None:
        self._dialled: dict[str, Callable[[str], object] | None] = {str(home_code): None}

    def __call__(self, text: str) -> str | None:
        """The number as `+CC…`, or None for what needs the library itself."""
        if "+" not in text and _WIDE_PLUS not in text:
            return None
        digits = text.translate(BARE)
        if digits[:1] != "+":
            return None
        # Country codes are prefix-free: one of the three lengths fits.
        for cut in (2, 3, 4):
            code = digits[1:cut]
            if code not in self._dialled:
                self._dialled[code] = _dialled_behind(code)
            dialled = self._dialled[code]
            if dialled is not None and dialled(digits[cut:]):
                return digits
        return None


def _dialled_behind(code: str) -> Callable[[str], object] | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    plain = code != "" and _digits(code) and code[0] != "0"
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if plain else ()
    return dialled_in(regions[0]) if regions and regions[0] != "001" else None


def _kinds(*kinds: "PhoneNumberDesc | None") -> list[tuple[str, tuple[int, ...]]]:
    """Pattern and possible lengths of those kinds of number that the region has."""
    return [
        (kind.national_number_pattern, tuple(kind.possible_length))
        for kind in kinds
        if kind is not None and kind.national_number_pattern
    ]


def _lengths(kinds: list[tuple[str, tuple[int, ...]]]) -> list[int]:
    return sorted({length for _, possible in kinds for length in possible if length > 0})


def _shapes(metadata: "PhoneMetadata") -> dict[int, tuple[tuple[str, int], ...]]:
    """Length of the digits -> the prefixes that may stand before a national number, cut there."""
    prefixes = _prefixes(metadata)
    shapes: dict[int, tuple[tuple[str, int], ...]] = {}
    for length in _lengths(_kinds(metadata.mobile, metadata.fixed_line)):
        for prefix in prefixes:
            total = length + len(prefix)
            shapes[total] = (*shapes.get(total, ()), (prefix, len(prefix)))
    return shapes


def _prefixes(metadata: "PhoneMetadata") -> list[str]:
    """What may stand before a national number; the country code without a plus is the third."""
    code = str(metadata.country_code)
    trunk = metadata.national_prefix_for_parsing or ""
    abroad = metadata.international_prefix or ""
    prefixes = ["", f"+{code}", code]
    prefixes += [trunk] if trunk and trunk != code and _digits(trunk) else []
    prefixes += [abroad + code] if abroad and _digits(abroad) else []
    return prefixes


def _patterns(*kinds: "PhoneNumberDesc | None") -> list[str]:
    return [pattern for pattern, _ in _kinds(*kinds)]


def _digits(pattern: str) -> bool:
    return pattern == "" or (pattern.isascii() and pattern.isdigit())
