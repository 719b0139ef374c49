"""What a text table looks like: encoding and delimiter, certain before the first row is read.

In: an open binary file, and what a mapping file says of it. Out: its SHA-256 and its `Shape`. The
whole content is decoded once here, so that no row further down can turn out unreadable half-way.
It never holds more than a chunk.
"""

import codecs
import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from ozodial.encodings import by_its_start, named, other_than_utf8
from ozodial.errors import FileError

DELIMITERS = ",;\t|"

_CHUNK = 1 << 20
_HEAD = 1 << 16
_LONGEST_LINE = 16 << 20
"""Excel holds at most 16,384 cells a row; what is longer is no table, and would fill the memory."""

_SAMPLE = 200
_GUARDED = re.compile(rb"'[=+\-@\t\r']")
_CONTROL = bytes([*range(1, 9), *range(14, 27), *range(28, 32), 127])
_FEW = 64
"""Control characters that no text holds in any number; ESC does stand in names, for mischief."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the text is to be read; `skip` means that its first line is Excel's `sep=` note.

    `quoted`: there are quotes, which may be wrong; `guarded`: there may be cells that an export of
    ours put an apostrophe before; `guessed`: the encoding is only the likeliest.
    """

    encoding: str
    delimiter: str
    bytes_a_row: float
    skip: bool = False
    quoted: bool = True
    guarded: bool = True
    guessed: bool = False


def detect(
    file: BinaryIO, label: str, encoding: str | None = None, delimiter: str | None = None
) -> tuple[str, Shape]:
    """The SHA-256 and the shape of a text file that stands at its start.

    `encoding` and `delimiter` are those that a person named. Raises FileError when it is not text,
    or not a table, and UsageError for an encoding that there isn't.
    """
    head = file.read(_HEAD)
    given = named(encoding, "the mapping file's encoding") if encoding is not None else None
    tried = given or by_its_start(head)
    if tried in ("utf-8", "utf_8") and head.startswith(codecs.BOM_UTF8):
        tried = "utf-8-sig"
    control = len(head) - len(head.translate(None, _CONTROL))
    if control > max(_FEW, 0.1 * len(head)) and not _is_wide(tried):
        raise FileError(f"{label} is not a text file.", "Give a CSV file or a workbook.")
    file.seek(0)
    scan = _scan(file, label, tried)
    if not scan.valid and given is not None:
        hint = "Leave the encoding out of the mapping file, or name the right one."
        raise FileError(f"{label} is not text in the encoding {given}.", hint)
    found = tried if scan.valid else other_than_utf8(file, label, tried)
    text = head.decode(found, "replace")
    detected, skip = _delimiter(text)
    bytes_a_row = len(head) / max(1, text.count("\n"))
    return scan.sha256, Shape(
        encoding=found,
        delimiter=delimiter or detected,
        bytes_a_row=bytes_a_row,
        skip=skip,
        quoted=scan.quoted,
        guarded=scan.guarded,
        guessed=not scan.valid,
    )


@dataclass(slots=True)
class _Scan:
    """What one pass over all the bytes shows."""

    sha256: str = ""
    valid: bool = True
    quoted: bool = False
    guarded: bool = False

    def look(self, chunk: bytes, wide: bool) -> None:
        """Quotes, and apostrophes before what a spreadsheet would run."""
        self.quoted = self.quoted or b'"' in chunk
        if not self.guarded and b"'" in chunk:
            split = wide or chunk.endswith(b"'")
            self.guarded = split or _GUARDED.search(chunk) is not None


def _scan(file: BinaryIO, label: str, encoding: str) -> _Scan:
    """One pass: hash, decode, and stop at what no table holds."""
    digest, scan = hashlib.sha256(), _Scan()
    decoder = codecs.getincrementaldecoder(encoding)()
    wide = _is_wide(encoding)
    ascii_says_nothing = encoding.replace("_", "-") in ("utf-8", "utf-8-sig")
    pending = 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        if not wide and b"\0" in chunk:
            raise _not_text(file, label)
        pending = _pending(chunk, pending)
        if pending > _LONGEST_LINE:
            message = f"{label} has a line of more than 16 MB, so it is not a table."
            raise FileError(message, "Export the leads again, one in each line.")
        scan.look(chunk, wide)
        # An ASCII chunk says nothing new, unless a character began in the one before.
        if scan.valid and not (
            ascii_says_nothing and chunk.isascii() and not decoder.getstate()[0]
        ):
            scan.valid = _decodes(decoder, chunk, final=False)
    scan.valid = scan.valid and _decodes(decoder, b"", final=True)
    scan.sha256 = digest.hexdigest()
    return scan


def _is_wide(encoding: str) -> bool:
    return encoding.replace("_", "-").startswith(("utf-16", "utf-32"))


def _pending(chunk: bytes, before: int) -> int:
    """How many bytes stand after the last line end."""
    last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    return before + len(chunk) if last < 0 else len(chunk) - last - 1


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeError:
        return False
    return True


def _not_text(file: BinaryIO, label: str) -> FileError:
    file.seek(0)
    line = 1
    while b"\0" not in (chunk := file.read(_CHUNK)):
        line += chunk.count(b"\n")
    line += chunk[: chunk.index(b"\0")].count(b"\n")
    return FileError(
        f"{label} is not a text file: line {line} holds a NUL byte.",
        "Give a CSV file or a workbook.",
    )


def _delimiter(text: str) -> tuple[str, bool]:
    first = text.partition("\n")[0].strip().lower()
    if len(first) == 5 and first.startswith("sep=") and first[4] in DELIMITERS:
        return first[4], True
    if first == "sep=":  # a tab, taken for white space
        return "\t", True
    return max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter)), False


def _fit(text: str, delimiter: str) -> float:
    """How well a delimiter explains the head: rows of one width, the wider the better."""
    # The head may end inside a row, so its last line says nothing unless it is the only one.
    lines = text.splitlines(keepends=True)
    whole = lines[:-1] if len(lines) > 1 else lines
    widths = Counter(islice(_widths(whole, delimiter), _SAMPLE))
    wide = [(count, width) for width, count in widths.items() if width > 1]
    if not wide:
        return 0.0
    count, width = max(wide)
    return (count / widths.total()) ** 2 * (width - 1)


def _widths(lines: Sequence[str], delimiter: str) -> Iterator[int]:
    """How many cells each row has; a quote that fits ill makes it one."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            yield 1
            continue
        if row is None:
            return
        if row:
            yield len(row)
