"""`--parallel` gives way to a vendor that has no room, and grows again."""

from pathlib import Path

import pytest

from ozodial.events import NoticeEvent
from ozodial.models import State
from ozodial.throttle import Throttle
from tests.clockwork import Office, slow_vendor
from tests.conftest import FakeClock


def test_refusals_in_flight_together_halve_it_once() -> None:
    throttle = Throttle(8)
    waves = [throttle.enter() for _ in range(9)]
    assert waves == [0] * 8 + [None]
    assert [throttle.busy(0) for _ in range(8)] == [True] + [False] * 7
    assert throttle.width == 4
    for _ in range(5):
        throttle.leave()
    assert throttle.enter() == 1
    assert throttle.enter() is None


def test_it_never_ends_and_grows_back_to_what_was_asked_for() -> None:
    throttle = Throttle(8)
    for wave in range(5):
        throttle.busy(wave)
    assert throttle.width == 1
    widths = []
    for _ in range(100):
        throttle.answered()
        widths.append(throttle.width)
    assert widths[:6] == [2, 2, 3, 3, 3, 4]
    assert (max(widths), widths[-1]) == (8, 8)


def test_a_refusal_in_between_starts_the_count_anew() -> None:
    throttle = Throttle(2)
    throttle.busy(0)
    throttle.busy(1)
    assert throttle.width == 1
    throttle.answered()
    assert throttle.width == 2


def test_a_late_refusal_starts_the_count_anew_and_takes_nothing() -> None:
    throttle = Throttle(8)
    throttle.busy(0)
    for _ in range(3):
        throttle.answered()
    assert not throttle.busy(0)
    widths = []
    for _ in range(4):
        throttle.answered()
        widths.append(throttle.width)
    assert widths == [4, 4, 4, 5]


@pytest.mark.parametrize("fault", ["max-limit@3-4", "busy@3-4", "http-429@3-4"])
def test_a_run_sends_less_at_once_and_everything_in_the_end(
    tmp_path: Path, clock: FakeClock, fault: str
) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave(fault)
        office = Office(tmp_path, clock, vendor.url, parallel=4)
        assert office.run("schedule", 1_200).counts == {State.ACCEPTED: 1_200}
        phones = [lead.phone for lead in vendor.sandbox.leads]
    assert len(phones) == len(set(phones)) == 1_200
    told = [event.message for event in office.events if isinstance(event, NoticeEvent)]
    assert "the vendor is busy: 2 of 4 requests at once" in told
