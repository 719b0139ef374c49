"""A request -> the vendor's whole reply, proof that nothing was sent, or "lost". Only httpx here.

One connection pool for a run. Nothing is retried and no redirect is followed. A request may take
`timeout` seconds from its first byte to the last of the answer, however slowly that drips in.
No foreign exception leaves this room, and no secret is in any message.
"""

import re
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from ozodial import __version__
from ozodial.address import is_loopback
from ozodial.endpoints import HttpRequest
from ozodial.errors import SettingError, UsageError
from ozodial.replies import Lost, NotSent, Reply

MAX_BODY = 32 * 1024 * 1024
"""Bytes of an answer; a batch's answer is some 100 kB."""

# Tried on a loopback server: only these came with nothing received (never branch on a base class).
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

LEAVING = "send_request_headers.started"
"""httpcore's word for it: from here on the server may get something."""

IDLE_SECONDS = 2.0
"""A connection idle for longer may be closed by the server just as we send: take a new one."""


class Client:
    """The vendor's API at one base URL. A context manager; safe to use from several threads."""

    def __init__(self, base_url: str, timeout: float, *, environment: bool = True) -> None:
        self._timeout = timeout
        self._http = _open(base_url, timeout, environment)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def send(
        self, request: HttpRequest, start_within: float = float("inf")
    ) -> Reply | NotSent | Lost:
        """Make one request and wait for its answer, `timeout` seconds at most in all.

        A request that could not leave `start_within` seconds from now never will: whoever stood
        still for so long (SIGSTOP while connecting) may have lost the right to send it.
        """
        exchange = _Exchange(self._http, request, time.monotonic() + start_within)
        threading.Thread(target=exchange.run, daemon=True).start()
        if not exchange.done.wait(self._timeout):
            return exchange.give_up(self._timeout)
        if exchange.bug is not None:
            raise exchange.bug
        return exchange.answer


class _Exchange:
    """One request in a thread of its own, so that a name look-up or dripping bytes end, too."""

    def __init__(self, http: httpx.Client, request: HttpRequest, start_before: float) -> None:
        self.done = threading.Event()
        self.answer: Reply | NotSent | Lost = Lost("no answer")
        self.bug: Exception | None = None
        self._http = http
        self._request = request
        self._start_before = start_before
        self._lock = threading.Lock()
        self._left = False
        self._given_up = False

    def run(self) -> None:
        try:
            self.answer = self._exchange()
        except Exception as error:  # raised where somebody waits, not in a thread that nobody sees
            self.bug = error
        finally:
            self.done.set()

    def give_up(self, timeout: float) -> NotSent | Lost:
        """No more waiting: whatever has not left by now never will."""
        with self._lock:
            self._given_up = True
            left = self._left
        if left:
            return Lost(f"no whole answer within {timeout:g} s")
        return NotSent(f"no connection within {timeout:g} s")

    def _trace(self, name: str, info: Any) -> None:  # noqa: ANN401 - httpx gives what it has
        # CONNECT asks a proxy for the way, it carries nothing of ours
        if name.endswith(LEAVING) and info["request"].method != b"CONNECT":
            with self._lock:
                if self._given_up or time.monotonic() > self._start_before:
                    raise _GivenUpError
                self._left = True

    def _exchange(self) -> Reply | NotSent | Lost:
        request = self._request
        try:
            with self._http.stream(
                request.method,
                request.path,
                headers=dict(request.headers),
                content=request.content,
                data=dict(request.form) if request.form is not None else None,
                extensions={"trace": self._trace},
            ) as response:
                return self._reply(response)
        except NOT_SENT as error:
            return NotSent(_sentence(error))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            return Lost(_sentence(error)) if self._left else NotSent(_sentence(error))
        except _GivenUpError:
            return Lost("given up on") if self._left else NotSent("it could not leave in time")

    def _reply(self, response: httpx.Response) -> Reply:
        asked, told = _retry_after(response), _date(response.headers.get("Date", ""))
        try:
            body = b"".join(self._body(response))
        except _UnreadableError as error:
            return Reply(response.status_code, b"", asked, str(error), told)
        return Reply(response.status_code, body, asked, date=told)

    def _body(self, response: httpx.Response) -> Iterator[bytes]:
        """The body, decoded by us: httpx would unpack a bomb before its bytes can be counted."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        decoder = None
        if encoding in ("gzip", "x-gzip", "deflate"):
            decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        elif encoding not in ("identity", ""):
            raise _UnreadableError(f"the answer is encoded as {encoding[:40]!r}")
        size = 0
        for chunk in response.iter_raw(65536):
            if self._given_up:
                raise _GivenUpError
            piece = _unpack(decoder, chunk, MAX_BODY + 1 - size) if decoder else chunk
            size += len(piece)
            if size > MAX_BODY:
                raise _UnreadableError(f"the answer is longer than {MAX_BODY // 2**20} MB")
            yield piece


class _GivenUpError(Exception):
    """The caller has stopped waiting."""


class _UnreadableError(Exception):
    """An answer came that nobody should read to its end."""


def _open(base_url: str, timeout: float, environment: bool) -> httpx.Client:
    """httpx's client; what it dislikes about an address or the environment as one sentence."""
    try:
        address = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise UsageError(f"The base URL {base_url} can't be used: {error}.") from error
    trusted = environment and (address.scheme == "https" or not _far_proxy())
    try:
        return httpx.Client(
            base_url=address,
            verify=_tls(trusted),
            timeout=httpx.Timeout(timeout),
            limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS),
            follow_redirects=False,
            trust_env=trusted,
            headers={"User-Agent": f"ozodial/{__version__}", "Accept-Encoding": "identity"},
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        # the address of a proxy may hold a password, so nothing of it is told
        raise SettingError(
            "The proxy that the environment names can't be used; it must be an HTTP proxy.",
            "HTTPS_PROXY=http://HOST:PORT, or NO_PROXY=… for none",
        ) from None
    except OSError as error:
        raise SettingError(
            f"The certificates that the environment names can't be used: {_sentence(error)}.",
            "see SSL_CERT_FILE and SSL_CERT_DIR",
        ) from error


