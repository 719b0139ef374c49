"""Requests as the vendor's pages print them, byte by byte where it matters."""

import json
from urllib.parse import parse_qs, urlencode

import pytest

from ozodial.endpoints import (
    BULK_ADD_V1,
    BULK_ADD_V4,
    ENDPOINTS,
    SCHEDULE,
    Access,
    Endpoint,
    HttpRequest,
    Upload,
    endpoint,
    token_request,
)

KEY, TOKEN = "k3y-0f-an-account", "eyJ.t0ken"
BEARER = Access("ops", KEY, TOKEN)
BASIC = Access("ops", KEY)
COLUMNS = ("PhoneNumber", "ScheduledTime", "Name", "ExpiryDate", "Priority", "AgentID", "skill")
ROW = ("9876543210", "2026-11-23 10:00:00", "Asha", "2026-12-01 00:00:00", "1", "agent7", "hindi")


def upload(
    columns: tuple[str, ...] = ("PhoneNumber", "Name"),
    *rows: tuple[str, ...],
    check_duplicate: bool = True,
) -> Upload:
    return Upload("Diwali", check_duplicate, columns, rows or (("9876543210", "Asha"),))


def form(request: HttpRequest) -> dict[str, str]:
    assert request.content is None
    assert request.form is not None
    return dict(request.form)


def test_schedule_as_the_page_prints_it() -> None:
    columns = ("PhoneNumber", "Name", "ExpiryDate", "ScheduledTime")
    rows = (
        ("8111111118", "Agent1", "2025-07-11 15:35:00", "2025-02-13 21:14:00"),
        ("1234565432", "Agent2", "2025-07-11 15:35:00", "2025-02-13 21:14:00"),
    )
    request = SCHEDULE.write(Access("xxxx", KEY, TOKEN), Upload("xxxx", True, columns, rows))
    assert request.content == (
        b'{"userName":"xxxx","campaignName":"xxxx","checkDuplicate":true,"bulkData":{"map":'
        b'["PhoneNumber","Name","ExpiryDate","ScheduledTime"],"data":'
        b'[["8111111118","Agent1","2025-07-11 15:35:00","2025-02-13 21:14:00"],'
        b'["1234565432","Agent2","2025-07-11 15:35:00","2025-02-13 21:14:00"]]}}'
    )
    assert request.form is None
    assert (request.method, request.path) == ("POST", "/ca_apis/CampaignScheduledData")
    assert request.headers == {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {TOKEN}",
    }


def test_schedule_on_basic_mode_carries_the_key_in_a_header() -> None:
    request = SCHEDULE.write(BASIC, upload())
    assert request.headers == {"Content-Type": "application/json", "apiKey": KEY}
    assert KEY.encode() not in (request.content or b"")


@pytest.mark.parametrize("check", [True, False])
def test_check_duplicate_is_a_boolean_for_schedule_and_a_text_for_v4(check: bool) -> None:
    content = SCHEDULE.write(BEARER, upload(check_duplicate=check)).content
    assert json.loads(content or b"")["checkDuplicate"] is check
    v4 = form(BULK_ADD_V4.write(BASIC, upload(check_duplicate=check)))
    assert v4["checkDuplicate"] == str(check).lower()
    assert "checkDuplicate" not in form(BULK_ADD_V1.write(BASIC, upload(check_duplicate=check)))


def test_bulk_add_v1_is_a_form_with_json_as_text() -> None:
    request = BULK_ADD_V1.write(BASIC, upload())
    assert form(request) == {
        "api_key": KEY,
        "campaign_name": "Diwali",
        "bulkData": '{"map":["PhoneNumber","Name"],"data":[["9876543210","Asha"]]}',
    }
    assert request.headers == {}  # httpx writes the form's own
    assert request.path == (
        "/cloudAgentRestAPI/index.php/AddCampaignBulkData/addBulkData/format/json"
    )


def test_bulk_add_v4_is_a_form_with_other_names() -> None:
    request = BULK_ADD_V4.write(BASIC, upload())
    assert form(request) == {
        "apiKey": KEY,
        "userName": "ops",
        "campaignName": "Diwali",
        "checkDuplicate": "true",
        "bulkData": '{"map":["PhoneNumber","Name"],"data":[["9876543210","Asha"]]}',
    }
    assert request.path == (
        "/cloudAgentRestAPI/index.php/AddCampaignBulkDataV4/addBulkData/format/json"
    )


