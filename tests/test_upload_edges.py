"""What a run tells when the ledger is lost in the middle of it, or somebody else is reading."""

import threading
from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ozodial.crew import Stop
from ozodial.endpoints import endpoint
from ozodial.errors import ExitCode
from ozodial.events import Event, ReadingEvent, SendingEvent, WaitEvent
from ozodial.ledger import Ledger
from ozodial.models import Target
from ozodial.prepare import Recipe
from ozodial.shift import HaltError
from ozodial.staging import RunOptions, Staging
from ozodial.upload import Job, Prepared, prepare
from tests.clerk import ZONE, Clerk
from tests.conftest import FakeClock, StartSandbox


@pytest.fixture
def clerk(tmp_path: Path, clock: FakeClock, start_sandbox: StartSandbox) -> Clerk:
    return Clerk(tmp_path, clock, start_sandbox(None, clock))


def phones(count: int) -> list[str]:
    return [str(9_810_000_000 + number) for number in range(count)]


def gone(clerk: Clerk) -> Path:
    """The ledger's file, out of the way."""
    return clerk.ledger.rename(clerk.ledger.with_name("elsewhere.db"))


def staging(
    clerk: Clerk, file: Path, ledger: Ledger, stop: Stop
) -> Generator[Event, None, Prepared]:
    now = datetime.fromtimestamp(clerk.clock.wall, ZoneInfo(ZONE))
    recipe = Recipe(endpoint("bulk-add", "v1"), str(file), "IN", ZONE, now)
    options = RunOptions("ops", clerk.server.url, ZONE, True)
    return prepare(Job(recipe, Target("ops@host", "bulk-add", "Diwali"), options), ledger, stop)


def ask_after(stop: Stop, clock: FakeClock, waits: int) -> None:
    """Ctrl-C when it has waited so often."""
    while len(clock.waits) < waits:
        threading.Event().wait(0.005)
    stop.ask(ExitCode.INTERRUPTED)


def test_a_wait_for_who_reads_the_same_file_ends_when_it_is_told_to(clerk: Clerk) -> None:
    file = clerk.file(phones(20))
    place = str(clerk.ledger)
    with (
        closing(Ledger.open(place, clerk.clock)) as one,
        closing(Ledger.open(place, clerk.clock)) as two,
        one.lease(),
        two.lease(),
    ):
        assert isinstance(next(staging(clerk, file, one, Stop())), ReadingEvent)
        stop = Stop()
        second = staging(clerk, file, two, stop)
        told = next(second)
        assert isinstance(told, WaitEvent)
        assert told.message == "another process is reading the file into run 1"
        threading.Thread(target=ask_after, args=(stop, clerk.clock, 3), daemon=True).start()
        with pytest.raises(HaltError):
            next(second)  # it says so once, however often it looks


def test_an_answer_that_can_not_be_recorded_is_told_as_unknown(clerk: Clerk) -> None:
    clerk.server.sandbox.misbehave("latency=1")

    def lose(event: Event, _ledger: Ledger) -> None:
        if isinstance(event, SendingEvent):
            gone(clerk)

    clerk.watch = lose
    done = clerk.upload(clerk.file(phones(250)))
    assert (done.code, done.counts) == (ExitCode.UNKNOWN_ROWS, {"unknown": 200, "ready": 50})
    assert done.errors == ["The ledger's file was moved or deleted while it was in use."]


def test_a_ledger_that_is_lost_before_the_first_request_sends_nothing(clerk: Clerk) -> None:
    clerk.server.sandbox.misbehave("cut-before@1")
    clerk.upload(clerk.file(phones(3)), "schedule")
    assert clerk.upload(clerk.file(phones(4)), "schedule").counts == {"unknown": 3, "accepted": 1}
    clerk.resume(1, resend_unknown=True)
    requests = len(clerk.server.sandbox.requests)
    with closing(Ledger.open(str(clerk.ledger), clerk.clock)) as ledger, ledger.lease():
        run = Staging(ledger).run(2)
        gone(clerk)  # just when its doubts could be settled
        done = clerk._send(Prepared(run, continued=True), ledger, [])
    assert done.errors == ["The ledger's file was moved or deleted while it was in use."]
    assert done.counts == {"unknown": 3, "accepted": 1}
    assert len(clerk.server.sandbox.requests) == requests
