"""How facts are worded for a person, the same on every screen: durations, counts, waits, problems.

Text from outside (cells, file names, the vendor's words) goes in, text that is safe on any terminal
comes out: control characters, escape codes and bidirectional overrides are shown as `\\x1b`, never
obeyed. Nothing here writes, and nothing here imports rich.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime

from ozodial.endpoints import ENDPOINTS
from ozodial.events import BatchEvent, RowEvent, RunEvent, SummaryEvent, WaitEvent
from ozodial.models import State

PROBLEM_STATES = (State.UNKNOWN, State.REJECTED, State.INVALID)
"""What a person must look at, worst first."""

TOLD_ORDER = (
    State.ACCEPTED,
    State.QUEUED,
    State.REJECTED,
    State.INVALID,
    State.DUPLICATE,
    State.SUPPRESSED,
    State.ALREADY_ACCEPTED,
    State.UNKNOWN,
    State.REMOVED,
    State.READY,
    State.SENDING,
)
"""The order of the counts, as in the JSON summary (design section 5)."""

PROBLEMS_SHOWN = 20
LONGEST_CELL = 500
"""Characters of one cell or message that a screen shows; files and the ledger keep the whole."""

_JOINERS = "\u200c\u200d"  # several Indian scripts are misspelt without them
_MARKS_IN_A_ROW = 4


def harmless(text: str) -> str:
    """The text as it may be written to a terminal: what is not printable is spelled out."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        shown.append(_spelled(character) if marks > _MARKS_IN_A_ROW else _shown(character))
    return "".join(shown)


def clipped(text: str | None) -> str:
    """Harmless and of a bearable length."""
    text = text or ""
    if len(text) > LONGEST_CELL:
        text = text[:LONGEST_CELL] + "..."
    return harmless(text)


def sentences(text: str) -> str:
    """Harmless, but may have several lines; the later ones are indented, so can't pose as ours."""
    return "\n       ".join(harmless(line) for line in text.splitlines() or [""])


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else _spelled(character)


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def mask_phone(phone: str) -> str:
    """A phone as logs may show it: `9876543210` is `98xxxxxx10`, anything short is all `x`."""
    places = [index for index, character in enumerate(phone) if character.isalnum()]
    kept = {*places[:2], *places[-2:]} if len(places) >= 8 else set()
    hidden = set(places) - kept
    return harmless("".join("x" if i in hidden else c for i, c in enumerate(phone)))


def plural(number: int, noun: str) -> str:
    """`1 row`, `2 rows`, `3 batches`."""
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number} {noun}{ending}"


def duration(seconds: float) -> str:
    """`0.8 s`, `42 s`, `1 min 2 s`, `2 h 5 min`; tenths only of what is given in them."""
    if seconds < 9.95 and not isinstance(seconds, int):
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def clock(end: datetime, now: datetime) -> str:
    """`18:42:10`, with its day where that is another one."""
    return end.strftime("%H:%M:%S" if end.date() == now.date() else "%Y-%m-%d %H:%M:%S")


def told_counts(counts: Mapping[State, int]) -> str:
    """`438 accepted, 2 rejected`: the states that have rows."""
    return ", ".join(f"{counts[state]} {state}" for state in TOLD_ORDER if counts.get(state))


def run_name(run: int | None, dry: bool = False) -> str:
    """`run 12`; what is not staged has no number."""
    if run is not None:
        return f"run {run}"
    return "dry run" if dry else "check"


def summary_line(event: SummaryEvent, dry: bool = False) -> str:
    """The last line on stdout: `run 12: 450 rows: 438 accepted, 2 rejected; 63.1 s; exit 4`."""
    counts = told_counts(event.counts)
    told = f"{plural(event.rows, 'row')}: {counts}" if counts else plural(event.rows, "row")
    ending = f"{max(0.0, event.seconds):.1f} s; exit {int(event.exit_code)}"
    left_out = f"; {event.left_out} left out by --limit" if event.left_out else ""
    return f"{run_name(event.run, dry)}: {told}{left_out}; {ending}"


def endpoint_name(command: str, api: str) -> str:
    """`bulk-add v1`, `schedule`."""
    return f"{command} {api}".strip()


def sandbox_line(event: RunEvent) -> str:
    """What is different in the sandbox, and by how much."""
    line = "nothing goes to the vendor"
    vendor = {entry.name: entry.pace for entry in ENDPOINTS}
    pace = vendor.get(endpoint_name(event.command, event.api), 0.0)
    if pace and event.pace < pace:
        line += f"; the pace is {event.pace:g} s instead of {pace:g} s"
    return line


def wait_reason(event: WaitEvent, pace: float) -> str:
    """Why the next request waits."""
    if event.why == "pace" and pace:
        return f"the pace is {pace:g} s between requests"
    if event.message:
        return clipped(event.message)
    words = {"pace": "a pause between requests", "busy": "the API is busy", "retry": "trying again"}
    return words.get(event.why, harmless(event.why))


def batch_line(event: BatchEvent, batches: int) -> str:
    """One request's end in one line; `batches` is how many there are in all, 0: nobody knows."""
    outcome = event.outcome.replace("_", " ")
    of = f" of {batches}" if batches else ""
    line = f"batch {event.batch}{of}: {plural(event.rows, 'row')} {outcome}"
    line += f" in {duration(event.seconds)}"
    return f"{line}: {clipped(event.message)}" if event.message else line


def why(reason: str | None, message: str | None) -> str:
    """The vendor's words or our sentence; the fixed word where there is neither."""
    return clipped(message or (reason or "").replace("_", " "))


def row_line(event: RowEvent, mask: bool = False) -> str:
    """One row's outcome in one line; `mask` for logs."""
    phone = mask_phone(event.phone) if mask else clipped(event.phone)
    name = f" ({clipped(event.name)})" if event.name and not mask else ""
    told = why(event.reason, event.without_remark if mask else event.message)
    ending = f": {told}" if told else ""
    return f"row {event.row}: {phone or 'no phone'}{name}: {event.status}{ending}"


def rest_command(run: int | None, sandbox: bool = False) -> str:
    """What to type to see all the problem rows; a sandbox's ledger may be gone by then."""
    if run is None or sandbox:
        return "--results FILE.csv writes every row to a file"
    return f"`ozodial runs show {run}` or `ozodial runs export {run} OUT.csv` has all of them"
