"""What an .xlsx says of a sheet that the workbook library doesn't: where its XML is, what it tells.

In: an open file that may be a zip. Out: `Told` (formulas without a stored value, cells that show an
error, hidden rows, where day numbers count from). FileError where a cell is too far out, ValueError
for a sheet that can't be found, or whose cells are where none can be.
"""

import zipfile
from collections.abc import Mapping
from typing import BinaryIO

from ozodial.models import Told
from ozodial.sheetcells import Look
from ozodial.unpacking import BOMB_SIZE, entries_of, lower, path_of, pieces_of
from ozodial.xmlparts import Tag, read_tags

_BOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def look_at(file: BinaryIO, label: str, sheet: str) -> Told:
    """What the XML of a sheet says; nothing where it is no .xlsx."""
    entries = {path_of(entry): entry for entry in entries_of(file)}
    if _BOOK not in entries:
        return Told()
    identifiers, since_1904 = _book(file, entries[_BOOK], label)
    targets = targets_in(file, entries.get(_RELATIONS), label)
    target = lower(targets.get(identifiers.get(sheet, ""), ""))
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    # The library would find a part that nothing has looked at.
    if path not in entries:
        raise ValueError("it does not say where its sheet is")
    look = Look(label)
    for piece in pieces_of(file, entries[path], label):
        look.at(piece)
    look.at(b"", last=True)
    return Told(look.unvalued, look.errors, look.hidden, (), since_1904)


def _book(file: BinaryIO, entry: zipfile.ZipInfo, label: str) -> tuple[dict[str, str], bool]:
    """The relation of each sheet by its name, and whether days count from 1904."""
    sheets = dict[str, str]()
    since_1904 = False

    def tag(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal since_1904
        if name == "sheet":
            ids = [value for key, value in attributes.items() if key.endswith(":id")]
            if len(ids) != 1:
                raise ValueError("it does not say where its sheet is")
            sheets.setdefault(attributes.get("name", ""), ids[0])
        elif name == "workbookPr":
            since_1904 = attributes.get("date1904", "").lower() in ("1", "true", "on")

    _read_small(file, entry, label, tag)
    return sheets, since_1904


def targets_in(file: BinaryIO, entry: zipfile.ZipInfo | None, label: str) -> dict[str, str]:
    """Where each relation leads, by its name; ValueError where one leads to two places."""
    targets = dict[str, str]()

    def tag(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            target = attributes.get("Target", "")
            if targets.setdefault(attributes.get("Id", ""), target) != target:
                raise ValueError("its parts have two names")

    if entry is not None:
        _read_small(file, entry, label, tag)
    return targets


def _read_small(file: BinaryIO, entry: zipfile.ZipInfo, label: str, tag: Tag) -> None:
    if entry.file_size > BOMB_SIZE:
        raise ValueError(f"its {entry.filename} is longer than any")
    read_tags(file, entry, label, tag)
