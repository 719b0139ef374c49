import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.events import ErrorEvent, Event, ReadingEvent, SendingEvent, WaitEvent
from ozodial.models import State
from ozodial.render import Viewing, open_viewer
from tests.scenes import row, short_run

DESIGN = {
    "run": "event run command campaign file rows ready batches estimated_seconds",
    "row": "event run row phone status reason message",
    "batch": "event run batch rows outcome seconds",
    "wait": "event seconds why",
    "error": "event message hint",
    "summary": "event run rows accepted queued rejected invalid duplicate suppressed "
    "already_accepted unknown ready seconds exit_code",
}


def lines(*events: Event, verbosity: int = 0) -> tuple[list[str], str]:
    """What JSON viewing writes to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with open_viewer(Viewing(out, err, json=True, verbosity=verbosity)) as viewer:
        for event in events:
            viewer.show(event)
    return out.getvalue().splitlines(), err.getvalue()


def test_every_object_has_the_fields_of_the_design_in_their_order() -> None:
    written, err = lines(*short_run(), ErrorEvent("no user found", "ozodial resume 12"))
    seen = set()
    for line in written:
        record = json.loads(line)
        wanted = DESIGN[record["event"]].split()
        assert list(record)[: len(wanted)] == wanted
        seen.add(record["event"])
    assert seen == set(DESIGN)
    assert err == "error: no user found\nnext: ozodial resume 12\n"


def test_the_lines_are_those_of_the_design() -> None:
    written, _ = lines(*short_run())
    assert written[2] == (
        '{"event":"batch","run":12,"batch":1,"rows":2,"outcome":"answered","seconds":0.812,'
        '"message":null}'
    )
    assert written[3] == (
        '{"event":"row","run":12,"row":3,"phone":"9876500003","status":"accepted",'
        '"reason":null,"message":"SuccessFully Updated"}'
    )
    assert written[-1] == (
        '{"event":"summary","run":12,"rows":5,"accepted":3,"queued":0,"rejected":1,"invalid":1,'
        '"duplicate":0,"suppressed":0,"already_accepted":0,"unknown":0,"ready":0,"seconds":30.8,'
        '"exit_code":4,"removed":0,"hint":null}'
    )


def test_what_only_a_live_screen_shows_is_no_line() -> None:
    assert lines(ReadingEvent(5), SendingEvent(1, 1, 5)) == ([], "")


def test_notices_and_waits_are_told_with_v() -> None:
    assert lines(*short_run())[1] == ""
    _, err = lines(*short_run(), WaitEvent(0.2, "retry"), verbosity=1)
    assert err.splitlines() == [
        "waiting 29 s: the pace is 30 s between requests",
        "note: the server is slow: Number is in DND",
    ]


def test_unicode_stays_readable_where_the_stream_can_take_it() -> None:
    assert '"message":"李小龍"' in lines(row(2, State.REJECTED, "李小龍"))[0][0]


@settings(max_examples=100)
@given(st.text(st.characters(codec=None)))
def test_any_text_comes_back_and_nothing_in_it_acts(text: str) -> None:
    for encoding in ("utf-8", "cp1252"):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
        with open_viewer(Viewing(out, None, json=True)) as viewer:
            viewer.show(row(2, State.REJECTED, text))
        out.seek(0)
        line = out.read().removesuffix("\n")
        assert all(c >= " " and not "\x7f" <= c <= "\x9f" for c in line)
        assert json.loads(line)["message"] == text
