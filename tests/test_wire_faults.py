"""Design section 4, rule 3, as a table: what the wire does -> what the rows are -> exit code.

Every line is driven through the real command against a real socket. What counts in the end is the
vendor's memory: a row is `accepted` only if the vendor has it, no lead is there twice, and what is
still `ready` goes in by `ozodial resume` once the trouble is over.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest

from ozodial.sandbox import Sandbox, SandboxConfig
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, Result, sheet
from tests.conftest import StartSandbox
from tests.wire import (
    Answer,
    Authority,
    RawServer,
    call,
    closed_port,
    dripping,
    forwarding,
    full_backlog,
    hanging,
    http,
    proxying,
    saying,
)

KEY = "k-3141592653"
ROWS = 3

COMMANDS = {
    "schedule": ("schedule", "--at", "tomorrow 10:00"),
    "v1": ("bulk-add",),
    "v4": ("bulk-add", "--api", "v4"),
}
TAKEN = {"schedule": "accepted", "v1": "accepted", "v4": "queued"}
ALL = tuple(COMMANDS)


@dataclass(frozen=True)
class Fault:
    """One line of the table. `states`: of 3 rows, "taken" stands for the endpoint's own word."""

    name: str
    states: dict[str, int]
    exit_code: int
    faults: tuple[str, ...] = ()
    on: tuple[str, ...] = ALL
    timeout: float = 10.0
    patience: float = 0.0
    says: str = ""


READY = {"ready": ROWS}
UNKNOWN = {"unknown": ROWS}
TAKEN_ALL = {"taken": ROWS}

