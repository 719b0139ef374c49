"""Whole uploads: what is told, what is recorded and what the vendor has are one and the same."""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from ozodial.endpoints import endpoint
from ozodial.errors import ExitCode, OzodialError, RefusedError, SettingError, StoppedError
from ozodial.events import BatchEvent, Event
from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.staging import Staging
from ozodial.upload import exit_code
from tests.clerk import Clerk
from tests.conftest import FakeClock, StartSandbox
from tests.harness.audit import ledger_rows

ENDPOINTS = [("schedule", ""), ("bulk-add", "v1"), ("bulk-add", "v4")]

DND, EXISTS, SILENT, STRANGE = "55501555", "55502555", "55505555", "55504555"


@pytest.fixture
def clerk(tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox) -> Clerk:
    return Clerk(tmp_path, clock, start_sandbox(None, clock))


def phones(count: int, first: int = 0) -> list[str]:
    return [str(9_810_000_000 + number) for number in range(first, first + count)]


def misbehave(clerk: Clerk, *faults: str) -> None:
    clerk.server.sandbox.behave()
    clerk.server.sandbox.misbehave(*faults)


def sent(clerk: Clerk) -> list[str]:
    """The phones that the vendor took, in order."""
    return [lead.phone for lead in clerk.server.sandbox.leads]


# --- a receipt for every row ---


@pytest.mark.parametrize(("command", "api"), ENDPOINTS)
def test_counts_are_what_the_vendor_has(clerk: Clerk, command: str, api: str) -> None:
    rows = [*phones(450), f"98{DND}", f"97{DND}", f"98{EXISTS}", "12", "", *phones(3)]
    done = clerk.upload(clerk.file([[row, "x"] for row in rows], "Mobile,Name"), command, api)

    good = "queued" if api == "v4" else "accepted"
    expected = {good: 450, "invalid": 2, "duplicate": 4, "rejected": 2}
    if api == "v4":
        # one answer for the batch: what became of a row comes by callback
        expected = {good: 453, "invalid": 2, "duplicate": 3}
    assert done.counts == expected
    assert done.code is ExitCode.PROBLEM_ROWS
    assert len(sent(clerk)) == 450
    assert Counter(row.status for row in done.rows) == Counter(expected)
    assert sorted(row.row for row in done.rows) == list(range(2, 460))
    told = {row.phone for row in done.rows if row.status == good}
    assert set(sent(clerk)) <= told
    assert clerk.server.sandbox.violations == ()
    if api != "v4":
        assert clerk.audit() == []


def test_rows_without_an_answer_of_their_own_are_unknown(clerk: Clerk) -> None:
    done = clerk.upload(clerk.file([*phones(5), f"98{SILENT}", f"98{STRANGE}"]))
    assert done.counts == {"accepted": 5, "unknown": 2}
    assert done.code is ExitCode.UNKNOWN_ROWS
    assert done.summary.hint == f"ozodial resume {done.run.id} --resend-unknown"


@pytest.mark.parametrize(("command", "api"), ENDPOINTS)
def test_the_same_command_again_sends_nothing(clerk: Clerk, command: str, api: str) -> None:
    file = clerk.file(phones(250))
    first = clerk.upload(file, command, api)
    requests = len(clerk.server.sandbox.requests)
    again = clerk.upload(file, command, api)

    assert (again.run.id, again.code, again.rows) == (first.run.id, ExitCode.OK, [])
    assert again.counts == first.counts
    assert again.waits == []
    assert len(clerk.server.sandbox.requests) == requests


def test_the_same_command_reports_problems_again(clerk: Clerk) -> None:
    file = clerk.file([*phones(5), f"98{SILENT}"])
    assert clerk.upload(file).code is ExitCode.UNKNOWN_ROWS
    assert clerk.upload(file).code is ExitCode.UNKNOWN_ROWS
    assert len(clerk.server.sandbox.requests) == 1


def test_a_changed_file_sends_what_is_new(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(250)))
    done = clerk.upload(clerk.file(phones(300)))
    assert done.counts == {"accepted": 50, "already_accepted": 250}
    assert done.code is ExitCode.OK
    assert len(done.rows) == 300
    assert sent(clerk) == phones(300)
    assert clerk.audit() == []


