"""--max-duration and --stop-at: a run ends between two requests, and the next one goes on."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ozodial.errors import ExitCode, UsageError
from ozodial.limits import Limit, limit_of, parse_duration, parse_stop
from ozodial.sandbox import SandboxConfig
from ozodial.sandbox_server import ServerHandle
from tests.clerk import Clerk
from tests.command import Desk, sheet
from tests.conftest import FakeClock, StartSandbox

INDIA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=INDIA)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("2h", 7200), ("90m", 5400), ("1h30m", 5400), ("1 h 30 min", 5400), ("45 s", 45)),
        *(("2 hours", 7200), ("1.5h", 5400), ("3600", 3600), ("1h, 5 minutes, 3sec", 3903)),
    ],
)
def test_lengths_of_time_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text, "--max-duration") == seconds


@pytest.mark.parametrize("text", ["", "soon", "2 months", "h", "0", "0h", "-1h", "2h x", "1e9"])
def test_what_is_no_length_of_time_names_its_source(text: str) -> None:
    with pytest.raises(UsageError, match=r"^OZODIAL_MAX_DURATION .* is not a length of time"):
        parse_duration(text, "OZODIAL_MAX_DURATION")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("20:00", "2026-11-22 20:00:00"),
        ("8 pm", None),
        ("8:00 pm", "2026-11-22 20:00:00"),
        ("12:00", "2026-11-23 12:00:00"),
        ("06:30", "2026-11-23 06:30:00"),
        ("tomorrow 09:00", "2026-11-23 09:00:00"),
        ("2026-11-24 09:00", "2026-11-24 09:00:00"),
        ("25:00", None),
        ("today 11:00", None),
        ("noon", None),
    ],
)
def test_a_time_of_day_is_the_next_one(text: str, means: str | None) -> None:
    if means is None:
        with pytest.raises(UsageError, match="--stop-at"):
            parse_stop(text, "--stop-at", NOON)
    else:
        assert str(parse_stop(text, "--stop-at", NOON).replace(tzinfo=None)) == means


def test_the_limit_that_ends_first_counts(clock: FakeClock) -> None:
    began = clock.instant()
    both = limit_of(("2h", ""), ("13:00", ""), began, NOON)
    assert both is not None
    assert (both.left(began), both.reason(began)) == (3600, "--stop-at 13:00")
    clock.wall -= 7200  # the wall clock is set back: the length of time still counts
    assert both.reason(clock.instant()) == "--max-duration 2h"
    assert limit_of(None, None, began, NOON) is None


def clerk(tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox, seconds: float) -> Clerk:
    server = start_sandbox(SandboxConfig(), clock)
    limit = Limit(clock.instant(), seconds, said=("--max-duration 65s", ""))
    return Clerk(tmp_path, clock, server, limit=limit)


def test_a_run_stops_between_two_requests_and_the_same_command_goes_on(
    tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox
) -> None:
    desk = clerk(tmp_path, clock, start_sandbox, 65)
    file = desk.file([str(9_800_100_000 + i) for i in range(900)])
    done = desk.upload(file)
    assert (done.code, done.counts) == (ExitCode.STOPPED, {"accepted": 600, "ready": 300})
    # not a second is spent on a pace that would end too late
    assert desk.limit is not None
    assert clock.instant().since(desk.limit.started) < 61
    (said,) = done.errors
    assert said.startswith("Stopped between two requests by --max-duration 65s; the same command")
    assert done.summary.hint == f"ozodial resume {done.run.id}"
    desk.limit = None
    again = desk.upload(file)
    assert (again.run.id, again.code, again.counts) == (done.run.id, 0, {"accepted": 900})
    assert [batch.rows for batch in again.batches] == [200, 100]
    assert desk.audit() == []


def test_resume_has_the_same_limit(
    tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox
) -> None:
    desk = clerk(tmp_path, clock, start_sandbox, 25)
    file = desk.file([str(9_800_100_000 + i) for i in range(500)])
    done = desk.upload(file)
    assert done.counts == {"accepted": 200, "ready": 300}
    clock.advance(100)
    desk.limit = Limit(clock.instant(), wall=clock.wall + 20, said=("", "--stop-at 20:00"))
    resumed = desk.resume(done.run.id)
    assert (resumed.code, resumed.counts) == (7, {"accepted": 400, "ready": 100})
    assert "--stop-at 20:00" in resumed.errors[0]


def test_a_limit_in_the_past_sends_nothing(
    tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox
) -> None:
    desk = clerk(tmp_path, clock, start_sandbox, 0)
    done = desk.upload(desk.file(["9800100000"]), "schedule")
    assert (done.code, done.counts) == (7, {"ready": 1})
    assert desk.server.sandbox.requests == ()
    assert desk.server.sandbox.tokens == ()


def test_by_the_command_line_it_is_exit_7_and_goes_on(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(450))
    slow = {"OZODIAL_PACE": "600"}
    done = desk.run("bulk-add", file, "--max-duration", "9m", **slow)
    assert done.code == 7, done.err
    assert "stops before its end, in " in done.err
    assert "error: Stopped between two requests by --max-duration 9m" in done.err
    assert "next: ozodial resume 1" in done.err
    assert len(vendor.sandbox.leads) == 200
    quiet = desk.run("resume", "--max-duration", "9m", "--quiet", **slow)
    assert (quiet.code, len(vendor.sandbox.leads)) == (7, 200)
    assert "--max-duration 9m" in quiet.err
    assert desk.run("bulk-add", file).code == 0
    assert len({lead.phone for lead in vendor.sandbox.leads}) == len(vendor.sandbox.leads) == 450


def test_a_profile_may_hold_the_limits(desk: Desk) -> None:
    hour = (datetime.now(INDIA) + timedelta(hours=1)).strftime("%H:%M")
    desk.write("config.toml", f'[profiles.default]\nmax_duration = "2h"\nstop_at = "{hour}"\n')
    file = desk.write("leads.csv", sheet(450))
    named = {"OZODIAL_CONFIG": "config.toml", "OZODIAL_PACE": "4000"}
    done = desk.run("bulk-add", file, **named)
    assert (done.code, f"--stop-at {hour}" in done.err) == (7, True)
