"""Odd but readable answers: a payload and a fault come in, the bent payload goes out.

The leads are taken by then; only how the answer looks is changed. Never touches the request.
"""

import json
import random
from collections.abc import Callable

from ozodial.sandbox_faults import Fault
from ozodial.sandbox_memory import Payload
from ozodial.sandbox_phones import echoed

Rows = list[dict[str, object]]


def bend(payload: Payload, fault: Fault) -> Payload:
    """The answer as a fault of the stage `answer` makes it; one without rows stays."""
    if fault.kind == "case":
        return _recase(payload, fault.value)
    rows = payload.get("message")
    if not isinstance(rows, list):
        return payload
    return {**payload, "message": _BENDERS[fault.kind](rows, fault.value)}


def _missing(rows: Rows, count: str) -> object:
    return rows[int(count) :]


def _repeated(rows: Rows, count: str) -> object:
    return [row for row in rows[: int(count)] for _ in range(2)] + rows[int(count) :]


def _foreign(rows: Rows, count: str) -> object:
    if not rows:
        return rows
    strangers = [
        {**rows[0], "PhoneNumber": f"+9170000{number:05}", "index": len(rows) + number}
        for number in range(int(count))
    ]
    return strangers + rows


def _reordered(rows: Rows, how: str) -> object:
    if how == "reverse":
        return rows[::-1]
    return random.Random(int(how)).sample(rows, len(rows))  # noqa: S311 - a rehearsal


def _phones(rows: Rows, form: str) -> object:
    return [
        {**row, "PhoneNumber": echoed(str(row["PhoneNumber"]), form)}
        if "PhoneNumber" in row
        else row
        for row in rows
    ]


def _index(rows: Rows, how: str) -> object:
    if how == "none":
        return [{key: value for key, value in row.items() if key != "index"} for row in rows]
    first = int(how[-1])
    answers = []
    for place, row in enumerate(rows):
        known = row.get("index", place)
        number = (known if isinstance(known, int) else place) + first
        answers.append({**row, "index": str(number) if how.startswith("text") else number})
    return answers


def _message(rows: Rows, form: str) -> object:
    if form == "text":
        return json.dumps(rows)
    if form == "object":  # PHP writes a list with gaps as an object, and one row often bare
        return rows[0] if len(rows) == 1 else {str(place): row for place, row in enumerate(rows)}
    return rows


def _recase(payload: Payload, how: str) -> Payload:
    recased = _recase_row(payload, how)
    rows = payload.get("message")
    if isinstance(rows, list):
        recased["message"] = [_recase_row(row, how) for row in rows]
    return recased


def _recase_row(row: dict[str, object], how: str) -> dict[str, object]:
    change = {"upper": str.upper, "lower": str.lower, "title": str.title}[how]
    words = ("status", "Status", "Response")
    return {
        key: change(value) if key in words and isinstance(value, str) else value
        for key, value in row.items()
    }


_BENDERS: dict[str, Callable[[Rows, str], object]] = {
    "missing-rows": _missing,
    "repeated-rows": _repeated,
    "foreign-rows": _foreign,
    "reordered-rows": _reordered,
    "phones": _phones,
    "index": _index,
    "message": _message,
}
