"""A terminal for tests: a pseudo-terminal whose far end understands what a live screen writes."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Callable
from typing import TextIO

_TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b")


class Terminal:
    """A screen with scrollback; raises on any escape sequence that it was not promised."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._master, slave = pty.openpty()
        self.stream: TextIO = os.fdopen(slave, "w", encoding="utf-8", newline="")
        self.raw = ""
        self.lines: list[str] = [""]
        self._row = self._column = 0
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Another size; what is on the screen stays (a terminal that does not fold anew)."""
        self.columns, self.rows = columns, rows
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Hang up."""
        self.stream.close()
        os.close(self._master)

    def read(self, wait: float = 0.0) -> str:
        """Take in what has been written so far, and return everything on screen and above it."""
        while select.select([self._master], [], [], wait)[0]:
            self._take(os.read(self._master, 65536).decode("utf-8"))
            wait = 0.0
        return "\n".join(line.rstrip() for line in self.lines)

    def until(self, seen: Callable[[str], bool]) -> str:
        """Read until the text passes, however busy the machine is."""
        end = time.monotonic() + 30
        while not seen(text := self.read(0.02)):
            assert time.monotonic() < end, f"never seen; the terminal shows:\n{text}"
        return text

    def _take(self, text: str) -> None:
        self.raw += text
        for token in _TOKEN.finditer(text):
            if token[0] == "\r":
                self._column = 0
            elif token[0] == "\n":
                self._row += 1
                if self._row == len(self.lines):
                    self.lines.append("")
            elif token[3]:
                self._control(token[1] + token[3], token[2])
            else:
                assert token[0] != "\x1b", f"a stray escape in {text!r}"
                self._put(token[0])

    def _control(self, kind: str, argument: str) -> None:
        if kind == "A":
            top = max(0, len(self.lines) - self.rows)
            self._row = max(top, self._row - int(argument or 1))
        elif kind == "K":
            self.lines[self._row] = self.lines[self._row][: self._column]
        elif kind == "J":
            del self.lines[self._row + 1 :]
            self.lines[self._row] = self.lines[self._row][: self._column]
        else:
            known = kind == "m" or (kind in ("?h", "?l") and argument in ("25", "7"))
            assert known, f"unexpected sequence {kind} {argument}"

    def _put(self, text: str) -> None:
        line = self.lines[self._row].ljust(self._column)
        end = self._column + len(text)
        self.lines[self._row] = line[: self._column] + text + line[end:]
        self._column = end
