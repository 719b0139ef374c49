"""Undo: what a run put in is taken back, what others put in stays, no guess is called removed."""

from collections import Counter
from pathlib import Path

import pytest

from ozodial.claims import Claims
from ozodial.deletes import DELETE_BULK, delete_call, spelled
from ozodial.errors import ExitCode, UsageError
from ozodial.holders import purged_holder
from ozodial.ledger import Ledger
from ozodial.purging import purge
from ozodial.removals import Removals
from ozodial.staging import Staging
from tests.clerk import Clerk, Done
from tests.conftest import FakeClock, StartSandbox
from tests.harness.audit import ledger_rows
from tests.test_upload import DND, EXISTS, SILENT, misbehave, phones

WAYS = [("bulk-add", "v1"), ("bulk-add", "v4"), ("schedule", "")]
DAY = 86_400.0


@pytest.fixture
def clerk(tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox) -> Clerk:
    return Clerk(tmp_path, clock, start_sandbox(None, clock))


def in_campaign(clerk: Clerk) -> list[str]:
    return [lead.phone for lead in clerk.server.sandbox.present]


def deletes(clerk: Clerk) -> list[int]:
    """How many leads each delete request took out."""
    seen = clerk.server.sandbox.requests
    return [request.removed for request in seen if request.endpoint.startswith("Delete")]


def reasons(clerk: Clerk, run: int, state: str) -> Counter[str | None]:
    rows = ledger_rows(clerk.ledger)
    return Counter(row.reason for row in rows if row.run == run and row.state == state)


def run_state(clerk: Clerk, run: int) -> str:
    ledger = Ledger.open(str(clerk.ledger), clerk.clock)
    try:
        return Staging(ledger).run(run).state
    finally:
        ledger.close()


def row_count(done: Done, state: str) -> int:
    return sum(row.status == state for row in done.rows)


# --- taking back ---


@pytest.mark.parametrize(("command", "api"), WAYS)
def test_all_that_a_run_put_in_is_taken_back(clerk: Clerk, command: str, api: str) -> None:
    first = clerk.upload(clerk.file([*phones(250), "12"]), command, api)
    done = clerk.undo(first.run.id)

    assert done.counts == {"removed": 250, "invalid": 1}
    assert done.code is ExitCode.OK
    assert row_count(done, "removed") == 250 == len(done.rows)
    assert in_campaign(clerk) == []
    assert deletes(clerk) == [100, 100, 50]
    assert clerk.server.sandbox.violations == ()
    assert run_state(clerk, first.run.id) == "undone"
    assert clerk.audit() == []


def test_delete_bulk_data_is_paced_from_answer_to_request(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(450)))
    done = clerk.undo(1)
    assert done.waits == [("pace", 30.0)] * 4
    again = clerk.upload(clerk.file(phones(3)))
    assert clerk.undo(again.run.id).waits[0][0] == "pace"  # the account's pace, not the run's
    assert clerk.server.sandbox.violations == ()


def test_scheduled_rows_have_no_published_pace(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(250)), "schedule")
    assert clerk.undo(1).waits == []


def test_a_range_hits_nobody_elses_row(clerk: Clerk) -> None:
    """Refused rows leave gaps in the vendor's numbers, another run's rows stand between ours."""
    mine = [*phones(3), f"98{DND}", *phones(3, 10)]
    clerk.upload(clerk.file(mine), "schedule")
    clerk.upload(clerk.file(phones(5, 100)), "schedule")
    clerk.upload(clerk.file(phones(2, 200)), "schedule")
    done = clerk.undo(1)
    assert done.counts == {"removed": 6, "rejected": 1}
    assert in_campaign(clerk) == [*phones(5, 100), *phones(2, 200)]
    assert clerk.undo(3).counts == {"removed": 2}
    assert in_campaign(clerk) == phones(5, 100)
    assert clerk.audit() == []


