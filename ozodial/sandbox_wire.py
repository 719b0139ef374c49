"""Answers that misbehave on the wire: faults come in, responses that cut, drip or never end go out.

They need the server of `sandbox_server`, which hands each request its connection: an ASGI
application by itself can't cut one. Nothing here knows what was asked or taken.
"""

import asyncio
import gzip
import json
import math
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from ozodial.clock import utc
from ozodial.models import Instant
from ozodial.sandbox_faults import Fault
from ozodial.sandbox_memory import Payload
from ozodial.sandbox_texts import Text

CONNECTION = "ozodial.connection"
"""The key in the request's state under which the server puts the connection's transport."""

_CHUNK = b" " * 65536
_MEGABYTE = 1_000_000
_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"


class CutResponse(Response):
    """No answer: the connection ends, after `beginning` if there is one."""

    def __init__(self, content: bytes = b"", beginning: int = 0) -> None:
        super().__init__(content, media_type="application/json")
        self._beginning = beginning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the connection, now or after the beginning."""
        transport: asyncio.Transport = scope["state"][CONNECTION]
        if self._beginning:
            await _start(self, send)
            await _send_more(send, bytes(self.body[: self._beginning]))
            transport.close()  # after what is buffered
        else:
            transport.abort()
        await _gone(receive)


class DripResponse(Response):
    """The answer in small pieces, spread over some seconds."""

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content, media_type="application/json")
        self._pieces = max(1, min(len(content), int(seconds * 20)))
        self._pause = seconds / self._pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces, until the client leaves."""
        await _start(self, send)
        size = math.ceil(len(self.body) / self._pieces)
        leaving = asyncio.create_task(_gone(receive))
        for start in range(0, len(self.body), size):
            await asyncio.wait({leaving}, timeout=self._pause)
            if leaving.done():
                return
            await _send_more(send, bytes(self.body[start : start + size]))
        await send({"type": "http.response.body", "body": b""})
        await leaving  # the end of the response ends it


class EndlessResponse(Response):
    """White space without an end, as fast as the client takes it."""

    def __init__(self) -> None:
        super().__init__(media_type="application/json")
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves, or the server stops."""
        await _start(self, send)
        leaving = asyncio.create_task(_gone(receive))
        while not leaving.done():
            await _send_more(send, _CHUNK)
            await asyncio.sleep(0.001)


def instead(fault: Fault, now: Instant) -> Response:
    """The answer of a fault of the stage `before`."""
    if fault.kind == "cut-before":
        return CutResponse()
    if fault.kind == "redirect":
        return RedirectResponse(fault.value, 307)
    if fault.kind == "http":
        return _page(fault.status, _retry_after(fault.value, now))
    if fault.kind == "refuse":
        return json_response({"status": "error", "message": fault.value})
    status, text = _SENTENCES[fault.kind]
    return json_response({"status": status, "message": str(text)})


def spoil(payload: Payload, fault: Fault) -> Response:
    """The answer to a processed request as a fault of the stage `wire` delivers it."""
    return _SPOILERS[fault.kind](encode(payload), fault)


def json_response(payload: Payload, status: int = 200) -> Response:
    """A plain answer; the vendor's errors come with HTTP 200 too."""
    return Response(encode(payload), status, media_type="application/json")


def encode(payload: Payload) -> bytes:
    """A payload as UTF-8 JSON."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


_SENTENCES = {
    "busy": ("error", Text.BUSY),
    "max-limit": ("error", Text.MAX_LIMIT),
    "token-expired": ("false", Text.TOKEN_EXPIRED),
    "token-invalid": ("false", Text.TOKEN_INVALID),
}


def _gzip_bomb(body: bytes, fault: Fault) -> Response:
    packed = gzip.compress(_padded(body, fault.value), 6)
    return Response(packed, media_type="application/json", headers={"Content-Encoding": "gzip"})


def _padded(body: bytes, megabytes: str) -> bytes:
    return b" " * int(float(megabytes) * _MEGABYTE) + body


def _page(status: int, headers: dict[str, str] | None = None) -> Response:
    if status in (204, 304):
        return Response(None, status, headers)
    return HTMLResponse(_PAGE.format(status), status, headers)


def _retry_after(value: str, now: Instant) -> dict[str, str]:
    if not value:
        return {}
    if value.startswith("date+"):
        # a whole second later rather than earlier
        moment = utc(now) + timedelta(seconds=math.ceil(float(value[5:])) + 1)
        return {"Retry-After": format_datetime(moment.replace(microsecond=0), usegmt=True)}
    return {"Retry-After": value}


_SPOILERS: dict[str, Callable[[bytes, Fault], Response]] = {
    "cut-after": lambda body, fault: CutResponse(),
    "cut-middle": lambda body, fault: CutResponse(body, max(1, len(body) // 2)),
    "drip": lambda body, fault: DripResponse(body, float(fault.value)),
    "endless": lambda body, fault: EndlessResponse(),
    "huge": lambda body, fault: Response(_padded(body, fault.value), media_type="application/json"),
    "gzip-bomb": _gzip_bomb,
    "broken-json": lambda body, fault: Response(
        body[: len(body) * 2 // 3], media_type="application/json"
    ),
    "empty": lambda body, fault: Response(),
    "body": lambda body, fault: Response(fault.value, media_type="application/json"),
    "http-after": lambda body, fault: _page(fault.status),
}


async def _start(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )


async def _send_more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    """Wait until the connection is gone, or the response is over."""
    while (await receive())["type"] != "http.disconnect":
        pass
