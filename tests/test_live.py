import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.events import ErrorEvent, NoticeEvent, ReadingEvent, RunEvent, SendingEvent, WaitEvent
from ozodial.models import State
from ozodial.painter import Painter
from ozodial.progress import Progress
from ozodial.render import Viewer, Viewing, open_viewer
from ozodial.screen import LiveScreen, Moment
from ozodial.streams import Sink
from tests.scenes import long_run, row, run_event, short_run
from tests.terminal import Terminal

SUMMARY = "run 12: 5 rows: 3 accepted, 1 rejected, 1 invalid; 30.8 s; exit 4"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    end = Terminal()
    yield end
    end.close()


def live(terminal: Terminal, **options: bool | int) -> Viewer:
    """A live viewer whose stdout and stderr are this terminal."""
    mode = Viewing(
        terminal.stream,
        terminal.stream,
        stdout_is_tty=True,
        stderr_is_tty=True,
        term="xterm-256color",
        no_color=bool(options.get("no_color")),
        verbosity=int(options.get("verbosity", 0)),
    )
    return open_viewer(mode)


def test_after_the_run_the_problems_and_one_summary_stay(terminal: Terminal) -> None:
    terminal.stream.write("$ ozodial\r\n")
    with live(terminal) as viewer:
        for event in short_run():
            viewer.show(event)
    text = terminal.read()
    lines = text.splitlines()
    assert lines[0] == "$ ozodial"
    assert "leads.csv → Diwali   bulk-add v1 · run 12" in text
    assert "100 %  5 of 5 rows" in text
    assert text.count(SUMMARY) == 1
    assert "row  phone       name  state     why" in text
    assert "  4  9876500004  Sita  rejected  Number is in DND" in text
    assert "next request" not in text
    assert text.count("note: the server is slow") == 1


def test_the_summary_goes_to_a_file_too_when_stdout_is_one(terminal: Terminal) -> None:
    import io

    out = io.StringIO()
    mode = Viewing(out, terminal.stream, stderr_is_tty=True, term="xterm")
    with open_viewer(mode) as viewer:
        for event in short_run():
            viewer.show(event)
    assert out.getvalue() == SUMMARY + "\n"


def test_while_it_waits_it_counts_down_and_says_why(terminal: Terminal) -> None:
    with live(terminal) as viewer:
        viewer.show(ReadingEvent(5))
        terminal.until(lambda text: "reading: 5 rows so far" in text)
        for event in list(short_run())[1:8]:
            viewer.show(event)
        viewer.show(WaitEvent(30.0, "pace"))
        text = terminal.until(lambda text: "next request in" in text)
        assert "next request in 30 s: the pace is 30 s between requests" in text
        assert "1 accepted   1 rejected   1 invalid   2 ready" in text
        assert "Problems  1 rejected, 1 invalid" in text
        viewer.show(SendingEvent(12, 2, 2))
        terminal.until(lambda text: "request 2 of 2 is on its way: 2 rows" in text)


