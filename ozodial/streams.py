"""stdout and stderr as they really are: closed, full, or unable to spell a character.

Lines go in; nothing ever comes back as an error. A stream that can't be written falls silent and
its descriptor is turned to the null device, so that Python's own flush at exit stays quiet too.
"""

import errno
import os
from collections.abc import Callable
from typing import TextIO


class Sink:
    """One output stream. `lost` is told once why the stream fell silent, unless its reader left."""

    def __init__(self, stream: TextIO | None, lost: Callable[[str], None] | None = None) -> None:
        self._stream = stream
        self._lost = lost

    @property
    def alive(self) -> bool:
        """False once a write has failed, or if there never was a stream (`>&-`)."""
        return self._stream is not None

    @property
    def unicode(self) -> bool:
        """Whether any character can be written."""
        return (getattr(self._stream, "encoding", None) or "utf-8").lower().startswith("utf")

    def line(self, text: str) -> None:
        """Write one line and flush it."""
        self.write(text + "\n")

    def write(self, text: str) -> None:
        """Write and flush; what the encoding lacks is spelled `\\u20ac`."""
        stream = self._stream
        if stream is None:
            return
        try:
            stream.write(self._spelled(text))
            stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the file object was closed
            self._silence(error)

    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal behind the stream, 80 by 24 if there is none."""
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno() if self._stream else -1)
        except (OSError, ValueError):
            return 80, 24
        return (columns or 80), (rows or 24)  # some serial consoles say 0 by 0

    def _spelled(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return text.encode(encoding, "backslashreplace").decode(encoding)
        return text

    def _silence(self, error: OSError | ValueError) -> None:
        stream, self._stream = self._stream, None
        if stream is None or not isinstance(error, OSError):
            return
        if error.errno != errno.EBADF:
            _turn_to_null(stream)
        if self._lost and error.errno not in (errno.EPIPE, errno.EBADF):
            self._lost(error.strerror or str(error))


def _turn_to_null(stream: TextIO) -> None:
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
