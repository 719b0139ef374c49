"""A ledger without room: nothing is sent that can't be recorded, and the next try goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import Pool

from ozodial.errors import ExitCode, LedgerFullError
from ozodial.sandbox import SandboxConfig
from tests.clerk import Clerk
from tests.conftest import FakeClock, StartSandbox


@contextmanager
def pages_at_most(count: int) -> Iterator[None]:
    """Ledgers that are opened in here can't grow beyond so many pages of 4 KB."""

    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
        connection.execute(f"PRAGMA max_page_count = {count}").close()

    sa.event.listen(Pool, "connect", connected)
    try:
        yield
    finally:
        sa.event.remove(Pool, "connect", connected)


@pytest.fixture
def clerk(tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox) -> Clerk:
    return Clerk(tmp_path, clock, start_sandbox(SandboxConfig(), clock))


def test_while_the_file_is_staged(clerk: Clerk) -> None:
    file = clerk.file([f"98100{n:05}" for n in range(3_000)])
    with (
        pages_at_most(100),
        pytest.raises(LedgerFullError, match=r"^Nothing was sent\. The ledger"),
    ):
        clerk.upload(file)
    assert not clerk.server.sandbox.requests
    done = clerk.upload(file)
    assert (done.code, done.counts) == (ExitCode.OK, {"accepted": 3_000})
    assert clerk.audit() == []


def test_while_leads_are_sent(clerk: Clerk) -> None:
    file = clerk.file([f"98100{n:05}" for n in range(3_000)])
    clerk.server.sandbox.misbehave("http-503")
    clerk.patience = 0
    assert clerk.upload(file).counts == {"ready": 3_000}
    clerk.server.sandbox.behave()
    with pages_at_most(clerk.ledger.stat().st_size // 4096 + 20):
        done = clerk.resume(1)
    assert done.code == ExitCode.STOPPED
    assert done.errors[0].startswith("The ledger can't be used any more: ")
    assert 0 < done.counts["accepted"] < 3_000
    assert done.counts["accepted"] == len(clerk.server.sandbox.leads)
    clerk.patience = 300
    assert clerk.resume(1).counts == {"accepted": 3_000}
    assert clerk.audit() == []
