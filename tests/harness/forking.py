"""The real command as a process in a tenth of its time: forked off one that has ozodial loaded.

`run` does what `subprocess.run([python, "-m", "ozodial", …])` does: a process with its own folder,
environment, streams, signals and exit. Only the loading of the libraries, nine tenths of what a
short command costs, was done before, once. What a test says about loading, or about how Python
itself starts, needs `subprocess`.

As a program (`python -m tests.harness.forking DESCRIPTOR`) it is the process that forks.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple, TextIO

ROOT = Path(__file__).parents[2]

KEPT = ("PATH", "LANG", "COVERAGE_PROCESS_CONFIG")
"""What a command gets of the tests' own environment (the last: where coverage is counted)."""

STARTING = {"PYTHONPATH", "PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LC_CTYPE"}
"""With these Python itself starts differently."""

LEFT_OUT = {"__main__", "charts", "page"}
"""Rooms that are loaded by few commands and cost much."""


class Job(NamedTuple):
    """What a forked process is to be: `python -m MODULE ARGUMENT…`.

    `group` is the process group that it joins, 0 one of its own, None that of the forker.
    """

    module: str
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    group: int | None = None


class Forked:
    """A forked process, with what `subprocess.Popen` has of it."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._line = line
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Its exit code (a signal's is negative), or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; subprocess.TimeoutExpired if it takes longer."""
        with self._lock:
            if self.returncode is None:
                if not select.select([self._line], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
                self.returncode = int(self._line.recv(20))
                self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """A signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)


class Forkery:
    """A process that has all loaded, and forks a command whenever it is asked to.

    `environment` is what Python is to be started with.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._owner = os.getpid()
        self._folder = tempfile.mkdtemp(prefix="ozodial-fork-")
        self._place = f"{self._folder}/socket"
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(self._place)
            door.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(door.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                env=environment,
                pass_fds=[door.fileno()],
                start_new_session=True,
            )

    def close(self) -> None:
        """End it; it ends too if we just vanish."""
        if os.getpid() != self._owner:
            return  # a fork of the tests' process has only a copy of us
        self._process.communicate(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self, job: Job, streams: Sequence[int]) -> Forked:
        """Start a command with these as its stdin, stdout and stderr."""
        line = socket.socket(socket.AF_UNIX)
        line.connect(self._place)
        socket.send_fds(line, [b"."], streams)
        line.sendall(json.dumps(job).encode())
        line.shutdown(socket.SHUT_WR)
        return Forked(line, int.from_bytes(line.recv(4, socket.MSG_WAITALL)))


def kept() -> dict[str, str]:
    """The environment that every command gets."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


@cache
def forkery() -> Forkery:
    """The one that the tests of this process share."""
    atexit.register(end)
    return Forkery(kept())


def end() -> None:
    """End the one that was shared, if there was one."""
    if forkery.cache_info().currsize:
        forkery().close()
        forkery.cache_clear()


def pipes() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Two ends of stdin, stdout and stderr: a process's, and ours."""
    (into, our_in), (our_out, out), (our_err, err) = os.pipe(), os.pipe(), os.pipe()
    return (into, out, err), (our_in, our_out, our_err)


def run(job: Job, given: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    """As `subprocess.run` with text and its output captured."""
    theirs, (our_in, our_out, our_err) = pipes()
    try:
        process = forkery().start(job, theirs)
    finally:
        for stream in theirs:
            os.close(stream)
    with ThreadPoolExecutor(3) as readers:
        gave = readers.submit(_give, our_in, given)
        written = [readers.submit(_take, stream) for stream in (our_out, our_err)]
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        gave.result()
        out, err = (text.result() for text in written)
    return subprocess.CompletedProcess(job.arguments, code, out, err)


def _give(stream: int, text: str) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(stream, "w") as pipe:
        pipe.write(text)


def _take(stream: int) -> str:
    with os.fdopen(stream, "r") as pipe:
        return pipe.read()


# --- the process that forks ---


def load() -> None:
    """All that commands load, and nothing that they do."""
    package = importlib.import_module("ozodial")
    for room in pkgutil.iter_modules(package.__path__):
        if room.name not in LEFT_OUT:
            importlib.import_module(f"ozodial.{room.name}")
    gc.freeze()


def serve(door: socket.socket) -> Job | None:
    """Fork for each connection; returns its job in the child, and None when all is over."""
    lines: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as news:
        news.register(door, selectors.EVENT_READ)
        news.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in news.select():
                if key.fileobj is door:
                    line, _ = door.accept()
                    _, streams, _, _ = socket.recv_fds(line, 1, 3)
                    with line.makefile("r") as asked:
                        job = Job(*json.load(asked))
                    pid = os.fork()
                    if pid == 0:
                        for other in (line, *lines.values()):
                            other.close()
                        for watched in lines:
                            os.close(watched)
                        for number, stream in enumerate(streams):
                            os.dup2(stream, number)
                            os.close(stream)
                        return job
                    for stream in streams:
                        os.close(stream)
                    _join_group(pid, job.group)
                    line.sendall(pid.to_bytes(4))
                    watch = os.pidfd_open(pid)
                    lines[watch] = line
                    news.register(watch, selectors.EVENT_READ, pid)
                elif key.data is not None:
                    _, status = os.waitpid(key.data, 0)
                    news.unregister(key.fileobj)
                    os.close(key.fd)
                    with contextlib.suppress(OSError), lines.pop(key.fd) as line:
                        line.sendall(str(os.waitstatus_to_exitcode(status)).encode())
                else:
                    return None


def _join_group(pid: int, group: int | None) -> None:
    if group is not None:
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            os.setpgid(pid, group)


def become(job: Job) -> None:
    """Be that command."""
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environment)
    time.tzset()
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        vars(sys)[name] = vars(sys)[f"__{name}__"] = _stream(number)
    sys.path[0] = job.folder
    sys.argv[1:] = job.arguments
    runpy.run_module(job.module, run_name="__main__", alter_sys=True)


def _stream(number: int) -> TextIO:
    """A standard stream as Python itself would have made it."""
    before = (sys.stdin, sys.stdout, sys.stderr)[number]
    if number == 0:
        return open(0, encoding=before.encoding, errors=before.errors, closefd=False)
    unbuffered = "PYTHONUNBUFFERED" in os.environ
    return io.TextIOWrapper(
        open(number, "wb", buffering=0 if unbuffered else -1, closefd=False),
        encoding=before.encoding,
        errors=before.errors,
        newline="\n",
        line_buffering=number == 2 or os.isatty(number),
        write_through=unbuffered,
    )


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as door:
        load()
        job = serve(door)
    if job is not None:
        become(job)


if __name__ == "__main__":
    main()
