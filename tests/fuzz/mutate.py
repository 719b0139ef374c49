"""A seeded mutator: good inputs and a random source in, a bent one out; the same every time.

A workbook is bent inside: one of its entries, and then it is packed again, so that most inputs
get past the checksums of a zip.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from random import Random

_WORDS = (
    *(b"", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\r", b"\n", b'"', b'""', b"'", b","),
    *(b";", b"\t", b"\x1b[2J", b"\xe2\x80\xae", b"\xed\xa0\x80", b"=1+1", b"%s%n{0}", b"-"),
    *(b"9876543210", b"+919876543211", b"1e309", b"NaN", b"-1", b"99999999999999999999", b"0x10"),
    *(b"2099-02-30", b"31/12/2099", b"24:00", b"Mobile", b"Phone", b"Name", b"null", b"true"),
    *(b"[[", b"]]", b"{{", b"}}", b"[", b"{", b"\\u", b"\\ud800", b"#", b"[profiles.x]", b" = "),
    *(b'r="XFD1048576"', b'r="A0"', b't="s"', b't="e"', b"<v>-1</v>", b"<c/>", b"</row>", b"<!--"),
    *(b"<!DOCTYPE x [<!ENTITY y 'z'>]>&y;", b'table:number-columns-repeated="99999999"'),
    b'table:number-rows-repeated="99999999"',
)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LONGEST = 1 << 18
_BORN = (1980, 1, 1, 0, 0, 0)


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the inputs, bent."""
    seed = random.choice(seeds)
    entries = unpacked(seed)
    if not entries or random.random() < 0.15:
        return _bent(random, seed, seeds)
    name = random.choice(list(entries))
    if "sheet" in name or random.random() < 0.9:
        entries[name] = _bent(random, entries[name], list(entries.values()))
    elif random.random() < 0.5:
        del entries[name]
    else:
        entries[random.choice(list(entries))] = entries.pop(name)
    return packed(entries)


def packed(entries: dict[str, bytes]) -> bytes:
    """A zip of these entries, the same whenever it is made."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, _BORN), content, zipfile.ZIP_DEFLATED, 1)
    return whole.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The entries of a zip; none where it is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError):
        return {}


def _bent(random: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    bent = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 3, 5, 8, 16))):
        _bend(random, bent, others)
        del bent[_LONGEST:]
    return bytes(bent)


def _bend(random: Random, bent: bytearray, others: Sequence[bytes]) -> None:
    at = random.randrange(len(bent) + 1)
    length = min(random.choice((1, 2, 4, 16, 64, 256)), len(bent) - at)
    match random.randrange(8):
        case 0 if length:
            bent[at] ^= 1 << random.randrange(8)
        case 1:
            del bent[at : at + length]
        case 2:
            bent[at:at] = bent[at : at + length] * random.choice((1, 2, 9, 99))
        case 3:
            bent[at : at + random.choice((0, length))] = random.choice(_WORDS)
        case 4:
            number = struct.pack(random.choice("<>") + "I", random.choice(_NUMBERS))
            bent[at : at + 4] = number[: random.choice((1, 2, 4))]
        case 5:
            other = random.choice(others)
            begin = random.randrange(len(other) + 1)
            bent[at:at] = other[begin : begin + random.choice((8, 64, 512))]
        case 6 if random.random() < 0.2:
            del bent[at:]
        case _ if length:
            bent[at : at + length] = random.randbytes(length)