@pytest.mark.parametrize(
    ("ids", "written"),
    [
        ([7], "7"),
        ([3, 4, 5], "3-5"),
        ([5, 3, 4], "3-5"),
        ([3, 5], "3,5"),
        ([3, 4, 6, 7], "3,4,6,7"),
        ([3, 3, 4], "3-4"),
    ],
)
def test_ids_are_a_range_only_without_a_gap(ids: list[int], written: str) -> None:
    assert spelled(ids) == written


def test_rows_that_may_be_in_are_asked_for_too(clerk: Clerk) -> None:
    done = clerk.upload(clerk.file([*phones(5), f"98{SILENT}"]))
    assert done.counts == {"accepted": 5, "unknown": 1}
    assert clerk.undo(1).counts == {"removed": 6}
    assert in_campaign(clerk) == []


def test_twice_is_once(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(5)))
    clerk.undo(1)
    asked = len(clerk.server.sandbox.requests)
    again = clerk.undo(1)
    assert (again.counts, again.code, again.rows) == ({"removed": 5}, ExitCode.OK, [])
    assert len(clerk.server.sandbox.requests) == asked


# --- what stays ---


def test_a_number_that_another_run_put_in_is_kept(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(10)))
    clerk.upload(clerk.file([[phone, "again"] for phone in phones(3)], "Mobile,Name"))
    done = clerk.undo(1)
    assert done.counts == {"accepted": 3, "removed": 7}
    assert done.code is ExitCode.OK
    assert reasons(clerk, 1, "accepted") == {"in_another_run": 3}
    told = {row.row: row.message for row in done.rows if row.status == "accepted"}
    assert told == dict.fromkeys((2, 3, 4), "run 2 put this number into the campaign, too")
    assert sorted(in_campaign(clerk)) == sorted(phones(3) * 2)
    assert clerk.audit(resent=True) == []


def test_two_runs_taken_back_leave_nothing_of_either(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(10)))
    clerk.upload(clerk.file([[phone, "again"] for phone in phones(3)], "Mobile,Name"), api="v4")
    clerk.undo(1)
    done = clerk.undo(2)
    assert done.counts == {"removed": 3}
    assert in_campaign(clerk) == []
    assert reasons(clerk, 1, "removed") == {None: 7, "removed_elsewhere": 3}
    assert clerk.audit() == []
    assert clerk.upload(clerk.file(phones(10))).counts == {"accepted": 10}


def test_what_a_stopped_undo_left_goes_with_the_other_run(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    both = [*phones(100, 500), *phones(3)]
    clerk.upload(clerk.file([[phone, "again"] for phone in both], "Mobile,Name"))
    misbehave(clerk, "refuse=no user found@x1/delete")
    assert clerk.undo(2).code is ExitCode.REFUSED
    clerk.upload(clerk.file(phones(2, 50)), "schedule")
    assert clerk.undo(1).counts == {"removed": 3}
    assert in_campaign(clerk) == [*phones(100, 500), *phones(2, 50)]
    assert reasons(clerk, 2, "removed") == {"removed_elsewhere": 3}
    assert clerk.audit() == []
    assert clerk.undo(2).counts == {"removed": 103}


def test_another_campaign_is_another_matter(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    clerk.upload(clerk.file(phones(3)), campaign="Holi")
    assert clerk.undo(1).counts == {"removed": 3}
    assert [lead.campaign for lead in clerk.server.sandbox.present] == ["Holi"] * 3


def test_a_lead_that_was_sent_again_stays_once(clerk: Clerk) -> None:
    """By its own rowId: the other run's row stays, and so does its delivery key."""
    file = clerk.file(phones(3))
    clerk.upload(file, "schedule", check_duplicate=False)
    clerk.upload(file, "schedule", check_duplicate=False, resend=True)
    assert clerk.undo(2).counts == {"removed": 3}
    assert in_campaign(clerk) == phones(3)
    again = clerk.upload(clerk.file(phones(4)), "schedule", check_duplicate=False)
    assert again.counts == {"already_accepted": 3, "accepted": 1}


def test_scheduled_rows_whose_time_has_passed_can_not_be_taken_back(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)), "schedule")
    done = clerk.undo(1, wait=2 * DAY)
    assert done.counts == {"accepted": 3}
    assert done.code is ExitCode.PROBLEM_ROWS
    assert reasons(clerk, 1, "accepted") == {"time_past": 3}
    assert deletes(clerk) == []


