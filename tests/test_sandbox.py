"""Every sentence of the vendor's pages, its cause, and what the simulator remembers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.clock import SystemClock
from ozodial.endpoints import ENDPOINTS
from ozodial.sandbox import Account, Sandbox, SandboxConfig
from ozodial.sandbox_memory import fingerprint
from ozodial.sandbox_texts import Text
from tests.conftest import FakeClock, StartSandbox
from tests.sandbox_caller import SCHEDULE, SOON, Caller
from tests.test_sandbox_deletes import SENTENCES

BASIC_WRONG = {"apiKey": "wrong key"}
TIMED = ("PhoneNumber", "ScheduledTime", "ExpiryDate")
PRIORITY = ("PhoneNumber", "Priority")
EXPIRY = ("PhoneNumber", "ExpiryDate")
BAD_DATE = "Invalid date format. Please pass date in format yyyy-MM-dd HH:mm:ss or yyyy-MM-dd"
BAD_EXPIRY = "ExpiryDate, supports the following format only 'YYYY-MM-DD HH:MM:SS"
BAD_EXPIRY_V4 = "ExpiryDate, supports the following format only 'YYYY-MM-DD'"
BAD_PRIORITY = "Priority, supports only numeric value or the value is not passed properly"
KEY_OR_CAMPAIGN = "api_key or campaign_name is invalid or not found"
NO_TIME = "Mandatory parameter ScheduledTime is in bulkData map"
BUSY = "Already one process is running please try after some time"
THIRTY_DAYS = "ScheduledTime exceeds 30 days limit at index {}"

Do = Callable[[Caller], httpx.Response]


def twice(send: Do, times: int = 2) -> Do:
    return lambda caller: [send(caller) for _ in range(times)][-1]


def rows(count: int, *more: str) -> list[tuple[str, ...]]:
    return [(str(9876500000 + number), *more) for number in range(count)]


def old_token(caller: Caller) -> httpx.Response:
    header = caller.bearer()
    caller.token()
    return caller.schedule(headers=header)


def stale_token(caller: Caller) -> httpx.Response:
    header = caller.bearer()
    assert isinstance(caller.sandbox.clock, FakeClock)
    caller.sandbox.clock.advance(3600)
    return caller.schedule(headers=header)


# cause -> how -> status -> the whole message, word for word
REFUSALS: list[tuple[str, Do, str, str]] = [
    # Generate Token
    ("token: no user name", lambda c: c.token(userName=None), "false", "UserName is null"),
    ("token: empty user name", lambda c: c.token(userName=""), "false", "UserName is null"),
    ("token: key", lambda c: c.token(key="wrong"), "false", "Invalid userName or apiKey"),
    ("token: user", lambda c: c.token(userName="Wrong"), "false", "Invalid userName or apiKey"),
    ("token: 11th in an hour", twice(Caller.token, 11), "false", "Max limit exceeded"),
    # Campaign Status
    ("status: no campaign", lambda c: c.status(None), "error", "All parameters are mandatory"),
    ("status: campaign", lambda c: c.status("no such"), "error", "no record found"),
    # Scheduled Campaign Data
    ("old token", old_token, "false", "Token Expired"),
    ("token an hour old", stale_token, "false", "Token Expired"),
    (
        "foreign token",
        lambda c: c.schedule(headers={"Authorization": "Bearer x.y.z"}),
        "false",
        "Invalid Token",
    ),
    ("no token", lambda c: c.schedule(headers={}), "false", "Token Should Not be Null or Empty."),
    (
        "empty token",
        lambda c: c.schedule(headers={"Authorization": "Bearer"}),
        "false",
        "Token Should Not be Null or Empty.",
    ),
    (
        "token without a user",
        lambda c: c.schedule(userName=""),
        "false",
        "Username Should Not be Null or Empty.",
    ),
    (
        "another user's token",
        lambda c: c.schedule(userName="someone"),
        "false",
        "Invalid User Details",
    ),
    ("schedule: key", lambda c: c.schedule(headers=BASIC_WRONG), "error", KEY_OR_CAMPAIGN),
    (
        "schedule: no user in basic mode",
        lambda c: c.schedule(headers={"apiKey": "a-key"}, userName=None),
        "error",
        "Missing userName or apiKey",
    ),
    (
        "schedule: campaign",
        lambda c: c.schedule(campaignName="no such campaign"),
        "error",
        KEY_OR_CAMPAIGN,
    ),
    ("schedule: no campaign", lambda c: c.schedule(campaignName=None), "error", KEY_OR_CAMPAIGN),
    (
        "schedule: no JSON",
        lambda c: c.http.post(SCHEDULE, content=b"{", headers=c.bearer()),
        "error",
        "Invalid Json Pass Valid Json",
    ),
    (
        "schedule: no time column",
        lambda c: c.schedule([("9876543210",)], ["PhoneNumber"]),
        "error",
        NO_TIME,
    ),
    (
        "schedule: date",
        lambda c: c.schedule([("9876543210", "23/11/2026 10:00")]),
        "error",
        "Wrong Date format",
    ),
    (
        "schedule: no such day",
        lambda c: c.schedule([("9876543210", "2026-11-31 10:00:00")]),
        "error",
        "Wrong Date format",
    ),
    (
        "schedule: no time",
        lambda c: c.schedule([("9876543210", "")]),
        "error",
        "Wrong Date format",
    ),
    (
        "schedule: 31 days",
        lambda c: c.schedule([("9876543210", SOON), ("9876543211", "2026-12-23 12:00:00")]),
        "error",
        THIRTY_DAYS.format(1),
    ),
    (
        "schedule: expiry",
        lambda c: c.schedule([("9876543210", SOON, "never")], TIMED),
        "Error",
        BAD_DATE,
    ),
    (
        "schedule: 101 rows",
        lambda c: c.schedule(rows(101, SOON)),
        "error",
        "Max limit exceeded",
    ),
    (
        "schedule: no data",
        lambda c: c.schedule(bulkData=None),
        "error",
        "Please provide valid data",
    ),
    ("schedule: no rows", lambda c: c.schedule([]), "error", "Please provide valid data"),
    (
        "schedule: magic date",
        lambda c: c.schedule([("9855506555", SOON)]),
        "error",
        "Wrong Date format",
    ),
    (
        "schedule: magic horizon",
        lambda c: c.schedule([*rows(4, SOON), ("9855507555", SOON)]),
        "error",
        THIRTY_DAYS.format(4),
    ),
    ("schedule: magic data", lambda c: c.schedule([("9855508555", SOON)]), "Error", BAD_DATE),
    # Add campaign bulk data
    ("v1: no key", lambda c: c.bulk_v1(api_key=None), "failure", "no user found"),
    ("v1: key", lambda c: c.bulk_v1(api_key="wrong"), "failure", "no user found"),
    ("v1: campaign", lambda c: c.bulk_v1(campaign_name="No such"), "failure", "no user found"),
    (
        "v1: no campaign",
        lambda c: c.bulk_v1(campaign_name=""),
        "error",
        "please provide campaign details",
    ),
    (
        "v1: inbound campaign",
        lambda c: c.bulk_v1(campaign_name="inbound help line"),
        "failure",
        "Campaign is not an outbound campaign",
    ),
    ("v1: back to back", twice(Caller.bulk_v1), "error", BUSY),
    ("v1: no data", lambda c: c.bulk_v1(bulkData=None), "failure", "Please provide valid data"),
    ("v1: no JSON", lambda c: c.bulk_v1(bulkData="[["), "failure", "Please provide valid data"),
    (
        "v1: no map",
        lambda c: c.bulk_v1(bulkData='{"data": [["9876543210"]]}'),
        "failure",
        "Please provide valid data",
    ),
    (
        "v1: rows are no lists",
        lambda c: c.bulk_v1(bulkData='{"map": ["PhoneNumber"], "data": ["9876543210"]}'),
        "failure",
        "Please provide valid data",
    ),
    ("v1: 201 rows", lambda c: c.bulk_v1(rows(201, "Asha")), "error", "Max limit exceeded"),
    ("v1: priority", lambda c: c.bulk_v1([("98", "high")], PRIORITY), "error", BAD_PRIORITY),
    ("v1: expiry", lambda c: c.bulk_v1([("98", "2026-12-01")], EXPIRY), "error", BAD_EXPIRY),
    ("v1: magic date", lambda c: c.bulk_v1([("9855506555", "")]), "error", BAD_EXPIRY),
    ("v1: magic priority", lambda c: c.bulk_v1([("9855507555", "")]), "error", BAD_PRIORITY),
    (
        "v1: magic data",
        lambda c: c.bulk_v1([("9855508555", "")]),
        "failure",
        "Please provide valid data",
    ),
    # V4
    ("v4: no key", lambda c: c.bulk_v4(apiKey=None), "error", "apiKey should not be empty"),
    ("v4: key", lambda c: c.bulk_v4(apiKey="wrong"), "error", "Invalid userName or apiKey"),
    ("v4: user", lambda c: c.bulk_v4(userName=None), "error", "Invalid userName or apiKey"),
    (
        "v4: no campaign",
        lambda c: c.bulk_v4(campaignName=None),
        "error",
        "please provide campaign details",
    ),
    ("v4: campaign", lambda c: c.bulk_v4(campaignName="no such"), "error", "Campaign not found"),
    ("v4: sixth in a minute", twice(Caller.bulk_v4, 6), "error", "Max limit exceeded"),
    ("v4: 501 rows", lambda c: c.bulk_v4(rows(501, "Asha")), "error", "Max limit exceeded"),
    (
        "v4: long row",
        lambda c: c.bulk_v4([("9876543210", "A" * 1976)]),
        "error",
        "Please provide valid data",
    ),
    (
        "v4: expiry with a time",
        lambda c: c.bulk_v4([("9876543210", "2026-12-01 10:00:00")], EXPIRY),
        "error",
        BAD_EXPIRY_V4,
    ),
    ("v4: priority", lambda c: c.bulk_v4([("98", "high")], PRIORITY), "error", BAD_PRIORITY),
]

# a row refused by itself: the phone -> what its answer says
SCHEDULE_ROWS = {
    "9876543210": {"Response": "success", "msg": "Data updated successfully"},
    "": {"Response": "error", "msg": "Phone Number is Empty!"},
    "9855501555": {"Response": "FAIL", "msg": "PhoneNumber Added is a DND Number"},
    "9855502555": {"Response": "SUCCESS", "msg": "Number Already Exist"},
    "9855503555": {"Response": "error", "msg": "Phone Number is Empty!"},
    "9855504555": {"Response": "error", "msg": "Lead could not be saved, contact support (E-4711)"},
}
V1_ROWS = {
    "9876543210": {"status": "SuccessFully Updated"},
    "": {"Status": "Phone Number is Empty!"},
    "9855501555": {"status": "FAIL", "message": "PhoneNumber Added is a DND Number"},
    "9855502555": {"status": "Number Already Exist"},
    "9855503555": {"Status": "Phone Number is Empty!"},
    "9855504555": {"status": "Lead could not be saved, contact support (E-4711)"},
}


@pytest.fixture
def caller(start_sandbox: StartSandbox, clock: FakeClock) -> Iterator[Caller]:
    with Caller(start_sandbox(None, clock)) as caller:
        yield caller


@pytest.mark.parametrize(
    ("send", "status", "message"), [case[1:] for case in REFUSALS], ids=[c[0] for c in REFUSALS]
)
def test_refuses_in_the_words_of_the_page(
    caller: Caller, send: Do, status: str, message: str
) -> None:
    answer = send(caller)

    assert answer.status_code == 200
    assert answer.json() == {"status": status, "message": message}
    taken = {seen.outcome: seen.taken for seen in caller.sandbox.requests}
    assert taken.get("refused", 0) == 0
    assert len(caller.sandbox.leads) == sum(seen.taken for seen in caller.sandbox.requests)


def test_every_sentence_has_a_case() -> None:
    said = {message for *_, message in REFUSALS}
    for answers in (SCHEDULE_ROWS, V1_ROWS):
        said |= {text for answer in answers.values() for text in answer.values()}
    known = {str(text) for text in Text}
    known = known - {Text.BEYOND_HORIZON, Text.QUEUED} | {THIRTY_DAYS.format(1)}
    # those of the calls that delete have their own file, and so have successes and callbacks
    said |= {message for _, message, _ in SENTENCES} | {Text.DELETED, Text.UPLOADED}

    assert known <= said


@pytest.mark.parametrize("phone", SCHEDULE_ROWS)
def test_schedule_answers_each_row_inside_a_success(caller: Caller, phone: str) -> None:
    answer = caller.schedule([("9876500000", SOON), (phone, SOON)]).json()

    assert answer["status"] == "success"
    assert len(answer["message"]) == 2
    assert answer["message"][1].items() >= {**SCHEDULE_ROWS[phone], "index": 1}.items()
    taken = [lead.phone for lead in caller.sandbox.leads]
    assert taken == ["9876500000"] + [phone] * (phone == "9876543210")


@pytest.mark.parametrize("phone", V1_ROWS)
def test_v1_answers_each_row_without_a_status(caller: Caller, phone: str) -> None:
    answer = caller.bulk_v1([("9876500000", "Asha"), (phone, "Ravi")]).json()

    assert list(answer) == ["message"]
    assert answer["message"][1] == {"PhoneNumber": phone, "Name": "Ravi", **V1_ROWS[phone]}
    assert len(caller.sandbox.leads) == 1 + (phone == "9876543210")


def test_a_scheduled_row_looks_like_the_page(caller: Caller) -> None:
    columns = ["PhoneNumber", "ScheduledTime", "Name", "ExpiryDate", "AgentID", "skill"]
    row = ["+91 98765 43210", SOON, "Asha", "2026-12-01", "a7", "hindi"]

    assert caller.schedule([row], columns).json() == {
        "message": [
            {
                "Response": "success",
                "msg": "Data updated successfully",
                "campaign_name": "Diwali",
                "ExpiryDate": "2026-12-01",
                "ScheduleTime": SOON,
                "skill": "hindi",
                "index": 0,
                "PhoneNumber": "+919876543210",
                "Name": "Asha",
                "AgentID": "a7",
                "rowId": 169201,
            }
        ],
        "status": "success",
    }


def test_v4_only_queues(caller: Caller) -> None:
    answer = caller.bulk_v4([("9876543210", "Asha"), ("9855501555", "Ravi")]).json()

    transaction = answer.pop("transactionId")
    assert answer == {"status": "success", "message": "queued successfully"}
    assert [(lead.phone, lead.transaction) for lead in caller.sandbox.leads] == [
        ("9876543210", transaction)
    ]


@pytest.mark.parametrize("send", [Caller.schedule, Caller.bulk_v1], ids=["schedule", "v1"])
def test_a_silent_row_is_taken_without_an_answer(
    caller: Caller, send: Callable[..., httpx.Response]
) -> None:
    answer = send(caller, [("9876543210", SOON), ("9855505555", SOON)]).json()

    assert len(answer["message"]) == 1
    assert len(caller.sandbox.leads) == 2


def test_schedule_knows_a_duplicate_by_phone_and_time(caller: Caller) -> None:
    other = "2026-11-23 11:00:00"
    caller.schedule([("9876543210", SOON)])

    again = caller.schedule([("+919876543210", SOON), ("9876543210", other), ("98", SOON)])

    assert [row["msg"] for row in again.json()["message"]] == [
        "Number Already Exist",
        "Data updated successfully",
        "Data updated successfully",
    ]
    assert [lead.phone for lead in caller.sandbox.leads] == ["9876543210", "9876543210", "98"]


@pytest.mark.parametrize("check", [False, "false", None])
def test_without_checkduplicate_a_lead_is_taken_twice(caller: Caller, check: object) -> None:
    for _ in range(2):
        caller.schedule(checkDuplicate=check)

    assert len(caller.sandbox.leads) == 2


def test_v4_knows_a_duplicate_by_its_phone_in_the_payload_and_the_campaign(caller: Caller) -> None:
    for _ in range(2):
        caller.bulk_v4([("9876543210", "A"), ("09876543210", "B")], checkDuplicate="true")
    caller.bulk_v4([("9876543210", "A")], checkDuplicate="true", campaignName="Holi")

    assert [lead.fields["Name"] for lead in caller.sandbox.leads] == ["A", "A"]


def test_v1_takes_what_it_has(caller: Caller, clock: FakeClock) -> None:
    caller.bulk_v1()
    clock.advance(30)
    caller.bulk_v1()

    assert len(caller.sandbox.leads) == 2


def test_paths_are_found_in_any_letter_case(caller: Caller) -> None:
    answer = caller.http.post(SCHEDULE.lower(), headers=caller.bearer(), json={"userName": "ops"})

    assert answer.json()["message"] == KEY_OR_CAMPAIGN
    assert caller.http.post("/ca_apis/elsewhere").status_code == 404


def test_basic_mode_takes_the_key(caller: Caller) -> None:
    assert caller.schedule(headers={"apiKey": "a-key"}).json()["status"] == "success"
    assert caller.sandbox.requests[0].auth == "basic"


@pytest.mark.parametrize(
    ("auth", "headers", "message"),
    [
        ("token", {"apiKey": "a-key"}, "Token Should Not be Null or Empty."),
        ("basic", {"Authorization": "Bearer x"}, "Missing userName or apiKey"),
    ],
)
def test_an_account_has_one_mode(
    start_sandbox: StartSandbox, auth: str, headers: dict[str, str], message: str
) -> None:
    with Caller(start_sandbox(SandboxConfig(auth=auth))) as caller:
        assert caller.schedule(headers=headers).json()["message"] == message


def test_a_known_house_lets_nobody_else_in(start_sandbox: StartSandbox, clock: FakeClock) -> None:
    accounts = {"ops": Account("a-key", frozenset({"Diwali"})), "eve": Account("other-key")}
    with Caller(start_sandbox(SandboxConfig(accounts), clock)) as caller:
        assert caller.token(userName="eve").json()["message"] == "Invalid userName or apiKey"
        assert caller.schedule(campaignName="Holi").json()["message"] == KEY_OR_CAMPAIGN
        assert caller.bulk_v1(api_key="b-key").json()["message"] == "no user found"
        assert caller.bulk_v1(api_key="other-key", campaign_name="Holi").json()["message"]
        assert [lead.account for lead in caller.sandbox.leads] == ["eve"]


def test_remembers_every_lead(caller: Caller, clock: FakeClock) -> None:
    caller.schedule([("9876543210", SOON, "A, B")], ["PhoneNumber", "ScheduledTime", "Company"])
    caller.bulk_v1()

    scheduled, added = caller.sandbox.leads
    assert scheduled.fields == {
        "PhoneNumber": "9876543210",
        "ScheduledTime": SOON,
        "Company": "A, B",
    }
    assert (scheduled.account, scheduled.endpoint, scheduled.campaign, scheduled.request) == (
        "ops",
        "schedule",
        "Diwali",
        1,
    )
    assert scheduled.time == clock.wall
    assert (added.account, added.endpoint, added.request) == (
        fingerprint("a-key"),
        "bulk-add v1",
        2,
    )


def test_remembers_every_request(caller: Caller, clock: FakeClock) -> None:
    caller.bulk_v1()
    clock.advance(29)
    caller.bulk_v1()

    first, second = caller.sandbox.requests
    assert (first.rows, first.taken, first.outcome, first.auth) == (1, 1, "processed", "api_key")
    assert (first.arrived, first.answered) == (5000, 5000)
    assert (second.arrived, second.taken, second.outcome) == (5029, 0, "refused")
    assert second.message == BUSY


def test_the_window_shows_the_same_and_no_key(caller: Caller) -> None:
    caller.schedule([("9876543210", SOON, "\ud800")], ["PhoneNumber", "ScheduledTime", "Name"])
    caller.bulk_v1()

    def look(what: str) -> object:
        answer = caller.http.get(f"/sandbox/{what}")
        assert "a-key" not in answer.text
        return answer.json()[what]

    assert look("leads") == [
        {**lead._asdict(), "fields": {k: v.replace("\ud800", "?") for k, v in lead.fields.items()}}
        for lead in caller.sandbox.leads
    ]
    assert [seen["number"] for seen in look("requests")] == [1, 2]  # type: ignore[attr-defined]
    assert look("tokens") == [call._asdict() for call in caller.sandbox.token_calls]
    assert look("violations") == []
    assert look("faults") == []
    assert caller.http.get("/sandbox/").json()["leads"] == 2
    assert caller.http.get("/sandbox/keys").status_code == 404


def test_reset_forgets_everything(caller: Caller) -> None:
    caller.schedule()
    caller.bulk_v1()

    counts = caller.http.post("/sandbox/reset").json()

    assert set(counts.values()) == {0}
    assert caller.bulk_v1().json()["message"][0]["status"] == "SuccessFully Updated"
    assert caller.schedule().json()["message"] == "Invalid Token"
    assert caller.sandbox.requests[0].number == 1


def test_keeps_a_file_if_asked(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    file = tmp_path / "memory.jsonl"
    with Caller(start_sandbox(SandboxConfig(memory_file=file))) as caller:
        caller.token()
        caller.bulk_v1()
        caller.bulk_v1()

    facts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    kinds = [fact["record"] for fact in facts]
    assert kinds == ["token", "lead", "request", "violation", "request"]
    assert "a-key" not in file.read_text(encoding="utf-8")


def test_an_account_never_shows_its_key() -> None:
    config = SandboxConfig({"ops": replace(Account("a-key"), auth="basic")})

    assert "a-key" not in repr(config)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
BULK = st.fixed_dictionaries(
    {
        "map": st.lists(st.sampled_from([*TIMED, "Priority", "Name"]), max_size=4) | ANY_JSON,
        "data": st.lists(st.lists(st.sampled_from(["98", SOON, "", "9855505555"]) | ANY_JSON))
        | ANY_JSON,
    }
)


@given(bulk=BULK | ANY_JSON, path=st.sampled_from([entry.path for entry in ENDPOINTS]))
def test_answers_whatever_is_sent(bulk: object, path: str) -> None:
    sandbox = Sandbox(SandboxConfig(auth="basic"), SystemClock())
    parts = {"userName": "ops", "campaignName": "Diwali", "campaign_name": "Diwali"}
    headers = {"apikey": "a-key"}
    if path == SCHEDULE:
        body = json.dumps({**parts, "bulkData": bulk}).encode()
    else:
        headers["content-type"] = "application/x-www-form-urlencoded"
        form = {**parts, "apiKey": "a-key", "api_key": "a-key", "bulkData": json.dumps(bulk)}
        body = str(httpx.QueryParams(form)).encode()

    visit = sandbox.begin(path, headers, body, sandbox.clock.instant())

    assert visit is not None
    assert set(sandbox.work(visit)) <= {"status", "message", "transactionId"}
