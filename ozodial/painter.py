"""The lines at the bottom of a terminal that are drawn over again: lines go in, few bytes come out.

Only lines that changed are written, in one write a frame, so nothing flickers and a slow line can
keep up. No alternate screen, no mode that would outlive a killed process: the scrollback stays as
it was. Knows nothing of what the lines say.
"""

import re
from collections.abc import Sequence

from ozodial.streams import Sink
from ozodial.words import width

_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_HIDE, _SHOW = "\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h"
"""No cursor and no wrapping while a frame is written: a badly measured line is cut, not folded."""


class Painter:
    """Draws frames; the cursor rests on the empty line below, where a `^C` harms nothing."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._drawn: list[str] = []
        self._columns = 0

    def size(self) -> tuple[int, int]:
        """Columns and rows that a frame may take."""
        columns, rows = self._sink.size()
        return max(1, columns - 1), max(1, rows - 1)

    def frame(self, lines: Sequence[str]) -> None:
        """Draw a frame over the one before."""
        columns, rows = self.size()
        lines = list(lines[:rows])
        same_width = columns == self._columns
        if same_width and lines == self._drawn:
            return
        out = [_HIDE, self._to_top(columns)]
        for index, line in enumerate(lines):
            kept = same_width and index < len(self._drawn) and self._drawn[index] == line
            out.append("\r\n" if kept else f"{line}\x1b[K\r\n")
        out += ["\x1b[J", _SHOW]
        self._drawn, self._columns = lines, columns
        self._sink.write("".join(out))

    def above(self, lines: Sequence[str]) -> None:
        """Write lines that stay, where the frame stood; the next frame goes below them."""
        columns, _ = self.size()
        # Erased from its second line on: from the top of the screen tmux would keep it as history.
        erase = "\x1b[K\r\n\x1b[J\x1b[1A" if self._drawn else "\x1b[J"
        out = [_HIDE, self._to_top(columns), erase, _SHOW, *(f"{line}\r\n" for line in lines)]
        self.forget()
        self._sink.write("".join(out))

    def forget(self) -> None:
        """Leave what is drawn where it is, and go on below it."""
        self._drawn = []

    def _to_top(self, columns: int) -> str:
        """Back to the frame's first line; a terminal made narrower has folded the long ones."""
        up = len(self._drawn)
        if columns < self._columns:
            real = columns + 1
            up = sum(max(1, -(-width(_STYLES.sub("", line)) // real)) for line in self._drawn)
        return f"\r\x1b[{up}A" if up else "\r"