def test_scheduled_rows_without_a_row_id_can_not_be_taken_back(clerk: Clerk) -> None:
    done = clerk.upload(clerk.file([*phones(3), f"98{SILENT}"]), "schedule")
    assert done.counts == {"accepted": 3, "unknown": 1}
    done = clerk.undo(1)
    assert done.counts == {"removed": 3, "unknown": 1}
    assert done.code is ExitCode.UNKNOWN_ROWS
    assert in_campaign(clerk) == [f"98{SILENT}"]
    assert done.summary.hint is None  # the same again would not help
    assert run_state(clerk, 1) == "undone"


def test_the_vendor_has_no_such_rows(clerk: Clerk) -> None:
    """Somebody else deleted them, or it moved them: nobody knows, so they are not `removed`."""
    clerk.upload(clerk.file(phones(3)), "schedule")
    misbehave(clerk, "refuse=No data found@x1/delete")
    done = clerk.undo(1)
    assert done.counts == {"accepted": 3}
    assert done.code is ExitCode.PROBLEM_ROWS
    assert reasons(clerk, 1, "accepted") == {"not_at_vendor": 3}
    assert [row.message for row in done.rows] == ["No data found"] * 3
    assert clerk.undo(1).counts == {"removed": 3}


# --- what may be sent afterwards ---


@pytest.mark.parametrize(("command", "api"), WAYS)
def test_the_same_command_uploads_it_again(clerk: Clerk, command: str, api: str) -> None:
    file = clerk.file(phones(5))
    first = clerk.upload(file, command, api)
    clerk.undo(first.run.id)
    again = clerk.upload(file, command, api)
    assert again.run.id != first.run.id
    assert again.counts == first.counts
    assert in_campaign(clerk) == phones(5)
    assert clerk.audit() == []


def test_a_run_that_relied_on_it_does_not_call_it_accepted(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(5)))
    longer = clerk.file(phones(7))
    assert clerk.upload(longer).counts == {"already_accepted": 5, "accepted": 2}
    assert clerk.undo(1).counts == {"removed": 5}
    assert reasons(clerk, 2, "removed") == {"removed_elsewhere": 5}
    assert clerk.upload(longer).counts == {"accepted": 5, "already_accepted": 2}
    assert sorted(in_campaign(clerk)) == phones(7)
    assert clerk.audit() == []


def test_nothing_more_of_the_run_is_sent(clerk: Clerk) -> None:
    misbehave(clerk, "refuse=no user found@2")
    first = clerk.upload(clerk.file(phones(450)))
    assert first.counts == {"accepted": 200, "ready": 250}
    misbehave(clerk)
    assert clerk.undo(1).counts == {"removed": 200, "ready": 250}
    resumed = clerk.resume(1)
    assert resumed.counts == {"removed": 200, "ready": 250}
    assert resumed.errors == ["Run 1 was taken back by undo; 250 rows were not sent."]
    assert in_campaign(clerk) == []


# --- trouble ---


@pytest.mark.parametrize(("command", "api"), WAYS)
@pytest.mark.parametrize(
    "fault", ["cut-after", "cut-middle", "empty", "broken-json", "http-500-after"]
)
def test_without_an_answer_nothing_is_called_removed(
    clerk: Clerk, command: str, api: str, fault: str
) -> None:
    clerk.upload(clerk.file(phones(150)), command, api)
    misbehave(clerk, f"{fault}@x1/delete")
    done = clerk.undo(1)
    assert done.counts == {"unknown": 100, "removed": 50}
    assert done.code is ExitCode.UNKNOWN_ROWS
    assert done.summary.hint == "ozodial undo 1"
    assert run_state(clerk, 1) == "undoing"
    # nobody may send such a lead meanwhile: it may be in
    other = clerk.upload(clerk.file(phones(150)), command, api)
    assert other.counts[("queued" if api == "v4" else "accepted")] == 50
    again = clerk.undo(1)
    assert again.counts == {"removed": 150}
    assert again.code is ExitCode.OK
    assert run_state(clerk, 1) == "undone"
    assert sorted(in_campaign(clerk)) == phones(50, 100)


