"""Rows below a header that are no leads: totals, notes at the end, the header once more.

In: rows whose phone is wrong; a row with a good phone is always a lead. Out: what the row is, if it
is none. The rule is narrow, so that a lead without a phone is named and not passed over: a total
says so in its first filled cell; a note stands alone in its row, at the end of the file, in a
column that isn't sent or as a sentence in the first one.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from ozodial.headers import key
from ozodial.models import Columns, Field

_TOTAL = re.compile(
    r"(?:(?:grand|sub|over ?all|net)[\s-]*)?totals?(?:\s+(?:leads?|records?|rows?|count|numbers?"
    r"|customers?|contacts?|of\b.*))?\s*[:=-]*\s*[\d,.]*|(?:कुल|योग|कुल योग)\s*[:=-]*\s*[\d,.]*",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?:count|sum|no\.? of (?:leads|records|rows))\s*[:=-]+\s*[\d,.]*", re.I)
_OPENING = re.compile(
    r"(?:\*|note\b|notes\b|n\.?b\.?[: ]|remarks?\s*:|disclaimer|source\s*:|generated\b|exported\b"
    r"|printed\b|prepared by|report\b|end of\b|confidential|page \d)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE = 4
_DIGITS_OF_A_PHONE = 7
_LONGEST_TOTAL = 60


class Leaving(StrEnum):
    """What a row is that is no lead, in words for a person."""

    EMPTY = "an empty row"
    TOTAL = "a total"
    NOTE = "a note at the end"
    HEADER = "the header again"


class Leavings:
    """Tells such rows for one file."""

    def __init__(self, columns: Columns) -> None:
        places = dict(columns.fields)
        self._phone = places[Field.PHONE]
        self._width = len(columns.header)
        self._header = key(columns.header[self._phone])
        self._sent = {*places.values(), *(index for _, index in columns.extra)}
        self._in_words = _LETTER.search(self._header) is not None

    def kind(self, cells: Sequence[str]) -> Leaving | None:
        """What the row is; a NOTE is one only if no lead follows."""
        phone = cells[self._phone].strip() if self._phone < len(cells) else ""
        if phone and self._is_header(phone):
            return Leaving.HEADER
        texts = list(map(str.strip, cells))
        first = next((index for index, text in enumerate(texts) if text), None)
        if first is None:
            return None
        text = texts[first]
        if len(text) <= _LONGEST_TOTAL and (_TOTAL.fullmatch(text) or _COUNT.fullmatch(text)):
            return Leaving.TOTAL
        if self._width > 1 and not any(texts[first + 1 :]) and self._is_note(first, text):
            return Leaving.NOTE
        return None

    def _is_header(self, phone: str) -> bool:
        # Most wrong phones have no letter, most headers do.
        if self._in_words and _LETTER.search(phone) is None:
            return False
        return key(phone) == self._header

    def _is_note(self, index: int, text: str) -> bool:
        if sum(char.isdigit() for char in text) >= _DIGITS_OF_A_PHONE:
            return bool(_OPENING.match(text)) and index not in self._sent
        if index not in self._sent:
            return True
        says = len(_WORD.findall(text)) >= _SENTENCE or _OPENING.match(text) is not None
        return index == 0 and says
