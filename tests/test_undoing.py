"""`ozodial undo` as a person and cron run it: asked or told, killed, interrupted, done again."""

import fcntl
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import termios
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ozodial.sandbox import SandboxConfig
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet
from tests.conftest import StartSandbox
from tests.harness.audit import audit, ledger_rows
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1
from tests.harness.operator import Command
from tests.harness.vendor import Vendor

UNDO = ["undo", "1", "--yes", "--pace", "0.1"]


@pytest.fixture
def loaded(desk: Desk) -> Desk:
    """A desk whose run 1 put 250 leads in."""
    assert desk.run("bulk-add", desk.write("leads.csv", sheet(250)), "--quiet").code == 0
    return desk


def at_a_terminal(desk: Desk, answer: str, *words: str) -> tuple[int, str, str]:
    """(exit code, what the terminal showed, stdout) of `ozodial` when somebody types an answer."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "ozodial", *words],
        cwd=desk.home,
        env=desk.environment(TERM="dumb"),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is one
    ) as process:
        os.close(slave)
        shown = ""
        timer = threading.Timer(300, process.kill)
        timer.start()
        try:
            while True:
                shown += os.read(master, 65536).decode()
                if answer and shown.endswith("[y/N] "):
                    os.write(master, answer.encode())
                    answer = ""
        except OSError:
            pass  # the other end is closed
        out, _ = process.communicate(timeout=300)
        timer.cancel()
    os.close(master)
    return process.returncode, shown.replace("\r\n", "\n"), out


# --- asking ---


def test_without_a_terminal_it_wants_yes(loaded: Desk, vendor: ServerHandle) -> None:
    done = loaded.run("undo", "1")
    assert done.code == 2
    assert done.err.splitlines()[-2:] == [
        "error: Nobody is at a terminal to say yes to taking back run 1.",
        "next: ozodial undo 1 --yes",
    ]
    assert len(vendor.sandbox.present) == 250
    assert loaded.run("undo", "1", "--json").of("error")


def test_it_says_first_what_it_will_do(loaded: Desk, vendor: ServerHandle) -> None:
    loaded.run("bulk-add", loaded.write("b.csv", sheet(3).replace("Lead", "Other")))
    done = loaded.run("undo", "1", "--dry-run", OZODIAL_PACE="30")
    assert done.code == 0
    assert done.err.splitlines() == [
        "undo of run 1: bulk-add v1 to campaign Diwali, file leads.csv",
        "  takes back 247 leads in 3 requests of at most 100, 30 s between them, about 1 min 2 s",
        "  the vendor deletes these numbers whatever their status, called or not, and whoever "
        "put them in",
        "  keeps 3 leads that run 2 put in, too",
    ]
    assert len(vendor.sandbox.requests) == 3
    plan = loaded.run("undo", "1", "--dry-run", "--json", OZODIAL_PACE="30").of("undo")
    assert plan == [
        {
            "event": "undo",
            "run": 1,
            "command": "bulk-add",
            "campaign": "Diwali",
            "file": "leads.csv",
            "remove": 247,
            "kept": 3,
            "left": 0,
            "unsent": 0,
            "requests": 3,
            "estimated_seconds": 61.5,
        }
    ]


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [
        ("y\n", 0, 0),
        ("\n", 7, 250),
        ("\x04", 7, 250),
        ("\x03", 130, 250),
    ],
)
def test_at_a_terminal_it_asks(
    loaded: Desk, vendor: ServerHandle, answer: str, code: int, left: int
) -> None:
    ended, shown, out = at_a_terminal(loaded, answer, "undo", "1")
    assert ended == code, shown
    assert "whatever their status" in shown
    assert "Take back 250 leads of run 1? [y/N] " in shown
    assert "Traceback" not in shown
    assert len(vendor.sandbox.present) == left
    assert ("nothing was taken back of run 1" in shown) is (code == 7)
    assert ("250 removed" in out) is (code == 0)


def test_yes_does_not_ask_at_a_terminal(loaded: Desk, vendor: ServerHandle) -> None:
    ended, shown, _ = at_a_terminal(loaded, "", "undo", "1", "--yes")
    assert ended == 0
    assert "[y/N]" not in shown
    assert vendor.sandbox.present == ()


def test_with_nothing_to_take_back_it_asks_nothing(loaded: Desk, vendor: ServerHandle) -> None:
    assert loaded.run("undo", "1", "--yes").code == 0
    again = loaded.run("undo", "1")
    assert (again.code, again.out) == (0, "run 1: 250 rows: 250 removed; 0.0 s; exit 0\n")
    assert "nothing that can be taken back" in again.err


def test_quiet_is_quiet(loaded: Desk) -> None:
    done = loaded.run("undo", "1", "--yes", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


# --- what the other commands know of it ---


def test_runs_and_files_know_removed(loaded: Desk) -> None:
    loaded.run("undo", "1", "--yes")
    assert "250 removed" in loaded.run("runs").out
    shown = loaded.run("runs", "show", "1")
    assert "undone" in shown.out
    assert "answered (undo)" in shown.out
    kinds = Counter(b["kind"] for b in loaded.run("runs", "show", "1", "--json").of("batch"))
    assert kinds == {"add": 2, "remove": 3}
    assert loaded.run("runs", "export", "1", "out.csv", "--only", "removed").code == 0
    assert (loaded.home / "out.csv").read_text("utf-8-sig").count(",removed,") == 250
    assert loaded.run("resume", "1").err.startswith("error: Run 1 is undone.")
    assert loaded.run("runs", "cancel", "1").code == 2


def test_json_has_each_row_once_and_counts_them(loaded: Desk) -> None:
    done = loaded.run("undo", "1", "--yes", "--json")
    assert [event["event"] for event in done.events[:2]] == ["undo", "run"]
    assert Counter(row["status"] for row in done.of("row")) == {"removed": 250}
    assert (done.summary["removed"], done.summary["accepted"]) == (250, 0)


def test_a_key_that_is_refused(loaded: Desk, vendor: ServerHandle) -> None:
    done = loaded.run("undo", "1", "--yes", OZODIAL_API_KEY="wrong-key")
    assert done.code == 6
    assert "the user name or the API key is wrong" in done.err
    assert len(vendor.sandbox.present) == 250


def test_no_key_is_known_before_anybody_is_asked(loaded: Desk) -> None:
    done = loaded.run("undo", "1", OZODIAL_API_KEY="")
    assert done.code == 6
    assert "No API key is set" in done.err


def test_basic_mode_asks_for_no_token(loaded: Desk, vendor: ServerHandle) -> None:
    assert loaded.run("undo", "1", "--yes", OZODIAL_AUTH="basic").code == 0
    assert vendor.sandbox.tokens == ()
    assert vendor.sandbox.present == ()


def test_another_place_is_refused(loaded: Desk) -> None:
    done = loaded.run("undo", "1", "--yes", OZODIAL_BASE_URL="https://elsewhere.invalid")
    assert done.code == 2
    assert "Run 1 belongs to loopback" in done.err
    assert "next: ozodial undo 1 --base-url" in done.err


def test_an_unknown_run(desk: Desk) -> None:
    done = desk.run("undo", "9", "--yes")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: There is no run 9")


def test_a_profile_may_name_another_path(
    loaded: Desk, vendor: ServerHandle, start_sandbox: StartSandbox
) -> None:
    config = loaded.write(
        "config.toml", '[profiles.default.paths]\nDeleteBulkData = "/ca_apis/Elsewhere"\n'
    )
    done = loaded.run("undo", "1", "--yes", OZODIAL_CONFIG=str(config))
    assert done.code == 6
    assert "no such call" in done.err


def test_a_thousand_rows_are_paced_in_the_sandbox(
    tmp_path: Path, start_sandbox: StartSandbox
) -> None:
    server = start_sandbox(SandboxConfig(pace_scale=300))
    desk = Desk(
        tmp_path,
        {
            "OZODIAL_BASE_URL": server.url,
            "OZODIAL_USER_NAME": "asha",
            "OZODIAL_API_KEY": "k-3141592653",
            "OZODIAL_CAMPAIGN": "Diwali",
            "OZODIAL_PACE": "0.1",
        },
    )
    desk.run("bulk-add", desk.write("leads.csv", sheet(1000)), "--api", "v4")
    assert desk.run("undo", "1", "--yes").code == 0
    assert (server.sandbox.present, server.sandbox.violations) == ((), ())


# --- killed and interrupted ---


@pytest.fixture(scope="module")
def distant() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def put_in(distant: Vendor, ledger: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    distant.reset()
    file = write_leads(tmp_path / "leads.csv", phones(350))
    with Command([words[0], str(file), *words[1:]], ledger, distant.url) as command:
        assert command.wait() == 0


def states(ledger: Path) -> Counter[str]:
    return Counter(row.state for row in ledger_rows(ledger))


def present(distant: Vendor) -> "Counter[tuple[str, str, str]]":
    return Counter(
        (lead["campaign"], lead["phone"], lead["fields"].get("ScheduledTime", ""))
        for lead in distant.look("present")
    )


def deleting(distant: Vendor) -> bool:
    return any(
        request["outcome"] == "open" and request["endpoint"].startswith("Delete")
        for request in distant.look("requests")
    )


@pytest.mark.parametrize("words", [SCHEDULE, V1], ids=["schedule", "bulk-add"])
def test_killed_in_the_middle_the_same_command_goes_on(
    distant: Vendor, ledger: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    put_in(distant, ledger, tmp_path, words)
    distant.misbehave("latency=0.4@x1/delete")
    with Command(UNDO, ledger, distant.url) as command:
        command.until(lambda: deleting(distant))
        command.kill()
    assert states(ledger) == {"sending": 100, "accepted": 250}
    with Command(["runs", "show", "1"], ledger, distant.url) as look:
        assert look.wait() == 0
    assert states(ledger) == {"unknown": 100, "accepted": 250}
    with Command(UNDO, ledger, distant.url) as again:
        assert again.wait() == 0, again.errors
    assert again.summary["removed"] == 350
    assert present(distant) == {}
    assert len(distant.look("removed")) == 350
    assert audit(ledger, present(distant)) == []


def test_killed_again_and_again(distant: Vendor, ledger: Path, tmp_path: Path) -> None:
    put_in(distant, ledger, tmp_path, SCHEDULE)
    distant.misbehave("latency=0.1/delete")
    for _ in range(3):
        with Command(UNDO, ledger, distant.url) as command:
            command.await_event("batch")
            command.kill()
    with Command(UNDO, ledger, distant.url) as last:
        assert last.wait() == 0, last.errors
    assert states(ledger) == {"removed": 350}
    assert present(distant) == {}
    assert audit(ledger, present(distant)) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_the_request_in_flight_ends(
    distant: Vendor, ledger: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    put_in(distant, ledger, tmp_path, SCHEDULE)
    distant.misbehave("latency=0.4@x1/delete")
    with Command(UNDO, ledger, distant.url) as command:
        command.until(lambda: deleting(distant))
        command.signal(number)
        assert command.wait() == code
    assert states(ledger) == {"removed": 100, "accepted": 250}
    assert command.summary["hint"] == "ozodial undo 1 --yes"
    assert audit(ledger, present(distant)) == []
    with Command(UNDO, ledger, distant.url) as again:
        assert again.wait() == 0
    assert states(ledger) == {"removed": 350}


def test_the_second_time_it_does_not_wait(distant: Vendor, ledger: Path, tmp_path: Path) -> None:
    put_in(distant, ledger, tmp_path, V1)
    distant.misbehave("latency=30@x1/delete")
    with Command(UNDO, ledger, distant.url) as command:
        command.until(lambda: deleting(distant))
        command.signal(signal.SIGINT)
        command.signal(signal.SIGTERM)
        assert command.wait() in (130, 143)  # as good as at once: either may come first
    assert states(ledger) == {"unknown": 100, "accepted": 250}
    assert len(command.events("row")) == 100


def test_a_wait_for_the_pace_ends_at_once(distant: Vendor, ledger: Path, tmp_path: Path) -> None:
    put_in(distant, ledger, tmp_path, V1)
    with Command(["undo", "1", "--yes", "--pace", "3000"], ledger, distant.url) as command:
        assert command.await_event("wait")
        command.signal(signal.SIGINT)
        assert command.wait() == 130
    assert states(ledger) == {"removed": 100, "accepted": 250}


def test_two_at_once_share_the_work(distant: Vendor, ledger: Path, tmp_path: Path) -> None:
    put_in(distant, ledger, tmp_path, V1)
    distant.misbehave("latency=0.1/delete")
    with (
        Command(UNDO, ledger, distant.url) as first,
        Command(UNDO, ledger, distant.url) as second,
    ):
        assert (first.wait(), second.wait()) == (0, 0)
    assert states(ledger) == {"removed": 350}
    asked = [r for r in distant.look("requests") if r["endpoint"] == "DeleteBulkData"]
    assert sum(request["rows"] for request in asked) == 350
    assert distant.look("violations") == []
    assert audit(ledger, present(distant)) == []


def test_an_upload_of_the_run_is_stopped_first(
    distant: Vendor, ledger: Path, tmp_path: Path
) -> None:
    distant.reset("latency=5@2/v1")
    file = write_leads(tmp_path / "leads.csv", phones(900))
    with Command(["bulk-add", str(file), *V1[1:]], ledger, distant.url) as upload:
        upload.until(lambda: len(distant.look("requests")) == 2)
        with Command(UNDO, ledger, distant.url) as undo:
            assert undo.wait() == 0, undo.errors
        assert upload.wait() == 7
    assert "taken back by undo" in upload.errors
    assert states(ledger) == {"removed": 400, "ready": 500}
    assert present(distant) == {}


def test_no_secret_and_no_key_in_the_ledger(loaded: Desk) -> None:
    loaded.run("undo", "1", "--yes")
    with closing(sqlite3.connect(loaded.ledger)) as ledger:
        text = "".join(ledger.iterdump())
    assert "k-3141592653" not in text