def test_an_interrupted_run_leaves_how_far_it_got(terminal: Terminal) -> None:
    def interrupted() -> None:
        with live(terminal) as viewer:
            for event in list(short_run())[:7]:
                viewer.show(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    text = terminal.read()
    assert "60 %  3 of 5 rows" in text
    assert "rejected  Number is in DND" in text


def test_an_error_comes_last(terminal: Terminal) -> None:
    with live(terminal) as viewer:
        events = list(short_run())
        for event in [*events[:7], ErrorEvent("no user found", "ozodial resume 12"), events[-1]]:
            viewer.show(event)
    lines = terminal.read().splitlines()
    assert lines[-2:] == ["error: no user found", "next: ozodial resume 12"]
    assert SUMMARY in lines


def test_an_error_before_the_run_is_told_too(terminal: Terminal) -> None:
    with live(terminal) as viewer:
        viewer.show(ReadingEvent(0))
        viewer.show(ErrorEvent("leads.csv is empty"))
    assert terminal.read().strip() == "error: leads.csv is empty"


def test_problems_are_limited_and_the_command_for_the_rest_is_named(terminal: Terminal) -> None:
    with live(terminal) as viewer:
        for event in long_run(50):
            viewer.show(event)
    text = terminal.read()
    assert text.count("invalid   too short") == 19
    assert "Problems  1 rejected, 50 invalid  (20 shown)" in text
    assert "and 31 problem rows more: `ozodial runs show 12`" in text


def test_logs_and_waits_stay_above_with_v(terminal: Terminal) -> None:
    with live(terminal, verbosity=1) as viewer:
        for event in list(short_run())[:8]:
            viewer.show(event)
        viewer.log("token \x1b[2J renewed")
        text = terminal.until(lambda text: "renewed" in text)
    assert "batch 1 of 2: 2 rows answered in 0.8 s" in text
    assert "token \\x1b[2J renewed" in text
    assert "waiting 29 s: the pace is" in text


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_no_data_reaches_the_terminal_raw(name: str, message: str) -> None:
    progress = Progress(0)
    for event in short_run(name, message):
        progress.take(event, 0)
    screen = LiveScreen(no_color=True)
    moment = Moment(1.0, datetime(2026, 11, 22, tzinfo=UTC))
    lines = screen.frame(progress, moment, (79, 23)) + screen.final(progress, 79)
    for line in lines:
        for part in line.split("\x1b["):
            assert all(c.isprintable() or c in "\u200c\u200d" for c in part)


def frame(columns: int, rows: int, problems: int, *, wait: bool = True) -> list[str]:
    """A frame in mid-run without colours."""
    progress = Progress(0)
    progress.take(run_event(rows=450, ready=440, batches=3), 0)
    for number in range(2, 2 + problems):
        progress.take(row(number, State.INVALID, "too short", "李小龍" * 9), 0)
    for number in range(100, 300):
        progress.take(row(number, State.ACCEPTED, name="Sita"), 0)
    if wait:
        progress.take(WaitEvent(30, "pace"), 0)
    moment = Moment(1.0, datetime(2026, 11, 22, tzinfo=UTC))
    return LiveScreen(no_color=True).frame(progress, moment, (columns, rows))


@pytest.mark.parametrize("problems", [0, 3, 200])
@pytest.mark.parametrize("size", [(79, 23), (199, 59), (39, 12), (20, 5), (1, 1), (300, 8)])
def test_a_frame_fits_its_terminal(size: tuple[int, int], problems: int) -> None:
    from rich.text import Text

    lines = frame(*size, problems)
    assert 1 <= len(lines) <= size[1]
    assert max(Text.from_ansi(line).cell_len for line in lines) <= size[0]


def test_a_small_terminal_shows_problems_and_latest_rows_and_a_large_one_more() -> None:
    small, large = "\n".join(frame(79, 23, 200)), "\n".join(frame(199, 59, 200))
    assert small.count("too short") >= 5
    assert small.count("SuccessFully") >= 4
    assert large.count("too short") == 20
    assert large.count("SuccessFully") == 15


def test_a_sandbox_is_plain_to_see() -> None:
    progress = Progress(0)
    event = RunEvent(1, "bulk-add", "C", "f", 1, 1, 1, 0.5, api="v1", sandbox=True, pace=1.0)
    progress.take(event, 0)
    lines = LiveScreen(True, False).frame(progress, Moment(0, datetime.now(UTC)), (79, 23))
    assert " SANDBOX " in lines[1]
    assert "nothing goes to the vendor; the pace is 1 s instead of 30 s" in lines[1]
    assert all(line.isascii() for line in lines)


def test_no_color_has_no_colours(terminal: Terminal) -> None:
    with live(terminal, no_color=True) as viewer:
        for event in short_run():
            viewer.show(event)
    terminal.read()
    assert "\x1b[1m" in terminal.raw
    assert not any(f"\x1b[{code}m" in terminal.raw for code in range(30, 50))


def test_only_what_changed_is_written(terminal: Terminal) -> None:
    painter = Painter(Sink(terminal.stream))
    painter.frame(["head", "10 s", "foot"])
    terminal.read()
    before = len(terminal.raw)
    painter.frame(["head", "9 s", "foot"])
    assert terminal.read().splitlines() == ["head", "9 s", "foot"]
    assert "head" not in terminal.raw[before:]
    painter.frame(["head", "9 s", "foot"])
    before = len(terminal.raw)
    assert terminal.read().endswith("foot\n")
    assert len(terminal.raw) == before


def test_frames_grow_shrink_and_leave_the_scrollback_alone(terminal: Terminal) -> None:
    terminal.stream.write("".join(f"old {i}\r\n" for i in range(30)))
    painter = Painter(Sink(terminal.stream))
    for count in (3, 23, 40, 5):
        painter.frame([f"line {i} of {count}" for i in range(count)])
        painter.above([f"note {count}"])
    text = terminal.read().splitlines()
    assert [line for line in text if line.startswith("old")] == [f"old {i}" for i in range(30)]
    assert text[-4:] == ["note 3", "note 23", "note 40", "note 5"]


def test_a_terminal_made_smaller_gets_a_frame_that_fits(terminal: Terminal) -> None:
    with live(terminal) as viewer:
        viewer.show(run_event(rows=300, ready=300))
        for number in range(2, 60):
            viewer.show(row(number, State.ACCEPTED))
        terminal.until(lambda text: "Latest rows" in text)
        terminal.resize(50, 12)
        terminal.until(lambda text: "row  phone       state     why" in text)
        viewer.show(NoticeEvent("x" * 10))
        below = terminal.until(lambda text: "note: xxxxxxxxxx" in text)
    assert len(below.partition("note: xxxxxxxxxx")[2].splitlines()) <= 12


def test_waiting_costs_at_most_two_percent_of_a_core() -> None:
    progress = Progress(0)
    for event in list(long_run(200))[:-1]:
        progress.take(event, 0)
    progress.take(WaitEvent(30, "pace"), 0)
    screen = LiveScreen()
    wall = datetime(2026, 11, 22, tzinfo=UTC)
    screen.frame(progress, Moment(0, wall), (199, 59))
    began = time.process_time()
    for tick in range(40):
        screen.frame(progress, Moment(tick / 4, wall), (199, 59))
    assert (time.process_time() - began) / 10 <= 0.02


def test_a_frame_that_stands_at_the_top_of_the_screen_is_erased_line_by_line(
    terminal: Terminal,
) -> None:
    painter = Painter(Sink(terminal.stream))
    painter.frame(["reading", "more"])
    painter.above(["a question", ""])
    # tmux keeps a screen that is erased from its very top as history
    assert terminal.read().splitlines() == ["a question", ""]
    assert "\x1b[2A\x1b[J" not in terminal.raw
    assert "\x1b[2A\x1b[K" in terminal.raw


def test_while_a_question_stands_nothing_is_drawn_over_it(terminal: Terminal) -> None:
    with live(terminal) as viewer:
        viewer.show(ReadingEvent(5))
        terminal.until(lambda text: "reading: 5 rows so far" in text)
        viewer.hold(["", "campaign  Diwali"])
        text = terminal.until(lambda text: "Diwali" in text)
        assert "reading" not in text
        time.sleep(0.6)  # two ticks of the drawing thread
        assert terminal.read() == text
        viewer.show(run_event())
        terminal.until(lambda text: "0 of 5 rows" in text)


def test_a_waiting_screen_takes_a_fiftieth_of_a_core_at_most() -> None:
    progress = Progress(0)
    progress.take(run_event(rows=4000, ready=4000, batches=20), 0)
    for number in range(2, 302):
        progress.take(row(number, State.INVALID if number % 3 else State.ACCEPTED), 0)
    progress.take(WaitEvent(30, "pace"), 0)
    screen = LiveScreen()
    frames = 120
    spent = -time.thread_time()
    for tick in range(frames):
        moment = Moment(tick / 4, datetime(2026, 11, 22, 12, 0, tick % 60, tzinfo=UTC))
        screen.frame(progress, moment, (199, 59))
    spent += time.thread_time()
    assert spent < 0.02 * frames / 4
