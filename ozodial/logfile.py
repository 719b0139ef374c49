"""A log file of what a command did, beside its screen: events in, dated lines out.

Rotated by size, readable by its owner alone. No secret and no full phone number gets in: phones are
masked (`98xxxxxx10`) wherever they stand, names are left out. A fault in writing is told once and
never reaches the run.
"""

import logging
import os
import re
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import cast

from ozodial.errors import UsageError
from ozodial.events import (
    BatchEvent,
    ErrorEvent,
    Event,
    NoticeEvent,
    RowEvent,
    RunEvent,
    SummaryEvent,
    WaitEvent,
)
from ozodial.models import State
from ozodial.outfile import check_place
from ozodial.plain import run_lines
from ozodial.words import (
    PROBLEM_STATES,
    batch_line,
    clipped,
    duration,
    mask_phone,
    summary_line,
    wait_reason,
)

BYTES = 5_000_000
COPIES = 5
"""Older logs that are kept beside it, as `NAME.1` to `NAME.5`."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""A link may be planted after `check_place` has looked, or when a new file is begun."""

_DIGITS_OF_A_PHONE = 7
_DATE = r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?(?!\d)"
_PHONE = r"\+?\(?\d[\d\s().\-\u00a0\u2010-\u2015/]{5,}\d"
_NUMBERS = re.compile(rf"(?P<date>(?<!\d){_DATE})|(?P<phone>{_PHONE})")


def scrubbed(text: str) -> str:
    """The text with every phone number in it masked; dates and counts stay as they are."""
    return _NUMBERS.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    long = sum(character.isdigit() for character in text) >= _DIGITS_OF_A_PHONE
    return mask_phone(text) if found["phone"] and long else text


class LogFile:
    """Writes down the events of one command. `verbosity` 1: every row, not the problems alone.

    UsageError if the file can't be written, before anything is sent; `lost` is told of a fault
    later on.
    """

    def __init__(self, path: Path, verbosity: int, lost: Callable[[str], None]) -> None:
        check_place(path, "ozodial.log")
        try:
            self._handler = _Rotating(path, lost)
        except OSError as error:
            said = f"The log file {path} can't be written: {error.strerror or error}."
            raise UsageError(
                said, f"--log-file with a file that you may write, not {path}"
            ) from error
        form = logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s")
        form.default_time_format, form.default_msec_format = "%Y-%m-%dT%H:%M:%S%z", ""
        self._handler.setFormatter(form)
        self._verbosity = verbosity
        self._run: RunEvent | None = None

    def show(self, event: Event) -> None:
        """Write down one event, if it is worth a line."""
        match event:
            case RunEvent():
                self._run = event
                for line in run_lines(event):
                    self._write(logging.INFO, line)
            case RowEvent():
                self._row(event)
            case BatchEvent():
                level = logging.INFO if event.outcome == "answered" else logging.WARNING
                self._write(level, batch_line(event, self._run.batches if self._run else 0))
            case WaitEvent() if event.seconds >= 1 or self._verbosity:
                reason = wait_reason(event, self._run.pace if self._run else 0.0)
                self._write(logging.INFO, f"waiting {duration(event.seconds)}: {reason}")
            case NoticeEvent():
                self._write(logging.INFO, event.without_quotes)
            case ErrorEvent():
                self._write(logging.ERROR, event.message)
                if event.hint:
                    self._write(logging.ERROR, f"next: {event.hint}")
            case SummaryEvent():
                self._write(logging.ERROR if event.exit_code else logging.INFO, summary_line(event))
            case _:
                pass

    def close(self) -> None:
        """Let go of the file."""
        self._handler.close()

    def _row(self, event: RowEvent) -> None:
        problem = event.status in PROBLEM_STATES
        if not problem and not self._verbosity:
            return
        # our own sentence quotes the cell, maybe a name; the fixed word tells as much
        ours = event.status is State.INVALID
        told = [event.reason or "", "" if ours else event.without_remark or ""]
        why = ": ".join(filter(None, map(str, told)))
        line = f"row {event.row}: {mask_phone(event.phone) or 'no phone'}: {event.status}"
        self._write(logging.WARNING if problem else logging.INFO, f"{line}: {why}" if why else line)

    def _write(self, level: int, text: str) -> None:
        line = scrubbed(clipped(" ".join(text.split())))
        self._handler.handle(logging.LogRecord("ozodial", level, "", 0, line, None, None))


class _Rotating(RotatingFileHandler):
    """Private files, and no traceback on stderr when the disk is full."""

    def __init__(self, path: Path, lost: Callable[[str], None]) -> None:
        self._lost: Callable[[str], None] | None = lost
        super().__init__(path, maxBytes=BYTES, backupCount=COPIES, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        file = open(  # noqa: SIM115 - the handler closes it
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            errors="backslashreplace",
            opener=lambda name, flags: os.open(name, flags | _NO_LINK, 0o600),
        )
        return cast("TextIOWrapper", file)

    def handleError(self, record: logging.LogRecord) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(f"the log file {self.baseFilename} can't be written any more")
