"""The simulator's calls that delete and its callbacks: every sentence, every limit."""

from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest

from ozodial.sandbox import SandboxConfig
from tests.conftest import FakeClock, StartSandbox
from tests.sandbox_caller import SOON, Caller

BULK = "/ca_apis/DeleteBulkData"
SCHEDULED = "/ca_apis/DeleteScheduledData"
KEY = {"apiKey": "a-key"}
MANY = [str(9_800_000_000 + number) for number in range(101)]

Do = Callable[[Caller], httpx.Response]


@pytest.fixture
def caller(start_sandbox: StartSandbox, clock: FakeClock) -> Iterator[Caller]:
    with Caller(start_sandbox(None, clock)) as caller:
        yield caller


def delete(
    caller: Caller, path: str, headers: dict[str, str] = KEY, **body: object
) -> httpx.Response:
    content = {"userName": "ops", **body}
    return caller.http.request("DELETE", path, headers=headers, json=content)


def numbers(
    caller: Caller, phones: Sequence[str] = ("9876543210",), campaigns: Sequence[str] = ("Diwali",)
) -> httpx.Response:
    return delete(caller, BULK, phoneNumber=list(phones), campaignName=list(campaigns))


def present(caller: Caller) -> list[str]:
    return [lead.phone for lead in caller.sandbox.present]


def stale(caller: Caller) -> httpx.Response:
    first = caller.token().json()["token"]
    caller.token()
    return delete(caller, SCHEDULED, {"Authorization": f"Bearer {first}"}, rowId="1")


SENTENCES: list[tuple[str, str, Do]] = [
    ("error", "No data found", lambda c: delete(c, SCHEDULED, rowId="5")),
    ("error", "No data found", lambda c: delete(c, SCHEDULED, rowId="5-9")),
    ("error", "Mandatory parameter row_id is missing", lambda c: delete(c, SCHEDULED)),
    ("error", "Mandatory parameter row_id is missing", lambda c: delete(c, SCHEDULED, rowId="x")),
    ("Error", "PhoneNumbers should not be null are empty", lambda c: numbers(c, [])),
    (
        "Error",
        "PhoneNumbers should not be null are empty",
        lambda c: delete(c, BULK, campaignName=["Diwali"]),
    ),
    ("Error", "Campaign should not be null are empty", lambda c: numbers(c, campaigns=[])),
    (
        "Error",
        "Passed campaign are invalid",
        lambda c: numbers(c, campaigns=["Diwali", "no such campaign"]),
    ),
    ("Error", "Max limit exceeded", lambda c: numbers(c, MANY)),
    ("Error", "Max limit exceeded", lambda c: numbers(c, campaigns=MANY)),
    ("false", "Token Expired", stale),
    (
        "false",
        "Invalid Token",
        lambda c: delete(c, BULK, {"Authorization": "Bearer x"}, phoneNumber=["1"]),
    ),
    (
        "false",
        "Token Should Not be Null or Empty.",
        lambda c: delete(c, BULK, {"Authorization": "Bearer"}),
    ),
    (
        "false",
        "Username Should Not be Null or Empty.",
        lambda c: delete(c, BULK, c.bearer(), userName=""),
    ),
    ("false", "Invalid User Details", lambda c: delete(c, BULK, c.bearer(), userName="asha")),
    ("error", "Missing userName or apiKey", lambda c: delete(c, BULK, userName="")),
    (
        "error",
        "Invalid Json Pass Valid Json",
        lambda c: c.http.request("DELETE", BULK, headers=KEY, content=b"phoneNumber=1"),
    ),
]


@pytest.mark.parametrize(("status", "text", "send"), SENTENCES)
def test_every_sentence_has_its_cause(caller: Caller, status: str, text: str, send: Do) -> None:
    caller.bulk_v1()
    answer = send(caller)
    assert (answer.status_code, answer.json()) == (200, {"status": status, "message": text})
    assert present(caller) == ["9876543210"]
    assert caller.sandbox.requests[-1].outcome == "refused"


def test_numbers_are_deleted_whatever_their_spelling_and_way_in(
    caller: Caller, clock: FakeClock
) -> None:
    caller.bulk_v1([("9876543210", "Asha"), ("9876543211", "Ravi")])
    caller.bulk_v4([("9876543212", "Uma")])
    caller.bulk_v4([("9876543210", "Asha")], campaignName="Holi")
    answer = numbers(caller, ["+919876543210", "919876543212"])
    assert answer.json() == {"status": "success", "message": "Deleted Successfully"}
    assert [(lead.campaign, lead.phone) for lead in caller.sandbox.present] == [
        ("Diwali", "9876543211"),
        ("Holi", "9876543210"),
    ]
    assert len(caller.sandbox.leads) == 4
    assert caller.sandbox.requests[-1].removed == 2 == len(caller.sandbox.removed)


