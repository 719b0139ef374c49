"""Refusals of a whole batch for its data: the guilty rows come to stand alone, the rest gets in."""

from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, log2
from pathlib import Path

import pytest

from ozodial.events import BatchEvent, RowEvent
from ozodial.models import Reason, State
from ozodial.sandbox import SandboxConfig
from tests.clockwork import Office, slow_vendor
from tests.conftest import FakeClock

BAD = {
    "schedule": {"55506555": "Wrong Date format", "55508555": "Invalid date format"},
    "v1": {
        "55506555": "ExpiryDate, supports",
        "55507555": "Priority, supports",
        "55508555": "Please provide valid data",
    },
    "v4": {"55507555": "Priority, supports", "55508555": "Please provide valid data"},
}
"""Ends of phones for which the simulator refuses a whole request, and what it says then."""


def sheet_with(rows: int, guilty: dict[int, str]) -> str:
    """Good leads, and at some places (from 0) phones with such an end."""
    phones = [f"{9_800_100_000 + 7 * place}" for place in range(rows)]
    for number, (place, ending) in enumerate(guilty.items()):
        phones[place] = f"{70 + number}{ending}"
    return "Mobile,Name\n" + "".join(f"{phone},Lead\n" for phone in phones)


def settled(office: Office) -> dict[int, RowEvent]:
    return {event.row: event for event in office.events if isinstance(event, RowEvent)}


CASES = [
    (endpoint, rows, places)
    for endpoint, limit in (("schedule", 100), ("v1", 200), ("v4", 500))
    for rows, places in (
        (1, (0,)),
        (2, (1,)),
        (limit, (0,)),
        (limit, (limit - 1,)),
        (limit + 30, (limit // 2, limit + 7)),
    )
]


@pytest.mark.parametrize(("endpoint", "rows", "places"), CASES)
def test_guilty_rows_are_found_and_all_others_get_in(
    tmp_path: Path, clock: FakeClock, endpoint: str, rows: int, places: tuple[int, ...]
) -> None:
    command, api = ("schedule", "v1") if endpoint == "schedule" else ("bulk-add", endpoint)
    endings = list(BAD[endpoint])
    guilty = {place: endings[n % len(endings)] for n, place in enumerate(places)}
    with slow_vendor(clock, 0.5) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        summary = office.run_sheet(command, sheet_with(rows, guilty), api)
        taken = State.QUEUED if endpoint == "v4" else State.ACCEPTED
        expected = {State.REJECTED: len(places), taken: rows - len(places)}
        assert summary.counts == {state: n for state, n in expected.items() if n}
        assert summary.exit_code == 4
        for place in places:
            row = settled(office)[place + 2]
            assert row.status is State.REJECTED
            assert (row.message or "").startswith(BAD[endpoint][guilty[place]])
        phones = [lead.phone for lead in vendor.sandbox.leads]
        assert len(phones) == len(set(phones)) == rows - len(places)
        assert vendor.sandbox.violations == ()
        requests = vendor.sandbox.requests
        pace = {"schedule": 0, "v1": 30, "v4": 12}[endpoint]
        gaps = [later.arrived - (sooner.answered or 0) for sooner, later in pairwise(requests)]
        assert all(gap >= pace - 1e-6 for gap in gaps)
        full = ceil(rows / 100)
        assert len(requests) <= full + len(places) * 2 * ceil(log2(max(2, rows)))


@pytest.mark.parametrize("days", [0, 1, 3])
def test_a_time_that_is_too_late_is_refused_alone(
    tmp_path: Path, clock: FakeClock, days: int
) -> None:
    now = datetime(2026, 11, 22, 12, 0)
    times = [now + timedelta(days=1 + place % 9, hours=place) for place in range(60)]
    late = {17: now + timedelta(days=20), 40: now + timedelta(days=20 + days)}
    for place, time in late.items():
        times[place] = time
    lines = [f"{9_800_100_000 + 7 * n},{time:%Y-%m-%d %H:%M:%S}" for n, time in enumerate(times)]
    with slow_vendor(clock, 0.1, SandboxConfig(horizon_days=15)) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        summary = office.run_sheet("schedule", "Mobile,Call Time\n" + "\n".join(lines) + "\n")
        assert summary.counts == {State.REJECTED: 2, State.ACCEPTED: 58}
        rejected = {
            row: event.reason
            for row, event in settled(office).items()
            if event.status is State.REJECTED
        }
        assert rejected == dict.fromkeys((19, 42), Reason.TIME_BEYOND_30_DAYS)
        assert len(vendor.sandbox.requests) <= 15


def test_each_extra_request_is_shown(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        office.run_sheet("bulk-add", sheet_with(4, {3: "55508555"}))
    batches = [event for event in office.events if isinstance(event, BatchEvent)]
    told = [(batch.batch, batch.rows, batch.outcome) for batch in batches]
    assert told == [
        (1, 4, "refused"),
        (2, 2, "answered"),
        (3, 2, "refused"),
        (4, 1, "answered"),
        (5, 1, "answered"),
    ]
    assert {batch.message for batch in batches if batch.outcome == "refused"} == {
        "Please provide valid data"
    }


def test_good_rows_get_in_behind_however_many_bad_ones(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        lines = sheet_with(40, {}).splitlines()
        for place in range(25):
            lines[place + 1] = f"{70 + place}55508555,Lead"
        summary = office.run_sheet("bulk-add", "\n".join(lines) + "\n")
        assert summary.counts == {State.REJECTED: 25, State.ACCEPTED: 15}
        assert summary.exit_code == 4


def test_a_file_of_bad_rows_alone_is_given_up(tmp_path: Path, clock: FakeClock) -> None:
    lines = [f"{6_000 + place}555555,Lead" for place in range(150)]  # the vendor wants another map
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave("refuse=Please provide valid data")
        office = Office(tmp_path, clock, vendor.url)
        summary = office.run_sheet("bulk-add", "Mobile,Name\n" + "\n".join(lines) + "\n")
        requests = vendor.sandbox.requests
    assert summary.exit_code == 6
    assert summary.counts[State.REJECTED] == 20
    alone = [event.row for event in office.events if isinstance(event, RowEvent)]
    assert max(alone) > 140  # rows of the far end were tried, too
    assert len(requests) < 60
