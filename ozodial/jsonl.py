"""A run as JSON lines: events in, one object a line on stdout, flushed each (design section 5).

Errors also go to stderr as a sentence; notices and waits do with -v. Control characters, lone
surrogates and bidirectional overrides are always JSON escapes, so that a line can be looked at on a
terminal and encoded in anything. Never imports rich.
"""

import json
import re
from collections.abc import Sequence
from functools import cache

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
from ozodial.streams import Sink
from ozodial.words import TOLD_ORDER, duration, harmless, sentences, wait_reason

Value = str | int | float | bool | None
Json = Value | list["Json"] | dict[str, "Json"]

_COUNTED = tuple(s for s in TOLD_ORDER if s not in (State.SENDING, State.REMOVED))
_ESCAPED = (
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)

_UNICODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ASCII = json.JSONEncoder(separators=(",", ":")).encode


class JsonViewer:
    """Writes each event as it comes."""

    def __init__(self, out: Sink, err: Sink, verbosity: int) -> None:
        self._out = out
        self._err = err
        self._verbosity = verbosity
        self._pace = 0.0

    def show(self, event: Event) -> None:
        """One event, one line, or none for what only a live screen shows."""
        if isinstance(event, RunEvent):
            self._pace = event.pace
        record = as_record(event)
        if record is not None:
            write_record(self._out, record)
        self._tell(event)

    def log(self, text: str) -> None:
        """A line for stderr."""
        self._err.line(harmless(text))

    def hold(self, lines: Sequence[str]) -> None:
        """Nobody is asked."""

    def close(self) -> None:
        """Nothing is held back."""

    def _tell(self, event: Event) -> None:
        if isinstance(event, ErrorEvent):
            write_error(self._err, event.message, event.hint)
        elif isinstance(event, NoticeEvent) and self._verbosity:
            self._err.line(f"note: {sentences(event.message)}")
        elif isinstance(event, WaitEvent) and self._verbosity and event.seconds >= 1:
            reason = wait_reason(event, self._pace)
            self._err.line(f"waiting {duration(event.seconds)}: {reason}")


def as_record(event: Event) -> dict[str, Json] | None:
    """The object of the design for an event; None where it has none."""
    match event:
        case RunEvent():
            return _run(event)
        case RowEvent():
            return {
                "event": "row",
                "run": event.run,
                "row": event.row,
                "phone": event.phone,
                "status": str(event.status),
                "reason": None if event.reason is None else str(event.reason),
                "message": event.message,
            }
        case BatchEvent():
            return {
                "event": "batch",
                "run": event.run,
                "batch": event.batch,
                "rows": event.rows,
                "outcome": event.outcome,
                "seconds": round(event.seconds, 3),
                "message": event.message,
            }
        case WaitEvent():
            record: dict[str, Json] = {"event": "wait", "seconds": round(event.seconds, 1)}
            return record | {"why": event.why, "message": event.message or None}
        case ErrorEvent():
            return {"event": "error", "message": event.message, "hint": event.hint}
        case SummaryEvent():
            return _summary(event)
        case _:
            return None


def _run(event: RunEvent) -> dict[str, Json]:
    return {
        "event": "run",
        "run": event.run,
        "command": event.command,
        "campaign": event.campaign,
        "file": event.file,
        "rows": event.rows,
        "ready": event.ready,
        "batches": event.batches,
        "estimated_seconds": round(event.estimated_seconds, 1),
        "api": event.api or None,
        "account": event.account or None,
        "pace": round(event.pace, 3),
        "sandbox": event.sandbox,
        "continued": event.continued,
        "dry_run": event.dry,
        **({"left_out": event.left_out} if event.left_out else {}),
    }


def _summary(event: SummaryEvent) -> dict[str, Json]:
    record: dict[str, Json] = {"event": "summary", "run": event.run, "rows": event.rows}
    record.update({str(state): event.counts.get(state, 0) for state in _COUNTED})
    record["seconds"] = round(event.seconds, 1)
    record["exit_code"] = int(event.exit_code)
    record["removed"] = event.counts.get(State.REMOVED, 0)
    if event.counts.get(State.SENDING):  # only another process of this run can hold such rows
        record["sending"] = event.counts[State.SENDING]
    if event.left_out:  # by --limit
        record["left_out"] = event.left_out
    record["hint"] = event.hint
    return record


def write_record(sink: Sink, record: dict[str, Json]) -> None:
    """One JSON line, whatever the stream's encoding."""
    text = (_UNICODE if sink.unicode else _ASCII)(record)
    sink.line(_escaped().sub(_escape, text))


@cache
def _escaped() -> re.Pattern[str]:
    return re.compile(_ESCAPED)


def write_error(sink: Sink, message: str, hint: str | None) -> None:
    """`error:` and `next:` lines, without markup or escape codes."""
    sink.line(f"error: {sentences(message)}")
    if hint:
        sink.line(f"next: {sentences(hint)}")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
