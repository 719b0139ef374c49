"""Misbehaviour: its grammar, which requests suffer, and what arrives over a real socket."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from ozodial.errors import UsageError
from ozodial.sandbox_faults import KINDS, Fault, FaultPlan, fault_help, parse_fault
from tests.conftest import FakeClock, StartSandbox
from tests.sandbox_caller import SOON, Caller

BUSY = "Already one process is running please try after some time"
THREE = [("9876543210", SOON), ("9876543211", SOON), ("9876543212", SOON)]


@pytest.fixture
def caller(start_sandbox: StartSandbox, clock: FakeClock) -> Iterator[Caller]:
    with Caller(start_sandbox(None, clock)) as caller:
        caller.bearer()
        yield caller


def struck(text: str, requests: int, *words: str) -> list[int]:
    plan = FaultPlan()
    plan.tell(parse_fault(text))
    return [number for number in range(1, requests + 1) if plan.choose(number, words)]


# the grammar


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cut-before", Fault("cut-before")),
        ("latency=0.25", Fault("latency", "0.25")),
        ("http-503=2@3", Fault("http", "2", 503, ((3, 3),))),
        ("http-429=date+2@x2", Fault("http", "date+2", 429, times=2)),
        ("http-500-after", Fault("http-after", "", 500)),
        ("cut-after@1,3-5/v1", Fault("cut-after", numbers=((1, 1), (3, 5)), where="v1")),
        ("busy@25%:7", Fault("busy", chance=0.25, seed=7)),
        ("drip", Fault("drip", "5")),
        (
            "redirect=https://a.invalid/v1@2",
            Fault("redirect", "https://a.invalid/v1", 0, ((2, 2),)),
        ),
        ("refuse=Quota @ 5% used", Fault("refuse", "Quota @ 5% used")),
        ("http-401/token", Fault("http", "", 401, where="token")),
    ],
)
def test_reads_a_fault(text: str, fault: Fault) -> None:
    told = parse_fault(text)

    assert told.text == text
    assert told == Fault(
        **{name: getattr(fault, name) for name in Fault.__slots__ if name != "text"}, text=text
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "http",
        "http-99",
        "http-600",
        "http-after",
        "latency",
        "latency=soon",
        "latency=-1",
        "latency=nan",
        "cut-after=2",
        "cut-after@0",
        "cut-after@5-3",
        "cut-after@often",
        "cut-after@101%",
        "cut-after/v9",
        "phones=44",
        "index=2",
        "missing-rows=0",
        "missing-rows=all",
        "reordered-rows=up",
        "http-503=later",
        "refuse",
        "gzip-bomb=big",
    ],
)
def test_nonsense_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fault(text)

    assert f'"{text}"' in caught.value.message


def test_help_names_every_kind() -> None:
    assert len(fault_help().splitlines()) == len(KINDS)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("busy", [1, 2, 3, 4, 5, 6]),
        ("busy@2,4-5", [2, 4, 5]),
        ("busy@x2", [1, 2]),
        ("busy@0%", []),
        ("busy@100%", [1, 2, 3, 4, 5, 6]),
        ("busy/bulk-add", [1, 2, 3, 4, 5, 6]),
        ("busy/v4", [1, 2, 3, 4, 5, 6]),
        ("busy/v1", []),
        ("busy/token", []),
    ],
)
def test_strikes_the_requests_it_is_meant_for(text: str, numbers: list[int]) -> None:
    assert struck(text, 6, "bulk-add", "v4") == numbers


def test_chance_is_the_same_for_the_same_seed() -> None:
    first, again, other = (struck(f"busy@30%:{seed}", 200, "schedule") for seed in (7, 7, 8))

    assert first == again != other
    assert 40 <= len(first) <= 80


# before all processing: nothing is taken


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_a_status_with_html(caller: Caller, status: int) -> None:
    caller.sandbox.misbehave(f"http-{status}")
    answer = caller.bulk_v1()

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "retry-after" not in answer.headers
    assert caller.sandbox.leads == ()


def test_retry_after_in_seconds_and_as_a_date(caller: Caller, clock: FakeClock) -> None:
    caller.sandbox.misbehave("http-503=7@1", "http-429=date+7@2")

    assert caller.bulk_v1().headers["retry-after"] == "7"
    date = parsedate_to_datetime(caller.bulk_v1().headers["retry-after"])
    assert 7 <= (date - datetime.fromtimestamp(clock.wall, UTC)).total_seconds() <= 8


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("busy", "error", BUSY),
        ("max-limit", "error", "Max limit exceeded"),
        ("token-expired", "false", "Token Expired"),
        ("token-invalid", "false", "Invalid Token"),
        ("refuse=Out of credit", "error", "Out of credit"),
    ],
)
def test_a_sentence_instead(caller: Caller, fault: str, status: str, message: str) -> None:
    caller.sandbox.misbehave(f"{fault}@1")

    assert caller.schedule().json() == {"status": status, "message": message}
    assert caller.sandbox.leads == ()
    assert caller.sandbox.requests[0].outcome == "fault"
    assert caller.sandbox.requests[0].faults == (f"{fault}@1",)


def test_an_expired_token_stays_expired(caller: Caller) -> None:
    caller.sandbox.misbehave("token-expired@1")
    caller.schedule()

    assert caller.schedule().json()["message"] == "Token Expired"


def test_a_redirect_leads_elsewhere(caller: Caller) -> None:
    caller.sandbox.misbehave("redirect")
    answer = caller.bulk_v1()

    assert answer.status_code == 307
    assert answer.headers["location"] == "https://elsewhere.invalid/"
    assert caller.sandbox.leads == ()


def test_cut_before(caller: Caller) -> None:
    caller.sandbox.misbehave("cut-before")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        caller.bulk_v1()

    assert caller.sandbox.leads == ()


def test_a_fault_before_starts_no_pace(caller: Caller) -> None:
    caller.sandbox.misbehave("http-503@1")
    caller.bulk_v1()

    assert "status" not in caller.bulk_v1().json()


# after processing: the leads are taken, the answer is lost


def test_cut_after(caller: Caller) -> None:
    caller.sandbox.misbehave("cut-after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        caller.bulk_v1()

    assert len(caller.sandbox.leads) == 1


def test_cut_in_the_middle_of_the_answer(caller: Caller) -> None:
    caller.sandbox.misbehave("cut-middle")
    host, port = caller.http.base_url.host, caller.http.base_url.port
    assert port is not None
    with pytest.raises(httpx.RemoteProtocolError, match="complete message"):
        caller.bulk_v1()
    assert len(caller.sandbox.leads) == 1

    with socket.create_connection((host, port), timeout=5) as raw:
        raw.sendall(b"POST /ca_apis/campaignscheduleddata HTTP/1.1\r\nHost: x\r\n")
        raw.sendall(b"Content-Length: 2\r\n\r\n{}")
        received = b"".join(iter(lambda: raw.recv(4096), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert 0 < len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])


@pytest.mark.parametrize("status", [200, 500, 502, 504])
def test_a_status_after_processing(caller: Caller, status: int) -> None:
    caller.sandbox.misbehave(f"http-{status}-after")
    answer = caller.bulk_v1()

    assert answer.status_code == status
    assert answer.text.startswith("<html>")
    assert len(caller.sandbox.leads) == 1


def test_a_slow_drip(caller: Caller) -> None:
    caller.sandbox.misbehave("drip=0.3")
    start = time.monotonic()
    with caller.http.stream("POST", "/ca_apis/CampaignScheduledData", json={}) as answer:
        pieces = list(answer.iter_raw())

    assert time.monotonic() - start >= 0.3
    assert len(pieces) > 1
    assert json.loads(b"".join(pieces))["status"] == "false"


def test_a_drip_ends_with_its_client(caller: Caller) -> None:
    caller.sandbox.misbehave("drip=600@1")
    with pytest.raises(httpx.ReadTimeout):
        caller.http.post("/ca_apis/CampaignScheduledData", json={}, timeout=0.05)

    assert caller.schedule().status_code == 200


def test_an_endless_body(caller: Caller) -> None:
    caller.sandbox.misbehave("endless@1")
    read = 0
    with caller.http.stream("POST", "/ca_apis/CampaignScheduledData", json={}) as answer:
        assert "content-length" not in answer.headers
        for piece in answer.iter_raw():
            read += len(piece)
            if read > 1_000_000:
                break

    assert caller.schedule().json()["status"] == "success"


def test_a_huge_answer_is_a_whole_answer(caller: Caller) -> None:
    caller.sandbox.misbehave("huge")
    answer = caller.bulk_v1()

    assert len(answer.content) > 20_000_000
    assert answer.json()["message"][0]["status"] == "SuccessFully Updated"
    assert len(caller.sandbox.leads) == 1


def test_a_gzip_bomb(caller: Caller) -> None:
    caller.sandbox.misbehave("gzip-bomb=30")
    with caller.http.stream("POST", "/ca_apis/CampaignScheduledData", json={}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())

    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 30_000_000


@pytest.mark.parametrize(
    ("fault", "broken"),
    [("broken-json", '{"message":['), ("empty", ""), ("body=OK", "OK"), ("body=[1]", "[1]")],
)
def test_an_unreadable_answer(caller: Caller, fault: str, broken: str) -> None:
    caller.sandbox.misbehave(fault)
    answer = caller.bulk_v1()

    assert answer.status_code == 200
    assert answer.text.startswith(broken)
    if fault == "broken-json":
        with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
            answer.json()
    assert len(caller.sandbox.leads) == 1


# readable, but odd


def phones(answer: httpx.Response) -> list[str]:
    return [row["PhoneNumber"][-1] for row in answer.json()["message"]]


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        ("missing-rows", "12"),
        ("missing-rows=2", "2"),
        ("repeated-rows", "0012"),
        ("repeated-rows=2", "00112"),
        ("reordered-rows", "210"),
        ("reordered-rows=3", "120"),
        ("foreign-rows=2", "01012"),
        ("message=list", "012"),
    ],
)
def test_rows_missing_repeated_foreign_or_in_another_order(
    caller: Caller, fault: str, ends: str
) -> None:
    caller.sandbox.misbehave(fault)

    assert sorted(phones(caller.schedule(THREE))) == sorted(ends)
    if not fault.startswith("reordered-rows="):
        caller.sandbox.reset()
        caller.sandbox.misbehave(fault)
        assert phones(caller.bulk_v1(THREE)) == list(ends)
    assert len(caller.sandbox.leads) == 3


@pytest.mark.parametrize(
    ("form", "phone"),
    [
        ("plus91", "+919876543210"),
        ("91", "919876543210"),
        ("0", "09876543210"),
        ("10", "9876543210"),
    ],
)
def test_phones_in_every_form(caller: Caller, form: str, phone: str) -> None:
    caller.sandbox.misbehave(f"phones={form}")
    foreign = "+14155550100"

    answer = caller.schedule([("9876543210", SOON), (foreign, SOON)])

    assert [row["PhoneNumber"] for row in answer.json()["message"]] == [phone, foreign]


@pytest.mark.parametrize(
    ("how", "index"),
    [
        ("0", [0, 1, 2]),
        ("1", [1, 2, 3]),
        ("text0", ["0", "1", "2"]),
        ("text1", ["1", "2", "3"]),
        ("none", [None, None, None]),
    ],
)
def test_index_in_every_form(caller: Caller, how: str, index: list[object]) -> None:
    caller.sandbox.misbehave(f"index={how}")

    assert [row.get("index") for row in caller.schedule(THREE).json()["message"]] == index


def test_index_keeps_its_row_in_another_order(caller: Caller) -> None:
    caller.sandbox.misbehave("reordered-rows", "index=text1")

    rows = caller.schedule(THREE).json()["message"]

    assert [(row["PhoneNumber"][-1], row["index"]) for row in rows] == [
        ("2", "3"),
        ("1", "2"),
        ("0", "1"),
    ]


def test_message_in_every_form(caller: Caller, clock: FakeClock) -> None:
    plain = caller.bulk_v1(THREE).json()["message"]
    caller.sandbox.misbehave("message=object@2-3", "message=text@4")

    def message(rows: list[tuple[str, str]]) -> object:
        clock.advance(30)
        return caller.bulk_v1(rows).json()["message"]

    assert message(THREE[:1]) == plain[0]
    assert message(THREE) == {"0": plain[0], "1": plain[1], "2": plain[2]}
    text = message(THREE)
    assert isinstance(text, str)
    assert json.loads(text) == plain


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("upper", ("SUCCESS", "SUCCESS", "FAIL")),
        ("lower", ("success", "success", "fail")),
        ("title", ("Success", "Success", "Fail")),
    ],
)
def test_status_words_in_other_cases(caller: Caller, how: str, words: tuple[str, ...]) -> None:
    caller.sandbox.misbehave(f"case={how}")

    answer = caller.schedule([("9876543210", SOON), ("9855501555", SOON)]).json()

    assert (answer["status"], *(row["Response"] for row in answer["message"])) == words


def test_odd_answers_leave_refusals_alone(caller: Caller) -> None:
    caller.sandbox.misbehave("missing-rows", "phones=0", "index=1", "message=text")

    assert caller.schedule(campaignName=None).json()["status"] == "error"
    assert caller.bulk_v4().json()["status"] == "success"


# late


def test_latency_holds_nobody_else(start_sandbox: StartSandbox, clock: FakeClock) -> None:
    with Caller(start_sandbox(None, clock, "latency=0.2/schedule")) as caller:
        caller.bearer()
        threads = [threading.Thread(target=caller.schedule) for _ in range(8)]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 0.2 <= time.monotonic() - start < 1.0
    assert len(caller.sandbox.leads) == 1  # checkDuplicate
    assert {seen.outcome for seen in caller.sandbox.requests} == {"processed"}


def test_work_goes_on_without_the_client(start_sandbox: StartSandbox) -> None:
    with Caller(start_sandbox(None, None, "latency=0.2")) as caller:
        with pytest.raises(httpx.ReadTimeout):
            caller.http.post(
                "/cloudAgentRestAPI/index.php/AddCampaignBulkData/addBulkData/format/json",
                data={
                    "api_key": "k",
                    "campaign_name": "Diwali",
                    "bulkData": '{"map":["PhoneNumber"],"data":[["9876543210"]]}',
                },
                timeout=0.05,
            )
        assert caller.sandbox.leads == ()
        deadline = time.monotonic() + 5
        while not caller.sandbox.leads and time.monotonic() < deadline:
            time.sleep(0.01)

    assert len(caller.sandbox.leads) == 1


# telling


def test_faults_for_tokens_leave_uploads_alone(caller: Caller) -> None:
    caller.sandbox.misbehave("http-503@2/token")

    assert caller.token().status_code == 503
    assert caller.schedule(headers={"apiKey": "a-key"}).json()["status"] == "success"
    assert caller.token().json()["token"]


def test_faults_are_told_from_another_process(caller: Caller) -> None:
    caller.http.post("/sandbox/faults", json={"faults": ["http-500@1", "busy@2"]})
    assert caller.http.get("/sandbox/faults").json() == {"faults": ["http-500@1", "busy@2"]}
    assert caller.bulk_v1().status_code == 500

    assert caller.http.delete("/sandbox/faults").json()["faults"] == 0
    assert "status" not in caller.bulk_v1().json()


@pytest.mark.parametrize("body", ['{"faults": ["what"]}', "{", "[]", '{"faults": [1]}', "{}"])
def test_nonsense_from_another_process_is_refused(caller: Caller, body: str) -> None:
    answer = caller.http.post("/sandbox/faults", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_used_up_faults_are_gone(caller: Caller) -> None:
    caller.sandbox.misbehave("busy@x1", "latency=0")
    caller.schedule()

    assert [fault.text for fault in caller.sandbox.faults] == ["latency=0"]
    caller.sandbox.behave()
    assert caller.sandbox.faults == ()


Send = Callable[[Caller], httpx.Response]


@pytest.mark.parametrize("send", [Caller.schedule, Caller.bulk_v1, Caller.bulk_v4])
@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name].stage == "answer"])
def test_every_odd_answer_suits_every_endpoint(caller: Caller, name: str, send: Send) -> None:
    values = {"phones": "=10", "index": "=1", "message": "=text", "case": "=upper"}
    caller.sandbox.misbehave(name + values.get(name, ""))

    assert send(caller).status_code == 200
    assert len(caller.sandbox.leads) == 1
