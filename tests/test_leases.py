"""Owners: dead ones are noticed at once, slow ones are left alone, frozen ones notice it first."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.audit import audit, ledger_rows
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1
from tests.harness.operator import Command
from tests.harness.vendor import Vendor

LEASE = 3.0


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def ledger(place: str) -> str:
    return place


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(write_leads(tmp_path / "leads.csv", phones(350)))


def states(ledger: str) -> dict[str, int]:
    return dict(Counter(row.state for row in ledger_rows(ledger)))


def test_what_a_dead_process_sent_is_unknown_at_once(
    vendor: Vendor, ledger: str, file: str
) -> None:
    vendor.reset("latency=0.3@1")
    words = ["schedule", file, *SCHEDULE[1:]]
    with Command(words, ledger, vendor.url) as command:
        command.until(lambda: len(vendor.look("requests")) == 1)
        command.kill()
    with Command(["resume"], ledger, vendor.url) as again:
        assert again.wait() == 5

    assert again.events("wait") == []
    assert Counter(line["reason"] for line in again.events("row")) == {"owner_gone": 100, None: 250}
    assert again.summary["hint"] == "ozodial resume 1 --resend-unknown"
    assert audit(ledger, vendor.leads()) == []


def test_a_request_that_hangs_for_its_whole_time_out_is_nobody_elses(
    vendor: Vendor, ledger: str, file: str
) -> None:
    vendor.reset(f"latency={3.5 * LEASE}@1")
    words = ["bulk-add", file, *V1[1:], "--timeout", f"{3 * LEASE}"]
    with Command(words, ledger, vendor.url, lease=LEASE) as slow:
        slow.until(lambda: len(vendor.look("requests")) == 1)
        with Command(words, ledger, vendor.url, lease=LEASE) as other:
            assert (slow.wait(), other.wait()) == (5, 5)

    unknown = [row.reason for row in ledger_rows(ledger) if row.state == "unknown"]
    assert unknown == ["no_answer"] * 200
    vendor.reset()


def test_a_frozen_process_notices_before_it_sends(vendor: Vendor, ledger: str, file: str) -> None:
    vendor.reset()
    words = ["bulk-add", file, *V1[1:]]
    with Command(words, ledger, vendor.url, lease=LEASE, freeze="claim") as frozen:
        frozen.until_frozen()
        with Command(words, ledger, vendor.url, lease=LEASE) as other:
            assert other.wait() == 5
        assert states(ledger) == {"unknown": 200, "accepted": 150}
        frozen.signal(signal.SIGCONT)
        assert frozen.wait() == 0

    # it alone knew that its batch had never been sent
    assert states(ledger) == {"accepted": 350}
    assert vendor.look("violations") == []
    assert audit(ledger, vendor.leads()) == []


def test_a_frozen_process_does_not_send_what_was_sent_again_meanwhile(
    vendor: Vendor, ledger: str, file: str
) -> None:
    vendor.reset()
    words = ["schedule", file, *SCHEDULE[1:]]
    with Command(words, ledger, vendor.url, lease=LEASE, freeze="claim") as frozen:
        frozen.until_frozen()
        with Command(words, ledger, vendor.url, lease=LEASE) as other:
            assert other.wait() == 5
        resend = ["resume", "1", "--resend-unknown"]
        with Command(resend, ledger, vendor.url, lease=LEASE) as third:
            assert third.wait() == 0
        frozen.signal(signal.SIGCONT)
        assert frozen.wait() == 0

    assert frozen.summary["accepted"] == 350
    assert audit(ledger, vendor.leads()) == []


def test_a_frozen_process_loses_its_turn(vendor: Vendor, ledger: str, file: str) -> None:
    vendor.reset(f"latency={1.5 * LEASE}@1")
    words = ["bulk-add", file, *V1[1:]]
    with Command(words, ledger, vendor.url, lease=LEASE, freeze="turn") as frozen:
        frozen.until_frozen()
        with Command(words, ledger, vendor.url, lease=LEASE) as other:
            other.until(lambda: len(vendor.look("requests")) == 1)
            frozen.signal(signal.SIGCONT)
            assert (frozen.wait(), other.wait()) == (0, 0)

    assert vendor.look("violations") == []
    assert audit(ledger, vendor.leads()) == []


def test_an_answer_that_comes_late_still_counts(vendor: Vendor, ledger: str, file: str) -> None:
    vendor.reset()
    words = ["bulk-add", file, *V1[1:]]
    with Command(words, ledger, vendor.url, lease=LEASE, freeze="answer") as frozen:
        frozen.until_frozen()
        with Command(words, ledger, vendor.url, lease=LEASE) as other:
            assert other.wait() == 5
        assert states(ledger) == {"unknown": 200, "accepted": 150}
        frozen.signal(signal.SIGCONT)
        assert frozen.wait() == 0

    assert states(ledger) == {"accepted": 350}
    assert audit(ledger, vendor.leads()) == []


def test_a_process_frozen_while_it_waits_goes_on(vendor: Vendor, ledger: str, file: str) -> None:
    vendor.reset()
    words = ["bulk-add", file, "--pace", "2"]
    with Command(words, ledger, vendor.url, lease=LEASE) as frozen:
        assert frozen.await_event("wait")
        frozen.signal(signal.SIGSTOP)
        frozen.until_frozen()
        with Command(words, ledger, vendor.url, lease=LEASE) as other:
            assert other.wait() == 0
        frozen.signal(signal.SIGCONT)
        assert frozen.wait() == 0

    assert states(ledger) == {"accepted": 350}
    assert vendor.look("violations") == []
    assert audit(ledger, vendor.leads()) == []
