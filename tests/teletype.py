"""A command at a terminal: a process whose streams are a pseudo-terminal, read and typed to."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.command import Desk
from tests.harness import forking

WAIT = 120.0
"""How long a text may take to come, on a busy machine."""


class Teletype:
    """The near end; `text` is all that was written so far, as it was written."""

    def __init__(self, process: forking.Forked, master: int) -> None:
        self.text = ""
        self.process = process
        self._master = master

    def until(self, wanted: str) -> str:
        """Read until a text has come; what was written up to then."""
        return self.until_after(0, wanted)

    def until_after(self, place: int, wanted: str) -> str:
        """Read until a text has come behind a place in what was written."""
        end = time.monotonic() + WAIT
        while wanted not in self.text[place:]:
            assert time.monotonic() < end, f"{wanted!r} never came:\n{self.text[place:]}"
            assert self._read(0.1), f"it ended without {wanted!r}:\n{self.text[place:]}"
        return self.text

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def resize(self, columns: int, rows: int) -> None:
        """Another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> int:
        """Read to the end; the exit code."""
        end = time.monotonic() + WAIT
        while self._read(0.1):
            assert time.monotonic() < end, f"it never ended:\n{self.text}"
        return self.process.wait(WAIT)

    def _read(self, wait: float) -> bool:
        """Take in what is there; False when nothing more can come."""
        if not select.select([self._master], [], [], wait)[0]:
            return self.process.poll() is None
        with suppress(OSError):  # Linux: the other end is closed
            data = os.read(self._master, 65536)
            self.text += data.decode("utf-8", "replace")
            return bool(data)
        return False


@contextmanager
def at_terminal(
    desk: Desk, *words: str | Path, columns: str = "80", rows: str = "24", **settings: str
) -> Iterator[Teletype]:
    """Start `ozodial` at a terminal of this size; it is ended with the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
    environment = desk.environment(**{"TERM": "xterm-256color", **settings})
    job = forking.Job("ozodial", [*map(str, words)], str(desk.home), environment)
    try:
        process = forking.forkery().start(job, [slave] * 3)
    finally:
        os.close(slave)
    try:
        yield Teletype(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
