"""What the tests share: a clock that never waits, and the vendor simulator on a real socket."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from ozodial.clock import Clock
from ozodial.models import Instant
from ozodial.sandbox import Sandbox, SandboxConfig
from ozodial.sandbox_server import ServerHandle, serve_in_thread
from tests.book import Book
from tests.command import Desk
from tests.harness import forking
from tests.harness.server import NoServerError, Postgres

settings.register_profile("short", deadline=None)  # how busy the machine is proves nothing
settings.load_profile("short")
settings.register_profile("long", max_examples=100_000, deadline=None)
"""For `--hypothesis-profile long`: what the issue asks for, in minutes instead of seconds."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell in the background leaves it so, and every process that a test starts would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
"""Where a `FakeClock` starts: 12:00 in India."""


class FakeClock:
    """A clock that stands still until it is told to move, or asked to wait.

    `wall` and `mono` may be set at will; `waits` holds the seconds of every wait.
    """

    def __init__(self, wall: float = NOON.timestamp(), mono: float = 5000.0) -> None:
        self.wall = wall
        self.mono = mono
        self.boot = "a-boot"
        self.waits: list[float] = []
        self._lock = threading.Lock()

    def instant(self) -> Instant:
        with self._lock:
            return Instant(self.wall, self.mono, self.boot)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.wall += seconds
            self.mono += seconds

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        if stop.is_set():
            return True
        self.waits.append(seconds)
        self.advance(max(0.0, seconds))
        return False


StartSandbox = Callable[..., ServerHandle]


@pytest.fixture(scope="session", autouse=True)
def _forkery_ends() -> Iterator[None]:
    """With the tests, so that what it ran through is counted among theirs."""
    yield
    forking.end()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL of the tests' own; where none can run, its tests are skipped."""
    try:
        server = Postgres()
    except NoServerError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be made: a file's path, or the URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def book(place: str, clock: "FakeClock") -> Book:
    """A ledger on either database, by a clock that stands still."""
    return Book(place, clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """A factory of served sandboxes (`.url`, memory in `.sandbox`), stopped with the test."""
    with ExitStack() as running:

        def start(
            config: SandboxConfig | None = None,
            clock: Clock | None = None,
            *faults: str,
            host: str = "127.0.0.1",
        ) -> ServerHandle:
            sandbox = Sandbox(config, clock)
            sandbox.misbehave(*faults)
            return running.enter_context(serve_in_thread(sandbox, host))

        yield start


@pytest.fixture
def vendor(start_sandbox: StartSandbox) -> ServerHandle:
    """A vendor whose paces are 300 times shorter: 30 s are 0.1 s."""
    return start_sandbox(SandboxConfig(pace_scale=300))


@pytest.fixture
def desk(tmp_path: Path, vendor: ServerHandle) -> Desk:
    """A person's folder, with all settings that a run needs and the pace of `vendor`."""
    return Desk(
        tmp_path,
        {
            "OZODIAL_BASE_URL": vendor.url,
            "OZODIAL_USER_NAME": "asha",
            "OZODIAL_API_KEY": "k-3141592653",
            "OZODIAL_CAMPAIGN": "Diwali",
            "OZODIAL_PACE": "0.1",
        },
    )
