"""An operator: starts the real command as a process, and reads what it says as it says it."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from .forking import ROOT, Forked, Job, forkery, pipes

PATIENCE = 300.0
"""Seconds after which a process that should have done something is called stuck."""

Line = dict[str, Any]


class Command:
    """One running `ozodial … --json`: its events, its errors, its exit code.

    It is forked with all loaded, unless it is to be `fresh`, or has to do something `before`.
    `group` is the process group that it joins, 0 its own.
    """

    def __init__(
        self,
        arguments: list[str],
        ledger: Path | str,
        url: str,
        *,
        lease: float | str | None = None,
        freeze: str = "-",
        environment: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
        json_lines: bool = True,
        group: int | None = None,
        fresh: bool = False,
    ) -> None:
        module, words = "ozodial", [*arguments, *(["--json"] if json_lines else [])]
        if lease is not None:
            module, words = "tests.harness.launch", [f"{lease}", freeze, *words]
        self.process: subprocess.Popen[str] | Forked
        self.arguments = arguments
        self.lines: list[Line] = []
        self._arrived: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._errors: list[str] = []
        job = Job(
            module, words, str(ROOT), _environment(ledger, url) | dict(environment or {}), group
        )
        self.process, out, err = _fresh(job, before) if fresh or before else _forked(job)
        self._streams = (out, err)
        self._readers = [
            threading.Thread(target=self._read_out, args=(out,), daemon=True),
            threading.Thread(target=self._read_err, args=(err,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "Command":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def errors(self) -> str:
        """What it wrote to stderr so far."""
        return "".join(self._errors)

    @property
    def summary(self) -> Line:
        """Its last line."""
        return self.lines[-1]

    def events(self, kind: str) -> list[Line]:
        """The events of a kind that were read so far."""
        return [line for line in self.lines if line.get("event") == kind]

    def await_event(self, kind: str, count: int = 1) -> bool:
        """Read on until it has told `count` events of a kind; False if it ended before."""
        while len(self.events(kind)) < count:
            line = self._arrived.get(timeout=PATIENCE)
            if line is None:
                self._arrived.put(None)
                return False
            self.lines.append(line)
        return True

    def until(self, found: Callable[[], bool]) -> None:
        """Look again and again until it is so; an AssertionError if this command ends before."""
        until(lambda: found() or self.process.poll() is not None)
        assert found(), f"{self.arguments} ended with {self.process.poll()}: {self.errors}"

    def until_frozen(self) -> None:
        """Until SIGSTOP holds it."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        self.until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> int:
        """SIGKILL, if it still runs; its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        return self.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code, after all its output."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        while (line := self._arrived.get()) is not None:
            self.lines.append(line)
        self._arrived.put(None)
        for stream in self._streams:
            stream.close()
        return code

    def _read_out(self, stream: IO[str]) -> None:
        for text in stream:
            with contextlib.suppress(ValueError):  # a line that a kill broke off
                self._arrived.put(json.loads(text))
        self._arrived.put(None)

    def _read_err(self, stream: IO[str]) -> None:
        for text in stream:
            self._errors.append(text)


def _fresh(
    job: Job, before: Callable[[], None] | None
) -> tuple["subprocess.Popen[str]", IO[str], IO[str]]:
    environment = dict(job.environment)
    if before is not None:  # it may not be able to write down what it ran through
        environment.pop("COVERAGE_PROCESS_CONFIG", None)
    process = subprocess.Popen(
        [sys.executable, "-m", job.module, *job.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=job.folder,
        env=environment,
        text=True,
        preexec_fn=before,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    return process, process.stdout, process.stderr


def _forked(job: Job) -> tuple[Forked, IO[str], IO[str]]:
    theirs, (our_in, our_out, our_err) = pipes()
    try:
        process = forkery().start(job, theirs)
    finally:
        for stream in (*theirs, our_in):
            os.close(stream)
    return process, os.fdopen(our_out), os.fdopen(our_err)


def until(found: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Look again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not found():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _environment(ledger: Path | str, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OZODIAL_")}
    return kept | {
        "OZODIAL_LEDGER": str(ledger),
        "OZODIAL_BASE_URL": url,
        "OZODIAL_CONFIG": os.devnull,
        "OZODIAL_USER_NAME": "ops",
        "OZODIAL_API_KEY": "a-key",
        "OZODIAL_CAMPAIGN": "Diwali",
        "PYTHONUNBUFFERED": "1",
    }
