"""The picture of the rooms is the code's: every room in one group, and nothing imports upwards."""

from tests.architecture import GROUPS, PICTURE, drawn, group_of, stands_on
from tests.test_layout import modules

ROWS = {group.title: group.row for group in GROUPS}


def test_every_room_is_in_one_group() -> None:
    rooms = [room for group in GROUPS for room in group.names]
    assert sorted(rooms) == sorted(name for name, _ in modules() if name != "__init__"), (
        "tests/architecture.py says which group a room belongs to"
    )
    assert len(group_of()) == len(rooms)


def test_a_group_stands_on_lower_ones_alone() -> None:
    for upper, below in stands_on().items():
        for lower in below:
            assert ROWS[upper] < ROWS[lower], f"{upper} imports from {lower}"


def test_the_picture_is_up_to_date() -> None:
    assert PICTURE.read_text(encoding="utf-8") == drawn(), "python -m tests.architecture"
