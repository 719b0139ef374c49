"""Ctrl-C and TERM: the request in flight ends and is recorded; a second one does not wait."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.audit import audit, ledger_rows
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1
from tests.harness.operator import Command
from tests.harness.vendor import Vendor

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_leads(tmp_path / "leads.csv", phones(350))


def is_open(vendor: Vendor, count: int = 1) -> bool:
    """Whether so many requests are being worked on."""
    return [request["outcome"] for request in vendor.look("requests")].count("open") == count


def states(ledger: Path) -> dict[str, int]:
    found = [row.state for row in ledger_rows(ledger)]
    return {state: found.count(state) for state in sorted(set(found))}


@pytest.mark.parametrize("number", CODES)
def test_the_request_in_flight_ends_and_is_recorded(
    number: signal.Signals, vendor: Vendor, ledger: Path, file: Path
) -> None:
    vendor.reset("latency=0.5@1")
    words = ["schedule", str(file), *SCHEDULE[1:]]
    with Command(words, ledger, vendor.url) as command:
        command.until(lambda: is_open(vendor))
        command.signal(number)
        assert command.wait() == CODES[number]

    assert command.summary["accepted"] == 100
    assert command.summary["hint"] == "ozodial resume 1"
    assert states(ledger) == {"accepted": 100, "ready": 250}
    assert audit(ledger, vendor.leads()) == []
    with Command(["resume"], ledger, vendor.url) as again:
        assert again.wait() == 0
    assert again.summary["accepted"] == 350
    assert len(again.events("row")) == 250
    assert audit(ledger, vendor.leads()) == []


def test_all_requests_in_flight_end(vendor: Vendor, ledger: Path, file: Path) -> None:
    vendor.reset("latency=0.4")
    words = ["schedule", str(file), *SCHEDULE[1:], "--parallel", "3"]
    with Command(words, ledger, vendor.url) as command:
        command.until(lambda: is_open(vendor, 3))
        command.signal(signal.SIGINT)
        assert command.wait() == 130

    assert states(ledger) == {"accepted": 300, "ready": 50}
    assert audit(ledger, vendor.leads()) == []


def test_the_second_time_it_does_not_wait(vendor: Vendor, ledger: Path, file: Path) -> None:
    vendor.reset("latency=30")
    with Command(["bulk-add", str(file)], ledger, vendor.url) as command:
        command.until(lambda: is_open(vendor))
        command.signal(signal.SIGINT)
        command.signal(signal.SIGTERM)
        assert command.wait() in (130, 143)  # as good as at once: either may come first
        assert is_open(vendor)

    assert (command.summary["unknown"], command.summary["ready"]) == (200, 150)
    assert len(command.events("row")) == 200
    assert states(ledger) == {"ready": 150, "unknown": 200}
    vendor.reset()  # so that nothing is late
    assert audit(ledger, vendor.leads()) == []


def test_while_the_file_is_read_nothing_stays_behind(
    vendor: Vendor, ledger: Path, tmp_path: Path
) -> None:
    vendor.reset()
    long = write_leads(tmp_path / "long.csv", phones(300), bad_rows_between=100)
    with Command(["bulk-add", str(long)], ledger, vendor.url) as command:
        command.until(lambda: _count(ledger, "runs") == 1)
        command.signal(signal.SIGINT)
        assert command.wait() == 130

    assert command.events("error")
    assert (_count(ledger, "runs"), _count(ledger, "rows")) == (0, 0)
    assert vendor.look("requests") == []
    assert audit(ledger, {}) == []


def test_a_wait_for_the_pace_ends_at_once(vendor: Vendor, ledger: Path, file: Path) -> None:
    vendor.reset()
    with Command(["bulk-add", str(file), "--pace", "3000"], ledger, vendor.url) as command:
        assert command.await_event("wait")
        command.signal(signal.SIGTERM)
        assert command.wait() == 143

    assert states(ledger) == {"accepted": 200, "ready": 150}
    assert command.summary["hint"] == "ozodial resume 1"
    assert audit(ledger, vendor.leads()) == []


def test_a_person_is_told_how_to_go_on(vendor: Vendor, ledger: Path, file: Path) -> None:
    vendor.reset()
    words = ["bulk-add", str(file), "--pace", "3000"]
    with Command(words, ledger, vendor.url, json_lines=False) as command:
        command.until(lambda: "waiting" in command.errors)
        command.signal(signal.SIGINT)
        assert command.wait() == 130

    assert "next: ozodial resume 1" in command.errors.splitlines()


def test_a_wait_for_another_process_ends_at_once(vendor: Vendor, ledger: Path, file: Path) -> None:
    vendor.reset("latency=30@1")
    words = ["bulk-add", str(file), *V1[1:]]
    with Command(words, ledger, vendor.url) as first:
        first.until(lambda: is_open(vendor))
        with Command(words, ledger, vendor.url) as second:
            assert second.await_event("wait")
            assert second.events("wait")[0]["why"] == "busy"
            second.signal(signal.SIGINT)
            assert second.wait() == 130
        assert first.process.poll() is None
    assert len(vendor.look("requests")) == 1


def _count(ledger: Path, table: str) -> int:
    import sqlite3

    if not ledger.exists():
        return 0
    connection = sqlite3.connect(ledger, timeout=30)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()
