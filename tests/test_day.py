"""Leads over the day, a careful first try, and the plan of both: by the command, then the vendor's
memory. Whatever the file grows to and whenever the command is repeated, no lead is sent twice.
"""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ozodial.endpoints import endpoint
from ozodial.errors import UsageError
from ozodial.hours import Hours
from ozodial.models import State, Target
from ozodial.prepare import Recipe, check_times, open_leads
from ozodial.sandbox_server import ServerHandle
from ozodial.spread import parse_spread
from ozodial.staging import RunOptions
from ozodial.upload import Job
from tests.clerk import ZONE, Clerk, Done
from tests.command import Desk, sheet
from tests.conftest import FakeClock, StartSandbox

INDIA = ZoneInfo(ZONE)
WINDOW = "tomorrow 10:00..18:00"


def taken(vendor: ServerHandle) -> dict[str, str]:
    """Phone to ScheduledTime, as the vendor has them; none came twice."""
    leads = vendor.sandbox.leads
    found = {lead.phone: lead.fields["ScheduledTime"] for lead in leads}
    assert len(found) == len(leads)
    return found


def test_spread_sends_what_check_has_shown(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(80) + "12,Bad\n9800100000,Again\n")
    words = ("--spread", WINDOW, "--per-hour", "7")
    (plan,) = desk.run("check", file, *words, "--json").of("plan")
    assert isinstance(plan["hours"], list)
    told = {str(hour["hour"])[:13]: hour["rows"] for hour in plan["hours"]}
    done = desk.run("schedule", file, *words, "--json")
    assert (done.code, done.summary["accepted"], done.summary["duplicate"]) == (4, 80, 1)
    assert "same phone as row 2" in [row["message"] for row in done.of("row")]
    assert told == Counter(when[:13] for when in taken(vendor).values())
    assert len({hour[:10] for hour in told}) == 2  # 56 a day
    table = desk.run("check", file, *words).out
    assert "When they are called" in table
    assert "7  ████" in table


def test_the_same_command_again_sends_nothing_and_a_grown_file_what_is_new(
    desk: Desk, vendor: ServerHandle
) -> None:
    file = desk.write("leads.csv", sheet(50))
    words = ("schedule", file, "--spread", WINDOW)
    assert desk.run(*words).code == 0
    first = taken(vendor)
    again = desk.run(*words)
    assert (again.code, taken(vendor)) == (0, first)
    assert "run 1 has ended before" in again.err
    assert "50 rows, nothing to send" in again.err
    assert "below the vendor's" not in again.err
    desk.write("leads.csv", sheet(70))
    grown = desk.run(*words, "--json")
    assert (grown.summary["already_accepted"], grown.summary["accepted"]) == (50, 20)
    assert len(taken(vendor)) == 70


