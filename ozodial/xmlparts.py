"""The XML parts that the workbook library follows without end where they are broken.

In: an open file that may be a zip. ValueError names the part that is not well-formed, or that
declares entities of its own; nothing is kept of what is read.
"""

from typing import BinaryIO
from xml.parsers import expat

from ozodial.sheetxml import entries_of, pieces_of

_PARTS = frozenset({"content.xml", "META-INF/manifest.xml", "xl/_rels/workbook.bin.rels"})
"""Of an .ods and an .xlsb. The parts of an .xlsx end where they break."""

_ENCRYPTED = 1


def refuse_broken_parts(file: BinaryIO, label: str) -> None:
    """Read them as XML, one piece at a time; what is no zip is let through."""
    for entry in entries_of(file):
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