SIMULATED = [
    # refused as a whole: nothing was taken, and there is no patience
    Fault("429", READY, 7, ("http-429",), says="HTTP 429"),
    Fault("503", READY, 7, ("http-503",), says="HTTP 503"),
    Fault(
        "503, Retry-After in seconds",
        READY,
        7,
        ("http-503=90",),
        ("schedule",),
        says="asks to wait 90 s",
    ),
    Fault("503, Retry-After as a date", READY, 7, ("http-503=date+90",), ("v1",), says="wait 9"),
    Fault("429, Retry-After in seconds", READY, 7, ("http-429=90",), ("v1",), says="wait 90 s"),
    Fault("429, Retry-After as a date", READY, 7, ("http-429=date+90",), ("v4",), says="wait 9"),
    Fault("busy", READY, 7, ("busy",), ("v1",), says="Already one process is running"),
    Fault("too many", READY, 7, ("max-limit",), ("schedule", "v4"), says="Max limit exceeded"),
    Fault("a redirect", READY, 6, ("redirect",), ("schedule", "v4"), says="never followed"),
    *(
        Fault(f"{status}", READY, 6, (f"http-{status}",), ("v1",), says=f"HTTP {status}")
        for status in (301, 302, 303, 304, 308, 400, 403, 404, 405, 413, 422)
    ),
    Fault("401", READY, 6, ("http-401",), says="HTTP 401"),
    Fault(
        "a token that is refused", READY, 6, ("token-expired",), ("schedule",), says="Token Expired"
    ),
    Fault("a token of nobody", READY, 6, ("token-invalid",), ("schedule",), says="Invalid Token"),
    Fault("a wrong key", READY, 6, ("refuse=no user found",), says="key or the campaign"),
    Fault("no token: 503", READY, 7, ("http-503/token",), on=("schedule",), says="no token"),
    Fault("no token: busy", READY, 7, ("max-limit/token",), on=("schedule",), says="no token"),
    Fault("no token: cut", READY, 7, ("cut-after/token",), on=("schedule",), says="no token"),
    Fault("no token: HTML", READY, 7, ("body=<html>/token",), on=("schedule",), says="no token"),
    Fault("no token: 403", READY, 6, ("http-403/token",), on=("schedule",), says="no token"),
    Fault("no token: a redirect", READY, 6, ("redirect/token",), on=("schedule",), says="no token"),
    # once, then the vendor is well again
    Fault("503 once", TAKEN_ALL, 0, ("http-503@1",), ("v1",), patience=30),
    Fault("429 once, Retry-After", TAKEN_ALL, 0, ("http-429=0@1",), ("v4",), patience=30),
    Fault("401 once", TAKEN_ALL, 0, ("http-401@1",), on=("schedule",)),
    Fault("the token expires", TAKEN_ALL, 0, ("token-expired@1",), on=("schedule",)),
    # nothing is proven
    Fault("read time-out", UNKNOWN, 5, ("latency=30",), timeout=0.5),
    Fault("cut before processing", UNKNOWN, 5, ("cut-before",)),
    Fault("cut after processing", UNKNOWN, 5, ("cut-after",)),
    Fault("cut in the middle of the answer", UNKNOWN, 5, ("cut-middle",), ("schedule", "v1")),
    Fault("a slow drip", UNKNOWN, 5, ("drip=30",), timeout=0.5),
    Fault("an endless body", UNKNOWN, 5, ("endless",), ("schedule", "v4")),
    Fault("50 MB of JSON", UNKNOWN, 5, ("huge=50",), ("v1",)),
    Fault("a gzip bomb", UNKNOWN, 5, ("gzip-bomb=200",), ("schedule",)),
    Fault("500 with HTML", UNKNOWN, 5, ("http-500",)),
    Fault("500 after processing", UNKNOWN, 5, ("http-500-after",), ("v1", "v4")),
    Fault("502", UNKNOWN, 5, ("http-502",), ("schedule",)),
    Fault("502 after processing", UNKNOWN, 5, ("http-502-after",), ("v1",)),
    Fault("504", UNKNOWN, 5, ("http-504",), ("v4",)),
    Fault("504 after processing", UNKNOWN, 5, ("http-504-after",), ("schedule",)),
    Fault("broken JSON", UNKNOWN, 5, ("broken-json",), ("v1",)),
    Fault("no body", UNKNOWN, 5, ("empty",), ("v4",)),
    Fault("an unknown text", UNKNOWN, 5, ("refuse=Quota used up",), ("schedule", "v1")),
    Fault("success alone", UNKNOWN, 5, ('body={"status": "success"}',), ("v4",)),
    Fault("a row left out", {"accepted": 2, "unknown": 1}, 5, ("missing-rows",), ALL[:2]),
    # odd, and readable
    Fault("20 MB of JSON", TAKEN_ALL, 0, ("huge=20",), ("v1", "schedule")),
    Fault("a small gzip bomb", TAKEN_ALL, 0, ("gzip-bomb=20",), ("v4",)),
    Fault("rows of nobody", TAKEN_ALL, 0, ("foreign-rows=2", "reordered-rows=7"), ("schedule",)),
    Fault(
        "rows twice, as text",
        TAKEN_ALL,
        0,
        ("repeated-rows=2", "message=text", "phones=0"),
        ("v1",),
    ),
    Fault("one word in capitals", TAKEN_ALL, 0, ("case=upper", "index=text1"), ("schedule",)),
]
"""What the simulator does when it is told so."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def send(desk: Desk, on: str, fault: Fault, **settings: str) -> Result:
    """The command on three leads, with the time-out and the patience of the fault."""
    file = desk.write("leads.csv", sheet(ROWS))
    patience = {"OZODIAL_PATIENCE": str(fault.patience), "OZODIAL_TIMEOUT": str(fault.timeout)}
    command, *options = COMMANDS[on]
    return call(desk, command, file, *options, "--json", **{**patience, **settings})


def ledger_states(desk: Desk) -> Counter[str]:
    with closing(sqlite3.connect(desk.ledger)) as ledger, ledger:
        return Counter(state for (state,) in ledger.execute("SELECT state FROM rows"))


def expected_states(fault: Fault, on: str) -> dict[str, int]:
    return {TAKEN[on] if state == "taken" else state: n for state, n in fault.states.items()}


def check(done: Result, desk: Desk, fault: Fault, on: str) -> None:
    """Exit code, summary and ledger say the same, and what the table says."""
    states = expected_states(fault, on)
    assert done.code == fault.exit_code, (done.out, done.err)
    assert done.summary["exit_code"] == fault.exit_code
    assert {name: done.summary[name] for name in states} == states
    assert ledger_states(desk) == states
    assert fault.says in done.out + done.err
    # every row that this command settled has its event, and no other row has one
    told = Counter(str(row["status"]) for row in done.of("row"))
    assert told == {state: n for state, n in states.items() if state != "ready"}
    assert KEY not in done.out + done.err


def check_memory(desk: Desk, sandbox: Sandbox) -> None:
    """No lead twice; `accepted` and `queued` only what the vendor has, `ready` only what not."""
    taken = [lead.phone for lead in sandbox.leads]
    assert len(taken) == len(set(taken))
    with closing(sqlite3.connect(desk.ledger)) as ledger, ledger:
        for phone, state in ledger.execute("SELECT phone, state FROM rows"):
            assert phone in taken or state not in ("accepted", "queued")
            assert phone not in taken or state != "ready"


def well_again(desk: Desk, fault: Fault, on: str, sandbox: Sandbox, **settings: str) -> None:
    """Once the trouble is over, `resume` sends what is ready, and nothing else."""
    before = len(sandbox.leads)
    done = call(desk, "resume", "--json", **settings)
    ready = fault.states.get("ready", 0)
    assert len(sandbox.leads) == before + ready
    assert done.code == 0
    if ready:
        assert ledger_states(desk) == {TAKEN[on]: ROWS}
    check_memory(desk, sandbox)


LINES = [(fault, on) for fault in SIMULATED for on in fault.on]


@pytest.mark.parametrize(("fault", "on"), LINES, ids=[f"{on}: {f.name}" for f, on in LINES])
def test_faults_of_a_server(fault: Fault, on: str, desk: Desk, vendor: ServerHandle) -> None:
    vendor.sandbox.misbehave(*fault.faults)
    done = send(desk, on, fault)
    check(done, desk, fault, on)
    check_memory(desk, vendor.sandbox)
    vendor.sandbox.behave()
    well_again(desk, fault, on, vendor.sandbox)


# --- below HTTP ---

Trouble = Callable[["Scene"], AbstractContextManager[dict[str, str]]]
"""The settings under which the command meets the trouble."""


@dataclass(frozen=True)
class Scene:
    """What a trouble is made of."""

    vendor: ServerHandle
    authority: Authority


@contextmanager
def nobody_listens(_: Scene) -> Iterator[dict[str, str]]:
    yield {"OZODIAL_BASE_URL": closed_port()}


@contextmanager
def no_such_name(_: Scene) -> Iterator[dict[str, str]]:
    yield {"OZODIAL_BASE_URL": "https://dialer.invalid"}


@contextmanager
def nobody_accepts(_: Scene) -> Iterator[dict[str, str]]:
    with full_backlog() as url:
        yield {"OZODIAL_BASE_URL": url}


def tls(host: str = "127.0.0.1", days: int = 1, signed: bool = True) -> Trouble:
    @contextmanager
    def certificate(scene: Scene) -> Iterator[dict[str, str]]:
        context = scene.authority.server(host, days=days, signed=signed)
        with RawServer(forwarding(scene.vendor.url), tls=context) as server:
            yield {
                "OZODIAL_BASE_URL": server.url,
                "SSL_CERT_FILE": str(scene.authority.file),
            }
            good = host == "127.0.0.1" and days > 0 and signed
            assert bool(server.requests) == good

    return certificate


def raw(answer: Answer) -> Trouble:
    @contextmanager
    def server(_: Scene) -> Iterator[dict[str, str]]:
        with RawServer(answer) as server:
            yield {"OZODIAL_BASE_URL": server.url}
            assert len(server.requests) == 1

    return server


def proxy(answer: Answer) -> Trouble:
    """HTTPS through an HTTP proxy, which must never see the key."""

    @contextmanager
    def between(scene: Scene) -> Iterator[dict[str, str]]:
        with ExitStack() as stack:
            server = RawServer(forwarding(scene.vendor.url), tls=scene.authority.server())
            stack.enter_context(server)
            proxy = stack.enter_context(RawServer(answer))
            yield {
                "OZODIAL_BASE_URL": server.url,
                "SSL_CERT_FILE": str(scene.authority.file),
                "HTTPS_PROXY": proxy.url,
            }
            assert proxy.requests
            assert all(request.startswith(b"CONNECT ") for request in proxy.requests)
            assert KEY.encode() not in b"".join(proxy.requests)

    return between


BELOW = [
    # nothing arrived
    (Fault("refused", READY, 7, says="refused"), nobody_listens),
    (Fault("DNS failure", READY, 7, timeout=0.5), no_such_name),
    (Fault("connect time-out", READY, 7, timeout=0.5, says="no connection"), nobody_accepts),
    (Fault("TLS: another host", READY, 7, says="certificate"), tls("elsewhere.example")),
    (Fault("TLS: expired", READY, 7, says="certificate"), tls(days=-1)),
    (Fault("TLS: self-signed", READY, 7, says="certificate"), tls(signed=False)),
    (Fault("a proxy that refuses", READY, 7, says="403"), proxy(saying(http(b"", "403 No")))),
    (Fault("a proxy that is sick", READY, 7, says="502"), proxy(saying(http(b"", "502 Bad")))),
    (Fault("a proxy that hangs", READY, 7, timeout=0.5), proxy(hanging)),
    # all is well
    (Fault("TLS: good", TAKEN_ALL, 0), tls()),
    (Fault("a proxy that works", TAKEN_ALL, 0), proxy(proxying)),
    # it arrived, or may have
    (Fault("headers in drops", UNKNOWN, 5, timeout=0.5), raw(dripping(b"HTTP/1.1 ", b"2"))),
    (Fault("no HTTP at all", UNKNOWN, 5), raw(saying(b"SSH-2.0-OpenSSH_9.6\r\n"))),
    (Fault("half a status line", UNKNOWN, 5), raw(saying(b"HTTP/1.1 20"))),
    (Fault("half a header", UNKNOWN, 5), raw(saying(b"HTTP/1.1 200 OK\r\nContent-"))),
]


@pytest.mark.parametrize(("fault", "trouble"), BELOW, ids=[fault.name for fault, _ in BELOW])
def test_faults_below_http(
    fault: Fault, trouble: Trouble, desk: Desk, vendor: ServerHandle, authority: Authority
) -> None:
    with trouble(Scene(vendor, authority)) as settings:
        done = send(desk, "v1", fault, **settings)
        check(done, desk, fault, "v1")
        check_memory(desk, vendor.sandbox)
    if fault.states == READY and "127.0.0.1" in settings["OZODIAL_BASE_URL"]:
        # the same account: loopback is one place, whatever its port
        well_again(desk, fault, "v1", vendor.sandbox)


def test_ipv6_loopback(desk: Desk, start_sandbox: StartSandbox) -> None:
    vendor = start_sandbox(SandboxConfig(pace_scale=10_000), None, host="::1")
    assert vendor.url.startswith("http://[::1]:")
    fault = Fault("IPv6", TAKEN_ALL, 0)
    for on in ("v1", "schedule"):
        done = send(desk, on, fault, OZODIAL_BASE_URL=vendor.url)
        assert done.code == 0, done.err
    assert len(vendor.sandbox.leads) == 2 * ROWS


@pytest.mark.parametrize("on", ALL)
def test_the_key_never_goes_where_a_redirect_points(
    on: str, desk: Desk, vendor: ServerHandle
) -> None:
    with RawServer(saying(http(b'{"status": "success"}'))) as elsewhere:
        redirect = f"redirect={elsewhere.url}/x"
        for fault in (f"{redirect}/token", redirect) if on == "schedule" else (redirect,):
            vendor.sandbox.behave()
            vendor.sandbox.misbehave(fault)
            assert send(desk, on, Fault("a redirect", READY, 6)).code == 6
        assert elsewhere.calls == 0
        assert vendor.sandbox.leads == ()


# --- what follows from several answers ---


def test_two_unknown_batches_in_a_row_stop_the_run(desk: Desk, vendor: ServerHandle) -> None:
    vendor.sandbox.misbehave("cut-after")
    file = desk.write("leads.csv", sheet(350))
    words = ("schedule", file, "--at", "tomorrow 10:00", "--json")
    done = call(desk, *words)
    assert done.code == 5
    assert (done.summary["unknown"], done.summary["ready"]) == (200, 150)
    assert len(vendor.sandbox.requests) == 2
    assert "2 requests in a row" in done.of("error")[0]["message"]  # type: ignore[operator]
    vendor.sandbox.behave()
    done = call(desk, "resume", "--json")
    assert done.code == 5
    assert (done.summary["unknown"], done.summary["accepted"]) == (200, 150)
    assert len({lead.phone for lead in vendor.sandbox.leads}) == len(vendor.sandbox.leads) == 350


def test_unknown_batches_with_an_answer_between_them_do_not_stop_it(
    desk: Desk, vendor: ServerHandle
) -> None:
    vendor.sandbox.misbehave("cut-after@1,3,5")
    file = desk.write("leads.csv", sheet(550))
    done = call(desk, "schedule", file, "--at", "tomorrow 10:00", "--json")
    assert done.code == 5
    assert (done.summary["unknown"], done.summary["accepted"]) == (300, 250)


def test_a_server_that_is_down_does_not_use_up_the_tokens(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(3))
    words = ("schedule", file, "--at", "tomorrow 10:00", "--json")
    for _ in range(12):
        done = call(desk, *words, OZODIAL_BASE_URL=closed_port(), OZODIAL_PATIENCE="0")
        assert done.code == 7, done.err
    assert call(desk, *words).code == 0
    assert len(vendor.sandbox.tokens) == 1


def test_an_interrupted_answer_is_never_called_accepted_in_the_export(
    desk: Desk, vendor: ServerHandle
) -> None:
    vendor.sandbox.misbehave("cut-middle@1")
    call(desk, "bulk-add", desk.write("leads.csv", sheet(3)))
    out = desk.home / "out.jsonl"
    assert call(desk, "runs", "export", "1", out).code == 0
    exported = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["ozodial_status"] for row in exported] == ["unknown"] * 3
    assert {row["ozodial_reason"] for row in exported} == {"no_answer"}
