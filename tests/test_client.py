"""The client against real sockets: a whole reply, proof that nothing was sent, or "lost"."""

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ozodial.client import MAX_BODY, Client
from ozodial.endpoints import BULK_ADD_V1, Access, HttpRequest, Upload
from ozodial.errors import SettingError, UsageError
from ozodial.replies import Lost, NotSent, Reply
from tests.wire import (
    Answer,
    Authority,
    RawServer,
    closed_port,
    dripping,
    full_backlog,
    hanging,
    http,
    proxying,
    saying,
    tunnel,
)

KEY = "k3y-0f-an-account"
REQUEST = BULK_ADD_V1.write(
    Access("ops", KEY), Upload("Diwali", True, ("PhoneNumber",), (("9876543210",),))
)
SHORT = 0.4
"""A time-out that a test waits for."""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], RawServer]]:
    running: list[RawServer] = []

    def start(answer: Answer) -> RawServer:
        running.append(RawServer(answer))
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


Serve = Callable[[Answer], RawServer]


def ask(url: str, timeout: float = 5.0, request: HttpRequest = REQUEST) -> Reply | NotSent | Lost:
    with Client(url, timeout) as client:
        return client.send(request)


# --- nothing arrived ---


def test_refused() -> None:
    answer = ask(closed_port())
    assert isinstance(answer, NotSent)
    assert "refused" in answer.message.lower()


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "a" * 64 + ".example"])
def test_no_such_name(host: str) -> None:
    assert isinstance(ask(f"https://{host}", SHORT), NotSent)


def test_connect_time_out() -> None:
    with full_backlog() as url:
        started = time.monotonic()
        assert isinstance(ask(url, SHORT), NotSent)
        assert time.monotonic() - started < 2 * SHORT


