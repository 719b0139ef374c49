"""Each documented answer, given by the simulator over a real socket, and what a run makes of it."""

from pathlib import Path

import pytest

from ozodial.answers import KNOWN, Means, look_up
from ozodial.events import BatchEvent, ErrorEvent, RowEvent, WaitEvent
from ozodial.models import State
from tests.clockwork import Office, slow_vendor
from tests.conftest import FakeClock
from tests.vendor_answers import CASES, COMMAND, TABLE, Case, table
from tests.vendor_words import BOTH_CAUSES, QUEUED, REQUEST_TEXTS, ROW_TEXTS

EXIT_CODES = {
    State.ACCEPTED: 0,
    State.QUEUED: 0,
    State.DUPLICATE: 0,
    State.REJECTED: 4,
    State.UNKNOWN: 5,
    State.READY: 6,
}
GOOD = ("9800100000", "9800100014")


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_answer(tmp_path: Path, clock: FakeClock, case: Case) -> None:
    phone = f"98{case.magic}" if case.magic else "9800100007"
    leads = "".join(f"{each},Lead\n" for each in (GOOD[0], phone, GOOD[1]))
    with slow_vendor(clock, 0.5, case.config) as vendor:
        vendor.sandbox.misbehave(*case.faults)
        office = Office(tmp_path, clock, vendor.url)
        office.campaign, office.access, office.auth = case.campaign, case.access, case.auth
        command, api = case.endpoint
        summary = office.run_sheet(command, f"Mobile,Name\n{leads}", api)
        rows = {event.row: event for event in office.events if isinstance(event, RowEvent)}
        assert_row(case, rows.get(3))
        assert summary.exit_code == EXIT_CODES[case.state]
        if case.magic and case.means in (Means.DATA, Means.ROW_REFUSED, Means.EXISTS):
            good = [rows[row].status for row in (2, 4)]
            assert good == [State.ACCEPTED] * 2
        assert_decision(case, office)
        assert len({lead.phone for lead in vendor.sandbox.leads}) == len(vendor.sandbox.leads)
        assert vendor.sandbox.pace_violations == ()


def assert_row(case: Case, told: RowEvent | None) -> None:
    """The lead's end: its state, its reason, and the vendor's own words."""
    if case.state is State.READY:
        assert told is None  # it was not settled: it waits for the next run
        return
    assert told is not None
    assert told.status is case.state
    assert told.reason == case.reason
    if case.means not in (Means.BUSY, Means.TOKEN) and not case.unread:
        assert (told.message or "").casefold() == case.text.casefold()
    if case.text == "null":
        assert told.message == "null"


def assert_decision(case: Case, office: Office) -> None:
    """The run's own part: it stops, waits, narrows down, or gets a token, and says why."""
    errors = [event for event in office.events if isinstance(event, ErrorEvent)]
    batches = [event for event in office.events if isinstance(event, BatchEvent)]
    if case.unread:
        return
    if case.state is State.READY:
        (error,) = errors
        assert case.text.rstrip(". ").casefold() in error.message.casefold()
        found = look_up(case.text)
        assert found is not None
        assert found[0].explanation
        assert found[0].explanation in error.message
        return
    assert errors == []
    refused = [batch.message for batch in batches if batch.outcome == "refused"]
    if case.means is Means.BUSY:
        assert refused == [case.text]
        assert any(isinstance(event, WaitEvent) for event in office.events)
    elif case.means is Means.TOKEN:
        assert refused == [case.text]
    elif case.means is Means.DATA and "index" not in case.text:
        assert refused[0] == case.text


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_every_documented_text_has_a_case() -> None:
    told = {case.text.casefold() for case in CASES}
    known = [known.text for known in REQUEST_TEXTS + ROW_TEXTS] + [QUEUED]
    assert [text for text in known if " ".join(text.split()).casefold() not in told] == []


def test_every_entry_of_the_clients_table_has_a_case() -> None:
    used = {id(found[0]) for case in CASES if (found := look_up(case.text))}
    assert [known.pattern for known in KNOWN if id(known) not in used] == []


def test_every_text_with_two_causes_tells_a_person_both() -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    for text in BOTH_CAUSES:
        about = [line for line in lines if line.casefold().startswith(f"| `{text.casefold()}`")]
        assert about, text
        assert all(" or the " in line for line in about), text


def test_what_stops_a_run_is_explained() -> None:
    silent = [k.pattern for k in KNOWN if k.means is Means.STOP and not k.explanation]
    assert silent == []


def test_the_table_is_not_stale() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), f"stale: {COMMAND}"
