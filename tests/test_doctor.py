"""`doctor`: a line for everything that a run needs, whatever of it is broken, and no lead sent."""

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.campaigns import read_standing
from ozodial.clock import SystemClock
from ozodial.endpoints import Access
from ozodial.ledger import Ledger
from ozodial.sandbox import Account, SandboxConfig
from ozodial.sandbox_server import ServerHandle
from ozodial.slots import Slots
from tests.batches import reply
from tests.command import Desk, Result, sheet
from tests.conftest import FakeClock, StartSandbox
from tests.test_interpret_bent import json_values
from tests.test_tokens import everything_in
from tests.wire import Authority, RawServer, call, closed_port, hanging, http, saying

KEY = "k-3141592653"
CLOSE = "Connection: close"


def examine(desk: Desk, *words: str, **settings: str) -> dict[str, list[dict[str, str]]]:
    """The diagnoses of `doctor --json` by name."""
    found: dict[str, list[dict[str, str]]] = {}
    for record in run(desk, *words, **settings).of("diagnosis"):
        found.setdefault(str(record["name"]), []).append({k: str(v) for k, v in record.items()})
    return found


def run(desk: Desk, *words: str, **settings: str) -> Result:
    done = call(desk, "doctor", "--json", *words, **{"OZODIAL_PACE": "", **settings})
    assert "Traceback" not in done.out + done.err
    assert KEY not in done.out + done.err
    bad = [record for record in done.of("diagnosis") if record["status"] == "failed"]
    assert [record for record in bad if not record["hint"]] == []
    summary = done.summary
    counted = [str(record["status"]) for record in done.of("diagnosis")]
    for status in ("ok", "warning", "failed"):
        assert summary[status] == counted.count(status)
    assert summary["exit_code"] == done.code == (6 if "failed" in counted else 0)
    return done


def test_a_healthy_desk(desk: Desk, vendor: ServerHandle) -> None:
    found = examine(desk)
    assert {name: [each["status"] for each in lines] for name, lines in found.items()} == {
        name: ["ok"]
        for name in (
            *("config", "user_name", "campaign", "defaults", "api_key", "base_url", "timezone"),
            *("ledger", "server", "clock", "token", "campaign_status"),
        )
    }
    assert found["campaign_status"][0]["message"] == "'Diwali' is READY"
    assert found["api_key"][0]["message"] == "from OZODIAL_API_KEY"
    assert vendor.sandbox.requests == ()
    assert vendor.sandbox.leads == ()
    assert len(vendor.sandbox.tokens) == 1


def test_plain_lines_and_the_last_line(desk: Desk) -> None:
    done = desk.run("doctor", OZODIAL_PACE="")
    assert done.code == 0
    *lines, last = done.out.splitlines()
    assert all(re.match(r"ok      [a-z_]+ +\S", line) for line in lines)
    assert last == f"doctor: {len(lines)} ok; exit 0"
    assert done.err == ""
    broken = desk.run("doctor", OZODIAL_API_KEY="")
    assert broken.code == 6
    assert "failed  api_key         No API key is set\n" in broken.out
    assert re.search(r"^ +next: ozodial login, or OZODIAL_API_KEY=…", broken.out, re.MULTILINE)


