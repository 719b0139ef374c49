"""The same leads through every dialect of the vendor's answers: each row ends where it belongs.

The simulator takes the leads first and bends its answer afterwards, so that what a row's state has
to be does not depend on how the answer looks.
"""

import itertools
import random
from pathlib import Path

import pytest

from ozodial.events import RowEvent
from ozodial.models import State
from tests.clockwork import Office, slow_vendor
from tests.conftest import FakeClock

PHONES = {
    "9800100000": State.ACCEPTED,
    "9855501555": State.REJECTED,  # DND
    "9800100007": State.ACCEPTED,
    "9855502555": State.DUPLICATE,
    "9855505555": State.UNKNOWN,  # the answer leaves it out
    "9800100014": State.ACCEPTED,
    "9855503555": State.REJECTED,
}
SHEET = "Mobile,Name\n" + "".join(f"{phone},Lead {n}\n" for n, phone in enumerate(PHONES))

DIALECTS: dict[str, list[str]] = {
    "phones": ["plus91", "91", "0", "10"],
    "index": ["0", "1", "text0", "text1", "none"],
    "message": ["list", "object", "text"],
    "case": ["upper", "lower", "title"],
    "reordered-rows": ["reverse", "5"],
    "repeated-rows": ["2", "9"],
    "foreign-rows": ["1", "3"],
}
Told = tuple[str, ...]

ALONE: list[Told] = [(f"{kind}={value}",) for kind, values in DIALECTS.items() for value in values]


def mixed(seed: int) -> Told:
    """Some dialects at once."""
    chance = random.Random(seed)
    kinds = chance.sample(sorted(DIALECTS), chance.randint(3, len(DIALECTS)))
    # the form of the list is the last thing that is changed: nothing bends an object or a text
    kinds.sort(key=lambda kind: kind == "message")
    return tuple(f"{kind}={chance.choice(DIALECTS[kind])}" for kind in kinds)


MIXED = [mixed(seed) for seed in range(30)]


@pytest.mark.parametrize("command", ["schedule", "bulk-add"])
@pytest.mark.parametrize("faults", ALONE + MIXED, ids=lambda faults: " ".join(faults))
def test_each_row_ends_where_it_belongs(
    tmp_path: Path, clock: FakeClock, command: str, faults: Told
) -> None:
    with slow_vendor(clock) as vendor:
        vendor.sandbox.misbehave(*faults)
        office = Office(tmp_path, clock, vendor.url)
        office.run_sheet(command, SHEET)
        told = {event.phone: event.status for event in office.events if isinstance(event, RowEvent)}
        taken = {lead.phone for lead in vendor.sandbox.leads}
    assert told == PHONES
    assert {phone for phone, state in told.items() if state is State.ACCEPTED} <= taken


def test_every_dialect_of_the_simulator_is_tried() -> None:
    from ozodial.sandbox_faults import KINDS, Stage

    bent = {name for name, kind in KINDS.items() if kind.stage is Stage.ANSWER}
    assert bent == set(DIALECTS) | {"missing-rows"}
    pairs = {
        frozenset(pair)
        for faults in MIXED
        for pair in itertools.combinations([fault.split("=")[0] for fault in faults], 2)
    }
    assert len(pairs) == len(DIALECTS) * (len(DIALECTS) - 1) // 2
