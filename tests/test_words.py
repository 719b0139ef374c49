import unicodedata
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.errors import ExitCode
from ozodial.events import RunEvent, SummaryEvent, WaitEvent
from ozodial.models import State
from ozodial.words import (
    clipped,
    clock,
    duration,
    harmless,
    mask_phone,
    plural,
    sandbox_line,
    sentences,
    summary_line,
    wait_reason,
    width,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/x] [red]", "[/x] [red]"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202egnirts", "\\u202egnirts"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("no\xa0break", "no break"),
        ("अर्जुन क्\u200dष", "अर्जुन क्\u200dष"),
        ("李小龍", "李小龍"),
        ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "\\u0301\\u0301"),
    ],
)
def test_what_could_act_is_spelled_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text(st.characters(codec=None)))
def test_no_text_keeps_a_character_that_acts(text: str) -> None:
    for shown in (harmless(text), clipped(text)):
        acting = [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
        assert not acting
        assert not set(shown) & set("\u061c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\ufeff")


def test_a_long_cell_is_cut() -> None:
    assert clipped("x" * 10_000) == "x" * 500 + "..."
    assert clipped(None) == ""


def test_a_later_line_of_a_message_cannot_pose_as_ours() -> None:
    assert sentences("bad header\nnext: rm\x1b") == "bad header\n       next: rm\\x1b"


def test_width_counts_columns() -> None:
    assert [width(text) for text in ("abc", "李小", "e\u0301", "")] == [3, 4, 1, 0]


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("9876543210", "98xxxxxx10"),
        ("+919876543210", "+91xxxxxxxx10"),
        ("98765 43210", "98xxx xxx10"),
        ("98765", "xxxxx"),
        ("", ""),
        ("call \x1b[1m Ravi at home", "caxx \\x1b[xx xxxx xx xxme"),
    ],
)
def test_logs_mask_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.83, "0.8 s"),
        (9, "9 s"),
        (42.2, "42 s"),
        (60, "1 min"),
        (62, "1 min 2 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (-1.0, "0.0 s"),
    ],
)
def test_durations_are_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_plurals() -> None:
    assert [plural(1, "row"), plural(0, "row"), plural(2, "batch")] == [
        "1 row",
        "0 rows",
        "2 batches",
    ]


def test_the_summary_names_only_states_that_have_rows() -> None:
    counts = {
        State.DUPLICATE: 4,
        State.ACCEPTED: 438,
        State.REJECTED: 2,
        State.INVALID: 6,
        State.READY: 0,
    }
    event = SummaryEvent(12, 450, counts, 63.08, ExitCode.PROBLEM_ROWS)
    assert summary_line(event) == (
        "run 12: 450 rows: 438 accepted, 2 rejected, 6 invalid, 4 duplicate; 63.1 s; exit 4"
    )


def test_a_dry_run_has_no_number() -> None:
    event = SummaryEvent(None, 1, {State.READY: 1}, 0.0, ExitCode.OK)
    assert summary_line(event, dry=True) == "dry run: 1 row: 1 ready; 0.0 s; exit 0"
    assert summary_line(event).startswith("check: 1 row")


def test_the_sandbox_says_what_is_different() -> None:
    event = RunEvent(1, "bulk-add", "C", "f", 1, 1, 1, 0.5, api="v1", sandbox=True, pace=1.0)
    assert sandbox_line(event) == "nothing goes to the vendor; the pace is 1 s instead of 30 s"
    unpaced = RunEvent(1, "schedule", "C", "f", 1, 1, 1, 0.5, sandbox=True)
    assert sandbox_line(unpaced) == "nothing goes to the vendor"


def test_a_wait_has_a_reason() -> None:
    assert wait_reason(WaitEvent(3, "pace"), 30.0) == "the pace is 30 s between requests"
    assert wait_reason(WaitEvent(3, "busy"), 30.0) == "the API is busy"
    assert wait_reason(WaitEvent(3, "retry", "no route\x1b"), 30.0) == "no route\\x1b"


def test_an_end_on_another_day_names_the_day() -> None:
    now = datetime(2026, 11, 22, 23, 0)
    assert clock(now + timedelta(minutes=59), now) == "23:59:00"
    assert clock(now + timedelta(hours=2), now) == "2026-11-23 01:00:00"