def test_quiet_is_silent_while_nothing_failed(desk: Desk) -> None:
    done = call(desk, "doctor", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    done = call(desk, "doctor", "--quiet", OZODIAL_TIMEZONE="Mars/Olympus")
    assert (done.code, done.out) == (6, "")
    assert done.err.startswith("failed  timezone")


def test_the_sandbox_needs_no_settings(desk: Desk, vendor: ServerHandle) -> None:
    nothing = dict.fromkeys([*desk.settings, "OZODIAL_LEDGER"], "")
    found = examine(desk, "--sandbox", **nothing)
    assert {each["status"] for lines in found.values() for each in lines} == {"ok"}
    assert vendor.sandbox.tokens == ()
    assert not desk.ledger.exists()
    refused = examine(desk, "--sandbox", "--fault", "refuse=Account closed/token", **nothing)
    assert "Account closed" in refused["token"][0]["message"]


def test_a_setting_is_told_by_its_source_alone(desk: Desk) -> None:
    config = desk.write(
        "config.toml",
        '[profiles.west]\nuser_name = "s3cret-user"\npatience = 77777\ncampaign = "s3cret"\n',
    )
    done = run(desk, "--profile", "west", OZODIAL_CONFIG=str(config), OZODIAL_USER_NAME="")
    told = {record["name"]: record["message"] for record in done.of("diagnosis")}
    assert told["user_name"] == f"from user_name in profile west ({config})"
    assert told["patience"] == f"from patience in profile west ({config})"
    assert told["campaign"] == "from OZODIAL_CAMPAIGN"
    assert "s3cret" not in done.out
    assert "77777" not in done.out


# --- what is broken in the settings ---

BROKEN: dict[str, tuple[Mapping[str, str], str, str]] = {
    "no user": ({"OZODIAL_USER_NAME": ""}, "user_name", "--user-name NAME"),
    "no key": ({"OZODIAL_API_KEY": ""}, "api_key", "OZODIAL_API_KEY"),
    "a key of two words": ({"OZODIAL_API_KEY": "a b"}, "api_key", "copy the key again"),
    "a key file": (
        {"OZODIAL_API_KEY": "", "OZODIAL_API_KEY_FILE": "/nowhere/key"},
        "api_key",
        "OZODIAL_API_KEY_FILE can't be read",
    ),
    "a zone": ({"OZODIAL_TIMEZONE": "Mars/Olympus"}, "timezone", "--timezone"),
    "no https": ({"OZODIAL_BASE_URL": "http://example.invalid"}, "base_url", "https"),
    "no URL": ({"OZODIAL_BASE_URL": "::::"}, "base_url", "base URL"),
    "a timeout": ({"OZODIAL_TIMEOUT": "soon"}, "timeout", "OZODIAL_TIMEOUT"),
    "a pace": ({"OZODIAL_PACE": "-1"}, "pace", "OZODIAL_PACE"),
    "an auth": ({"OZODIAL_AUTH": "magic"}, "auth", "token, basic"),
    "a region": ({"OZODIAL_REGION": "XX"}, "region", "XX"),
    "a profile": ({"OZODIAL_PROFILE": "nobody"}, "config", "nobody"),
    "a proxy": ({"OZODIAL_BASE_URL": "https://h.invalid", "HTTPS_PROXY": "x://"}, "server", "prox"),
    "a ledger in no folder": ({"OZODIAL_LEDGER": "/dev/null/ledger.db"}, "ledger", "OZODIAL_LED"),
    "a ledger's URL": ({"OZODIAL_LEDGER": "nothing://x"}, "ledger", "ledger"),
}


@pytest.mark.parametrize(("settings", "name", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_told_and_the_rest_looked_at(
    desk: Desk, settings: Mapping[str, str], name: str, said: str
) -> None:
    found = examine(desk, **settings)
    bad = [each for lines in found.values() for each in lines if each["status"] == "failed"]
    assert [each["name"] for each in bad] == [name]
    assert said in bad[0]["message"] + bad[0]["hint"]
    assert {"timezone", "ledger", "server", "token"} <= set(found)


@pytest.mark.parametrize(
    "content", ["[profiles", "profiles = 3\nx", '[profiles.default]\ncampain = "x"\n', "\x00\xff"]
)
def test_a_broken_config_file(desk: Desk, content: str) -> None:
    (desk.home / "config.toml").write_bytes(content.encode("latin-1"))
    found = examine(desk, OZODIAL_CONFIG=str(desk.home / "config.toml"))
    assert found["config"][0]["status"] == "failed"
    assert "config.toml" in found["config"][0]["message"] + found["config"][0]["hint"]
    assert found["campaign_status"][0]["status"] == "ok"  # by the environment's settings


def test_every_setting_at_once_may_be_broken(desk: Desk) -> None:
    settings = {name: value for broken, _, _ in BROKEN.values() for name, value in broken.items()}
    found = examine(desk, **settings)
    failed = {n for n, lines in found.items() for each in lines if each["status"] == "failed"}
    assert {"config", "user_name", "api_key", "timezone", "ledger", "timeout", "auth"} <= failed
    assert found["token"][0]["status"] == "warning"


def test_no_campaign_is_worth_a_word_only(desk: Desk) -> None:
    found = examine(desk, OZODIAL_CAMPAIGN="")
    assert found["campaign"][0]["status"] == "warning"
    assert "campaign_status" not in found


def test_files_that_others_may_read(desk: Desk) -> None:
    key = desk.write("key", KEY)
    config = desk.write("config.toml", f'[profiles.default]\napi_key_file = "{key}"\n')
    settings = {"OZODIAL_API_KEY": "", "OZODIAL_CONFIG": str(config)}
    key.chmod(0o644)
    config.chmod(0o622)
    run(desk, **settings)
    desk.ledger.chmod(0o640)
    desk.ledger.parent.chmod(0o777)
    found = examine(desk, **settings)
    hints = {each["hint"] for lines in found.values() for each in lines}
    assert {f"chmod 600 {key}", f"chmod go-w {config}", f"chmod 600 {desk.ledger}"} <= hints
    assert f"chmod go-w {desk.ledger.parent}" in hints
    for hint in (hint for hint in hints if hint.startswith("chmod")):
        _, mode, path = hint.split()
        Path(path).chmod(0o600 if mode == "600" else 0o700)
    found = examine(desk, **settings)
    assert {each["status"] for lines in found.values() for each in lines} == {"ok"}


def test_lists_and_paths_of_the_profile(desk: Desk) -> None:
    never = desk.write("never.csv", "Mobile\n9876543210\n")
    config = desk.write(
        "config.toml",
        f'[profiles.default]\nsuppress = ["{never}", "/nowhere/never.csv"]\n'
        '[profiles.default.paths]\nschedule = "/a"\n"bulk-add v5" = "/b"\n',
    )
    found = examine(desk, OZODIAL_CONFIG=str(config))
    assert [each["status"] for each in found["suppress"]] == ["ok", "failed"]
    assert [each["status"] for each in found["paths"]] == ["ok", "warning"]
    assert "bulk-add v5" in found["paths"][1]["message"]


def test_a_pace_below_the_vendors(desk: Desk) -> None:
    found = examine(desk, OZODIAL_PACE="20")
    assert [each["status"] for each in found["pace"]] == ["ok", "warning"]
    assert "20 s is below the vendor's 30 s for bulk-add v1" in found["pace"][1]["message"]


# --- the ledger ---


def test_a_ledger_that_is_none(desk: Desk, vendor: ServerHandle) -> None:
    desk.ledger.parent.mkdir()
    desk.ledger.write_bytes(b"a list of something else\n" * 99)
    found = examine(desk)
    assert found["ledger"][0]["status"] == "failed"
    assert found["token"][0]["status"] == "warning"
    assert vendor.sandbox.tokens == ()  # a token that nobody could share would end another's


def test_a_damaged_ledger(desk: Desk) -> None:
    assert call(desk, "bulk-add", desk.write("leads.csv", sheet(2000)), OZODIAL_PACE="0").code == 0
    with closing(sqlite3.connect(desk.ledger)) as connection, connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(desk.ledger.read_bytes())
    content[-40 * 4096 : -20 * 4096] = b"\x55" * 20 * 4096
    desk.ledger.write_bytes(content)
    lines = examine(desk)["ledger"]
    assert lines[0]["status"] == "failed"


def test_what_waits_in_the_ledger(desk: Desk, vendor: ServerHandle) -> None:
    vendor.sandbox.misbehave("cut-after@1", "http-503@2")
    file = desk.write("leads.csv", sheet(400))
    assert call(desk, "bulk-add", file, OZODIAL_PATIENCE="0").code in (5, 7)
    lines = examine(desk)["ledger"]
    told = {each["message"]: (each["status"], each["hint"]) for each in lines[1:]}
    assert told == {
        "run 1 has 200 rows unknown": ("warning", "ozodial runs show 1"),
        "run 1 has 200 rows ready": ("warning", "ozodial resume 1"),
    }


# --- the server and its clock ---


def test_nobody_there(desk: Desk) -> None:
    found = examine(desk, OZODIAL_BASE_URL=closed_port())
    assert found["server"][0]["status"] == "failed"
    assert "clock" not in found
    assert found["token"][0]["status"] == "warning"


def test_a_server_that_hangs(desk: Desk) -> None:
    with RawServer(hanging) as server:
        found = examine(desk, "--timeout", "0.2", OZODIAL_BASE_URL=server.url)
    assert found["server"][0]["status"] == "failed"
    assert re.search("no (whole )?answer", found["server"][0]["message"])


@pytest.mark.parametrize(
    ("host", "days", "signed"), [("127.0.0.1", 1, False), ("127.0.0.1", -1, True), ("x.y", 1, True)]
)
def test_a_certificate_that_is_not_right(
    desk: Desk, tmp_path: Path, host: str, days: int, signed: bool
) -> None:
    authority = Authority(tmp_path)
    tls = authority.server(host, days=days, signed=signed)
    with RawServer(saying(http(b"{}", "200 OK", CLOSE)), tls=tls) as server:
        settings = {"OZODIAL_BASE_URL": server.url, "SSL_CERT_FILE": str(authority.file)}
        found = examine(desk, **settings)
        assert server.requests == []
    assert found["server"][0]["status"] == "failed"
    assert "certificate" in found["server"][0]["message"]


def test_a_certificate_that_is_right(desk: Desk, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with RawServer(saying(http(b"{}", "200 OK", CLOSE)), tls=authority.server()) as server:
        settings = {"OZODIAL_BASE_URL": server.url, "SSL_CERT_FILE": str(authority.file)}
        found = examine(desk, OZODIAL_AUTH="basic", **settings)
    assert "with a valid certificate" in found["server"][0]["message"]


@pytest.mark.parametrize(
    ("seconds", "status", "said"),
    [
        (0, "ok", "agrees"),
        (20, "ok", "agrees"),
        (100, "warning", "behind"),
        (-100, "warning", "ahead of"),
        (4000, "failed", "behind the server's"),
        (-86400, "failed", "24 h ahead of"),
        (None, "warning", "does not tell"),
    ],
)
def test_the_clock(desk: Desk, seconds: int | None, status: str, said: str) -> None:
    def answer(connection: object, _request: bytes) -> None:
        headers = [CLOSE]
        if seconds is not None:
            there = datetime.now(UTC) + timedelta(seconds=seconds)
            headers.append(f"Date: {format_datetime(there, usegmt=True)}")
        connection.sendall(http(b"<html>", "404 Not Found", *headers))  # type: ignore[attr-defined]

    with RawServer(answer) as server:
        found = examine(desk, OZODIAL_BASE_URL=server.url, OZODIAL_AUTH="basic")
    assert (found["clock"][0]["status"], said in found["clock"][0]["message"]) == (status, True)


def test_the_first_question_holds_no_secret(desk: Desk) -> None:
    with RawServer(saying(http(b"", "404 Not Found", CLOSE))) as server:
        examine(desk, OZODIAL_BASE_URL=server.url)
        knock = server.requests[0].lower()
    assert knock.startswith(b"get / ")
    assert KEY.encode() not in knock
    assert b"asha" not in knock


# --- the token ---


def test_the_token_of_other_processes_is_used_and_lives_on(
    desk: Desk, vendor: ServerHandle
) -> None:
    file = desk.write("leads.csv", sheet(3))
    assert call(desk, "schedule", file, "--at", "+3d 10:00").code == 0
    for _ in range(3):
        assert examine(desk)["token"][0]["message"].startswith("the ledger has one")
    desk.write("leads.csv", sheet(5))
    assert call(desk, "schedule", file, "--at", "+3d 10:00").code == 0
    assert len(vendor.sandbox.token_calls) == 1


@pytest.mark.parametrize("fault", ["token-expired@1/status", "token-invalid@1/status"])
def test_a_token_that_the_vendor_ended_is_renewed_once(
    desk: Desk, vendor: ServerHandle, fault: str
) -> None:
    examine(desk)
    vendor.sandbox.misbehave(fault.replace("@1", "@x1"))
    assert examine(desk)["campaign_status"][0]["status"] == "ok"
    assert len(vendor.sandbox.tokens) == 2


def test_a_token_that_is_always_refused_ends_in_a_sentence(
    desk: Desk, vendor: ServerHandle
) -> None:
    vendor.sandbox.misbehave("token-invalid/status")
    found = examine(desk)
    assert found["campaign_status"][0]["status"] == "failed"
    assert "Invalid Token" in found["campaign_status"][0]["message"]
    assert len(vendor.sandbox.tokens) == 2


def test_ten_tokens_an_hour(desk: Desk, vendor: ServerHandle) -> None:
    ledger = Ledger.open(str(desk.ledger), SystemClock())
    slots = Slots(ledger)
    account = "asha@loopback"
    for _ in range(10):
        slots.begin_renewal(account, None)
        slots.finish_renewal(account, None, 0.0)
    ledger.close()
    found = examine(desk)
    assert found["token"][0]["status"] == "warning"
    assert re.search(r"10 tokens an hour .* in (59|60) min|1 h", found["token"][0]["message"])
    assert vendor.sandbox.token_calls == ()


def test_basic_mode_needs_no_token(desk: Desk, vendor: ServerHandle) -> None:
    found = examine(desk, OZODIAL_AUTH="basic")
    assert found["token"][0]["message"] == "not needed: auth is basic, from OZODIAL_AUTH"
    assert found["campaign_status"][0]["message"] == "'Diwali' is READY"
    assert vendor.sandbox.token_calls == ()


@pytest.mark.parametrize("auth", ["token", "basic"])
def test_the_wrong_mode_is_told(desk: Desk, start_sandbox: StartSandbox, auth: str) -> None:
    other = {"token": "basic", "basic": "token"}[auth]
    account = Account(KEY, auth=other)
    vendor = start_sandbox(SandboxConfig(accounts={"asha": account}))
    found = examine(desk, OZODIAL_BASE_URL=vendor.url, OZODIAL_AUTH=auth)
    assert found["campaign_status"][0]["status"] == "failed"
    assert "OZODIAL_AUTH" in found["campaign_status"][0]["hint"]


@pytest.mark.parametrize("settings", [{"OZODIAL_API_KEY": "wrong"}, {"OZODIAL_USER_NAME": "wrong"}])
@pytest.mark.parametrize("auth", ["token", "basic"])
def test_a_wrong_key_or_user_is_told_with_both_causes(
    desk: Desk, auth: str, settings: Mapping[str, str]
) -> None:
    found = examine(desk, OZODIAL_AUTH=auth, **settings)
    (bad,) = [each for lines in found.values() for each in lines if each["status"] == "failed"]
    assert bad["name"] == {"token": "token", "basic": "campaign_status"}[auth]
    assert " or the " in bad["message"]


# --- the campaign ---

STANDINGS = [
    ("Diwali", "ok", "'Diwali' is READY"),
    ("Completed Diwali", "warning", "is COMPLETED"),
    ("no such campaign", "failed", "no record found"),
]


@pytest.mark.parametrize(("campaign", "status", "said"), STANDINGS)
def test_where_the_campaign_stands(desk: Desk, campaign: str, status: str, said: str) -> None:
    (line,) = examine(desk, "--campaign", campaign)["campaign_status"]
    assert (line["status"], said in line["message"]) == (status, True)


def test_a_campaign_in_another_case_is_another(desk: Desk, start_sandbox: StartSandbox) -> None:
    account = Account(KEY, frozenset({"Diwali", "diwali", "Holi"}))
    vendor = start_sandbox(SandboxConfig(accounts={"asha": account}))
    found = examine(desk, OZODIAL_BASE_URL=vendor.url)
    assert found["campaign_status"][0]["message"] == "'Diwali' is READY"


ACCESS = Access("asha", KEY, "a-token")


@pytest.mark.parametrize(
    "body",
    [
        [{"CampaignName": "Diwali", "Position": "READY"}],
        {"message": [{"campaign_name": "Diwali", "position": "READY"}]},
        {"message": json.dumps([{"CampaignName": "Diwali", "Position": "READY"}])},
        {"data": {"1": {"CampaignName": "Holi", "Position": "x"},
                  "2": {"CampaignName": "Diwali", "Position": "READY"}}},
    ],
)  # fmt: skip
def test_rows_are_found_wherever_they_stand(body: object) -> None:
    assert read_standing(reply(body), "Diwali", ACCESS).position == "READY"


def test_a_list_without_the_campaign_names_its_neighbours() -> None:
    rows = [{"CampaignName": "diwali", "Position": "READY"}]
    standing = read_standing(reply({"message": rows}), "Diwali", ACCESS)
    assert standing.position is None
    assert standing.others == ("diwali",)


campaign_rows = st.dictionaries(
    st.sampled_from(["CampaignName", "campaign_name", "Position", "CampaignID", "message"]),
    st.sampled_from(["Diwali", "READY", 7, None, "", [], '[{"CampaignName": "Diwali"}]'])
    | json_values,
)


@given(campaign_rows | st.lists(campaign_rows) | json_values | st.text(max_size=200))
def test_any_answer_is_read_and_nothing_is_made_up(body: object) -> None:
    standing = read_standing(reply(body), "Diwali", ACCESS)
    text = json.dumps(body)
    if standing.position is not None:
        assert "Diwali" in text
        assert "Position" in text
    for other in standing.others:
        assert json.dumps(other)[1:-1].lower() in text.lower()  # `false` is read as False


FAULTS = [
    *("http-500", "http-404", "http-405", "http-429=3", "http-401", "redirect", "cut-before"),
    *("cut-after", "cut-middle", "empty", "broken-json", "endless", "huge=40", "gzip-bomb"),
    *("busy", "max-limit", "refuse=All parameters are mandatory", "refuse=Saved?", "body=[]"),
    *('body={"message": [[]]}', 'body={"message": [{"CampaignName": [], "Position": 1}]}'),
    *("body=" + "[" * 5000, 'body={"message": "\\u001b[2J"}', f"refuse=key {KEY}"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault[:20] for fault in FAULTS])
def test_whatever_the_api_says_doctor_ends_in_sentences(
    desk: Desk, vendor: ServerHandle, fault: str
) -> None:
    vendor.sandbox.misbehave(f"{fault}/status")
    assert "\x1b" not in call(desk, "doctor", "--timeout", "3").out
    found = examine(desk, "--timeout", "3")
    (line,) = found["campaign_status"]
    assert line["status"] == ("failed" if "mandatory" in fault else "warning")
    vendor.sandbox.behave()
    vendor.sandbox.misbehave(f"{fault}/token")
    with closing(sqlite3.connect(desk.ledger)) as connection, connection:
        connection.execute("DELETE FROM tokens")
        connection.execute("DELETE FROM token_requests")
    found = examine(desk, "--timeout", "3")
    assert found["token"][0]["status"] == "failed"
    assert "campaign_status" not in found
    assert KEY not in everything_in(desk.ledger)


def test_a_doctor_killed_midway_holds_nobody_up(desk: Desk, vendor: ServerHandle) -> None:
    vendor.sandbox.misbehave("latency=30/token")
    process = desk.start("doctor")
    assert process.stdout is not None
    while "clock" not in process.stdout.readline():
        pass
    process.kill()
    process.communicate()
    vendor.sandbox.behave()
    assert examine(desk)["token"][0]["status"] == "ok"


def test_the_vendor_wants_a_get_with_a_body(vendor: ServerHandle, clock: FakeClock) -> None:
    import httpx

    path, body = vendor.url + "/ca_apis/campaignStatus", {"userName": "ops", "campaignName": "x"}
    with httpx.Client(trust_env=False) as client:
        headers = {"apiKey": "a-key"}
        assert client.post(path, json=body, headers=headers).status_code == 405
        query = client.get(path, params=body, headers=headers).json()
        assert query["message"] == "Invalid Json Pass Valid Json"
        empty = client.request("GET", path, json={"userName": "ops"}, headers=headers).json()
        assert empty["message"] == "All parameters are mandatory"
        told = client.request("GET", path, json=body, headers=headers).json()
        assert told["message"][0]["Position"] == "READY"
