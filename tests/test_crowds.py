"""Several processes at once on one ledger: no lead twice, one pace, one token, true exit codes."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.audit import audit, ledger_rows, query
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1, V4
from tests.harness.operator import PATIENCE, Command
from tests.harness.vendor import Vendor


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def ledger(place: str) -> str:
    return place


def run_all(commands: list[list[str]], ledger: str, url: str) -> list[Command]:
    """All at once, to their ends."""
    with ExitStack() as stack:
        running = [stack.enter_context(Command(words, ledger, url)) for words in commands]
        for command in running:
            command.wait()
    for command in running:
        assert "locked" not in command.errors
        assert "Traceback" not in command.errors
    return running


def files(folder: Path) -> tuple[str, str, str]:
    """Two lists that share 300 leads, and a third one."""
    return (
        str(write_leads(folder / "one.csv", phones(600))),
        str(write_leads(folder / "two.csv", phones(600, first=300))),
        str(write_leads(folder / "three.csv", phones(500, first=5_000))),
    )


@pytest.mark.parametrize(
    "options",
    [pytest.param(V1[1:], id="v1"), pytest.param(V4[1:], id="v4")],
)
def test_four_at_once_keep_the_pace(
    vendor: Vendor, ledger: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    vendor.reset("latency=0.2")  # long enough for the others to come
    one, two, three = files(tmp_path)
    running = run_all(
        [
            ["bulk-add", one, *options],
            ["bulk-add", one, *options],
            ["bulk-add", two, *options],
            ["bulk-add", three, *options, "--campaign", "Holi"],
        ],
        ledger,
        vendor.url,
    )

    assert [command.process.returncode for command in running] == [0, 0, 0, 0]
    assert vendor.look("violations") == []
    assert audit(ledger, vendor.leads()) == []
    assert len(vendor.leads()) == 900 + 500
    assert Counter(row.state in ("accepted", "queued") for row in ledger_rows(ledger)) == {
        True: 1_400,
        False: 300,
    }
    for command in running:
        waits = {wait["why"]: wait["message"] for wait in command.events("wait")}
        assert set(waits) <= {"busy", "pace"}
        assert all(waits.values())
    assert any(command.events("wait") for command in running)


def test_four_at_once_have_one_token(vendor: Vendor, ledger: str, tmp_path: Path) -> None:
    vendor.reset("latency=0.05", "latency=0.3/token")
    one, two, three = files(tmp_path)
    running = run_all(
        [
            ["schedule", one, *SCHEDULE[1:]],
            ["schedule", one, *SCHEDULE[1:], "--parallel", "2"],
            ["schedule", two, *SCHEDULE[1:]],
            ["schedule", three, *SCHEDULE[1:], "--campaign", "Holi"],
        ],
        ledger,
        vendor.url,
    )

    assert [command.process.returncode for command in running] == [0, 0, 0, 0]
    assert len(vendor.look("tokens")) == 1
    assert audit(ledger, vendor.leads()) == []
    assert len(vendor.leads()) == 900 + 500


def test_the_same_command_twice_shares_the_work(
    vendor: Vendor, ledger: str, tmp_path: Path
) -> None:
    vendor.reset("latency=0.1")
    file = str(write_leads(tmp_path / "leads.csv", phones(900), bad_rows_between=10))
    words = ["schedule", file, *SCHEDULE[1:]]
    running = run_all([words, words], ledger, vendor.url)

    assert [command.process.returncode for command in running] == [4, 4]
    assert [command.summary["accepted"] for command in running] == [900, 900]
    told = Counter(line["row"] for command in running for line in command.events("row"))
    assert set(told.values()) == {1}
    assert len(told) == 900 * 11
    assert query(ledger, "SELECT count(*) FROM runs") == [(1,)]
    assert audit(ledger, vendor.leads()) == []


def test_a_lead_in_flight_elsewhere_waits_until_that_is_settled(
    vendor: Vendor, ledger: str, tmp_path: Path
) -> None:
    vendor.reset()
    first = ["schedule", str(write_leads(tmp_path / "a.csv", phones(100))), *SCHEDULE[1:]]
    second = ["schedule", str(write_leads(tmp_path / "b.csv", phones(120))), *SCHEDULE[1:]]
    with Command(first, ledger, vendor.url, lease=PATIENCE, freeze="claim") as one:
        one.until_frozen()  # its leads are claimed, and not sent yet
        with Command(second, ledger, vendor.url, lease=PATIENCE) as two:
            assert two.await_event("wait")
            one.signal(signal.SIGCONT)
            assert two.wait() == 0
        assert one.wait() == 0

    told = "another request has 100 leads of another run in flight"
    assert told in [line["message"] for line in two.events("wait")]
    assert two.summary["already_accepted"] == 100
    assert two.summary["accepted"] == 20
    assert audit(ledger, vendor.leads()) == []


def test_a_lead_in_flight_of_a_process_that_dies_is_unknown_in_both_runs(
    vendor: Vendor, ledger: str, tmp_path: Path
) -> None:
    vendor.reset("latency=20@1")
    first = ["schedule", str(write_leads(tmp_path / "a.csv", phones(100))), *SCHEDULE[1:]]
    second = ["schedule", str(write_leads(tmp_path / "b.csv", phones(120))), *SCHEDULE[1:]]
    with Command(first, ledger, vendor.url) as one:
        one.until(lambda: len(vendor.look("requests")) == 1)
        with Command(second, ledger, vendor.url) as two:
            assert two.await_event("wait")
            one.kill()
            assert two.wait() == 5

    assert two.summary["unknown"] == 100
    assert two.summary["accepted"] == 20
    unknown = [line for line in two.events("row") if line["status"] == "unknown"]
    assert {line["reason"] for line in unknown} == {"unknown_elsewhere"}
    assert unknown[0]["message"].startswith("run 1 sent this lead (row 2)")
    vendor.reset()
    assert audit(ledger, {row.lead: 1 for row in ledger_rows(ledger)}) == []
