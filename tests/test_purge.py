"""Personal data leave an old ledger, and nothing is dialled twice for it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ozodial.ages import before, since
from ozodial.errors import UsageError
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk
from tests.conftest import NOON

LEADS = "Mobile,Name,Town\n9800100007,Asha Purged,Pune\n9855501555,Dora Purged,Goa\n123,Bad,x\n"


def age(desk: Desk, run: int, days: float) -> None:
    """Make a run older than it is."""
    with closing(sqlite3.connect(desk.ledger)) as ledger, ledger:
        past = days * 86_400
        ledger.execute("UPDATE runs SET created_wall = created_wall - ? WHERE id = ?", (past, run))
    ledger.close()


def left_in(ledger: Path, *texts: str) -> list[str]:
    """Which of the texts still stand in any of the ledger's files."""
    content = b"".join(path.read_bytes() for path in ledger.parent.glob(f"{ledger.name}*"))
    return [text for text in texts if text.encode() in content]


def test_leads_go_counts_and_keys_stay(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", LEADS)
    assert desk.run("bulk-add", file).code == 4
    before_ = desk.run("runs", "show", "1", "--json").of("run")
    assert left_in(desk.ledger, "9800100007", "Asha Purged", "Pune", "Dora") != []
    age(desk, 1, 91)
    done = desk.run("runs", "purge", "--older-than", "90d")
    assert (done.code, done.out) == (0, "")
    assert "1 run purged: the leads of 3 rows were removed" in done.err
    personal = ("9800100007", "9855501555", "Asha Purged", "Dora", "Pune")
    assert left_in(desk.ledger, *personal) == []
    after = desk.run("runs", "show", "1", "--json")
    assert [{**run, "created": 0} for run in after.of("run")] == [
        {**run, "created": 0} for run in before_
    ]
    assert {"phone_invalid", "dnd"} <= {str(reason["reason"]) for reason in after.of("reason")}
    # the same file, and the same lead in another one: never twice
    assert desk.run("bulk-add", file, "--json").summary["accepted"] == 1
    other = desk.write("other.csv", LEADS.replace("Bad", "Worse"))
    again = desk.run("bulk-add", other, "--json")
    assert again.summary["already_accepted"] == 1
    assert len(vendor.sandbox.leads) == 1


def test_a_purged_run_has_no_rows_to_export(desk: Desk) -> None:
    desk.run("bulk-add", desk.write("leads.csv", LEADS))
    age(desk, 1, 2)
    desk.run("runs", "purge", "--older-than", "1d")
    refused = desk.run("runs", "export", "1", "out.csv")
    assert (refused.code, (desk.home / "out.csv").exists()) == (2, False)
    assert "next: ozodial runs show 1" in refused.err
    assert "0 runs purged" in desk.run("runs", "purge", "--older-than", "1d").err


def test_runs_with_rows_ready_or_unknown_are_kept(desk: Desk, vendor: ServerHandle) -> None:
    refused = {"OZODIAL_API_KEY": "wrong-key"}
    desk.run("bulk-add", desk.write("ready.csv", LEADS), **refused)
    vendor.sandbox.misbehave("cut-after")
    desk.run("bulk-add", desk.write("lost.csv", "Mobile\n9800100014\n"))
    vendor.sandbox.behave()
    desk.run("bulk-add", desk.write("given_up.csv", "Mobile\n9800100021\n"), **refused)
    desk.run("runs", "cancel", "3")
    for run in (1, 2, 3):
        age(desk, run, 400)
    done = desk.run("runs", "purge", "--older-than", "90d", "--json")
    assert done.events == [
        {
            "event": "purge",
            "runs": [3],
            "rows": 1,
            "kept": [{"run": 1, "has": "ready"}, {"run": 2, "has": "unknown"}],
        }
    ]
    done = desk.run("runs", "purge", "--older-than", "90d")
    assert "run 1 is kept, it has rows ready: ozodial resume 1\n" in done.err
    assert "run 2 is kept, it has rows unknown: ozodial resume 2 --resend-unknown" in done.err
    assert left_in(desk.ledger, "9800100007", "9800100014") == ["9800100007", "9800100014"]
    assert left_in(desk.ledger, "9800100021") == []
    assert desk.run("resume", "1", "--json").summary["accepted"] == 1


def test_young_runs_stay_as_they_are(desk: Desk) -> None:
    desk.run("bulk-add", desk.write("leads.csv", LEADS))
    assert "0 runs purged" in desk.run("runs", "purge", "--older-than", "90d").err
    assert desk.run("runs", "export", "1", "out.csv").code == 0


def test_an_age_is_asked_for_and_checked(desk: Desk) -> None:
    assert desk.run("runs", "purge").code == 2
    wrong = desk.run("runs", "purge", "--older-than", "soon")
    assert (wrong.code, "next: --older-than 90d" in wrong.err) == (2, True)
    assert not desk.ledger.exists()


def test_ages_and_dates() -> None:
    now = NOON.astimezone()
    assert (now - before("2w", now, "x")).days == 14
    assert (now - since("36 hours", now, "x")).total_seconds() == 36 * 3600
    assert before("99999w", now, "x").year == 1 or before("99999w", now, "x") < now
    assert since("today", now, "x").hour == 0
    assert (since("today", now, "x") - since("yesterday", now, "x")).days == 1
    assert since("2026-11-01", now, "x").isoformat().startswith("2026-11-01T00:00:00")
    for text in ("", "soon", "90", "-3d", "31/12/2026"):
        with pytest.raises(UsageError) as wrong:
            since(text, now, "--since")
        assert wrong.value.hint == "--since 7d"