@pytest.mark.parametrize(
    ("entry", "agent", "expiry"),
    [
        (SCHEDULE, "AgentID", "2026-12-01 00:00:00"),
        (BULK_ADD_V1, "AgentId", "2026-12-01 00:00:00"),
        (BULK_ADD_V4, "AgentId", "2026-12-01"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_endpoint_has_its_own_spelling(entry: Endpoint, agent: str, expiry: str) -> None:
    request = entry.write(BEARER, upload(COLUMNS, ROW))
    if request.form is not None:
        bulk = json.loads(request.form["bulkData"])
    else:
        bulk = json.loads(request.content or b"")["bulkData"]
    assert bulk["map"] == [*COLUMNS[:5], agent, "skill"]
    assert bulk["data"] == [[*ROW[:3], expiry, *ROW[4:]]]


def test_an_empty_expiry_stays_empty_for_v4() -> None:
    columns, row = ("PhoneNumber", "ExpiryDate"), ("9876543210", "")
    bulk = json.loads(form(BULK_ADD_V4.write(BASIC, upload(columns, row)))["bulkData"])
    assert bulk["data"] == [["9876543210", ""]]


def test_an_extra_column_keeps_its_own_name_and_value() -> None:
    columns, row = ("PhoneNumber", "Expiry of offer"), ("9876543210", "2026-12-01 00:00:00")
    bulk = json.loads(form(BULK_ADD_V4.write(BASIC, upload(columns, row)))["bulkData"])
    assert bulk == {"map": list(columns), "data": [list(row)]}


def test_text_is_utf8_and_half_characters_are_replaced() -> None:
    rows = (("9876543210", "आशा & Söhne"), ("9876543211", "half \ud800"))
    lead = upload(("PhoneNumber", "Name"), *rows)
    content = SCHEDULE.write(BEARER, lead).content or b""
    assert "आशा & Söhne".encode() in content
    odd = Access("caf\udce9", KEY)
    for entry, names in (
        (BULK_ADD_V1, ["आशा & Söhne", "half ?"]),
        (BULK_ADD_V4, ["S hne", "half"]),
    ):
        written = form(entry.write(odd, Upload("caf\udce9", True, lead.columns, lead.rows)))
        sent = parse_qs(urlencode(written))
        data = json.loads(sent["bulkData"][0])["data"]
        assert data == [[row[0], name] for row, name in zip(rows, names, strict=True)]


def test_the_token_request() -> None:
    request = token_request(BEARER)
    assert (request.method, request.path) == ("POST", "/ca_apis/CAToken/generateToken")
    assert request.headers == {"Content-Type": "application/json", "apiKey": KEY}
    assert request.content == b'{"userName":"ops"}'


def test_limits_and_paces_are_the_vendors() -> None:
    assert [(e.name, e.rows_per_request, e.pace) for e in ENDPOINTS] == [
        ("schedule", 100, 0.0),
        ("bulk-add v1", 200, 30.0),
        ("bulk-add v4", 500, 12.0),
    ]
    assert BULK_ADD_V4.row_characters == 2000


def test_an_endpoint_is_found_by_its_command() -> None:
    assert endpoint("schedule") is endpoint("schedule", "v4") is SCHEDULE
    assert endpoint("bulk-add") is BULK_ADD_V1
    assert endpoint("bulk-add", "v4") is BULK_ADD_V4
    with pytest.raises(KeyError):
        endpoint("bulk-add", "v2")


@pytest.mark.parametrize(
    ("batches", "pace", "seconds"), [(0, 30, 0), (1, 30, 0.5), (3, 30, 61.5), (3, 0, 1.5)]
)
def test_how_long_it_takes(batches: int, pace: float, seconds: float) -> None:
    assert BULK_ADD_V1.estimated_seconds(batches, pace) == seconds


def test_no_secret_is_in_a_repr() -> None:
    requests = [token_request(BEARER)]
    requests += [e.write(access, upload()) for e in ENDPOINTS for access in (BEARER, BASIC)]
    for shown in map(repr, [BEARER, *requests]):
        assert KEY not in shown
        assert TOKEN not in shown


def test_redaction() -> None:
    assert BEARER.redact(f"{KEY} and {TOKEN}, {KEY}") == "[redacted] and [redacted], [redacted]"
    assert BASIC.redact("no user found") == "no user found"
    assert Access("ops", "a/b+c=", None).redact("?k=a%2Fb%2Bc%3D") == "?k=[redacted]"
    # no vendor gives such a key, and every sentence would be full of holes
    assert Access("ops", "e", "").redact("error") == "error"
