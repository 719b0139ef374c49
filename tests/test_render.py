import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.errors import ExitCode
from ozodial.events import ErrorEvent, Event, NoticeEvent, SummaryEvent, WaitEvent
from ozodial.models import State
from ozodial.render import Viewer, Viewing, open_viewer, show_error
from ozodial.streams import Sink
from tests.scenes import long_run, row, run_event, short_run

SUMMARY = "run 12: 5 rows: 3 accepted, 1 rejected, 1 invalid; 30.8 s; exit 4"


def shown(*events: Event, verbosity: int = 0, quiet: bool = False) -> tuple[str, str]:
    """What plain viewing writes to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with open_viewer(Viewing(out, err, verbosity=verbosity, quiet=quiet)) as viewer:
        for event in events:
            viewer.show(event)
    return out.getvalue(), err.getvalue()


def test_off_a_terminal_a_run_is_plain_lines_and_one_summary() -> None:
    out, err = shown(*short_run())
    assert out == SUMMARY + "\n"
    assert err.splitlines() == [
        "run 12: bulk-add v1 to campaign Diwali, file leads.csv: 5 rows, 4 to send in 2 requests,"
        " about 31 s",
        "row 2: 9876500002 (Sita): invalid: too short",
        "batch 1 of 2: 2 rows answered in 0.8 s",
        "row 4: 9876500004 (Sita): rejected: Number is in DND",
        "waiting 29 s: the pace is 30 s between requests",
        "note: the server is slow: Number is in DND",
        "batch 2 of 2: 2 rows answered in 0.8 s",
    ]


def test_problems_are_limited_and_the_command_for_the_rest_is_named() -> None:
    out, err = shown(*long_run(30))
    assert err.count(": invalid: ") == 20
    assert "and 11 problem rows more: `ozodial runs show 12`" in err
    assert out.startswith("run 12: 31 rows: 1 rejected, 30 invalid;")


def test_a_short_wait_is_worth_no_line() -> None:
    assert shown(WaitEvent(0.4, "retry"))[1] == ""
    assert shown(WaitEvent(0.4, "retry"), verbosity=1)[1] == "waiting 0.4 s: trying again\n"


def test_the_most_talkative_log_masks_phones() -> None:
    _, err = shown(*short_run(), verbosity=2)
    assert "row 3: 98xxxxxx03: accepted: SuccessFully Updated" in err
    assert "batch 1: sending 2 rows" in err
    assert "9876500003" not in err


def test_quiet_says_nothing_when_all_is_well() -> None:
    good = SummaryEvent(12, 5, {State.ACCEPTED: 5}, 30.84, ExitCode.OK)
    events = [event for event in short_run() if not isinstance(event, SummaryEvent)]
    assert shown(*events, good, quiet=True) == ("", "")


def test_quiet_says_on_stderr_what_did_not_end_well() -> None:
    error = ErrorEvent("no user found", "ozodial resume 12")
    bad = SummaryEvent(12, 5, {State.READY: 5}, 0.5, ExitCode.REFUSED, "ozodial resume 12")
    out, err = shown(error, bad, quiet=True)
    assert out == ""
    assert err == (
        "error: no user found\nnext: ozodial resume 12\nrun 12: 5 rows: 5 ready; 0.5 s; exit 6\n"
    )


def test_an_error_is_a_sentence_and_the_next_command() -> None:
    err = io.StringIO()
    show_error(err, "[/x] \x1b[2J is no campaign")
    assert err.getvalue() == "error: [/x] \\x1b[2J is no campaign\n"
    show_error(None, "nobody hears this")


def test_what_the_run_hints_at_is_the_next_command() -> None:
    event = SummaryEvent(3, 1, {State.READY: 1}, 1.0, ExitCode.STOPPED, "ozodial resume 3")
    out, err = shown(event)
    assert err == "next: ozodial resume 3\n"
    assert out == "run 3: 1 row: 1 ready; 1.0 s; exit 7\n"


@settings(max_examples=60)
@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_no_data_reaches_plain_streams_raw(name: str, message: str) -> None:
    events = [*short_run(name, message), ErrorEvent(message, name)]
    for stream in shown(*events, verbosity=2):
        assert all(c == "\n" or c.isprintable() or c in "\u200c\u200d" for c in stream)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("json", [False, True])
def test_any_console_encoding_will_do(encoding: str, json: bool) -> None:
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding=encoding)
    err = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with open_viewer(Viewing(out, err, json=json)) as viewer:
        for event in short_run("अर्जुन \ud800 é", "李小龍 \ud83d"):
            viewer.show(event)
    assert buffer.getvalue().endswith(b"\n")


def test_a_closed_stream_falls_silent_and_the_other_goes_on() -> None:
    out, err = io.StringIO(), io.StringIO()
    out.close()
    with open_viewer(Viewing(out, err)) as viewer:
        for event in short_run():
            viewer.show(event)
    assert "batch 2 of 2" in err.getvalue()
    with open_viewer(Viewing(None, None)) as viewer:
        for event in short_run():
            viewer.show(event)


def test_a_reader_that_left_is_no_news_but_a_full_disk_is() -> None:
    err = io.StringIO()
    with open("/dev/full", "w") as full, open_viewer(Viewing(full, err)) as viewer:
        viewer.show(next(reversed(list(short_run()))))
    assert err.getvalue() == "note: stdout can't be written any more: No space left on device\n"

    err = io.StringIO()
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as gone, open_viewer(Viewing(gone, err, json=True)) as viewer:
        viewer.show(run_event())
        viewer.show(run_event())
    assert err.getvalue() == ""


class Broken:
    """A screen with a bug."""

    closed = False

    def show(self, event: Event) -> None:
        raise ZeroDivisionError(f"[/x]\x1b {type(event).__name__}")

    def log(self, text: str) -> None:
        raise ZeroDivisionError(text)

    def hold(self, lines: Sequence[str]) -> None:
        raise BrokenPipeError

    def close(self) -> None:
        self.closed = True


def test_a_bug_in_a_viewer_is_told_once_and_harms_nothing() -> None:
    err, broken = io.StringIO(), Broken()
    with Viewer(broken, Sink(err)) as viewer:
        for event in short_run():
            viewer.show(event)
        viewer.log("more")
    assert broken.closed
    assert err.getvalue().count("\n") == 1
    assert "the display failed" in err.getvalue()
    assert "\x1b" not in err.getvalue()


def test_an_interrupt_is_not_swallowed() -> None:
    class Interrupted(Broken):
        def show(self, event: Event) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Viewer(Interrupted(), Sink(io.StringIO())) as viewer:
        viewer.show(NoticeEvent("x"))


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}]
from tests.scenes import short_run
from ozodial.render import Viewing, open_viewer
with open_viewer(Viewing(sys.stdout, sys.stderr, json={json})) as viewer:
    for event in short_run():
        viewer.show(event)
assert "rich" not in sys.modules and "typer" not in sys.modules
"""


