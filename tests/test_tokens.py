"""The token: one for all, renewed once, never more than ten an hour, and never shown to anybody."""

import base64
import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ozodial.client import Client
from ozodial.clock import Clock, SystemClock
from ozodial.endpoints import Access
from ozodial.errors import RefusedError, StoppedError
from ozodial.events import WaitEvent
from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.pacing import Patience
from ozodial.sandbox import SandboxConfig
from ozodial.sandbox_server import ServerHandle
from ozodial.slots import Slots
from ozodial.tokens import LIMIT, Tokens
from tests.clockwork import KEY, Office, slow_vendor
from tests.command import Desk, sheet
from tests.conftest import FakeClock, StartSandbox
from tests.wire import RawServer, call, closed_port, http, saying

ACCOUNT = "ops@loopback"


class StoppedWaitingError(Exception):
    """The test has heard enough."""


class Process:
    """One process that needs a token: its ledger, its client, what it waits for."""

    def __init__(self, folder: Path, clock: Clock, url: str, *, patience: float = 300.0) -> None:
        self.ledger = Ledger.open(str(folder / "ledger.db"), clock)
        with self.ledger.write() as connection:
            self.ledger.hold(connection)
        self.slots = Slots(self.ledger)
        self.client = Client(url, 5.0, environment=False)
        self.patience = Patience(clock, patience)
        self.waits: list[tuple[str, float, str]] = []
        self._clock = clock
        access = Access("ops", KEY)
        self._tokens = Tokens(self.slots, self.client, access, ACCOUNT, self.patience)

    def get(self, stale: str | None = None) -> str:
        return self._tokens.get(self._pause, self.ledger.reap, stale)

    def _pause(self, seconds: float, why: str, message: str) -> None:
        self.waits.append((why, round(seconds, 3), message))
        if len(self.waits) > 50:
            raise StoppedWaitingError
        self._clock.wait(seconds, threading.Event())


NewProcess = Callable[..., Process]


@pytest.fixture
def new_process(tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest) -> NewProcess:
    """Starts processes that share a ledger."""

    def new(url: str, of: Clock = clock, **options: float) -> Process:
        process = Process(tmp_path, of, url, **options)
        request.addfinalizer(process.ledger.close)
        request.addfinalizer(lambda: process.client.__exit__(None, None, None))
        return process

    return new


@pytest.fixture
def vendor(start_sandbox: StartSandbox, clock: FakeClock) -> ServerHandle:
    """A vendor by the same clock."""
    return start_sandbox(None, clock)


# --- one for all ---


