"""Runs the real command as a process, as a person or cron would, and reads what it left behind."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness import forking

Record = dict[str, object]

PATIENCE = 300.0
"""Seconds after which a command is called stuck, however busy the machine is."""


@dataclass(frozen=True)
class Result:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[Record]:
        """The JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, event: str) -> list[Record]:
        """The JSON lines of one kind."""
        return [record for record in self.events if record["event"] == event]

    @property
    def summary(self) -> Record:
        """The summary's JSON line."""
        return self.of("summary")[-1]


@dataclass(frozen=True)
class Desk:
    """Somebody's desk: a folder of their own as HOME, and their settings."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        """Where the ledger is unless the settings say otherwise."""
        return self.home / "state" / "ledger.db"

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment of a command: nothing of the caller's but the way to Python."""
        return {
            **forking.kept(),
            "HOME": str(self.home),
            "OZODIAL_LEDGER": str(self.ledger),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            **self.settings,
            **settings,
        }

    def run(self, *words: str | Path, stdin: str | None = None, **settings: str) -> Result:
        """Run `ozodial` with these words and settings to its end."""
        environment, given = self.environment(**settings), stdin or ""
        if environment.keys() & forking.STARTING:
            done = subprocess.run(
                command(words),
                cwd=self.home,
                env=environment,
                input=given,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        else:
            job = forking.Job("ozodial", [*map(str, words)], str(self.home), environment)
            done = forking.run(job, given, PATIENCE)
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str | Path, **settings: str) -> "subprocess.Popen[str]":
        """Start `ozodial` and leave it running."""
        return subprocess.Popen(
            command(words),
            cwd=self.home,
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        """A file on the desk."""
        path = self.home / name
        path.write_text(text, encoding="utf-8")
        return path


def command(words: Sequence[str | Path]) -> list[str]:
    """The command line of `ozodial`, by the Python that runs the tests."""
    return [sys.executable, "-m", "ozodial", *map(str, words)]


def sheet(count: int, *, start: int = 0, columns: str = "Mobile,Name") -> str:
    """A CSV of `count` good leads with distinct phones."""
    lines = [columns]
    extra = "," * (columns.count(",") - 1)
    lines += [f"{9_800_100_000 + i * 7},Lead {i}{extra}" for i in range(start, start + count)]
    return "\n".join(lines) + "\n"
