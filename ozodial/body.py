"""The body of an answer -> what the vendor says in it: status words, one text, items. Pure.

The vendor has many dialects: `message` may be a list, one object, a string or a string of JSON,
keys come in any letter case. What this can't read it leaves out; it never guesses what was meant.
Every text comes out fit to be stored and shown: without secrets, and not longer than a sentence.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ozodial.answers import FAILURE_WORDS, SUCCESS_WORDS, fold
from ozodial.matching import Item

LONGEST_TEXT = 500
"""Characters of the vendor's words that are kept for a row."""

DEEPEST = 4
"""Lists of one, objects and strings of JSON around a text; deeper ones are nobody's dialect."""

ROW_KEYS = frozenset({"phonenumber", "response", "index", "rowid", "scheduletime"})

TEXT_KEYS = ("message", "msg", "error")
ITEM_TEXT_KEYS = ("msg", "message", "status", "response")
"""Most telling first."""
TIME_KEYS = ("scheduletime", "scheduledtime")

_NOTHING: Sequence[None] = (None,)

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Said:
    """What a body says. `readable`: it is JSON in the vendor's form, an object or a list."""

    readable: bool
    statuses: frozenset[str] = frozenset()
    text: str | None = None
    items: tuple[Item, ...] = ()
    transaction_id: str | None = None

    @property
    def failing(self) -> bool:
        """Whether a status around the rows says failure."""
        return bool(self.statuses & FAILURE_WORDS)

    @property
    def succeeding(self) -> bool:
        """Whether it says success, and nothing else."""
        return bool(self.statuses) and self.statuses <= SUCCESS_WORDS


def read_body(content: bytes, redact: Redact) -> Said:
    """Read a body; nothing in it can raise."""
    body = _parse(content)
    if isinstance(body, str):
        body = _parse(body)  # JSON in a string, as one encoder around another writes it
    reading = _Reading(redact)
    if isinstance(body, list):
        items = reading.items(body)
        if items or len(body) != 1 or not isinstance(body[0], Mapping):
            return Said(True, items=items)
        body = body[0]
    if not isinstance(body, Mapping):
        return Said(False)
    items = reading.row_items(body)
    transaction = next(_values(body, "transactionid"), None)
    return Said(
        readable=True,
        statuses=frozenset(
            word for value in _values(body, "status") if (word := fold(_words(value)))
        ),
        text=None if items else reading.text(body),
        items=items,
        transaction_id=reading.clean(_plain(transaction)) or None,
    )


class _Reading:
    """One body, read with the account's secrets taken out of every text."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._cleaned: dict[str, str] = {}  # most rows of an answer say the same

    def clean(self, text: str) -> str:
        """A text that can be stored: no secrets, no half characters, no NUL, not too long."""
        if text not in self._cleaned:
            self._cleaned[text] = self._clean(text)
        return self._cleaned[text]

    def _clean(self, text: str) -> str:
        whole = self._redact(text).encode("utf-8", "replace").decode().replace("\0", "").strip()
        return whole if len(whole) <= LONGEST_TEXT else whole[: LONGEST_TEXT - 1] + "…"

    def text(self, value: object, depth: int = DEEPEST) -> str | None:
        """The one text of an answer: itself, or inside an object, a list of one, or JSON."""
        if isinstance(value, str):
            inner = _parse(value) if value.lstrip()[:1] in ("[", "{", '"') else None
            found = self.text(inner, depth - 1) if depth and inner is not None else None
            return found or self.clean(value) or None
        if not depth:
            return None
        if isinstance(value, list) and len(value) == 1:
            return self.text(value[0], depth - 1)
        if isinstance(value, Mapping):
            inside = (inner for key in TEXT_KEYS for inner in _values(value, key))
            texts = (self.text(inner, depth - 1) for inner in inside)
            return next((text for text in texts if text), None)
        return None

    def row_items(self, body: Mapping[str, object]) -> tuple[Item, ...]:
        """The items of an answer: a list, one object, or either of them as a string of JSON."""
        message = next(_values(body, "message"), None)
        if isinstance(message, str):
            message = _parse(message) if message.lstrip()[:1] in ("[", "{") else None
        if isinstance(message, list):
            return self.items(message)
        if isinstance(message, Mapping):
            # one row often stands bare, and PHP writes a list with gaps as an object
            return self.items([message]) or self.items(list(message.values()))
        # the bulk page prints a row's fields without an array
        return self.items([body]) if next(_values(body, "phonenumber"), None) is not None else ()

    def items(self, values: Sequence[object]) -> tuple[Item, ...]:
        """Those of the values that are about a row, each with the place where it stood."""
        return tuple(
            self._item(position, value)
            for position, value in enumerate(values)
            if isinstance(value, Mapping) and not ROW_KEYS.isdisjoint(map(_key, value))
        )

    def _item(self, position: int, fields: Mapping[str, object]) -> Item:
        folded: dict[str, list[object]] = {}
        for name, value in fields.items():
            folded.setdefault(_key(name), []).append(value)
        get = folded.get
        said = [value for key in ITEM_TEXT_KEYS for value in get(key, ())]
        times = [_plain(value) for key in TIME_KEYS for value in get(key, ())]
        return Item(
            position,
            _plain(get("phonenumber", _NOTHING)[0]),
            _index(get("index", _NOTHING)[0]),
            next(filter(None, times), ""),
            _plain(get("name", _NOTHING)[0]),
            tuple(filter(None, [self.clean(_words(value)) for value in said])),
            _row_id(get("rowid", _NOTHING)[0]),
        )


def _parse(content: bytes | str) -> object:
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value


@lru_cache(maxsize=1024)  # the same few names in every row of every answer
def _key(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _values(fields: Mapping[str, object], key: str) -> Iterator[object]:
    """The values under a key in any spelling: `Status` may stand beside `status`."""
    return (value for name, value in fields.items() if _key(name) == key)


def _words(value: object) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    return "" if value is None else "…"  # a list or an object, where a word should be


def _plain(value: object) -> str:
    """A text or a whole number as text; a phone may come back as either, or as a float."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, str | int) else ""


def _row_id(value: object) -> int | None:
    text = _plain(value)
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None


def _index(value: object) -> int | None:
    text = _plain(value)
    return int(text) if text.isdecimal() and len(text) < 10 else None