def test_one_token_serves_a_whole_run(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        assert office.run("schedule", 250).counts == {State.ACCEPTED: 250}
        assert office.run("schedule", 50, start=250).counts == {State.ACCEPTED: 50}
        assert len(vendor.sandbox.token_calls) == 1


def test_processes_share_it(vendor: ServerHandle, new_process: NewProcess) -> None:
    tokens = {new_process(vendor.url).get() for _ in range(4)}
    assert tokens == set(vendor.sandbox.tokens)
    assert len(tokens) == 1


def test_threads_share_it(vendor: ServerHandle, new_process: NewProcess) -> None:
    process, tokens = new_process(vendor.url), []
    threads = [threading.Thread(target=lambda: tokens.append(process.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert set(tokens) == set(vendor.sandbox.tokens)
    assert len(vendor.sandbox.token_calls) == 1


def test_processes_that_need_one_at_once_ask_once(
    vendor: ServerHandle, new_process: NewProcess
) -> None:
    vendor.sandbox.misbehave("latency=0.2/token")
    processes = [new_process(vendor.url, SystemClock()) for _ in range(3)]
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda each=each: tokens.append(each.get())) for each in processes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 3
    assert set(tokens) == set(vendor.sandbox.tokens)
    assert len(vendor.sandbox.token_calls) == 1
    said = {message for process in processes for _, _, message in process.waits}
    assert said <= {"another ozodial process is getting a token"}


# --- renewed in time, and once ---


def test_it_is_renewed_a_little_before_its_hour_is_over(
    vendor: ServerHandle, new_process: NewProcess, clock: FakeClock
) -> None:
    process = new_process(vendor.url)
    first = process.get()
    clock.advance(57 * 60)
    assert process.get() == first
    clock.advance(60 + 1)
    second = process.get()
    assert second != first
    assert new_process(vendor.url).get() == second
    assert vendor.sandbox.tokens == (first, second)


@pytest.mark.parametrize("change", [-3600.0, 86400.0])
def test_the_wall_clock_does_not_end_it(
    vendor: ServerHandle, new_process: NewProcess, clock: FakeClock, change: float
) -> None:
    first = new_process(vendor.url).get()
    clock.wall += change
    assert new_process(vendor.url).get() == first


def jwt(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzUxMiJ9.{part}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("token", "lives"),
    [
        (jwt({"iat": 1000, "exp": 1600}), 600 * 0.9),
        (jwt({"iat": 1000.5, "exp": "1100.5"}), 100 * 0.9),
        (jwt({"iat": 1000, "exp": 4600}), 3480.0),
        (jwt({"iat": 1000, "exp": 1000 + 86400}), 3480.0),  # the page says an hour
        (jwt({"iat": 1000, "exp": 900}), 3480.0),
        (jwt({"iat": 1000}), 3480.0),
        (jwt({"iat": float("nan"), "exp": 1600}), 3480.0),
        (jwt({"iat": 10**400, "exp": 1600}), 3480.0),
        (jwt([1, 2]), 3480.0),
        (jwt(None), 3480.0),
        ("no-jwt-at-all", 3480.0),
        ("a.!!!.c", 3480.0),
        ("a..c", 3480.0),
        ("a." + base64.urlsafe_b64encode(b"[" * 50_000).decode() + ".c", 3480.0),
    ],
    ids=range(14),
)
def test_its_life_is_read_from_a_jwt(
    new_process: NewProcess, clock: FakeClock, token: str, lives: float
) -> None:
    body = json.dumps({"token": token, "message": ""}).encode()
    with RawServer(saying(http(body, "200 OK", "Connection: close"))) as server:
        process = new_process(server.url)
        assert process.get() == token
        clock.advance(lives - 1)
        assert process.get() == token
        assert server.calls == 1
        clock.advance(2)
        process.get()
        assert server.calls == 2


def test_a_refused_token_is_renewed_once_for_all(
    vendor: ServerHandle, new_process: NewProcess
) -> None:
    one, two = new_process(vendor.url), new_process(vendor.url)
    first = one.get()
    assert two.get() == first
    second = one.get(stale=first)
    assert two.get(stale=first) == second
    assert one.get() == second
    assert vendor.sandbox.tokens == (first, second)


def test_a_vendor_that_gives_the_same_token_again_is_not_asked_for_ever(
    new_process: NewProcess,
) -> None:
    body = b'{"token": "always-the-same", "message": ""}'
    with RawServer(saying(http(body, "200 OK", "Connection: close"))) as server:
        process = new_process(server.url)
        assert process.get() == process.get(stale="always-the-same") == "always-the-same"
        assert server.calls == 2


def test_an_expired_token_costs_a_run_exactly_one_new_one(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        vendor.sandbox.misbehave("token-expired@2")
        assert office.run("schedule", 250).counts == {State.ACCEPTED: 250}
        assert len(vendor.sandbox.token_calls) == 2
        assert [request.rows for request in vendor.sandbox.requests][-2:] == [100, 50]


def test_a_token_that_dies_on_the_way_is_renewed(tmp_path: Path, clock: FakeClock) -> None:
    config = SandboxConfig(token_seconds=1)  # whatever its own claims say
    with slow_vendor(clock, 2.0, config) as vendor:
        office = Office(tmp_path, clock, vendor.url)
        assert office.run("schedule", 300).counts == {State.ACCEPTED: 300}
        assert 2 <= len(vendor.sandbox.token_calls) <= 3


def test_a_second_refusal_in_a_row_stops_the_run(desk: Desk, vendor: ServerHandle) -> None:
    vendor.sandbox.misbehave("token-invalid")
    done = call(
        desk,
        *("schedule", desk.write("leads.csv", sheet(5)), "--at", "+3d 10:00", "--json"),
        OZODIAL_BASE_URL=vendor.url,
    )
    assert done.code == 6
    assert done.summary["ready"] == 5
    assert len(vendor.sandbox.token_calls) == 2
    assert "Invalid Token" in str(done.of("error")[0]["message"])


# --- ten an hour ---


def test_the_eleventh_in_an_hour_waits_and_says_so(
    vendor: ServerHandle, new_process: NewProcess, clock: FakeClock
) -> None:
    begun, token = clock.mono, None
    for number in range(10):
        token = new_process(vendor.url).get(stale=token)  # processes count together
        clock.advance(10 * (number < 9))
    process = new_process(vendor.url)
    assert process.get(stale=token) not in (None, token)
    assert process.waits == [("retry", 3600 - 90.0, LIMIT)]
    assert clock.mono - begun == pytest.approx(3600)
    assert len(vendor.sandbox.tokens) == 11
    assert not any(call.message for call in vendor.sandbox.token_calls)


def test_a_set_back_clock_keeps_nobody_waiting_for_ever(
    vendor: ServerHandle, new_process: NewProcess, clock: FakeClock
) -> None:
    clock.boot = ""
    token = None
    for _ in range(10):
        token = new_process(vendor.url).get(stale=token)
    clock.wall -= 30 * 86400
    process = new_process(vendor.url)
    process.get(stale=token)
    assert sum(seconds for _, seconds, _ in process.waits) == pytest.approx(3600)


def test_requests_that_never_arrived_do_not_count(
    vendor: ServerHandle, new_process: NewProcess
) -> None:
    url = closed_port()
    for _ in range(12):
        process = new_process(url, patience=0)
        with pytest.raises(StoppedError):
            process.get()
        assert process.waits == []
    process = new_process(vendor.url)
    assert process.get() == vendor.sandbox.tokens[0]
    assert process.waits == []


def test_a_sick_server_ends_patience_not_an_hour(
    vendor: ServerHandle, new_process: NewProcess, clock: FakeClock
) -> None:
    vendor.sandbox.misbehave("http-500-after/token")
    begun = clock.mono
    with pytest.raises(StoppedError):
        new_process(vendor.url).get()
    assert clock.mono - begun <= 300
    assert len(vendor.sandbox.token_calls) <= 10


def test_the_vendors_own_limit_is_waited_for(vendor: ServerHandle, new_process: NewProcess) -> None:
    vendor.sandbox.misbehave("max-limit@1/token", "http-429=7@2/token")
    process = new_process(vendor.url)
    assert process.get() == vendor.sandbox.tokens[0]
    waits = [(why, seconds) for why, seconds, _ in process.waits]
    assert waits == [("retry", 1.0), ("retry", 7.0)]
    assert "Max limit exceeded" in process.waits[0][2]


def test_a_process_that_died_while_asking_holds_nobody_up(
    vendor: ServerHandle, new_process: NewProcess, clock: FakeClock
) -> None:
    dead = new_process(vendor.url)
    dead.slots.begin_renewal(ACCOUNT, None)
    clock.advance(31)  # its lease
    process = new_process(vendor.url)
    assert process.get() == vendor.sandbox.tokens[0]
    assert {why for why, _, _ in process.waits} <= {"busy"}


@pytest.mark.parametrize(
    ("claims", "date", "lives"),
    [
        ({"exp": 1600}, "Thu, 01 Jan 1970 00:16:40 GMT", 600 * 0.9),  # second 1000
        ({"exp": 1600, "iat": 1500}, "Thu, 01 Jan 1970 00:16:40 GMT", 100 * 0.9),
        ({"exp": 1600}, "Thu, 01 Jan 1970 00:30:00 GMT", 3480.0),
        ({"exp": 1600}, "yesterday", 3480.0),
    ],
)
def test_a_jwt_without_a_beginning_lives_from_the_servers_now(
    new_process: NewProcess, clock: FakeClock, claims: object, date: str, lives: float
) -> None:
    content = json.dumps({"token": jwt(claims), "message": ""}).encode()
    answer = http(content, "200 OK", f"Date: {date}", "Connection: close")
    with RawServer(saying(answer)) as server:
        process = new_process(server.url)
        process.get()
        clock.advance(lives - 1)
        process.get()
        assert server.calls == 1
        clock.advance(2)
        process.get()
        assert server.calls == 2


# --- what the vendor may say instead ---


def body(value: object, status: str = "200 OK") -> bytes:
    return http(json.dumps(value).encode(), status, "Connection: close")


REFUSALS = {
    "a wrong key": (
        body({"status": "false", "message": "Invalid userName or apiKey"}),
        "user name",
    ),
    "no user": (body({"status": "false", "message": "UserName is null"}), "user name is empty"),
    "an unknown text": (body({"status": "false", "message": "Account closed"}), "Account closed"),
    "no token": (body({"token": "", "message": ""}), "HTTP 200"),
    "a token of no use": (body({"token": "a\nb"}), "HTTP 200"),
    "a token inside a refusal": (
        body({"status": "error", "message": "Account closed", "token": "abc"}),
        "Account closed",
    ),
    "401": (http(b"<html>", "401 Unauthorized", "Connection: close"), "HTTP 401"),
    "403": (body({"message": "Forbidden"}, "403 Forbidden"), "Forbidden"),
    "404": (http(b"", "404 Not Found", "Connection: close"), "HTTP 404"),
    "a redirect": (http(b"", "302 Found", "Location: /login", "Connection: close"), "HTTP 302"),
}


@pytest.mark.parametrize(("answer", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_stops_at_once(new_process: NewProcess, answer: bytes, said: str) -> None:
    with RawServer(saying(answer)) as server:
        process = new_process(server.url)
        with pytest.raises(RefusedError) as caught:
            process.get()
        assert said in caught.value.message
        assert "OZODIAL_AUTH" in (caught.value.hint or "")
        assert server.calls == 1
        assert process.waits == []


def test_a_token_that_comes_with_a_refusal_is_not_told(new_process: NewProcess) -> None:
    said = {"status": "error", "token": "s3cret-token", "message": "s3cret-token is blocked"}
    with RawServer(saying(body(said))) as server, pytest.raises(RefusedError) as caught:
        new_process(server.url).get()
    assert "[redacted] is blocked" in caught.value.message


PASSING = {
    "busy": body({"status": "false", "message": "Max limit exceeded"}),
    "429": http(b"", "429 Too Many", "Connection: close"),
    "500": http(b"<html>", "500 Oops", "Connection: close"),
    "503 with JSON": body({"message": "maintenance"}, "503 Unavailable"),
    "520": body({"message": "origin"}, "520 Unknown"),
    "HTML": http(b"<html>log in</html>", "200 OK", "Connection: close"),
    "nothing": http(b"", "200 OK", "Connection: close"),
    "brackets": http(b"[" * 100_000, "200 OK", "Connection: close"),
    "a cut": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
def test_trouble_is_tried_again_within_patience(
    new_process: NewProcess, clock: FakeClock, answer: bytes
) -> None:
    with RawServer(saying(answer)) as server:
        process, begun = new_process(server.url, patience=7), clock.mono
        with pytest.raises(StoppedError, match="no token"):
            process.get()
        assert clock.mono - begun == 7
        assert [seconds for _, seconds, _ in process.waits] == [1, 2, 4]
        assert server.calls == 4


@pytest.mark.parametrize(
    "answer",
    [
        {"token": "a-token", "message": ""},
        {"token": "  a-token\n", "message": "ok", "status": "success"},
        {"token": "a-token", "status": True},
    ],
)
def test_a_token_is_taken_in_all_its_dialects(new_process: NewProcess, answer: object) -> None:
    with RawServer(saying(body(answer))) as server:
        assert new_process(server.url).get() == "a-token"
        head = server.requests[0]
        assert head.startswith(b"POST /ca_apis/CAToken/generateToken ")
        assert head.endswith(b'\r\n\r\n{"userName":"ops"}')
        assert f"apikey: {KEY}".encode() in head.lower()


# --- never shown ---

SECRET = "k-3141592653"
ECHO = "who are you? key k-3141592653, token "


def everything_in(ledger: Path, leave_out: tuple[str, ...] = ()) -> str:
    """All columns of all tables, but for some."""
    with closing(sqlite3.connect(ledger)) as connection, connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        cells = []
        for (table,) in tables:
            rows = connection.execute(f'SELECT * FROM "{table}"')
            names = [f"{table}.{column[0]}" for column in rows.description]
            for row in rows:
                cells += [repr(c) for n, c in zip(names, row, strict=True) if n not in leave_out]
    return "\n".join(cells)


FAULTS = {
    "all well": (),
    "echoed by a refusal": ("refuse={echo}",),
    "echoed by a token refusal": ("refuse={echo}/token",),
    "echoed in rows": (
        'body={{"message": [{{"PhoneNumber": "9800100000", "status": "FAIL", "msg": "{echo}"}}]}}',
    ),
    "echoed as a transaction": (
        'body={{"transactionId": "{echo}", "status": "success", "message": "queued successfully"}}',
    ),
    "cut": ("cut-middle",),
    "refused": ("token-invalid",),
}


@pytest.mark.parametrize("words", [("schedule", "--at", "+3d 10:00"), ("bulk-add", "--api", "v4")])
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
def test_secrets_are_in_no_output_and_in_no_column_but_one(
    desk: Desk, start_sandbox: StartSandbox, faults: tuple[str, ...], words: tuple[str, ...]
) -> None:
    vendor = start_sandbox(SandboxConfig(pace_scale=300))
    file = desk.write("leads.csv", sheet(3))
    settings = {"OZODIAL_BASE_URL": vendor.url, "OZODIAL_PATIENCE": "0"}
    token, token_only = "", any("/token" in fault for fault in faults)
    if words[0] == "schedule" and not token_only:
        # so that the vendor can echo the token of the second run
        first = desk.write("first.csv", sheet(1, start=50))
        call(desk, words[0], first, *words[1:], **settings)
        (token,) = vendor.sandbox.tokens
    vendor.sandbox.misbehave(*(fault.format(echo=ECHO + token) for fault in faults))
    said = ""
    run = "2" if token else "1"
    commands: list[tuple[str, ...]] = [
        (words[0], str(file), *words[1:], "-vv", "--results", str(desk.home / "results.csv")),
        ("resume", "--json", "-vv"),
        ("runs", "show", run),
        ("runs", "show", run, "--json"),
        ("runs", "list", "--json"),
    ]
    for command in commands:
        done = call(desk, *command, **settings)
        said += done.out + done.err
    said += (desk.home / "results.csv").read_text() + everything_in(
        desk.ledger, leave_out=("tokens.token",)
    )
    for secret in filter(None, (SECRET, token, *vendor.sandbox.tokens)):
        assert secret not in said
    where = "v4" if "transactionId" in str(faults) else "schedule" if token_only else ""
    if "{echo}" in str(faults) and where in ("", words[-1], words[0]):
        assert "[redacted]" in said
    with_token = everything_in(desk.ledger)
    assert SECRET not in with_token
    for journal in desk.ledger.parent.iterdir():
        assert SECRET.encode() not in journal.read_bytes()


def test_waiting_for_a_token_is_told_by_an_event(tmp_path: Path, clock: FakeClock) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave("max-limit@1/token")
        office = Office(tmp_path, clock, vendor.url)
        assert office.run("schedule", 5).exit_code == 0
        waits = [event for event in office.events if isinstance(event, WaitEvent)]
        assert [(wait.why, wait.seconds) for wait in waits] == [("retry", 1.0)]
        assert waits[0].message == "no token: Max limit exceeded"
