"""The vendor's paces, rates and tokens, as seen by a clock that never waits."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from ozodial.endpoints import SANDBOX_SHORTENS_PACE_BY
from ozodial.sandbox import SandboxConfig
from tests.conftest import FakeClock, StartSandbox
from tests.sandbox_caller import Caller

BUSY = "Already one process is running please try after some time"


@pytest.fixture
def caller(start_sandbox: StartSandbox, clock: FakeClock) -> Iterator[Caller]:
    with Caller(start_sandbox(None, clock)) as caller:
        yield caller


def claims(token: str) -> dict[str, int]:
    body = token.split(".")[1]
    decoded: dict[str, int] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return decoded


def breaches(caller: Caller) -> list[str]:
    return [found.kind for found in caller.sandbox.pace_violations]


def seen_at_once(caller: Caller, *sends: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers to requests of which each leaves while the ones before are worked on."""
    answers: list[httpx.Response] = []
    threads = []
    for count, send in enumerate(sends, 1):
        thread = threading.Thread(target=lambda send=send: answers.append(send()))
        thread.start()
        threads.append(thread)
        deadline = time.monotonic() + 5
        while len(caller.sandbox.requests) < count and time.monotonic() < deadline:
            time.sleep(0.002)
    for thread in threads:
        thread.join()
    return answers


def test_v1_wants_thirty_seconds_from_its_answer(caller: Caller, clock: FakeClock) -> None:
    for seconds, taken in ((0, 1), (29.9, 1), (0.1, 2), (30, 3)):
        clock.advance(seconds)
        caller.bulk_v1()
        assert len(caller.sandbox.leads) == taken

    (violation,) = caller.sandbox.pace_violations
    assert (violation.request, violation.kind, violation.limit) == (2, "pace", 30)
    assert violation.seen == pytest.approx(29.9)


def test_the_pace_ignores_the_wall_clock(caller: Caller, clock: FakeClock) -> None:
    caller.bulk_v1()
    clock.wall -= 3600
    clock.mono += 30
    caller.bulk_v1()

    assert caller.sandbox.pace_violations == ()


def test_a_refused_credential_starts_no_pace(caller: Caller) -> None:
    caller.bulk_v1(campaign_name="no such campaign")

    assert "status" not in caller.bulk_v1().json()


def test_refused_data_start_the_pace(caller: Caller) -> None:
    caller.bulk_v1(bulkData="")

    assert caller.bulk_v1().json()["message"] == BUSY


def test_accounts_have_paces_of_their_own(caller: Caller) -> None:
    caller.bulk_v1(api_key="one")

    assert "status" not in caller.bulk_v1(api_key="two").json()


def test_v1_works_on_one_request_at_a_time(start_sandbox: StartSandbox) -> None:
    config = SandboxConfig(pace_scale=1e9)
    with Caller(start_sandbox(config, None, "latency=0.2@1")) as caller:
        early, late = seen_at_once(caller, caller.bulk_v1, caller.bulk_v1)

    assert early.json() == {"status": "error", "message": BUSY}  # the second one's answer
    assert "status" not in late.json()
    assert breaches(caller) == ["parallel"]


def test_schedule_may_be_limited_to_some_at_once(
    start_sandbox: StartSandbox, clock: FakeClock
) -> None:
    config = SandboxConfig(auth="basic", schedule_at_once=1)
    with Caller(start_sandbox(config, clock, "latency=0.2@1")) as caller:

        def send() -> httpx.Response:
            return caller.schedule(headers={"apiKey": "a-key"})

        early, late = seen_at_once(caller, send, send)

    assert early.json() == {"status": "error", "message": "Max limit exceeded"}
    assert late.json()["status"] == "success"


def test_v4_takes_five_in_any_minute(caller: Caller, clock: FakeClock) -> None:
    for number in range(20):
        assert caller.bulk_v4().json()["status"] == "success", number
        clock.advance(12)
    assert breaches(caller) == []

    assert [caller.bulk_v4().json()["status"] for _ in range(2)] == ["success", "error"]
    clock.advance(11.9)
    assert caller.bulk_v4().json()["status"] == "error"
    clock.advance(0.1)
    assert caller.bulk_v4().json()["status"] == "success"
    assert breaches(caller) == ["rate", "rate"]


def test_the_sandbox_mode_shortens_the_paces(start_sandbox: StartSandbox, clock: FakeClock) -> None:
    config = SandboxConfig(pace_scale=SANDBOX_SHORTENS_PACE_BY)
    with Caller(start_sandbox(config, clock)) as caller:
        for _ in range(2):
            assert "status" not in caller.bulk_v1().json()
            clock.advance(1)
        for _ in range(20):
            assert caller.bulk_v4().json()["status"] == "success"
            clock.advance(0.4)


def test_v4_notes_names_outside_its_rule_and_takes_them(caller: Caller) -> None:
    caller.bulk_v4([("98", "A_b (c). +$%-:9"), ("99", "O'Neil"), ("97", "आशा")])

    assert [(found.kind, found.seen) for found in caller.sandbox.violations] == [
        ("name_characters", 1),
        ("name_characters", 2),
    ]
    assert len(caller.sandbox.leads) == 3


def test_v4_counts_the_headers_in_a_rows_length(caller: Caller) -> None:
    columns = len("PhoneNumber") + len("Name") + len("9876543210")

    fits = caller.bulk_v4([("9876543210", "A" * (2000 - columns))])
    too_long = caller.bulk_v4([("9876543210", "A" * (2001 - columns))])

    assert fits.json()["status"] == "success"
    assert too_long.json()["status"] == "error"


def test_too_many_rows_are_noted(caller: Caller) -> None:
    caller.bulk_v1([(str(number), "") for number in range(201)])

    (violation,) = caller.sandbox.violations
    assert (violation.kind, violation.seen, violation.limit) == ("rows", 201, 200)
    assert caller.sandbox.pace_violations == ()


def test_a_token_is_a_jwt_of_an_hour(caller: Caller, clock: FakeClock) -> None:
    answer = caller.token().json()

    assert set(answer) == {"token", "message"}
    assert answer["message"] == ""
    head, _, signature = answer["token"].split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS512"}
    assert len(signature) == 86  # 64 bytes
    assert claims(answer["token"])["iat"] == int(clock.wall)
    assert claims(answer["token"])["exp"] == int(clock.wall) + 3600


def test_a_token_lasts_an_hour(caller: Caller, clock: FakeClock) -> None:
    header = caller.bearer()
    clock.advance(3599)
    assert caller.schedule(headers=header).json()["status"] == "success"
    clock.advance(1)
    assert caller.schedule(headers=header).json()["message"] == "Token Expired"


def test_a_new_token_ends_the_old_one(caller: Caller) -> None:
    old, new = (caller.token().json()["token"] for _ in range(2))

    assert (
        caller.schedule(headers={"Authorization": f"Bearer {old}"}).json()["message"]
        == "Token Expired"
    )
    assert caller.schedule(headers={"Authorization": f"Bearer {new}"}).json()["status"] == "success"


def test_ten_tokens_in_any_hour(caller: Caller, clock: FakeClock) -> None:
    for _ in range(10):
        caller.token()
        clock.advance(60)
    assert caller.token().json() == {"status": "false", "message": "Max limit exceeded"}
    assert caller.token(userName="another").json()["token"]
    clock.advance(3000)
    assert caller.token().json()["token"]

    assert len(caller.sandbox.tokens) == 12
    assert [call.message for call in caller.sandbox.token_calls if not call.token] == [
        "Max limit exceeded"
    ]
