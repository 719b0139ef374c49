"""Which encoding the bytes of a text file are in, once they are known not to be UTF-8.

In: an open file. Out: an encoding that decodes all of it, or FileError. Windows' cp1252 where its
letters make sense; otherwise what charset-normalizer finds in the lines that tell, named so that a
person can object. It never replaces a character that it can't read.
"""

import codecs
import re
import unicodedata
from typing import BinaryIO

from ozodial.errors import FileError, UsageError
from ozodial.shown import shown

_CHUNK = 1 << 20
_TELLING = 1 << 15
"""Bytes of lines with other than ASCII letters: more don't make a guess any better."""

_LEAST = 4
_AS_UTF8 = "Save it as CSV UTF-8 and run again."
_ODD_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*[\r\n]*")
_ODD_RUN = re.compile(r"[^\x00-\x7f]+")
_WESTERN = re.compile(
    "[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192]{1,2}"
)
"""Letters of western Europe, seldom more than two in a row; other alphabets come in whole words."""
_MARK = re.compile("[\u2013\u2014\u2018-\u201e\u2022\u2026\u2122\u20ac\u00a0-\u00bf\u00d7\u00f7]+")
_SIGN_IN_WORD = re.compile("[A-Za-z][\u00a1-\u00b6\u00b8-\u00bf][a-z]")
"""No western word has a sign inside it; in another encoding that byte is a letter."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def by_its_start(head: bytes) -> str:
    """What the first bytes say: a mark, the zeros of UTF-16, else UTF-8."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[::2].count(0), head[1::2].count(0)
    # Text in UTF-16 without a mark: every other byte of Latin text is zero.
    if odd > len(head) // 4 and even <= odd // 8:
        return "utf-16-le"
    if even > len(head) // 4 and odd <= even // 8:
        return "utf-16-be"
    return "utf-8"


def named(name: str, source: str) -> str:
    """An encoding that a person named; UsageError if there is none of that name."""
    try:
        found = codecs.lookup(name)
        "a".encode(name)
    except (LookupError, UnicodeError, ValueError):
        message = f"{source}: there is no encoding {shown(name)}."
        raise UsageError(message, 'encoding = "utf-8"') from None
    return found.name


def other_than_utf8(file: BinaryIO, label: str, tried: str) -> str:
    """The encoding of a file that `tried` doesn't fit; FileError where none is certain enough."""
    if tried != "utf-8":
        name = tried.removesuffix("-sig").upper()
        raise FileError(f"{label} begins like {name}, but is not whole.", _AS_UTF8)
    telling = _telling(file)
    western = _decoded(telling, "cp1252")
    if western is not None and _makes_sense(western) and decodes(file, "cp1252"):
        return "cp1252"
    guess = _by_normalizer(telling)
    for encoding in (guess, "cp1252"):
        if encoding is not None and decodes(file, encoding):
            return encoding
    raise FileError(f"{label} is text in an unknown encoding.", _AS_UTF8)


def decodes(file: BinaryIO, encoding: str) -> bool:
    """Whether a whole file is text in an encoding."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeError:
        return False
    return True


def _telling(file: BinaryIO) -> bytes:
    """The first lines that hold anything but ASCII."""
    file.seek(0)
    found = b""
    while len(found) < _TELLING and (chunk := file.read(_CHUNK)):
        if not chunk.isascii():
            found += b"".join(match[0] for match in _ODD_LINE.finditer(chunk))
    return found[:_TELLING]


def _decoded(telling: bytes, encoding: str) -> str | None:
    try:
        return telling.decode(encoding)
    except UnicodeError:
        return None


def _makes_sense(text: str) -> bool:
    """Whether nearly all that is not ASCII are single western letters, or usual marks."""
    runs = _ODD_RUN.findall(text)
    good = sum(bool(_WESTERN.fullmatch(run) or _MARK.fullmatch(run)) for run in runs)
    good -= len(_SIGN_IN_WORD.findall(text))
    return good >= 0.9 * len(runs)


def _by_normalizer(telling: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(telling).best()
    text = _decoded(telling, best.encoding) if best is not None else None
    if best is None or text is None:
        return None
    odd = [char for char in text if not char.isascii()]
    words = sum(char.isalpha() or unicodedata.category(char)[0] == "M" for char in odd)
    # A guess from so little, or into signs and boxes, is none.
    enough = len(odd) >= _LEAST and words >= 0.8 * len(odd)
    return str(best.encoding) if enough else None
