"""Faults of the machine: what can't be recorded is not sent, and a lost record is a doubt."""

import resource
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.audit import audit, ledger_rows
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1
from tests.harness.operator import Command
from tests.harness.vendor import Vendor

LEADS = 600
ROOMS = (130, 220, 310, 400)
"""Kilobytes of the write-ahead log; in some, a claim does not fit any more, in some a record."""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def files_of_at_most(kilobytes: int) -> Callable[[], None]:
    """For a process whose files can't grow any longer than this."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024,) * 2)


def test_a_disk_that_is_full_while_the_file_is_read(
    vendor: Vendor, ledger: Path, tmp_path: Path
) -> None:
    vendor.reset()
    long = write_leads(tmp_path / "long.csv", phones(300), bad_rows_between=40)
    words = ["schedule", str(long), *SCHEDULE[1:]]
    with Command(words, ledger, vendor.url, before=files_of_at_most(1_500)) as command:
        assert command.wait() == 7

    (error,) = command.events("error")
    assert error["message"].startswith("Nothing was sent. The ledger can't be used any more: ")
    assert error["hint"] == "make room or access for the ledger, then the same command again"
    assert "Traceback" not in command.errors
    assert vendor.look("requests") == []

    with Command(words, ledger, vendor.url) as again:
        assert again.wait() == 4
    assert again.summary["accepted"] == 300
    assert audit(ledger, vendor.leads()) == []
    connection = sqlite3.connect(ledger)
    assert connection.execute("SELECT count(DISTINCT run_id) FROM rows").fetchone() == (1,)
    connection.close()


def test_a_disk_that_is_full_from_the_start(vendor: Vendor, ledger: Path, tmp_path: Path) -> None:
    vendor.reset()
    file = write_leads(tmp_path / "leads.csv", phones(5))
    words = ["schedule", str(file), *SCHEDULE[1:]]
    with Command(words, ledger, vendor.url, before=files_of_at_most(0)) as command:
        assert command.wait() == 6
    assert "can't be used" in command.events("error")[0]["message"]
    with Command(words, ledger, vendor.url) as again:
        assert again.wait() == 0


def test_a_disk_that_is_full_while_leads_are_sent(vendor: Vendor, tmp_path: Path) -> None:
    """Wherever it strikes: a claim that fails sends nothing, a record that fails is a doubt."""
    words = ["bulk-add", str(write_leads(tmp_path / "leads.csv", phones(LEADS))), *V1[1:]]
    vendor.reset("http-503")
    staged = tmp_path / "staged.db"
    with Command([*words, "--patience", "0"], staged, vendor.url) as command:
        assert command.wait() == 7
    struck: Counter[str] = Counter()
    for room in ROOMS:
        vendor.reset()
        ledger = tmp_path / f"{room}.db"
        shutil.copy(staged, ledger)
        with Command(words, ledger, vendor.url, before=files_of_at_most(room)) as command:
            code = command.wait()
        struck[_check(command, code, ledger, vendor)] += 1

        with Command(words, ledger, vendor.url) as again:
            again.wait()
        rows = Counter(row.state for row in ledger_rows(ledger))
        assert rows["accepted"] + rows["unknown"] == LEADS
        assert again.summary["unknown"] == rows["unknown"] <= 200
        assert sum(vendor.leads().values()) == LEADS
        assert audit(ledger, vendor.leads()) == []
    assert struck["claim"] > 0
    assert struck["record"] > 0


def _check(command: Command, code: int, ledger: Path, vendor: Vendor) -> str:
    """Which of the two it struck; what is told is what is so."""
    taken = sum(vendor.leads().values())
    said = command.summary
    assert "Traceback" not in command.errors
    assert said["accepted"] + said["unknown"] == taken
    assert said["accepted"] + said["unknown"] + said["ready"] == LEADS
    assert command.events("error")[0]["message"].startswith("The ledger can't be used any more: ")
    assert code == (5 if said["unknown"] else 7)
    assert said["unknown"] in (0, 200)
    accepted = sum(row.state == "accepted" for row in ledger_rows(ledger))
    assert accepted == said["accepted"]
    return "record" if said["unknown"] else "claim"
