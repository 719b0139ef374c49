"""The question before many leads: asked at a terminal alone, and a no leaves nothing behind."""

import json
import re
from datetime import UTC, datetime

import pytest

from ozodial.confirm import is_asked, is_yes, question
from ozodial.models import State
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet
from tests.scenes import run_event
from tests.teletype import at_terminal

PROMPT = "Send them? [y/N]"
FEW = {"OZODIAL_CONFIRM_ABOVE": "4"}


@pytest.mark.parametrize(
    ("ready", "above", "yes", "terminal", "asked"),
    [
        (1000, 1000, False, True, False),
        (1001, 1000, False, True, True),
        (1001, 1000, True, True, False),
        (1001, 1000, False, False, False),
        (10**6, 0, False, True, False),
    ],
)
def test_who_is_asked(ready: int, above: int, yes: bool, terminal: bool, asked: bool) -> None:
    assert is_asked(ready, above, yes=yes, terminal=terminal) is asked


@pytest.mark.parametrize(
    ("answer", "yes"),
    [
        ("y\n", True),
        (" YES \n", True),
        ("\n", False),
        ("n\n", False),
        ("yep\n", False),
        (None, False),
    ],
)
def test_only_a_clear_yes_is_one(answer: str, yes: bool) -> None:
    assert not is_yes(None)
    assert is_yes(answer) is yes


def test_the_question_says_what_would_happen() -> None:
    event = run_event(rows=450, ready=440, batches=3)
    counts = {State.READY: 440, State.INVALID: 10}
    run = type(event)(**{f: getattr(event, f) for f in event.__slots__} | {"counts": counts})
    lines = question(run, "2026-11-23 10:00:00", datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    text = "\n".join(lines)
    for said in (
        "Diwali",
        "leads.csv: 450 rows",
        "440 leads in 3 requests",
        "about 1 min 2 s, until 12:01:01",
        "10 invalid",
        "2026-11-23 10:00:00",
    ):
        assert said in text


def test_yes_sends_and_the_screen_goes_on(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(5) + "12,Bo\n")
    with at_terminal(desk, "bulk-add", file, **FEW) as seen:
        text = seen.until(PROMPT)
        assert "campaign  Diwali" in text
        assert "5 leads in 1 request" in text
        assert "not sent  1 invalid" in text
        assert vendor.sandbox.requests == ()
        seen.type("y\n")
        assert seen.end() == 4
    assert "run 1: 6 rows: 5 accepted, 1 invalid;" in seen.text
    assert len(vendor.sandbox.leads) == 5


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04"])
def test_no_sends_and_keeps_nothing(desk: Desk, vendor: ServerHandle, keys: str) -> None:
    file = desk.write("leads.csv", sheet(5))
    with at_terminal(desk, "bulk-add", file, **FEW) as seen:
        seen.until(PROMPT)
        seen.type(keys)
        assert seen.end() == 130
    assert "Not confirmed: nothing was sent." in seen.text
    assert "Traceback" not in seen.text
    assert json.loads(desk.run("runs", "--json").out or "[]") == []
    assert vendor.sandbox.requests == ()
    assert desk.run("bulk-add", file).code == 0
    assert len(vendor.sandbox.leads) == 5


def test_ctrl_c_is_a_no(desk: Desk, vendor: ServerHandle) -> None:
    with at_terminal(desk, "bulk-add", desk.write("leads.csv", sheet(5)), **FEW) as seen:
        seen.until(PROMPT)
        seen.interrupt()
        assert seen.end() == 130
    assert "Interrupted: nothing was sent." in seen.text
    assert vendor.sandbox.requests == ()


def test_while_a_person_thinks_nobody_else_sends_it(desk: Desk, vendor: ServerHandle) -> None:
    with at_terminal(desk, "bulk-add", desk.write("leads.csv", sheet(5)), **FEW) as seen:
        seen.until(PROMPT)
        assert "no run has rows" in desk.run("resume").err
        assert vendor.sandbox.requests == ()
        seen.type("yes\n")
        assert seen.end() == 0


def test_plain_lines_ask_as_well(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(5))
    with at_terminal(desk, "bulk-add", file, "--no-live", **FEW) as seen:
        seen.until(PROMPT)
        seen.type("y\n")
        assert seen.end() == 0
    assert "\x1b" not in seen.text
    assert len(vendor.sandbox.leads) == 5


@pytest.mark.parametrize("words", [["--yes"], ["--confirm-above", "0"], ["--quiet"], ["--json"]])
def test_some_are_never_asked(desk: Desk, vendor: ServerHandle, words: list[str]) -> None:
    file = desk.write("leads.csv", sheet(5))
    with at_terminal(desk, "bulk-add", file, *words, OZODIAL_CONFIRM_ABOVE="4") as seen:
        assert seen.end() == 0
    assert PROMPT not in seen.text
    assert len(vendor.sandbox.leads) == 5


def test_without_a_terminal_it_goes_on(desk: Desk, vendor: ServerHandle) -> None:
    assert desk.run("bulk-add", desk.write("leads.csv", sheet(5)), **FEW).code == 0
    assert len(vendor.sandbox.leads) == 5


def test_the_rest_of_a_run_is_asked_for_too_and_a_no_leaves_it(
    desk: Desk, vendor: ServerHandle
) -> None:
    file = desk.write("leads.csv", sheet(205))
    wait = {"OZODIAL_PACE": "60"}
    assert desk.run("bulk-add", file, "--max-duration", "50s", **wait).code == 7
    with at_terminal(desk, "bulk-add", file, **FEW) as seen:
        seen.until(PROMPT)
        seen.type("n\n")
        assert seen.end() == 130
    assert "ozodial resume 1" in seen.text
    assert len(vendor.sandbox.leads) == 200
    assert desk.run("resume").code == 0
    assert len(vendor.sandbox.leads) == 205


def test_a_wrong_limit_is_a_sentence(desk: Desk) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(5)), "--confirm-above", "many")
    assert (done.code, "--confirm-above must be a number" in done.err) == (2, True)


# --- what a terminal gets ---


@pytest.mark.parametrize(
    ("words", "settings", "moves", "colours"),
    [
        ([], {}, True, True),
        ([], {"NO_COLOR": "1"}, True, False),
        ([], {"TERM": "dumb"}, False, False),
        (["--no-live"], {}, False, False),
    ],
)
def test_a_terminal_gets_what_it_can_show(
    desk: Desk, words: list[str], settings: dict[str, str], moves: bool, colours: bool
) -> None:
    file = desk.write("leads.csv", sheet(5) + "12,Bo\n")
    with at_terminal(desk, "bulk-add", file, *words, **settings) as seen:
        assert seen.end() == 4
    assert "run 1: 6 rows: 5 accepted, 1 invalid;" in seen.text
    assert ("\x1b[?25l" in seen.text) is moves
    assert (re.search(r"\x1b\[(\d+;)*3\d", seen.text) is not None) is colours