def test_other_options_are_another_command(clerk: Clerk) -> None:
    file = clerk.file(phones(3))
    runs = {
        clerk.upload(file).run.id,
        clerk.upload(file, campaign="Holi").run.id,
        clerk.upload(file, api="v4").run.id,
        clerk.upload(file, resend=True).run.id,
        clerk.upload(file, "schedule").run.id,
        clerk.upload(file, "schedule", check_duplicate=False).run.id,
    }
    assert len(runs) == 6
    # v1 and v4 are two ways into the same campaign
    assert Counter(sent(clerk)) == Counter(dict.fromkeys(phones(3), 4))


# --- interrupted runs ---


def test_an_unfinished_run_goes_on_with_the_same_command(clerk: Clerk) -> None:
    file = clerk.file(phones(500))
    clerk.patience = 0
    misbehave(clerk, "http-503@2")
    first = clerk.upload(file)
    assert (first.code, first.counts) == (ExitCode.STOPPED, {"accepted": 200, "ready": 300})
    assert first.summary.hint == f"ozodial resume {first.run.id}"

    again = clerk.upload(file)
    assert (again.code, again.counts) == (ExitCode.OK, {"accepted": 500})
    assert [row.row for row in again.rows] == list(range(202, 502))
    assert sent(clerk) == phones(500)
    assert clerk.audit() == []


def test_an_unfinished_older_run_is_named_and_left_alone(clerk: Clerk) -> None:
    clerk.patience = 0
    misbehave(clerk, "http-503@1")
    first = clerk.upload(clerk.file(phones(100)))
    done = clerk.upload(clerk.file(phones(120)))
    assert done.notices == [
        f"run {first.run.id} (leads1.csv) still has rows to send: ozodial resume {first.run.id}"
    ]
    assert done.counts == {"accepted": 120}
    again = clerk.resume(first.run.id)
    assert again.counts == {"already_accepted": 100}
    assert sent(clerk) == phones(120)
    assert clerk.audit() == []


def test_two_requests_without_an_answer_stop_the_run(clerk: Clerk) -> None:
    misbehave(clerk, "cut-before@2", "cut-after@3")
    done = clerk.upload(clerk.file(phones(450)), "schedule")
    assert done.counts == {"accepted": 100, "unknown": 200, "ready": 150}
    assert done.code is ExitCode.UNKNOWN_ROWS
    assert len(clerk.server.sandbox.requests) == 3
    assert clerk.audit() == []

    misbehave(clerk)
    rest = clerk.resume(done.run.id)
    assert rest.counts == {"accepted": 250, "unknown": 200}
    assert rest.code is ExitCode.UNKNOWN_ROWS
    assert clerk.audit() == []


def test_a_single_lost_answer_does_not(clerk: Clerk) -> None:
    misbehave(clerk, "cut-after@1,3")
    done = clerk.upload(clerk.file(phones(450)), "schedule")
    assert done.counts == {"accepted": 250, "unknown": 200}
    assert [batch.outcome for batch in done.batches] == [
        "unknown",
        "answered",
        "unknown",
        "answered",
        "answered",
    ]


def test_a_cancelled_run_stops_before_its_next_request(clerk: Clerk) -> None:
    def cancel(event: Event, ledger: Ledger) -> None:
        if isinstance(event, BatchEvent):
            Staging(ledger).cancel(1)

    clerk.watch = cancel
    done = clerk.upload(clerk.file(phones(500)))
    assert done.counts == {"accepted": 200, "ready": 300}
    assert done.code is ExitCode.STOPPED
    assert done.summary.hint is None
    assert done.errors == ["Run 1 was cancelled; 300 rows were not sent."]
    assert len(clerk.server.sandbox.requests) == 1


def test_a_time_that_passes_before_the_request_is_not_sent(clerk: Clerk) -> None:
    file = clerk.file(phones(3))
    done = clerk.upload(file, "schedule", wait=86_400)
    assert done.counts == {"invalid": 3}
    assert {row.reason for row in done.rows} == {"time_past"}
    assert done.code is ExitCode.PROBLEM_ROWS
    assert sent(clerk) == []


