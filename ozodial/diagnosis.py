"""What `doctor` finds, one thing a line: a name, ok / warning / failed, a sentence, what to do.

Diagnoses come in, lines go out as they are made: plain, coloured on a terminal, or JSON. Looks at
nothing itself.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from ozodial.errors import ExitCode
from ozodial.jsonl import Json, write_record
from ozodial.render import Viewing
from ozodial.streams import Sink
from ozodial.words import clipped

NAME_WIDTH = 15
HEALTH_WIDTH = 7


class Health(StrEnum):
    """How one thing is. Only `failed` keeps a run from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at. `hint` is what to do, or the next command to type."""

    name: str
    health: Health
    message: str
    hint: str | None = None


def ok(name: str, message: str) -> Diagnosis:
    """Nothing to do."""
    return Diagnosis(name, Health.OK, message)


def warning(name: str, message: str, hint: str | None = None) -> Diagnosis:
    """A run works, but somebody should know."""
    return Diagnosis(name, Health.WARNING, message, hint)


def failed(name: str, message: str, hint: str | None = None) -> Diagnosis:
    """A run would not work."""
    return Diagnosis(name, Health.FAILED, message.rstrip("."), hint)


class Chart:
    """Shows diagnoses one by one, and counts them."""

    def __init__(self, view: Viewing) -> None:
        self._view = view
        self._out = Sink(view.stdout)
        self._err = Sink(view.stderr)
        self._counts: Counter[Health] = Counter()

    @property
    def exit_code(self) -> ExitCode:
        """6 where anything failed."""
        return ExitCode.REFUSED if self._counts[Health.FAILED] else ExitCode.OK

    def add(self, found: Diagnosis) -> None:
        """Show one. With --quiet only what failed, on stderr."""
        self._counts[found.health] += 1
        if self._view.json:
            record: dict[str, Json] = {
                "event": "diagnosis",
                "name": found.name,
                "status": str(found.health),
                "message": found.message,
                "hint": found.hint,
            }
            write_record(self._out, record)
        elif not self._view.quiet:
            self._out.write("".join(f"{line}\n" for line in self._lines(found)))
        elif found.health is Health.FAILED:
            self._err.write("".join(f"{line}\n" for line in plain_lines(found)))

    def close(self) -> None:
        """The last line: how many of each, and the exit code."""
        counts = {str(health): self._counts[health] for health in Health}
        if self._view.json:
            code = int(self.exit_code)
            record: dict[str, Json] = {"event": "summary", "command": "doctor", **counts}
            write_record(self._out, record | {"exit_code": code})
        elif not self._view.quiet:
            told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
            self._out.line(f"doctor: {told}; exit {int(self.exit_code)}")

    def _lines(self, found: Diagnosis) -> list[str]:
        if not self._view.wants_tables:
            return plain_lines(found)
        from ozodial.tables import draw_diagnosis

        columns, _ = self._out.size()
        return draw_diagnosis(found, columns, self._view.no_color, self._out.unicode)


def plain_lines(found: Diagnosis) -> list[str]:
    """One line, and one below it with what to do."""
    lines = [f"{found.health:{HEALTH_WIDTH}} {found.name:{NAME_WIDTH}} {clipped(found.message)}"]
    if found.hint:
        lines.append(f"{'':{HEALTH_WIDTH + NAME_WIDTH + 2}}next: {clipped(found.hint)}")
    return lines
