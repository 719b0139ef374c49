"""Serves a sandbox on a real socket: in a thread of this process, or for good until a signal.

In: a sandbox and an address. Out: a URL. It stops at once: connections are cut, not drained, since
whoever asked for the stop has had its answers. It writes nothing to any stream.
"""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType, TracebackType

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ozodial.errors import UsageError
from ozodial.sandbox import Sandbox
from ozodial.sandbox_app import CLOSING, build_app
from ozodial.sandbox_wire import CONNECTION

_PATIENCE = 10.0
_BACKLOG = 2048
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ServerHandle:
    """A sandbox that is being served by a thread; leaving its `with` block stops it."""

    def __init__(self, sandbox: Sandbox, server: "_Server", listener: socket.socket) -> None:
        self.sandbox = sandbox
        self.url = _url(listener)
        self._server = server
        self._thread = threading.Thread(
            target=_run, args=(server, listener), name="ozodial-sandbox", daemon=True
        )
        self._thread.start()
        self._server.ready.wait(_PATIENCE)

    def stop(self) -> None:
        """Cut all connections and end the thread; a second call does nothing."""
        self._server.stop()
        self._thread.join(_PATIENCE)

    def __enter__(self) -> "ServerHandle":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve_in_thread(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> ServerHandle:
    """Serve in a daemon thread; port 0 takes a free one. The handle's `url` answers at once."""
    listener = _listen(host, port)
    return ServerHandle(sandbox, _Server(sandbox), listener)


def serve(
    sandbox: Sandbox,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None] | None = None,
) -> int:
    """Serve until Ctrl-C or TERM; the number of that signal. `on_ready` is told the URL.

    Raises UsageError where the address can't be had.
    """
    listener = _listen(host, port)
    url = _url(listener)
    server = _Server(sandbox, None if on_ready is None else partial(on_ready, url))
    _run(server, listener)
    return server.signal


class _Protocol(H11Protocol):
    """Hands each request its connection, so that a fault can cut it."""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        # asyncio does so only for sockets made with the protocol's number; it costs 40 ms an answer
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, CONNECTION: transport}


class _Server(uvicorn.Server):
    """uvicorn, but it starts without a word and stops without a wait."""

    def __init__(self, sandbox: Sandbox, on_ready: Callable[[], None] | None = None) -> None:
        self._app = build_app(sandbox)
        self._closing = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_ready = on_ready
        self.ready = threading.Event()
        self.signal = 0
        super().__init__(
            uvicorn.Config(
                self._serve_request,
                interface="asgi3",
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
            )
        )

    def stop(self) -> None:
        """End, from any thread or from a signal handler."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._closing.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()
        if self._on_ready is not None:
            self._on_ready()

    async def main_loop(self) -> None:
        """uvicorn looks ten times a second whether it should stop; this one is told."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut everything; uvicorn would wait for answers that nobody waits for."""
        self._closing.set()
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        deadline = time.monotonic() + _PATIENCE
        state = self.server_state
        while (state.connections or state.tasks) and time.monotonic() < deadline:
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.001)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ctrl-C and TERM end the server, and no more than that: uvicorn would raise them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.signal = sig
        self.stop()

    async def _serve_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][CLOSING] = self._closing
        await self._app(scope, receive, send)


def _run(server: _Server, listener: socket.socket) -> None:
    with listener:
        asyncio.run(server.serve(sockets=[listener]))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"The sandbox can't listen on {host}, port {port}: {reason}.",
            "take another port, or 0 for a free one",
        ) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