def test_a_request_that_never_arrived_is_asked_again(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    misbehave(clerk, "cut-before@x1/delete")
    assert clerk.undo(1).counts == {"unknown": 3}
    misbehave(clerk, "max-limit@x1/delete")
    done = clerk.undo(1)
    assert done.counts == {"removed": 3}
    assert in_campaign(clerk) == []


def test_two_in_a_row_without_an_answer_stop_it(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(450)))
    misbehave(clerk, "cut-after/delete")
    done = clerk.undo(1)
    assert done.counts == {"unknown": 200, "accepted": 250}
    assert done.code is ExitCode.UNKNOWN_ROWS
    assert len(deletes(clerk)) == 2
    misbehave(clerk)
    assert clerk.undo(1).counts == {"removed": 450}
    assert clerk.audit() == []


@pytest.mark.parametrize("fault", ["busy", "max-limit", "http-429=5", "http-503"])
def test_a_busy_vendor_is_asked_later(clerk: Clerk, fault: str) -> None:
    clerk.upload(clerk.file(phones(3)))
    misbehave(clerk, f"{fault}@x2/delete")
    done = clerk.undo(1)
    assert done.counts == {"removed": 3}
    assert [batch.outcome for batch in done.batches] == ["refused", "refused", "answered"]
    assert row_count(done, "removed") == 3 == len(done.rows)