def run_script(shell: str, json: bool) -> "subprocess.CompletedProcess[str]":
    """The scene in a process of its own, its streams as the shell line arranges them."""
    tests = str(Path(__file__).parent)
    script = SCRIPT.format(tests=tests, json=json)
    environment = {**os.environ, "PYTHONPATH": str(Path(tests).parent)}
    return subprocess.run(
        ["sh", "-c", shell, sys.executable, script],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("redirect", ["", ">&-", "2>&-", ">&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_whatever_the_streams_are_the_run_ends_well(json: bool, redirect: str) -> None:
    done = run_script(f'"$0" -c "$1" {redirect}', json)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_plain_and_json_never_load_rich() -> None:
    assert run_script('"$0" -c "$1"', json=False).stdout == SUMMARY + "\n"


def test_a_pipe_into_head_ends_quietly() -> None:
    done = run_script('"$0" -c "$1" | head -n 1', json=True)
    assert done.stdout.startswith('{"event":"run"')
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("term", "tty", "live"),
    [("xterm", True, True), ("dumb", True, False), ("", False, False), ("xterm", False, False)],
)
def test_a_live_screen_needs_a_terminal_that_can(term: str, tty: bool, live: bool) -> None:
    stream: TextIO = io.StringIO()
    assert Viewing(stream, stream, stderr_is_tty=tty, term=term).wants_live is live
    assert not Viewing(stream, stream, stderr_is_tty=tty, term=term, live=False).wants_live
    assert not Viewing(stream, stream, stderr_is_tty=tty, term=term, json=True).wants_live


def test_row_words_stay_in_line() -> None:
    _, err = shown(run_event(), row(2, State.REJECTED, "first\nsecond"))
    assert "rejected: first\\nsecond\n" in err
