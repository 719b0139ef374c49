"""A workbook's zip: what is in it, and that it does not unpack to more than there is room for.

In: an open file that may be a zip. Out: its entries and their content in pieces, or FileError for
a zip bomb, by the size that it declares and by the real one.
"""

import struct
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from string import ascii_uppercase
from typing import BinaryIO

from ozodial.errors import FileError

_PIECE = 1 << 18
_UNPACKED_LIMIT = 2 << 30
"""A million rows of 20 columns unpack to about 1.5 GB."""

BOMB_SIZE = 128 << 20
_BOMB_RATIO = 200
"""A sheet's XML packs 10 to 30 times; what packs better than this holds nothing but repetition."""

MOST_TOLD = 2_000_000
"""Cells of a workbook of which something is told: each is kept by itself."""

_LOWER = {ord(letter): letter.lower() for letter in ascii_uppercase}

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The name under which Office keeps a workbook that has a password."""


def refuse_bomb(file: BinaryIO, label: str) -> None:
    """Stop a zip bomb before the workbook library unpacks it; what is no zip is let through."""
    entries = entries_of(file)
    declared = sum(entry.file_size for entry in entries)
    packed = [entry for entry in entries if entry.file_size > BOMB_SIZE]
    tight = any(entry.file_size > _BOMB_RATIO * max(1, entry.compress_size) for entry in packed)
    if declared > _UNPACKED_LIMIT or tight:
        raise _bomb(label, declared)
    for entry in entries:
        # What can't grow beyond bearing needs no look.
        if entry.compress_size * 1032 > BOMB_SIZE and not _is_sheet(entry):
            with suppress(ValueError):  # broken: whoever reads it says so
                deque(pieces_of(file, entry, label), maxlen=0)
    file.seek(0)


def is_locked(file: BinaryIO) -> bool:
    """Whether what can't be opened is a workbook behind a password."""
    entries = {entry.filename: entry for entry in entries_of(file)}
    manifest = entries.get("META-INF/manifest.xml")
    if manifest is not None and manifest.file_size < BOMB_SIZE:
        with suppress(ValueError):
            return b"encryption-data" in b"".join(pieces_of(file, manifest, ""))
        return False
    file.seek(0)
    before = b""
    while piece := file.read(_PIECE):
        if _ENCRYPTED in before[-len(_ENCRYPTED) :] + piece:
            return True
        before = piece
    return False


def entries_of(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """What a zip holds; nothing where the file is none."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, struct.error):
        return []  # an .xls, or broken: the next reader says which
    finally:
        file.seek(0)


def path_of(entry: zipfile.ZipInfo) -> str:
    """An entry's name as the library compares it."""
    return lower(entry.filename.replace("\\", "/"))


def lower(text: str) -> str:
    """The letters of ASCII as small ones, and no others."""
    return text.translate(_LOWER)


def _is_sheet(entry: zipfile.ZipInfo) -> bool:
    return path_of(entry).startswith("xl/worksheets/")


def pieces_of(file: BinaryIO, entry: zipfile.ZipInfo, label: str) -> Iterator[bytes]:
    """An entry's content; FileError as soon as there is more of it than it declares.

    ValueError where it can't be unpacked: the library may read what stands before the break.
    """
    if entry.header_offset < 0:  # a broken directory
        return
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or entry.flag_bits & 1:
        return
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(entry.header_offset + 30 + names)
    left, total = entry.compress_size, 0
    unpack = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := file.read(min(left, _PIECE >> 4))):
        left -= len(packed)
        while packed:
            try:
                piece = unpack.decompress(packed, _PIECE) if unpack else packed
            except zlib.error as error:
                raise ValueError(f"its {entry.filename} can't be unpacked: {error}") from None
            packed = unpack.unconsumed_tail if unpack else b""
            total += len(piece)
            if total > entry.file_size:
                raise _bomb(label, max(total, _UNPACKED_LIMIT))
            yield piece


def _bomb(label: str, size: int) -> FileError:
    return FileError(
        f"{label} would unpack to more than {size >> 20:,} MB, so it is not read.",
        "Save the leads alone as a new workbook, or as .csv.",
    )


def far_out(label: str, rows: int, columns: int) -> FileError:
    """A sheet that would be so large, because of what stands beside its rows."""
    return FileError(
        f"{label} has a cell so far out that the sheet would have "
        f"{rows:,} rows of {columns:,} columns.",
        "Delete what stands beside the leads, and save it again.",
    )
