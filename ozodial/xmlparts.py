"""The XML parts that the workbook library follows too far: without end where they are broken.

In: an open file that may be a zip. ValueError names the part that is not well-formed, that declares
entities of its own, or that claims more texts than any has; nothing is kept of what is read.
"""

import re
from typing import BinaryIO
from xml.parsers import expat

from ozodial.unpacking import entries_of, path_of, pieces_of

_PARTS = frozenset({"content.xml", "META-INF/manifest.xml", "xl/_rels/workbook.bin.rels"})
"""Of an .ods and an .xlsb. The parts of an .xlsx end where they break."""

_TEXTS = "xl/sharedstrings.xml"
_COUNT = re.compile(rb"""\buniqueCount\s*=\s*["']\s*\+?(\d+)""")
_MOST_TEXTS = 1 << 24
"""For as many as are claimed the library makes room at once; not all programs count right."""

_ENCRYPTED = 1


def refuse_broken_parts(file: BinaryIO, label: str) -> None:
    """Read them as XML, one piece at a time; what is no zip is let through."""
    for entry in entries_of(file):
        if path_of(entry) == _TEXTS:
            head = next(pieces_of(file, entry, label), b"")
            if any(int(count[:20]) > _MOST_TEXTS for count in _COUNT.findall(head)):
                raise ValueError("it claims to have more texts than any workbook")
        if entry.filename not in _PARTS or entry.flag_bits & _ENCRYPTED:
            continue
        parser = expat.ParserCreate()
        parser.EntityDeclHandler = _refuse_entity
        try:
            for piece in pieces_of(file, entry, label):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, LookupError) as error:
            raise ValueError(f"its {entry.filename} is broken: {error}") from None
    file.seek(0)


def _refuse_entity(*_: object) -> None:
    raise ValueError("it declares entities of its own")