def _tls(environment: bool) -> ssl.SSLContext:
    """Certificates checked, TLS 1.2 at least, and no keys written down (SSLKEYLOGFILE)."""
    context = httpx.create_ssl_context(trust_env=environment)
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    context.keylog_filename = None  # type: ignore[assignment] # as its documentation allows
    return context


def _far_proxy() -> bool:
    """Whether plain http, which is for loopback alone, would leave this machine by a proxy."""
    proxies = getproxies()
    used = [proxies[name] for name in ("http", "all") if proxies.get(name)]
    places = [urlsplit(proxy if "://" in proxy else f"http://{proxy}") for proxy in used]
    return not all(is_loopback(place.hostname or "") for place in places)


def _unpack(decoder: "zlib._Decompress", chunk: bytes, limit: int) -> bytes:
    try:
        return decoder.decompress(chunk, limit)
    except zlib.error as error:
        raise _UnreadableError("the answer's compression is broken") from error


def _sentence(error: Exception) -> str:
    """A foreign error in a few words: a library's text, without its numbers and file names."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection before the time-out"
    if isinstance(error, httpx.TimeoutException):
        return "no answer before the time-out"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request can't be written as HTTP"  # its text may quote a header
    text = _NOISE.sub("", " ".join(str(error).split()))
    return text[:200] or type(error).__name__


_NOISE = re.compile(r"^\[(Errno -?\d+|SSL[^]]*)\] | \(_ssl\.c:\d+\)$")


def _retry_after(response: httpx.Response) -> float | None:
    """`Retry-After` in seconds, from a number or an HTTP date (RFC 9110, 10.2.3)."""
    text = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), LONGEST_RETRY_AFTER)
    until = _date(text)
    if until is None:
        return None
    # by the server's own clock where it tells it: ours may be wrong
    now = _date(response.headers.get("Date", "")) or datetime.now(UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_RETRY_AFTER)


LONGEST_RETRY_AFTER = 1e9


def _date(text: str) -> datetime | None:
    with suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
