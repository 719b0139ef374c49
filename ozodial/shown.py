"""Text out of a file, made fit for a sentence: short, quoted, and without a character that acts.

In: any cell or header. Out: one line a terminal can't be steered by. It never changes what is sent.
"""

import unicodedata

_JOINERS = "\u200c\u200d"
"""They shape Indian letters and do nothing else, so they stay."""


def shown(text: str, limit: int = 40) -> str:
    """The text in double quotes, control and formatting characters as escapes, cut at `limit`."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return f'"{cut}"'
    return '"' + "".join(_harmless(char) for char in cut) + '"'


def one_line(text: str) -> str:
    """A header as a person reads it: without breaks, without space at its ends."""
    return " ".join(text.split())


def cleaned(text: str) -> str:
    """The text on one line, without characters that nobody sees; only such are changed."""
    plain = "".join(map(_seen, text))
    return " ".join(plain.split()) if plain != text else text


def _seen(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    acts = unicodedata.category(char)
    return "" if acts in ("Cf", "Cs", "Co", "Cn") else " "


def _harmless(char: str) -> str:
    acts = unicodedata.category(char)[0] == "C" or unicodedata.category(char) in ("Zl", "Zp")
    return char.encode("unicode_escape").decode("ascii") if acts and char not in _JOINERS else char
