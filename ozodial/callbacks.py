"""What V4 calls back: a callback's JSON, and the file of failed rows that it names. Reads only.

A callback counts rows and names none; which ones failed stands in its file alone, whose form no
page shows: it is read as any sheet is, its phones are the column that holds the run's own.
Source: the callback of AddCampaignBulkDataV4, as collected in the API facts.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ozodial.answers import SUCCESS_WORDS, Means, fold, look_up, look_up_callback
from ozodial.body import LONGEST_TEXT
from ozodial.errors import FileError
from ozodial.matching import last_digits
from ozodial.models import Reason, Row, State
from ozodial.reader import open_source, read

WHY_WORDS = ("reason", "remark", "error", "message", "status", "cause")
NOT_PROCESSED = "the vendor did not process it"


@dataclass(frozen=True, slots=True)
class Callback:
    """What the vendor says of one transaction; None: a number that it does not tell."""

    label: str
    transaction: str
    total: int | None
    processed: int | None
    failed: int | None
    status: str
    message: str
    failed_path: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it says in words that we know that the transaction was worked off."""
        known = look_up_callback(self.message)
        taken = known is not None and known.means is Means.TAKEN
        return taken and fold(self.status) in SUCCESS_WORDS


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one row, and why."""

    state: State
    reason: Reason | None
    message: str


@dataclass(frozen=True, slots=True)
class FailedRows:
    """A file of failed rows: the last digits of a phone -> why."""

    label: str
    failures: Mapping[str, Fate]


def is_callback(path: str) -> bool:
    """Whether a file is JSON by its beginning (FileError where it can't be read)."""
    try:
        with Path(path).open("rb") as file:
            return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}.") from error


def read_callbacks(path: str) -> list[Callback]:
    """The callbacks of a file: one, a list of them, or one a line. FileError if it has none."""
    name = Path(path).name
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise FileError(f"{path} can't be read: {why}.") from error
    found = [_callback(name, each) for value in _values(name, text) for each in _objects(value)]
    told = [callback for callback in found if callback is not None]
    if not told or len(told) != len(found):
        raise FileError(
            f"{name} is not a callback of V4: it has no transactionId.",
            "ozodial runs import-callback RUN callback.json",
        )
    return told


def read_failed(path: str, phones: Collection[str]) -> FailedRows:
    """The failed rows of a file; `phones` are the run's, by `last_digits`. FileError if none is."""
    with open_source(path) as source:
        rows = list(read(source).rows)
        label = source.label
    column = _column_of(rows, phones)
    if column is None:
        raise FileError(f"{label} has no phone of this run; is it the file of another one?")
    first = next(i for i, row in enumerate(rows) if _cell(row, column) in phones)
    why = _why_column(rows[first - 1].cells) if first else None
    failures = {
        digits: _failure(row.cells[why].strip() if why is not None and why < len(row.cells) else "")
        for row in rows[first:]
        if (digits := _cell(row, column)) in phones
    }
    return FailedRows(label, failures)


def _values(name: str, text: str) -> Iterator[object]:
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
    try:
        values = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        values = []
    if len(values) < 2:
        raise FileError(f"{name} is not valid JSON.", "save the callback's body as it came")
    yield from values


def _objects(value: object) -> Iterator[object]:
    """Callbacks inside lists, and inside `data`, which may be a string of JSON."""
    if isinstance(value, list):
        for each in value:
            yield from _objects(each)
        return
    fields = _folded(value)
    inner = fields.get("data")
    if isinstance(inner, str):
        try:
            inner = json.loads(inner)
        except (ValueError, RecursionError):
            inner = None
    if "transactionid" not in fields and isinstance(inner, dict | list):
        yield from _objects(inner)
    else:
        yield value


def _callback(name: str, value: object) -> Callback | None:
    fields = _folded(value)
    transaction = _text(fields.get("transactionid"))
    if not transaction:
        return None
    return Callback(
        label=name,
        transaction=transaction,
        total=_number(fields.get("totalnouploaded")),
        processed=_number(fields.get("numbersprocessed")),
        failed=_number(fields.get("numbersnotprocessed")),
        status=_text(fields.get("status")),
        message=_text(fields.get("message")),
        failed_path=_text(fields.get("failedfilepath")),
    )


def _folded(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {str(key).lower().replace("_", ""): inner for key, inner in value.items()}


def _text(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int) else ""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_TEXT]


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _cell(row: Row, column: int) -> str:
    return last_digits(row.cells[column]) if column < len(row.cells) else ""


def _column_of(rows: Sequence[Row], phones: Collection[str]) -> int | None:
    """The column that holds most of the run's phones."""
    width = max((len(row.cells) for row in rows), default=0)
    hits = [sum(_cell(row, column) in phones for row in rows) for column in range(width)]
    return hits.index(max(hits)) if any(hits) else None


def _why_column(header: Sequence[str]) -> int | None:
    folded = [fold(name) for name in header]
    for word in WHY_WORDS:
        for place, name in enumerate(folded):
            if word in name:
                return place
    return None


def _failure(text: str) -> Fate:
    """A reason in the vendor's words, by the table of its texts."""
    found = look_up(text) if text else None
    message = text[:LONGEST_TEXT] or NOT_PROCESSED
    if found is not None and found[0].means is Means.EXISTS:
        return Fate(State.DUPLICATE, found[0].reason, message)
    if found is not None and found[0].means in (Means.ROW_REFUSED, Means.DATA):
        return Fate(State.REJECTED, found[0].reason, message)
    return Fate(State.REJECTED, Reason.REFUSED_BY_VENDOR, message)