def test_a_viewer_that_breaks_changes_nothing(clerk: Clerk) -> None:
    def break_down(event: Event, _: Ledger) -> None:
        if isinstance(event, BatchEvent):
            raise ZeroDivisionError

    misbehave(clerk, "latency=0.2@2-4")
    clerk.watch, clerk.parallel = break_down, 3
    with pytest.raises(ZeroDivisionError):
        clerk.upload(clerk.file(phones(1_000)), "schedule")

    states = Counter(row.state for row in ledger_rows(clerk.ledger))
    assert set(states) == {"accepted", "ready"}
    assert states["accepted"] == len(sent(clerk))
    assert clerk.audit() == []


def test_a_bug_leaves_other_requests_their_end(clerk: Clerk) -> None:
    """Rows of another shape than their run: nobody knows how to write the request."""

    def damage(event: Event, ledger: Ledger) -> None:
        if isinstance(event, BatchEvent):
            with ledger.write() as connection:
                connection.exec_driver_sql("UPDATE rows SET \"values\" = '[]' WHERE row = 700")

    clerk.watch = damage
    with pytest.raises(IndexError):
        clerk.upload(clerk.file(phones(1_000)), "schedule")
    states = Counter(row.state for row in ledger_rows(clerk.ledger))
    assert states == {"accepted": 600, "unknown": 100, "ready": 300}
    assert clerk.audit() == []


# --- sending again ---


def test_resend(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    done = clerk.upload(clerk.file(phones(5)), resend=True)
    assert done.counts == {"accepted": 5}
    assert Counter(sent(clerk)) == Counter(phones(3)) + Counter(phones(5))
    assert clerk.upload(clerk.file(phones(4))).counts == {"already_accepted": 4}
    assert clerk.audit(resent=True) == []


def test_resend_refused_the_second_time(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)), "schedule")
    second = clerk.upload(clerk.file(phones(4)), "schedule", resend=True)
    assert second.counts == {"accepted": 1, "duplicate": 3}
    third = clerk.upload(clerk.file(phones(5)), "schedule")
    assert third.counts == {"accepted": 1, "already_accepted": 4}
    messages = Counter(row.message for row in third.rows if row.status == "already_accepted")
    assert messages == {"accepted in run 1": 3, "accepted in run 2": 1}
    assert clerk.audit() == []


@pytest.mark.parametrize("fault", ["cut-before@1", "cut-after@1"])
def test_resend_unknown(clerk: Clerk, fault: str) -> None:
    misbehave(clerk, fault)
    first = clerk.upload(clerk.file(phones(3)), "schedule")
    assert first.counts == {"unknown": 3}
    other = clerk.upload(clerk.file(phones(4)), "schedule")
    assert other.counts == {"unknown": 3, "accepted": 1}
    assert other.rows[0].message == "run 1 sent this lead (row 2) and got no readable answer"

    again = clerk.resume(1, resend_unknown=True)
    assert again.code is ExitCode.OK
    assert again.counts == ({"accepted": 3} if "before" in fault else {"duplicate": 3})
    assert Counter(sent(clerk)) == Counter(phones(4))
    # what the other run could not know it learns by the same command
    known = clerk.upload(clerk.folder / "leads2.csv", "schedule")
    assert known.code is ExitCode.OK
    assert len(clerk.server.sandbox.requests) == 3
    assert clerk.audit() == ([] if "before" in fault else clerk.audit())


# --- the pace ---


@pytest.mark.parametrize(("api", "batches", "pace"), [("v1", 5, 30.0), ("v4", 4, 12.0)])
def test_a_run_takes_its_gaps_and_no_more(
    clerk: Clerk, clock: FakeClock, api: str, batches: int, pace: float
) -> None:
    before = clock.mono
    done = clerk.upload(clerk.file(phones(batches * (200 if api == "v1" else 500))), api=api)
    assert len(done.batches) == batches
    assert done.waits == [("pace", pace)] * (batches - 1)
    assert clock.mono - before <= 1.001 * pace * (batches - 1)
    arrivals = [request.arrived for request in clerk.server.sandbox.requests]
    assert all(b - a >= pace for a, b in itertools.pairwise(arrivals))
    assert clerk.server.sandbox.violations == ()