def test_a_careful_first_try_and_then_the_rest(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write(
        "leads.csv", "Mobile,Name\n12,Bad\n" + sheet(40).partition("\n")[2] + "13,B\n"
    )
    words = ("schedule", file, "--spread", WINDOW, "--json")
    tried = desk.run(*words, "--limit", "3")
    counted = [tried.summary[name] for name in ("rows", "accepted", "invalid", "left_out")]
    assert (tried.code, counted) == (4, [4, 3, 1, 38])
    assert tried.of("run")[0]["left_out"] == 38
    first = taken(vendor)
    assert desk.run(*words, "--limit", "3").summary["accepted"] == 3
    assert taken(vendor) == first
    rest = desk.run(*words)
    counted = [rest.summary[name] for name in ("rows", "accepted", "already_accepted", "invalid")]
    assert (rest.code, counted, "left_out" in rest.summary) == (4, [42, 37, 3, 2], False)
    # the try had the times of the whole: all are 12 minutes apart
    moments = sorted(map(datetime.fromisoformat, taken(vendor).values()))
    gaps = {after - before for before, after in pairwise(moments)}
    assert gaps == {timedelta(minutes=12)}


def test_a_try_says_what_it_leaves_out(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(9))
    done = desk.run("bulk-add", file, "--limit", "2")
    assert "7 rows stay out of this run, from row 4 on" in done.err
    assert "2 rows: 2 accepted; 7 left out by --limit;" in done.out
    dry = desk.run("bulk-add", file, "--limit", "5", "--dry-run", "--json")
    assert (dry.summary["ready"], dry.summary["left_out"]) == (3, 4)
    assert len(vendor.sandbox.leads) == 2
    assert desk.run("bulk-add", file, "--limit", "0").code == 2


def test_a_lead_with_a_time_of_its_own_keeps_it(desk: Desk, vendor: ServerHandle) -> None:
    day = (datetime.now(INDIA) + timedelta(days=3)).date().isoformat()
    text = f"Mobile,Call Time,Expiry\n9800100001,,\n9800100002,{day} 22:15,\n9800100003,,\n"
    text += f"9800100004,,{(datetime.now(INDIA) + timedelta(days=1)).date()} 10:01\n"
    done = desk.run("schedule", desk.write("leads.csv", text), "--spread", WINDOW, "--json")
    assert [row["reason"] for row in done.of("row") if row["status"] == "invalid"] == [
        "expiry_before_schedule"
    ]
    times = taken(vendor)
    assert times["9800100002"] == f"{day} 22:15:00"
    assert [times[phone][11:] for phone in ("9800100001", "9800100003")] == ["10:00:00", "12:40:00"]


def test_calling_hours_refuse_or_shift(desk: Desk, vendor: ServerHandle) -> None:
    days = [(datetime.now(INDIA) + timedelta(days=ahead)).date() for ahead in range(3, 10)]
    saturday = next(day for day in days if day.weekday() == 5)
    text = (
        f"Mobile,Call Time\n9800100001,{saturday} 20:59:59\n9800100002,{saturday} 21:00\n"
        f"9800100003,{saturday} 07:30\n9800100004,{saturday + timedelta(days=1)} 12:00\n"
    )
    file = desk.write("leads.csv", text)
    hours = ("--calling-hours", "09:00-21:00", "--days", "mon-sat")
    refused = desk.run("check", file, *hours, "--json")
    assert [row["reason"] for row in refused.of("row")] == [None, *["time_outside_hours"] * 3]
    assert "outside of the calling hours 09:00-21:00 mon-sat" in str(refused.of("row")[1])
    done = desk.run("schedule", file, *hours, "--outside", "shift", OZODIAL_DAYS="sun")
    assert done.code == 0, done.err
    assert "3 rows are sent with a remark" in done.err
    monday = saturday + timedelta(days=2)
    assert taken(vendor) == {
        "9800100001": f"{saturday} 20:59:59",
        "9800100002": f"{monday} 09:00:00",
        "9800100003": f"{saturday} 09:00:00",
        "9800100004": f"{monday} 09:00:00",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--spread", "soon"], "not a day with two times of day"),
        (["--spread", "tomorrow 10:00..10:01", "--per-hour", "60"], "of 450 leads don't fit"),
        (["--spread", WINDOW, "--at", "tomorrow 10:00"], "exclude each other"),
        (["--at", "tomorrow 10:00", "--per-hour", "60"], "--per-hour needs a window"),
        (["--spread", "2026-01-01 10:00..18:00"], "which is past"),
        (["--spread", "+31d 10:00..18:00"], "more than 30 days ahead"),
        (["--spread", WINDOW, "--days", "noday"], "not days of the week"),
        (["--spread", WINDOW, "--calling-hours", "12-17"], '"2026'),
        (["--at", "tomorrow 23:00", "--calling-hours", "9-21"], "--outside shift"),
        (["--at", "tomorrow 10:00", "--outside", "maybe"], "reject, shift"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    desk: Desk, vendor: ServerHandle, words: list[str], said: str
) -> None:
    file = desk.write("leads.csv", sheet(450))
    if said == '"2026':
        said = f'next: --spread "{(datetime.now(INDIA) + timedelta(days=1)).date()} 12:00..17:00"'
    for command in ("schedule", "check"):
        done = desk.run(command, file, *words)
        assert (done.code, done.out) == (2, ""), done.err
        assert said in done.err
        assert "Traceback" not in done.err
    assert vendor.sandbox.requests == ()
    assert "no run has rows" in desk.run("resume").err


# --- with a clock of its own ---


def scheduled(clerk: Clerk, file: Path, typed: str = WINDOW, limit: int | None = None) -> Done:
    """`schedule FILE --spread TYPED`, as typed now."""
    now = datetime.fromtimestamp(clerk.clock.wall, INDIA)
    spread = parse_spread(typed, now, INDIA)
    recipe = Recipe(
        endpoint("schedule"), str(file), "IN", ZONE, now, at=spread.first, when=typed,
        spread=spread, limit=limit,
    )  # fmt: skip
    options = RunOptions("ops", clerk.server.url, ZONE, True, when=str(spread))
    job = Job(recipe, Target("ops@host", "schedule", "Diwali"), options)
    return clerk.run(job)


@pytest.fixture
def clerk(tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox) -> Clerk:
    return Clerk(tmp_path, clock, start_sandbox(None, clock))


def test_tomorrow_stays_the_day_that_it_meant(clerk: Clerk) -> None:
    file = clerk.file([str(9_800_100_000 + i) for i in range(150)])
    first = scheduled(clerk, file)
    assert first.counts == {"accepted": 150}
    clerk.clock.advance(86_400)
    again = scheduled(clerk, file)
    assert (again.run.id, again.code, again.rows) == (first.run.id, 0, [])
    (note,) = again.notices
    assert note.startswith(f'"{WINDOW}" meant 2026-11-23 10:00..18:00 when run 1 was made')
    assert "2026-11-24 10:00..18:00" in note
    assert len(clerk.server.sandbox.leads) == 150
    dated = scheduled(clerk, file, "2026-11-24 10:00..18:00")
    assert dated.counts == {"accepted": 150}
    assert clerk.audit() == []


def test_a_run_of_yesterday_goes_on_with_its_own_times(clerk: Clerk) -> None:
    file = clerk.file([str(9_800_100_000 + i) for i in range(250)])
    clerk.patience = 0
    clerk.server.sandbox.misbehave("busy@2")
    stopped = scheduled(clerk, file, "+2d 10:00..18:00")
    assert (stopped.code, stopped.counts) == (7, {"accepted": 100, "ready": 150})
    clerk.clock.advance(86_400)
    done = scheduled(clerk, file, "+2d 10:00..18:00")
    assert (done.run.id, done.counts) == (stopped.run.id, {"accepted": 250})
    days = {lead.fields["ScheduledTime"][:10] for lead in clerk.server.sandbox.leads}
    assert days == {"2026-11-24"}


def test_a_try_of_yesterday_is_not_taken_for_one_of_today(clerk: Clerk) -> None:
    file = clerk.file([str(9_800_100_000 + i) for i in range(20)])
    assert scheduled(clerk, file, limit=5).counts == {"accepted": 5}
    clerk.clock.advance(86_400)
    with pytest.raises(UsageError, match=r"meant 2026-11-23 10:00..18:00 when run 1"):
        scheduled(clerk, file)
    clerk.clock.advance(-80_000)
    whole = scheduled(clerk, file, "2026-11-23 10:00..18:00")
    assert whole.counts == {"accepted": 15, "already_accepted": 5}
    assert len(clerk.server.sandbox.leads) == 20
    assert clerk.audit() == []


def test_the_times_do_not_depend_on_when_they_are_asked_for(clerk: Clerk) -> None:
    file = clerk.file([str(9_800_100_000 + i) for i in range(50)])
    rows = []
    for hour in (12, 17):
        now = datetime(2026, 11, 22, hour, tzinfo=INDIA)
        spread = parse_spread(WINDOW, now, INDIA)
        recipe = Recipe(
            endpoint("schedule"), str(file), "IN", ZONE, now, at=spread.first, spread=spread
        )
        with open_leads(recipe) as leads:
            rows.append(list(leads.rows()))
            assert list(leads.rows()) == rows[-1]
    assert rows[0] == rows[1]


def test_a_spread_that_has_begun_is_found_but_not_begun_anew(clerk: Clerk) -> None:
    file = clerk.file(["9800100000"])
    now = datetime(2026, 11, 22, 12, tzinfo=INDIA)
    spread = parse_spread("today 10:00..18:00", now, INDIA)
    recipe = Recipe(
        endpoint("schedule"), str(file), "IN", ZONE, now, at=spread.first, spread=spread
    )
    with pytest.raises(UsageError, match="which is past"):
        check_times(recipe)
    early = scheduled(clerk, file, "today 13:00..18:00")
    clerk.clock.advance(2 * 3600)
    again = scheduled(clerk, file, "today 13:00..18:00")
    assert (again.run.id, again.code) == (early.run.id, 0)


def test_hours_in_a_file_that_is_read_slowly_and_fast_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    text = "Mobile,Call Time\n9800100001,2026-11-23 22:00\n+91 98001 00002,2026-11-23 22:00\n"
    file.write_text(text)
    now = datetime(2026, 11, 22, 12, tzinfo=INDIA)
    hours = Hours("09:00:00", "21:00:00", shift=True)
    recipe = Recipe(endpoint("schedule"), str(file), "IN", ZONE, now, hours=hours)
    with open_leads(recipe) as leads:
        assert [row.scheduled for row in leads.rows()] == ["2026-11-24 09:00:00"] * 2
        assert {state for *_, state, _, _ in leads.judged()} == {State.READY}


def test_staging_keeps_what_was_left_out(clerk: Clerk) -> None:
    done = scheduled(clerk, clerk.file([str(9_800_100_000 + i) for i in range(9)]), limit=4)
    assert (done.summary.left_out, done.counts) == (5, {"accepted": 4})
