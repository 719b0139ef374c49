"""Time as a parameter: the wall clock, a monotonic clock shared by all of a boot, and waiting.

Tests pass a clock of their own, so that no test waits for a pace.
"""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ozodial.models import Instant


class Clock(Protocol):
    """What the pacer, the ledger and the simulator ask of time."""

    def instant(self) -> Instant:
        """This moment on both clocks."""
        ...

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait, or until `stop` is set; True if it was."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot = boot_id()

    def instant(self) -> Instant:
        """This moment; `time.monotonic` counts from the boot on Linux, for every process alike."""
        return Instant(time.time(), time.monotonic(), self._boot)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait on the event: late by 0.2 ms, where an event loop's sleep is late by 0.1 %."""
        return stop.wait(max(0.0, seconds))


def utc(moment: Instant) -> datetime:
    """The wall clock of an instant as an aware datetime."""
    return datetime.fromtimestamp(moment.wall, UTC)


def boot_id() -> str:
    """What names this boot of the machine; "" where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
