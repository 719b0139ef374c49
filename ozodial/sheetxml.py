"""What an .xlsx says of a sheet that the workbook library doesn't: where its XML is, what it tells.

In: an open file that may be a zip. Out: `Told` (formulas without a stored value, cells that show an
error, hidden rows, where day numbers count from). FileError where a cell is too far out, ValueError
for a sheet that can't be found, or whose cells are where none can be.
"""

import html
import re
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

from ozodial.models import Told
from ozodial.sheetcells import Look
from ozodial.unpacking import BOMB_SIZE, entries_of, path_of, pieces_of

_SHEET = re.compile(rb"""<(?:[^\s<>/:?!]+:)?sheet(?=\s)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_DATE1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true|on)["']""", re.IGNORECASE)

_BOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def look_at(file: BinaryIO, label: str, sheet: str) -> Told:
    """What the XML of a sheet says; nothing where it is no .xlsx."""
    entries = {path_of(entry): entry for entry in entries_of(file)}
    if _BOOK not in entries:
        return Told()
    book = _whole(file, entries, _BOOK, label)
    targets = targets_in(_whole(file, entries, _RELATIONS, label))
    entry = entries.get(_path(book, targets, sheet))
    # The library would find a part that nothing has looked at.
    if entry is None:
        raise ValueError("it does not say where its sheet is")
    look = Look(label)
    for piece in pieces_of(file, entry, label):
        look.at(piece)
    look.at(b"", last=True)
    since_1904 = _DATE1904.search(book) is not None
    return Told(look.unvalued, look.errors, look.hidden, (), since_1904)


def _whole(file: BinaryIO, entries: Mapping[str, zipfile.ZipInfo], path: str, label: str) -> bytes:
    entry = entries.get(path)
    if entry is None or entry.file_size > BOMB_SIZE:
        return b""
    return b"".join(pieces_of(file, entry, label))


def _path(book: bytes, targets: Mapping[str, str], sheet: str) -> str:
    """Where in the zip a sheet's XML is, or ""; upper and lower case are the same."""
    named = map(_attributes, _SHEET.findall(book))
    identifier = next((tag.get("id", "") for tag in named if tag.get("name") == sheet), "")
    target = targets.get(identifier, "").casefold()
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def targets_in(relations: bytes) -> dict[str, str]:
    """Where each relation leads, by its name; ValueError where one leads to two places."""
    targets = dict[str, str]()
    for tag in map(_attributes, _RELATION.findall(relations)):
        target = tag.get("Target", "")
        if targets.setdefault(tag.get("Id", ""), target) != target:
            raise ValueError("its parts have two names")
    return targets


def _attributes(tag: bytes) -> dict[str, str]:
    """A tag's attributes by their names without a prefix."""
    return {
        name.decode().rpartition(":")[2]: html.unescape((one or two).decode("utf-8", "replace"))
        for name, one, two in _ATTRIBUTE.findall(tag)
    }