@pytest.mark.parametrize(
    ("host", "days", "signed"),
    [("elsewhere.example", 1, True), ("127.0.0.1", -1, True), ("127.0.0.1", 1, False)],
    ids=["wrong host", "expired", "self-signed"],
)
def test_bad_certificates(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, host: str, days: int, signed: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    tls = authority.server(host, days=days, signed=signed)
    with RawServer(saying(http(b"{}")), tls=tls) as server:
        answer = ask(server.url)
    assert isinstance(answer, NotSent)
    assert "certificate" in answer.message.lower()
    assert server.requests == []


def test_a_good_certificate(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with RawServer(saying(http(b"{}")), tls=authority.server()) as server:
        assert ask(server.url) == Reply(200, b"{}")


def test_a_handshake_without_an_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert isinstance(ask(f"https://127.0.0.1:{port}", SHORT), NotSent)


def test_a_server_that_speaks_no_tls(serve: Serve) -> None:
    port = serve(saying(http(b"{}"))).port
    assert isinstance(ask(f"https://127.0.0.1:{port}", SHORT), NotSent)


# --- it left, and no whole answer came ---


LOST: dict[str, Answer] = {
    "time-out": hanging,
    "cut before an answer": lambda connection, _: None,
    "cut in the status line": saying(b"HTTP/1.1 2"),
    "cut in the headers": saying(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "cut in the body": saying(http(b'{"message":[]}').removesuffix(b"]}")),
    "cut in a chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n"),
    "no HTTP": saying(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "headers without an end": dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a status line in drops": dripping(b"", b"H"),
    "a body in drops": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
    "a chunked body in drops": dripping(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
    ),
    "headers too large": saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_lost(serve: Serve, answer: Answer) -> None:
    server = serve(answer)
    started = time.monotonic()
    assert isinstance(ask(server.url, SHORT), Lost)
    assert time.monotonic() - started < 2 * SHORT
    assert b"".join(server.requests).count(b"POST ") == 1
    assert KEY.encode() in server.requests[0]


# --- whole answers ---


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 429, 500, 502, 503, 504])
def test_a_status_is_no_error(serve: Serve, status: int) -> None:
    body = b"" if status == 204 else b"<html>"
    assert ask(serve(saying(http(body, f"{status} X"))).url) == Reply(status, body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(serve: Serve, status: int) -> None:
    elsewhere = serve(saying(http(b'{"message": "got you"}')))
    for place in (f"{elsewhere.url}/x", f"//127.0.0.1:{elsewhere.port}/", "/same/server"):
        server = serve(saying(http(b"", f"{status} Moved", f"Location: {place}")))
        assert ask(server.url) == Reply(status, b"")
        assert server.calls == 1
    assert elsewhere.calls == 0


def test_compressed_answers_are_read(serve: Serve) -> None:
    body = json.dumps({"message": ["नमस्ते"] * 1000}).encode()
    for name, packed in (
        ("gzip", gzip.compress(body)),
        ("x-gzip", gzip.compress(body)),
        ("deflate", zlib.compress(body)),
    ):
        answer = http(packed, "200 OK", f"Content-Encoding: {name}")
        assert ask(serve(saying(answer)).url) == Reply(200, body)


def test_20_megabytes_of_json_are_read(serve: Serve) -> None:
    body = b'{"message":"' + b"x" * 20_000_000 + b'"}'
    answer = ask(serve(saying(http(body))).url)
    assert answer == Reply(200, body)


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(b" " * 200_000_000) + packer.flush()


def endless(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 1_000_000)


UNREAD: dict[str, Answer] = {
    "endless": endless,
    "too long": saying(http(b" " * (MAX_BODY + 1))),
    "a gzip bomb": saying(http(bomb(), "200 OK", "Content-Encoding: gzip")),
    "no gzip": saying(http(b"{}", "200 OK", "Content-Encoding: gzip")),
    "an encoding that nobody asked for": saying(http(b"{}", "200 OK", "Content-Encoding: br")),
}


@pytest.mark.parametrize("answer", UNREAD.values(), ids=UNREAD.keys())
def test_a_body_that_can_not_be_read_leaves_the_status(serve: Serve, answer: Answer) -> None:
    reply = ask(serve(answer).url)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.unread


# --- Retry-After ---

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("0000000000000007", 7.0),
        ("9" * 40, 1e9),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("1e3", None),
        (date(90), 90.0),
        (date(-90), 0.0),
        (date(90).replace("GMT", "+0000"), 90.0),
        ("Sunday, 22-Nov-26 06:31:00 GMT", 60.0),
        ("Sun Nov 22 06:31:00 2026", 60.0),
        ("Sun, 99 Nov 2026 06:31:00 GMT", None),
    ],
)
def test_retry_after(serve: Serve, header: str, seconds: float | None) -> None:
    headers = ("Date: " + date(0), f"Retry-After: {header}")
    with Client(serve(saying(http(b"", "503 Busy", *headers).decode().encode())).url, 5) as client:
        answer = client.send(REQUEST)
    assert isinstance(answer, Reply)
    assert answer.retry_after == seconds


@pytest.mark.parametrize("sent", ["", "Date: yesterday"])
def test_retry_after_by_our_own_clock(serve: Serve, sent: str) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    headers = [line for line in (sent, f"Retry-After: {until}") if line]
    answer = ask(serve(saying(http(b"", "429 Slow", *headers))).url)
    assert isinstance(answer, Reply)
    assert answer.retry_after == pytest.approx(99, abs=2)


# --- connections ---


def test_a_connection_that_the_server_closed_meanwhile_is_not_used(serve: Serve) -> None:
    server = serve(saying(http(b"{}")))  # closes without a word
    with Client(server.url, 5) as client:
        for _ in range(3):
            assert client.send(REQUEST) == Reply(200, b"{}")
            time.sleep(0.02)  # its FIN is on the way
    assert server.calls == 3


def test_several_threads_share_a_client(serve: Serve) -> None:
    server = serve(saying(http(b"{}", "200 OK", "Connection: close")))
    answers: list[object] = []
    with Client(server.url, 5) as client:
        threads = [
            threading.Thread(target=lambda: answers.append(client.send(REQUEST))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [Reply(200, b"{}")] * 8


def test_what_was_given_up_on_is_never_sent_later(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    tunnelled = threading.Event()

    def slowly(connection: socket.socket, request: bytes) -> None:
        for line in (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"X: z\r\n"):
            connection.sendall(line)
            time.sleep(0.6 * SHORT)  # shorter than the time-out, each
        tunnel(connection, request, b"\r\n")
        tunnelled.set()

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("HTTPS_PROXY", serve(slowly).url)
    with (
        RawServer(saying(http(b"{}")), tls=authority.server()) as server,
        Client(server.url, SHORT) as client,
    ):
        assert isinstance(client.send(REQUEST), NotSent)
        assert tunnelled.wait(5)
        assert server.calls == 1
        assert server.requests == []


# --- what our own request may look like ---


def test_a_header_that_is_none_is_not_sent_and_not_quoted(serve: Serve) -> None:
    server = serve(saying(http(b"{}")))
    for key in ("a-secret\nkey", "a-secret-€-key"):
        answer = ask(server.url, request=HttpRequest("POST", "/", {"apiKey": key}, content=b""))
        assert isinstance(answer, NotSent | Lost)
        assert "secret" not in answer.message
    assert server.requests == []


def test_it_says_who_it_is(serve: Serve) -> None:
    server = serve(saying(http(b"{}")))
    ask(server.url)
    head = server.requests[0].lower()
    assert b"user-agent: ozodial/" in head
    assert b"accept-encoding: identity\r\n" in head
    assert b"content-type: application/x-www-form-urlencoded" in head


# --- the environment ---


def test_an_https_proxy_sees_no_secret(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    proxy = serve(proxying)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with RawServer(saying(http(b"{}")), tls=authority.server()) as server:
        assert ask(server.url) == Reply(200, b"{}")
        assert proxy.requests[0].startswith(b"CONNECT 127.0.0.1:")
        assert KEY.encode() not in b"".join(proxy.requests)
        assert b"".join(server.requests).count(b"POST ") == 1


PROXY_TROUBLE: dict[str, Answer] = {
    "refuses": saying(http(b"", "403 Forbidden")),
    "wants a password": saying(http(b"", "407 Proxy Authentication Required")),
    "can't connect": saying(http(b"", "502 Bad Gateway")),
    "hangs": hanging,
    "cuts": lambda connection, _: None,
    "speaks no HTTP": saying(b"SSH-2.0-OpenSSH_9.6\r\n"),
}


@pytest.mark.parametrize("answer", PROXY_TROUBLE.values(), ids=PROXY_TROUBLE.keys())
def test_trouble_on_the_way_to_a_tunnel_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, answer: Answer
) -> None:
    proxy = serve(answer)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert isinstance(ask("https://dialer.invalid", SHORT), NotSent)
    assert proxy.calls == 1


def test_plain_http_never_leaves_this_machine_by_a_proxy(
    monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    server = serve(saying(http(b"{}")))
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        for far in ("http://192.0.2.1:3128", "192.0.2.1:3128", "http://ops:pw@proxy.invalid"):
            monkeypatch.setenv(name, far)
            assert ask(server.url, 2.0) == Reply(200, b"{}")
        monkeypatch.delenv(name)


def test_plain_http_may_use_a_proxy_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    server, proxy = serve(saying(http(b"{}"))), serve(proxying)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert ask(server.url) == Reply(200, b"{}")
    assert len(proxy.requests) == len(server.requests) == 1
    with Client(server.url, 5, environment=False) as client:
        client.send(REQUEST)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("proxy", ["socks5://ops:secret@127.0.0.1:9", "gopher://ops:secret@x"])
def test_a_proxy_that_can_not_be_used_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(SettingError) as caught:
        Client("https://dialer.invalid", 1)
    assert "proxy" in caught.value.message
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_certificates_that_can_not_be_read_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for file in (empty, tmp_path / "missing.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(SettingError, match="certificates"):
            Client("https://dialer.invalid", 1)


@pytest.mark.parametrize("url", ["https://[::1", "https://x.example:port"])
def test_an_address_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises(UsageError, match="base URL"):
        Client(url, SHORT)


def test_a_request_that_could_not_leave_in_time_never_does(serve: Serve) -> None:
    server = serve(saying(http(b"{}")))
    with Client(server.url, 5.0) as client:
        late = client.send(REQUEST, start_within=-1.0)
        assert isinstance(late, NotSent)
        assert isinstance(client.send(REQUEST), Reply)
    assert b"".join(server.requests).count(b"POST ") == 1
