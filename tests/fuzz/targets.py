"""What is fuzzed: each target takes one input, and raises if anything but a sentence comes back."""

import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from ozodial.callbacks import is_callback, read_callbacks, read_failed
from ozodial.checking import check
from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE
from ozodial.errors import FileError
from ozodial.interpret import interpret, interpret_delete
from ozodial.opening import Given
from ozodial.render import Viewing
from ozodial.replies import Reply
from tests.batches import BASIC, BEARER, batch
from tests.fuzz.seeds import TEXT
from tests.test_interpret_bent import assert_evidence

Target = Callable[[bytes], None]

_ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PHONES = ["9876543210", "9876543211"]
NAMES = {
    "csv": "leads.csv",
    "xlsx": "leads.xlsx",
    "xls": "leads.xls",
    "xlsb": "leads.xlsb",
    "ods": "leads.ods",
    "callback": "callback.json",
    "recipe": "recipe.toml",
    "config": "config.toml",
    "suppress": "never.csv",
    "answer": "answer.json",
}
"""Target -> the file's name that its input gets, in the folder where the target runs."""


def prepare_folder() -> None:
    """What the targets find in the folder where they run."""
    os.environ |= {"OZODIAL_CONFIG": "none.toml", "HOME": str(Path.cwd())}
    Path("good.csv").write_text(TEXT, encoding="utf-8")


def sheet(content: bytes, name: str) -> None:
    """`check` of a file: each row in one state, counts right, nothing that acts."""
    Path(name).write_bytes(content)
    _check(Given(_view(), {}, file=name), {0, 3, 4})


def recipe(content: bytes) -> None:
    """`check --map-file`."""
    Path(NAMES["recipe"]).write_bytes(content)
    _check(Given(_view(), {}, file="good.csv", map_file=NAMES["recipe"]), {0, 2, 3, 4})


def suppress_list(content: bytes) -> None:
    """`check --suppress`."""
    Path(NAMES["suppress"]).write_bytes(content)
    _check(Given(_view(), {}, file="good.csv", suppress=[NAMES["suppress"]]), {0, 3, 4})


def config(content: bytes) -> None:
    """`check` with a config file."""
    Path(NAMES["config"]).write_bytes(content)
    os.environ["OZODIAL_CONFIG"] = NAMES["config"]
    _check(Given(_view(), {}, file="good.csv"), {0, 2, 3, 4, 6})


def callback(content: bytes) -> None:
    """Callbacks, or else a file of failed rows."""
    name = NAMES["callback"]
    Path(name).write_bytes(content)
    with suppress(FileError):
        if is_callback(name):
            assert read_callbacks(name)
        else:
            assert read_failed(name, _PHONES).failures.keys() <= set(_PHONES)


def answer(content: bytes) -> None:
    """Every reading of an answer: each row one outcome, none without evidence."""
    leads = batch(2)
    for endpoint in (SCHEDULE, BULK_ADD_V1, BULK_ADD_V4):
        for status in (200, 503):
            verdict = interpret(endpoint, leads, Reply(status, content), BEARER)
            assert [outcome.row for outcome in verdict.outcomes] == [2, 3], verdict
            with suppress(ValueError, RecursionError):
                assert_evidence(verdict, leads, json.loads(content))
    deleted = interpret_delete(leads, Reply(200, content), BASIC, asked_before=False)
    assert [outcome.row for outcome in deleted.outcomes] == [2, 3], deleted


TARGETS: dict[str, Target] = {
    **{kind: partial(sheet, name=NAMES[kind]) for kind in ("csv", "xlsx", "xls", "xlsb", "ods")},
    "answer": answer,
    "callback": callback,
    "recipe": recipe,
    "config": config,
    "suppress": suppress_list,
}


def _dies(content: bytes) -> None:
    if content != GOOD:
        os.abort()


def _eats(content: bytes) -> None:
    if content != GOOD:
        assert len(b"x" * (400 << 20))


def _fails(content: bytes) -> None:
    assert content == GOOD


GOOD = b"good"
PROOFS: dict[str, Target] = {"dies": _dies, "eats": _eats, "fails": _fails}
"""Targets that are as bad as can be: the fuzzer must notice."""


def _view() -> Viewing:
    return Viewing(io.StringIO(), io.StringIO(), json=True, verbosity=1)


def _check(given: Given, codes: set[int]) -> None:
    code = check(given, None)
    out, err = given.view.stdout, given.view.stderr
    assert isinstance(out, io.StringIO)
    assert isinstance(err, io.StringIO)
    said, errors = out.getvalue(), err.getvalue()
    assert code in codes, (code, errors)
    assert not _ACTING.search(said + errors), (said, errors)
    assert "Traceback" not in errors
    events = [json.loads(line) for line in said.splitlines()]
    if code in (0, 4):
        _adds_up(events)
    else:
        assert len(re.findall(r"^error: ", errors, re.MULTILINE)) == 1, errors
        assert len(errors) < 2_500, errors


def _adds_up(events: list[dict[str, object]]) -> None:
    rows = [event for event in events if event["event"] == "row"]
    (summary,) = (event for event in events if event["event"] == "summary")
    numbers = [event["row"] for event in rows]
    assert len(set(numbers)) == len(numbers) == summary["rows"]
    for state, count in Counter(str(event["status"]) for event in rows).items():
        assert summary[state] == count, (state, summary)
    bad = [event for event in rows if event["status"] == "invalid"]
    assert all(event["reason"] and event["message"] for event in bad), bad
    assert (summary["exit_code"] == 4) == bool(bad)
