"""The picture at the top of the README: a real run, recorded at a terminal and drawn by rich.

    python -m tests.recording sample_data/run.svg

Runs `ozodial bulk-add --sandbox` on a sheet of made-up leads in a pseudo-terminal, keeps its screen
at a few moments, and writes them as one SVG that plays them in turn.
"""

import io
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from tests.command import Desk
from tests.teletype import Teletype, at_terminal

COLUMNS, ROWS = 100, 30
COMMAND = "ozodial bulk-add leads.csv --campaign Diwali --confirm-above 400 --sandbox --pace"
SHOWN_AT_REST = 2
"""The picture where nothing moves."""

_TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)

_NAMES = ("Asha Rao", "Vikram Singh", "Meera Iyer", "Imran Khan", "Kavya Nair", "José Álvarez")


class Picture(NamedTuple):
    """The lines of a screen with their styles, and how long they are shown."""

    lines: list[str]
    seconds: float


class Tape:
    """What a live screen has written, as lines with their styles; it writes whole lines only."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0
        self._fresh = True

    def take(self, text: str) -> list[str]:
        """The last lines after this text."""
        for token in _TOKEN.finditer(text):
            if token[0] == "\n":
                self._row, self._fresh = self._row + 1, True
                self.lines += [""] * (self._row + 1 - len(self.lines))
            elif token[0] == "\r" or token[1]:
                self._fresh |= token[0] == "\r"
            elif token[3] == "A":
                self._row -= int(token[2] or 1)
            elif token[3] in ("J", "K") and self._fresh:
                self.lines[self._row] = ""
                del self.lines[self._row + 1 if token[3] == "J" else len(self.lines) :]
            elif token[3] not in ("J", "K"):
                self.lines[self._row] = ("" if self._fresh else self.lines[self._row]) + token[0]
                self._fresh = False
        return self.lines[-ROWS:]


def leads(count: int) -> str:
    """A sheet with what real ones have: two numbers that are none, a priority that is a word, and
    one that the simulator takes for a Do Not Disturb number.
    """
    lines = ["Mobile No.,Customer Name,Priority"]
    odd = {17: "98765,", 88: "98555 01555,", 231: ","}
    for number in range(count):
        phone = odd.get(number, f"98201{number * 37 % 100000:05},")
        lines.append(f"{phone}{_NAMES[number % len(_NAMES)]},{'high' if number == 140 else 5}")
    return "\n".join(lines) + "\n"


def record(folder: Path, count: int = 460, pace: str = "4") -> list[Picture]:
    """Run the command and keep its screen: the question, the waits, the end."""
    desk = Desk(folder, {"OZODIAL_LEDGER": ""})
    desk.write("leads.csv", leads(count))
    words = (*COMMAND.split()[1:], pace)
    with at_terminal(desk, *words, columns=str(COLUMNS), rows=str(ROWS)) as seen:
        return list(_played(seen, f"$ {COMMAND} {pace}"))


def _played(seen: Teletype, typed: str) -> Iterator[Picture]:
    yield Picture([typed], 1.5)
    seen.until("[y/N] ")
    yield Picture([typed, *_screen(seen)], 4)
    seen.type("y\n")
    for _request in (1, 2):
        seen.until_after(len(seen.text), " accepted")
        seen.until_after(len(seen.text), "next request in ")
        seen.until_after(len(seen.text), "so far")
        yield Picture(_screen(seen), 4)
    seen.end()
    yield Picture(_screen(seen), 8)


def _screen(seen: Teletype) -> list[str]:
    lines = Tape().take(seen.text)
    return lines[-ROWS:]


def drawn(pictures: Sequence[Picture]) -> str:
    """One SVG that shows the pictures in turn, and one of them where nothing may move."""
    total = sum(picture.seconds for picture in pictures)
    frames = [_svg(picture.lines, f"f{number}") for number, picture in enumerate(pictures)]
    opening = re.match(r"<svg[^>]*>", frames[0])
    assert opening is not None
    styles, parts, begin = [], [], 0.0
    for number, (picture, frame) in enumerate(zip(pictures, frames, strict=True)):
        start, end = 100 * begin / total, 100 * (begin + picture.seconds) / total
        begin += picture.seconds
        styles.append(
            f"#p{number} {{ opacity: {int(number == SHOWN_AT_REST)}; "
            f"animation: k{number} {total:g}s step-end infinite }}\n"
            f"@keyframes k{number} {{ 0% {{ opacity: {int(number == 0)} }} "
            f"{start:.3f}% {{ opacity: 1 }} {end:.3f}% {{ opacity: 0 }} }}"
        )
        parts.append(f'<g id="p{number}">\n{frame}\n</g>')
    rest = "@media (prefers-reduced-motion: reduce) { g { animation: none !important } }"
    style = "\n".join(["<style>", *styles, rest, "</style>"])
    return "\n".join([opening[0], style, *parts, "</svg>"]) + "\n"


def _svg(lines: Sequence[str], name: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in [*lines, *[""] * (ROWS - len(lines))]:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="crop")
    # without fonts from elsewhere: the picture needs no network
    return _FONTS.sub("", console.export_svg(title="ozodial", unique_id=name))


def main() -> None:
    """Write the picture to the file that is named."""
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        out.write_text(drawn(record(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
