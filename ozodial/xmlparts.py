"""The XML parts of a workbook that say what is where, read as XML and not as text.

In: an open file that may be a zip, or one of its entries. Out: a part's tags with their attributes.
ValueError names the part that is not well-formed, that declares entities of its own (the library
follows such parts without end), or that claims more texts than any has. Nothing else is kept.
"""

import zipfile
from collections.abc import Callable, Mapping
from typing import BinaryIO
from xml.parsers import expat

from ozodial.unpacking import entries_of, path_of, pieces_of

_PARTS = frozenset({"content.xml", "meta-inf/manifest.xml", "xl/_rels/workbook.bin.rels"})
"""Of an .ods and an .xlsb. The other parts of an .xlsx end where they break."""

_TEXTS = "xl/sharedstrings.xml"
_MOST_TEXTS = 1 << 24
"""For as many as are claimed the library makes room at once; not all programs count right."""

_ENCRYPTED = 1

Tag = Callable[[str, Mapping[str, str]], None]
"""Takes a tag's name without its prefix, and its attributes by their names with theirs."""


class _EnoughError(Exception):
    """Nobody wants to see more of a part."""


def refuse_broken_parts(file: BinaryIO, label: str) -> None:
    """Look at those that the library trusts; what is no zip is let through."""
    for entry in entries_of(file):
        if entry.flag_bits & _ENCRYPTED:
            continue
        path = path_of(entry)
        if path == _TEXTS:
            read_tags(file, entry, label, _refuse_many)
        elif path in _PARTS:
            read_tags(file, entry, label, None)
    file.seek(0)


def read_tags(file: BinaryIO, entry: zipfile.ZipInfo, label: str, tag: Tag | None) -> None:
    """Give each tag of a part, in order, one piece of it at a time."""
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = _refuse_entity
    if tag is not None:
        parser.StartElementHandler = lambda name, attributes: tag(
            name.rpartition(":")[2], attributes
        )
    try:
        for piece in pieces_of(file, entry, label):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except _EnoughError:
        pass
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(f"its {entry.filename} is broken: {error}") from None


def _refuse_many(_name: str, attributes: Mapping[str, str]) -> None:
    count = attributes.get("uniqueCount", "0").strip().lstrip("+0")
    if len(count) > len(str(_MOST_TEXTS)) or (count.isdecimal() and int(count) > _MOST_TEXTS):
        raise ValueError("it claims to have more texts than any workbook")
    raise _EnoughError


def _refuse_entity(*_: object) -> None:
    raise ValueError("it declares entities of its own")