def test_the_first_request_waits_for_an_earlier_run(clerk: Clerk, clock: FakeClock) -> None:
    clerk.upload(clerk.file(phones(3)))
    clock.advance(12)
    assert clerk.upload(clerk.file(phones(4))).waits == [("pace", 18.0)]


@pytest.mark.parametrize(
    ("by", "wait"), [(-3_600.0, [("pace", 30.0)]), (86_400.0, [])], ids=["back", "forward"]
)
def test_the_pace_holds_when_the_clock_is_set_over_a_boot(
    clerk: Clerk, clock: FakeClock, by: float, wait: Sequence[tuple[str, float]]
) -> None:
    clerk.upload(clerk.file(phones(3)))
    clock.wall += by
    clock.boot = "the-next-boot"
    if by > 0:
        clock.mono += by  # the vendor's own clock
    done = clerk.upload(clerk.file(phones(4)))
    assert done.counts == {"already_accepted": 3, "accepted": 1}
    assert done.waits == wait
    assert clerk.server.sandbox.violations == ()


@pytest.mark.parametrize("by", [-3_600.0, 86_400.0])
def test_a_clock_that_is_set_within_a_boot_is_nobody_s_business(
    clerk: Clerk, clock: FakeClock, by: float
) -> None:
    clerk.upload(clerk.file(phones(3)))
    clock.wall += by
    clock.advance(10)
    assert clerk.upload(clerk.file(phones(4))).waits == [("pace", 20.0)]
    assert clerk.server.sandbox.violations == ()


def test_a_pace_for_schedule_means_one_at_a_time(clerk: Clerk) -> None:
    clerk.pace, clerk.parallel = 5.0, 4
    done = clerk.upload(clerk.file(phones(300)), "schedule")
    assert done.waits == [("pace", 5.0)] * 2
    arrivals = [request.arrived for request in clerk.server.sandbox.requests]
    assert [b - a for a, b in itertools.pairwise(arrivals)] == [5.0, 5.0]


# --- exit codes ---


@pytest.mark.parametrize(
    ("counts", "trouble", "interrupted", "code"),
    [
        ({State.ACCEPTED: 9, State.DUPLICATE: 1, State.SUPPRESSED: 1}, None, None, 0),
        ({State.QUEUED: 9, State.ALREADY_ACCEPTED: 1}, None, None, 0),
        ({}, None, None, 0),
        ({State.ACCEPTED: 9, State.INVALID: 1}, None, None, 4),
        ({State.ACCEPTED: 9, State.REJECTED: 1}, None, None, 4),
        ({State.UNKNOWN: 1, State.REJECTED: 1}, None, None, 5),
        ({State.UNKNOWN: 1}, StoppedError(""), None, 5),
        ({State.UNKNOWN: 1}, RefusedError(""), None, 5),
        ({State.READY: 1, State.REJECTED: 1}, RefusedError(""), None, 6),
        ({State.READY: 1}, SettingError(""), None, 6),
        ({State.READY: 1, State.REJECTED: 1}, StoppedError(""), None, 7),
        ({State.READY: 1, State.REJECTED: 1}, None, None, 7),
        ({State.SENDING: 1}, None, None, 7),
        ({State.UNKNOWN: 1}, RefusedError(""), ExitCode.INTERRUPTED, 130),
        ({State.ACCEPTED: 1}, None, ExitCode.TERMINATED, 143),
    ],
)
def test_the_first_exit_code_that_applies(
    counts: dict[State, int],
    trouble: OzodialError | None,
    interrupted: ExitCode | None,
    code: int,
) -> None:
    assert exit_code(counts, trouble, interrupted) == code


def test_the_ledger_is_one_file_when_nobody_uses_it(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    assert [file.name for file in clerk.folder.glob("ledger*")] == ["ledger.db"]
    connection = sqlite3.connect(clerk.ledger)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert endpoint("bulk-add", "v1").rows_per_request == 200
