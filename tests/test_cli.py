"""The commands as a person runs them: a real process, a real socket, then the vendor's memory."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ozodial.sandbox import SandboxConfig
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet
from tests.conftest import StartSandbox

SAMPLES = Path(__file__).parent.parent / "sample_data"
NEEDED = ["OZODIAL_USER_NAME", "OZODIAL_API_KEY", "OZODIAL_CAMPAIGN"]


def phones(vendor: ServerHandle) -> list[str]:
    return [lead.phone[-10:] for lead in vendor.sandbox.leads]


def test_bulk_add_takes_450_leads_in_3_requests(desk: Desk, vendor: ServerHandle) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(450)), "--json")
    assert done.code == 0, done.err
    assert [request.rows for request in vendor.sandbox.requests] == [200, 200, 50]
    assert vendor.sandbox.violations == ()
    assert done.summary["accepted"] == 450 == len(set(phones(vendor)))


def test_schedule_takes_250_leads_in_3_requests_with_one_token(
    desk: Desk, vendor: ServerHandle
) -> None:
    file = desk.write("leads.csv", sheet(250))
    done = desk.run("schedule", file, "--at", "tomorrow 10:00", "--json", OZODIAL_PACE="0")
    assert done.code == 0, done.err
    assert [request.rows for request in vendor.sandbox.requests] == [100, 100, 50]
    assert len(vendor.sandbox.tokens) == 1
    assert done.summary["accepted"] == 250 == len(phones(vendor))


def test_v4_takes_1200_leads_in_3_requests_and_calls_them_queued(
    desk: Desk, vendor: ServerHandle
) -> None:
    file = desk.write("leads.csv", sheet(1200))
    done = desk.run("bulk-add", file, "--api", "v4", "--json")
    assert done.code == 0, done.err
    assert [request.rows for request in vendor.sandbox.requests] == [500, 500, 200]
    assert done.summary["queued"] == 1200 == len(phones(vendor))
    assert done.summary["accepted"] == 0


def test_json_is_the_contract_of_the_design(desk: Desk) -> None:
    good = sheet(3).replace("9800100007", "98001")
    done = desk.run("bulk-add", desk.write("leads.csv", good), "--json")
    assert [record["event"] for record in done.events] == [
        *("run", "row", "batch", "row", "row", "summary")
    ]
    run, invalid, batch, first, second, summary = done.events
    assert {"run": 1, "command": "bulk-add", "campaign": "Diwali"}.items() <= run.items()
    assert {"rows": 3, "ready": 2, "batches": 1, "file": "leads.csv"}.items() <= run.items()
    assert {"row": 3, "status": "invalid", "reason": "phone_invalid"}.items() <= invalid.items()
    assert {"batch": 1, "rows": 2, "outcome": "answered"}.items() <= batch.items()
    assert {"row": 2, "status": "accepted", "reason": None}.items() <= first.items()
    assert {"row": 4, "message": "SuccessFully Updated"}.items() <= second.items()
    counted = ["accepted", "queued", "rejected", "invalid", "duplicate", "suppressed"]
    assert [summary[state] for state in counted] == [2, 0, 0, 1, 0, 0]
    assert (summary["unknown"], summary["ready"], summary["exit_code"]) == (0, 0, 4)
    assert done.code == 4


def test_the_same_command_again_sends_nothing_and_exits_0(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(5))
    assert desk.run("bulk-add", file).code == 0
    again = desk.run("bulk-add", file, "--json")
    assert again.code == 0
    assert again.of("row") == []
    assert again.summary["accepted"] == 5
    assert len(vendor.sandbox.requests) == 1


def test_a_changed_file_sends_only_what_is_new(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(5))
    desk.run("bulk-add", file)
    desk.write("leads.csv", sheet(8))
    done = desk.run("bulk-add", file, "--json")
    assert done.code == 0
    assert (done.summary["already_accepted"], done.summary["accepted"]) == (5, 3)
    assert len(phones(vendor)) == len(set(phones(vendor))) == 8


def test_the_file_may_come_by_stdin(desk: Desk, vendor: ServerHandle) -> None:
    done = desk.run("bulk-add", "-", stdin=sheet(2))
    assert done.code == 0, done.err
    assert len(phones(vendor)) == 2


def test_plain_output_has_one_summary_line_and_no_escape_codes(desk: Desk) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(2)))
    assert re.fullmatch(r"run 1: 2 rows: 2 accepted; \d+\.\d s; exit 0\n", done.out)
    assert "\x1b" not in done.out + done.err


def test_quiet_says_nothing_when_all_is_well(desk: Desk) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(2)), "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("command", ["bulk-add", "schedule"])
@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_setting_is_named_before_anything_is_staged(
    desk: Desk, vendor: ServerHandle, command: str, missing: str
) -> None:
    file = desk.write("leads.csv", sheet(2))
    done = desk.run(command, file, *_at(command), **{missing: ""})
    assert done.code == 6
    assert missing in done.err
    assert not desk.ledger.exists()
    assert vendor.sandbox.requests == ()


def _at(command: str) -> list[str]:
    return ["--at", "tomorrow 10:00"] if command == "schedule" else []


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"OZODIAL_API_KEY": "wrong-key"}, 6, "no user found"),
        ({"OZODIAL_CAMPAIGN": "no such campaign"}, 6, "no user found"),
        ({"OZODIAL_BASE_URL": "http://example.org"}, 2, "https"),
        ({"OZODIAL_BASE_URL": "nonsense"}, 2, "base URL"),
        ({"OZODIAL_TIMEZONE": "Mars/Olympus"}, 2, "time zone"),
        ({"OZODIAL_PACE": "soon"}, 2, "OZODIAL_PACE"),
        ({"OZODIAL_TIMEOUT": "-1"}, 2, "OZODIAL_TIMEOUT"),
        ({"OZODIAL_API": "v9"}, 2, "v1, v4"),
        ({"OZODIAL_AUTH": "magic"}, 2, "token, basic"),
        ({"OZODIAL_PROFILE": "none such"}, 2, "profile"),
        ({"OZODIAL_LEDGER": "/proc/nowhere/ledger.db"}, 6, "ledger"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    desk: Desk, settings: dict[str, str], code: int, said: str
) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(2)), **settings)
    assert (done.code, done.out if code == 2 else "") == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-file.csv"], "no-such-file.csv"),
        (["."], "folder"),
        (["empty.csv"], "empty"),
        (["names.csv"], "--map"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_3(desk: Desk, words: list[str], said: str) -> None:
    desk.write("empty.csv", "")
    desk.write("names.csv", "Alpha,Beta\nx,y\n")
    done = desk.run("bulk-add", *words)
    assert done.code == 3
    assert said in done.err
    assert "Traceback" not in done.err


def test_the_key_is_nowhere(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(3))
    for command in ("schedule", "bulk-add"):
        done = desk.run(command, file, *_at(command), "-vv", "--json")
        assert done.code == 0
        assert "3141592653" not in done.out + done.err
        assert not any(token in done.out + done.err for token in vendor.sandbox.tokens)
    for left in desk.home.rglob("*"):
        assert left.is_dir() or b"3141592653" not in left.read_bytes()


def test_rejects_and_results_hold_the_original_columns(desk: Desk) -> None:
    text = "City,Mobile,Name\nPune,9800100000,Asha\nGoa,12,Bo\n"
    file = desk.write("leads.csv", text)
    done = desk.run("bulk-add", file, "--rejects", "bad.csv", "--results", "all.jsonl")
    assert done.code == 4
    with (desk.home / "bad.csv").open(encoding="utf-8-sig", newline="") as opened:
        (bad,) = csv.DictReader(opened)
    assert (bad["City"], bad["Mobile"], bad["ozodial_row"]) == ("Goa", "12", "3")
    assert (bad["ozodial_status"], bad["ozodial_reason"]) == ("invalid", "phone_invalid")
    lines = (desk.home / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["ozodial_status"] for line in lines] == ["accepted", "invalid"]


def test_a_results_file_that_cannot_be_written_is_said_before_sending(
    desk: Desk, vendor: ServerHandle
) -> None:
    file = desk.write("leads.csv", sheet(1))
    done = desk.run("bulk-add", file, "--results", "no/such/folder/out.csv")
    assert done.code == 2
    assert vendor.sandbox.requests == ()


def test_a_dry_run_sends_and_keeps_nothing(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(3))
    done = desk.run("bulk-add", file, "--dry-run", "--json")
    assert done.code == 0
    assert [record["status"] for record in done.of("row")] == ["ready"] * 3
    assert done.summary["ready"] == 3
    assert vendor.sandbox.requests == ()
    assert json.loads(desk.run("runs", "--json").out or "[]") == []
    assert "no run" in desk.run("resume").err


def test_check_gives_the_same_rows_as_a_dry_run(desk: Desk) -> None:
    file = desk.write("leads.csv", sheet(3) + "12,Short\n9800100000,Again\n")
    dry = desk.run("bulk-add", file, "--dry-run", "--json")
    checked = desk.run("check", file, "--json")
    assert (checked.code, dry.code) == (4, 4)
    assert checked.of("row") == dry.of("row")


@pytest.mark.parametrize(
    ("text", "command", "chosen"),
    [
        ("Mobile,Call Time\n9800100000,2099-01-01 10:00\n", "schedule", "schedule"),
        (sheet(1), "bulk-add", "bulk-add v1"),
    ],
)
def test_check_chooses_schedule_where_the_file_has_times(
    desk: Desk, text: str, command: str, chosen: str
) -> None:
    file = desk.write("leads.csv", text)
    told = desk.run("check", file, "--json")
    assert told.of("run")[0]["command"] == command
    forecast = told.of("plan")[0]["chosen"]
    assert isinstance(forecast, dict)
    assert forecast["endpoint"] == chosen
    assert f"->  {chosen} " in desk.run("check", file).out


def test_resume_finishes_what_a_refusal_left(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(5))
    refused = desk.run("bulk-add", file, "--json", OZODIAL_API_KEY="wrong-key")
    assert (refused.code, refused.summary["ready"]) == (6, 5)
    done = desk.run("resume", "--json")
    assert (done.code, done.summary["accepted"]) == (0, 5)
    assert len(phones(vendor)) == 5


def test_resume_of_another_place_is_refused(desk: Desk) -> None:
    file = desk.write("leads.csv", sheet(5))
    desk.run("bulk-add", file, OZODIAL_API_KEY="wrong-key")
    done = desk.run("resume", "--domain", "in")
    assert done.code == 2
    assert "loopback" in done.err


def test_a_stopped_vendor_leaves_every_row_ready(desk: Desk, vendor: ServerHandle) -> None:
    vendor.stop()
    file = desk.write("leads.csv", sheet(3))
    done = desk.run("bulk-add", file, "--patience", "0", "--json")
    assert (done.code, done.summary["ready"]) == (7, 3)
    assert "ozodial resume 1" in done.err


def test_lost_answers_are_unknown_and_stop_after_two(desk: Desk, vendor: ServerHandle) -> None:
    vendor.sandbox.misbehave("cut-after")
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(900)), "--json")
    assert done.code == 5
    assert (done.summary["unknown"], done.summary["ready"]) == (400, 500)
    assert len(phones(vendor)) == 400
    assert "--resend-unknown" not in desk.run("resume", "--json").out


def test_runs_tell_what_happened(desk: Desk) -> None:
    file = desk.write("leads.csv", sheet(2) + "12,Short\n")
    desk.run("bulk-add", file)
    assert "1 invalid" in desk.run("runs").out
    story = desk.run("runs", "show", "1").out
    assert "phone_invalid" in story
    assert "answered" in story
    for name in ("out.csv", "out.xlsx", "out.jsonl"):
        assert desk.run("runs", "export", "1", name, "--only", "invalid").code == 0
        assert (desk.home / name).stat().st_mode & 0o777 == 0o600
    assert desk.run("runs", "show", "9").code == 2


def test_a_cancelled_run_is_not_resumed(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(5))
    desk.run("bulk-add", file, OZODIAL_API_KEY="wrong-key")
    assert desk.run("runs", "cancel", "1").code == 0
    assert "no run" in desk.run("resume").err
    assert desk.run("resume", "1").code == 2
    assert vendor.sandbox.leads == ()
    assert desk.run("bulk-add", file).code == 0
    assert len(phones(vendor)) == 5


def test_pace_below_the_vendors_is_said_once(desk: Desk) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(450)))
    assert done.err.count("below the vendor's 30 s") == 1


def test_a_profile_gives_settings_and_a_typo_names_the_right_key(desk: Desk) -> None:
    desk.write("config.toml", '[profiles.west]\ncampaign = "West"\npace = 0.1\n')
    file = desk.write("leads.csv", sheet(1))
    named = {"OZODIAL_CONFIG": "config.toml", "OZODIAL_CAMPAIGN": "", "OZODIAL_PACE": ""}
    done = desk.run("bulk-add", file, "--profile", "west", "--json", **named)
    assert (done.code, done.of("run")[0]["campaign"]) == (0, "West")
    desk.write("config.toml", '[profiles.west]\ncampain = "West"\n')
    wrong = desk.run("bulk-add", file, "--profile", "west", **named)
    assert wrong.code == 2
    assert "campaign" in wrong.err


def test_lead_data_is_never_markup(desk: Desk) -> None:
    text = 'Mobile,Name\n12,"[/x] [red]R \x1b[31mred\x07"\n'
    done = desk.run("bulk-add", desk.write("leads.csv", text))
    assert done.code == 4
    assert "[/x] [red]R" in done.err
    assert "\x1b" not in done.err


def test_a_sandbox_run_needs_no_settings_and_leaves_no_ledger(desk: Desk) -> None:
    bare = dict.fromkeys(desk.settings, "") | {"OZODIAL_LEDGER": ""}
    done = desk.run("bulk-add", SAMPLES / "leads.xlsx", "--sandbox", **bare)
    assert done.code == 0, done.err
    assert "sandbox" in done.err
    assert not list(desk.home.rglob("*.db"))


def test_the_samples_end_as_promised(start_sandbox: StartSandbox, desk: Desk) -> None:
    start_sandbox(SandboxConfig(pace_scale=300))
    bare = dict.fromkeys(desk.settings, "")
    at = ("--at", "tomorrow 10:00", "--sandbox", "--json")
    good = desk.run("schedule", SAMPLES / "leads.csv", *at, **bare)
    assert (good.code, good.summary["accepted"]) == (0, good.summary["rows"])
    messy = desk.run("schedule", SAMPLES / "leads_messy.csv", *at, **bare)
    assert messy.code == 4
    assert {str(row["reason"]) for row in messy.of("row") if row["status"] == "invalid"} >= {
        "phone_missing",
        "phone_invalid",
        "phone_lost_digits",
        "time_past",
        "time_beyond_30_days",
        "date_unreadable",
        "priority_invalid",
        "expiry_before_schedule",
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--map", "Foo=Name"], 2),
        (["--map", "Name=Nope", "--extra", "Zip"], 3),
        (["--suppress", "nope.csv"], 3),
        (["--no-such-option"], 2),
        (["--sheet", "Leads"], 3),
        (["--rejects", "bad.pdf"], 2),
    ],
)
def test_bad_options_are_sentences_without_a_trace(
    desk: Desk, vendor: ServerHandle, words: list[str], code: int
) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(2)), *words)
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.err
    assert vendor.sandbox.requests == ()


@pytest.mark.parametrize("when", ["soon", "yesterday 10:00", "2020-01-01 10:00", "+40d 10:00"])
def test_an_at_that_cannot_be_is_usage(desk: Desk, when: str) -> None:
    done = desk.run("schedule", desk.write("leads.csv", sheet(2)), "--at", when)
    assert done.code == 2
    assert "tomorrow 10:00" in done.err


def test_times_without_a_column_or_at_are_asked_for(desk: Desk) -> None:
    done = desk.run("schedule", desk.write("leads.csv", sheet(2)))
    assert done.code == 3
    assert "--at" in done.err
    assert '"Mobile", "Name"' in done.err


def test_closed_and_full_streams_do_not_stop_a_run(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(3))
    script = f'"{sys.executable}" -m ozodial bulk-add "{file}" --campaign'
    for number, redirection in enumerate((">&- 2>&-", ">/dev/full", "| head -0")):
        line = f"{script} c{number} {redirection}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=desk.home,
            env=desk.environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert len(vendor.sandbox.leads) == 9


@pytest.mark.parametrize("flag", ["--rejects", "--results"])
def test_a_file_of_the_command_is_never_written_over(
    desk: Desk, vendor: ServerHandle, flag: str
) -> None:
    text = sheet(2) + "12,bad\n"
    file = desk.write("leads.csv", text)
    done = desk.run("bulk-add", file, flag, "leads.csv")
    assert (done.code, vendor.sandbox.requests) == (2, ())
    assert file.read_text() == text
    both = desk.run("bulk-add", file, "--rejects", "r.csv", "--results", "./r.csv")
    assert both.code == 2


def test_all_missing_settings_are_named_together(desk: Desk) -> None:
    file = desk.write("leads.csv", sheet(1))
    done = desk.run("bulk-add", file, **dict.fromkeys(NEEDED, ""))
    assert done.code == 6
    assert all(name in done.err for name in NEEDED)


def test_a_closed_stdin_is_a_sentence(desk: Desk) -> None:
    line = f'"{sys.executable}" -m ozodial bulk-add - <&-'
    done = subprocess.run(
        ["bash", "-c", line], cwd=desk.home, env=desk.environment(), capture_output=True, text=True
    )
    assert done.returncode == 3
    assert "stdin is closed" in done.stderr


def test_the_sandbox_is_served_on_loopback_alone(desk: Desk) -> None:
    done = desk.run("sandbox", "--host", "0.0.0.0")
    assert done.code == 2
    assert "loopback" in done.err