def test_patience_ends(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    misbehave(clerk, "busy/delete")
    done = clerk.undo(1)
    assert done.counts == {"accepted": 3}
    assert done.code is ExitCode.STOPPED
    assert done.summary.hint == "ozodial undo 1"


@pytest.mark.parametrize("fault", ["token-expired", "token-invalid"])
def test_a_token_is_renewed_once(clerk: Clerk, fault: str) -> None:
    clerk.upload(clerk.file(phones(3)), "schedule")
    misbehave(clerk, f"{fault}@x1/delete")
    assert clerk.undo(1).counts == {"removed": 3}
    assert len(clerk.server.sandbox.tokens) == 2


@pytest.mark.parametrize(
    "text",
    [
        "Mandatory parameter row_id is missing",
        "PhoneNumbers should not be null are empty",
        "Campaign should not be null are empty",
        "Passed campaign are invalid",
        "Invalid User Details",
    ],
)
def test_a_refusal_leaves_all_as_it_was(clerk: Clerk, text: str) -> None:
    clerk.upload(clerk.file(phones(3)))
    before = ledger_rows(clerk.ledger)
    misbehave(clerk, f"refuse={text}/delete")
    done = clerk.undo(1)
    assert done.code is ExitCode.REFUSED
    assert text in done.errors[0]
    assert ledger_rows(clerk.ledger) == before
    assert clerk.audit() == []
    misbehave(clerk)
    assert clerk.undo(1).counts == {"removed": 3}


def test_a_strange_text_is_shown_and_proves_nothing(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    misbehave(clerk, "refuse=Leads moved to the bin@x1/delete")
    done = clerk.undo(1)
    assert done.counts == {"unknown": 3}
    assert {row.message for row in done.rows} == {"Leads moved to the bin"}


def test_a_run_that_is_not_there(clerk: Clerk) -> None:
    with pytest.raises(UsageError, match="no run 7"):
        clerk.undo(7)


def test_of_the_vendors_duplicates_nothing_is_ours(clerk: Clerk) -> None:
    done = clerk.upload(clerk.file([*phones(2), f"98{EXISTS}"]))
    assert done.counts == {"accepted": 2, "duplicate": 1}
    assert clerk.undo(1).counts == {"removed": 2, "duplicate": 1}


def test_what_it_says_it_will_take(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(450)))
    done = clerk.undo(1)
    run = done.events[0]
    assert (run.ready, run.batches) == (450, 5)  # type: ignore[union-attr]
    assert run.estimated_seconds == pytest.approx(4 * 30 + 5 * 0.5)  # type: ignore[union-attr]
    assert DELETE_BULK.estimated_seconds(100, 30.0) == pytest.approx(3020)  # about 50 min


# --- together with what else happens to a lead ---


def test_what_the_vendor_had_from_the_first_try_is_not_forgotten(clerk: Clerk) -> None:
    misbehave(clerk, "cut-after@1/schedule")
    clerk.upload(clerk.file(phones(5)), "schedule")
    misbehave(clerk)
    assert clerk.resume(1, resend_unknown=True).counts == {"duplicate": 5}
    assert reasons(clerk, 1, "duplicate") == {"exists_after_resend": 5}

    done = clerk.undo(1)
    left = len(in_campaign(clerk))
    assert (left, done.code) in [(0, ExitCode.OK), (5, ExitCode.PROBLEM_ROWS)]


def test_a_lead_that_may_be_in_is_never_called_invalid(clerk: Clerk) -> None:
    misbehave(clerk, "cut-after@1/schedule")
    clerk.upload(clerk.file(phones(5)), "schedule")
    misbehave(clerk)
    clerk.clock.advance(20 * DAY)  # its time has passed
    done = clerk.resume(1, resend_unknown=True)
    assert done.counts == {"unknown": 5}
    assert done.code is ExitCode.UNKNOWN_ROWS
    assert len(clerk.server.sandbox.leads) == 5


def test_what_another_run_heard_to_be_there_may_be_sent_when_it_is_gone(clerk: Clerk) -> None:
    clerk.upload(clerk.file([[phone, "old"] for phone in phones(3)], "Mobile,Name"), "schedule")
    again = clerk.file([[phone, "new"] for phone in phones(3)], "Mobile,Name")
    assert clerk.upload(again, "schedule").counts == {"duplicate": 3}
    clerk.undo(1)
    assert reasons(clerk, 2, "removed") == {"removed_elsewhere": 3}
    grown = [[phone, "new"] for phone in phones(4)]
    assert clerk.upload(clerk.file(grown, "Mobile,Name"), "schedule").counts == {"accepted": 4}


def test_a_purged_run_of_the_campaign_is_in_the_way(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    clerk.upload(clerk.file([[phone, "new"] for phone in phones(4)], "Mobile,Name"))
    ledger = Ledger.open(str(clerk.ledger), clerk.clock)
    try:
        run = Staging(ledger).run(2)
        with ledger.read() as connection:
            assert purged_holder(connection, run) is None
        purge(ledger, Staging(ledger).run(1).created + 0.001)
        with ledger.read() as connection:
            assert purged_holder(connection, run) == 1
    finally:
        ledger.close()


def test_a_number_that_is_being_deleted_is_not_sent_meanwhile(clerk: Clerk) -> None:
    clerk.upload(clerk.file(phones(3)))
    clerk.patience = 0.0
    misbehave(clerk, "http-503/v1")
    clerk.upload(clerk.file([[phone, "new"] for phone in phones(5)], "Mobile,Name"))
    ledger = Ledger.open(str(clerk.ledger), clerk.clock)
    try:
        with ledger.lease():
            removals = Removals(ledger, Staging(ledger).run(1), delete_call("bulk-add"))
            removals.begin()
            assert len(removals.claim(0, "2026-11-22 12:00:00").rows) == 3
            claim = Claims(ledger, Staging(ledger).run(2)).claim(10, "2026-11-22 12:00:00")
            assert (len(claim.rows), claim.blocked) == (2, 3)
    finally:
        ledger.close()
