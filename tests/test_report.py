import io
import json
from collections.abc import Callable

import pytest

from ozodial.models import SettledRow, State
from ozodial.plans import ColumnLine, Forecast, Plan, ReasonCount
from ozodial.render import Viewing
from ozodial.report import show_plan, show_runs, show_story
from ozodial.stories import BatchLine, RunLine, RunStory
from tests.terminal import Terminal

EVIL = "[/x]\x1b[2J\u202e"
COUNTS = {State.ACCEPTED: 438, State.REJECTED: 2, State.INVALID: 6, State.DUPLICATE: 4}
LINE = RunLine(
    12, "2026-11-22 10:00", "bulk-add", "Diwali", "leads.csv", 450, COUNTS, "finished", "v1"
)
OLD = RunLine(3, "2026-11-01 09:30", "schedule", "李小", EVIL, 7, {State.READY: 7}, "open")
PROBLEMS = [SettledRow(13, "98765", EVIL, State.INVALID, "phone_invalid", "too short")]
REASONS = [ReasonCount(State.INVALID, "phone_invalid", 6, "too short")]
STORY = RunStory(
    LINE,
    REASONS,
    [
        BatchLine(1, "10:00:00", 200, "answered", 0.8123, 200, "tx-1", EVIL),
        BatchLine(2, "10:00:31", 200, "unknown", 60.0, waited=29.74),
        BatchLine(3, "12:01:31", 50, "answered", 0.8, 200, waited=7200, resumed=True),
    ],
    PROBLEMS,
    31,
    [("campaign", "Diwali", "--campaign")],
)
PLAN = Plan(
    "leads.csv",
    450,
    Forecast("bulk-add v1", 3, 30.0, 61.5, "10:01"),
    [ColumnLine("PhoneNumber", "Mobile No.", ("9876543210", "", EVIL))],
    ["Notes"],
    COUNTS,
    REASONS,
    PROBLEMS,
    6,
    [Forecast("schedule", 5, 0.0, 2.5)],
)

Show = Callable[[Viewing], None]
SHOWS: list[Show] = [
    lambda view: show_runs(view, [LINE, OLD]),
    lambda view: show_story(view, STORY),
    lambda view: show_plan(view, PLAN),
]


def plain(show: Show, *, as_json: bool = False) -> str:
    """What is written off a terminal."""
    out = io.StringIO()
    show(Viewing(out, None, json=as_json))
    return out.getvalue()


def test_runs_are_aligned_lines_off_a_terminal() -> None:
    head, first, second = plain(SHOWS[0]).splitlines()
    assert head.split()[:4] == ["run", "created", "command", "campaign"]
    assert head.split()[4:] == ["file", "rows", "state", "result"]
    assert first.startswith(" 12  2026-11-22 10:00  bulk-add v1  Diwali    leads.csv  ")
    assert first.endswith("450  finished  438 accepted, 2 rejected, 6 invalid, 4 duplicate")
    assert second.startswith("  3  2026-11-01 09:30  schedule     李小      [/x]\\x1b[2J\\u202e ")
    assert second.endswith("   7  open      7 ready")
    assert head.index("state") == first.index("finished") == second.index("open") + 2
    assert plain(lambda view: show_runs(view, [])) == "no runs yet\n"


def test_a_story_tells_settings_reasons_requests_and_problems() -> None:
    text = plain(SHOWS[1])
    assert text.splitlines()[:3] == [
        "run 12: leads.csv, 450 rows, finished",
        "bulk-add v1 to campaign Diwali, 2026-11-22 10:00",
        "438 accepted, 2 rejected, 6 invalid, 4 duplicate",
    ]
    assert "campaign  Diwali  --campaign" in text
    assert "   6  invalid  phone_invalid  too short" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("1 10:00:00 200 answered 0.8 s 200 tx-1") for line in lines)
    assert "2 30 s 10:00:31 200 unknown 1 min" in lines
    assert "3 resumed after 2 h 12:01:31 50 answered 0.8 s 200" in lines
    assert " 13  98765  [/x]\\x1b[2J\\u202e  invalid  too short" in text
    assert text.endswith(
        "and 30 problem rows more: `ozodial runs export 12 OUT.csv` has all of them\n"
    )


def test_a_plan_compares_the_endpoints() -> None:
    text = plain(SHOWS[2])
    head = "leads.csv: 450 rows: 438 accepted, 2 rejected, 6 invalid, 4 duplicate"
    assert text.startswith(head)
    assert "PhoneNumber  Mobile No.          9876543210, [/x]\\x1b[2J\\u202e" in text
    assert "not sent: Notes" in text
    assert "->  bulk-add v1         3  30 s  1 min 2 s    10:01" in text
    assert "    schedule            5  none  2.5 s" in text


@pytest.mark.parametrize("show", SHOWS)
def test_json_is_one_object_a_line(show: Show) -> None:
    written = plain(show, as_json=True)
    assert "\x1b" not in written
    assert all("event" in json.loads(line) for line in written.splitlines())


def test_json_gives_what_the_records_hold() -> None:
    run = json.loads(plain(SHOWS[0], as_json=True).splitlines()[0])
    assert (run["run"], run["accepted"], run["unknown"], run["state"]) == (12, 438, 0, "finished")
    events = [json.loads(line) for line in plain(SHOWS[1], as_json=True).splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds == ["run", "setting", "reason", "batch", "batch", "batch", "row"]
    assert (events[4]["waited"], events[5]["resumed"]) == (29.74, True)
    assert events[-1]["phone"] == "98765"
    plan = json.loads(plain(SHOWS[2], as_json=True))
    assert plan["chosen"]["seconds"] == 61.5
    assert plan["columns"][0]["samples"] == ["9876543210", "", EVIL]


@pytest.mark.parametrize("columns", [80, 200, 40])
@pytest.mark.parametrize("show", SHOWS)
def test_on_a_terminal_tables_fit_and_obey_no_data(show: Show, columns: int) -> None:
    terminal = Terminal(columns, 24)
    show(Viewing(terminal.stream, None, stdout_is_tty=True, term="xterm"))
    text = terminal.read()
    terminal.close()
    assert "\x1b[2J" not in terminal.raw
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) <= columns