def test_two_a_minute(caller: Caller, clock: FakeClock) -> None:
    assert [numbers(caller).json()["status"] for _ in range(3)] == ["success", "success", "Error"]
    assert [(v.kind, v.seen, v.limit) for v in caller.sandbox.violations] == [("rate", 3, 2)]
    clock.advance(59.9)
    assert numbers(caller).json()["message"] == "Max limit exceeded"
    clock.advance(0.1)
    assert numbers(caller).json()["status"] == "success"


def test_deleted_is_no_duplicate_any_more(caller: Caller) -> None:
    for _ in range(2):
        assert caller.bulk_v4(checkDuplicate="true").json()["status"] == "success"
    assert len(caller.sandbox.leads) == 1
    numbers(caller)
    caller.bulk_v4(checkDuplicate="true")
    assert present(caller) == ["9876543210"]


def test_scheduled_rows_by_id_list_and_range(caller: Caller) -> None:
    rows = [(str(9_876_543_210 + number), SOON) for number in range(6)]
    ids = [row["rowId"] for row in caller.schedule(rows, headers=KEY).json()["message"]]
    for row_ids in (f"{ids[0]}", f"{ids[1]},{ids[2]}", f"{ids[3]}-{ids[4]}"):
        answer = delete(caller, SCHEDULED, rowId=row_ids)
        assert answer.json() == {"status": "success", "message": "Deleted Successfully"}
    assert present(caller) == ["9876543215"]
    assert delete(caller, SCHEDULED, rowId=ids[0]).json()["message"] == "No data found"


def test_a_scheduled_row_is_in_the_campaign_once_its_time_has_come(
    caller: Caller, clock: FakeClock
) -> None:
    row_id = caller.schedule(headers=KEY).json()["message"][0]["rowId"]
    numbers(caller)
    assert present(caller) == ["9876543210"]
    clock.advance(2 * 86_400)
    assert delete(caller, SCHEDULED, rowId=row_id).json()["message"] == "No data found"
    numbers(caller)
    assert present(caller) == []


def test_another_account_deletes_nothing_of_ours(caller: Caller) -> None:
    caller.bulk_v1()
    caller.schedule(headers=KEY)
    row_id = caller.sandbox.leads[-1].row_id
    other = {"apiKey": "other-key"}
    delete(caller, BULK, other, userName="eve", phoneNumber=["9876543210"], campaignName=["Diwali"])
    delete(caller, SCHEDULED, other, userName="eve", rowId=row_id)
    assert len(caller.sandbox.present) == 2


def test_only_delete_deletes(caller: Caller) -> None:
    assert caller.http.post(BULK, json={}).status_code == 405
    assert caller.http.request("DELETE", "/ca_apis/CampaignScheduledData").status_code == 405
    assert caller.http.get(BULK).status_code == 405


def test_faults_for_deletes_alone(caller: Caller) -> None:
    caller.sandbox.misbehave("max-limit/delete", "case=upper/delete")
    assert caller.bulk_v4().json()["status"] == "success"
    assert numbers(caller).json()["message"] == "Max limit exceeded"


# --- callbacks ---


def test_a_transaction_is_called_back(caller: Caller) -> None:
    rows = [("9876543210", "Asha"), ("9855501555", "Dee"), ("9755502555", "Zoe")]
    transaction = caller.bulk_v4(rows).json()["transactionId"]
    data = caller.http.get(f"/sandbox/callbacks/{transaction}").json()["data"]
    assert data | {"failedFilePath": ""} == {
        "totalNoUploaded": 3,
        "numbersProcessed": 1,
        "numbersNotProcessed": 2,
        "failedFilePath": "",
        "transactionId": transaction,
        "status": "Success",
        "message": "File Successfully uploaded.",
        "startDateTime": "2026-11-22 12:00:00",
        "endDateTime": "2026-11-22 12:00:00",
    }
    failed = caller.http.get(data["failedFilePath"])
    assert failed.text.splitlines() == [
        "PhoneNumber,Name,Reason",
        "9855501555,Dee,PhoneNumber Added is a DND Number",
        "9755502555,Zoe,Number Already Exist",
    ]
    (listed,) = caller.http.get("/sandbox/callbacks").json()["callbacks"]
    assert (listed["transaction"], listed["rows"]) == (transaction, 3)
    for path in ("x", "x/failed.csv"):
        assert caller.http.get(f"/sandbox/callbacks/{path}").status_code == 404


def test_a_shorter_minute(start_sandbox: StartSandbox, clock: FakeClock) -> None:
    with Caller(start_sandbox(SandboxConfig(pace_scale=30), clock)) as caller:
        for _ in range(2):
            numbers(caller)
        clock.advance(2.0)
        assert numbers(caller).json()["status"] == "success"
