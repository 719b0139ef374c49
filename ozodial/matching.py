"""Which item of an answer is about which row: by phone, index, time, name and order together. Pure.

No one of them is trusted alone: the phone may come back as `+91…`, `91…`, `0…` or ten digits, an
index may count from 0 or from 1, rows may be fewer, repeated or in another order. An item that
can't be placed with certainty is left out, and its row stays without an answer.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ozodial.models import LeadRow


class Item(NamedTuple):
    """One row of an answer. `texts` are its words, most telling first; "" and None: not offered.

    `row_id` is the vendor's own number of a scheduled row, by which it can be deleted.
    """

    position: int
    phone: str
    number: int | None
    scheduled: str
    name: str
    texts: tuple[str, ...]
    row_id: int | None = None


def match(items: Sequence[Item], leads: Sequence[LeadRow]) -> dict[int, list[Item]]:
    """Row number -> the items about it."""
    placed = _Placed(items, leads)
    said: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        lead = placed.by_phone(item) if last_digits(item.phone) else placed.without_phone(item)
        if lead is not None:
            said[lead.row].append(item)
    return dict(said)


class _Placed:
    """What all items together say about how the answer counts and orders its rows."""

    def __init__(self, items: Sequence[Item], leads: Sequence[LeadRow]) -> None:
        self._leads = leads
        self._phones: dict[str, list[LeadRow]] = defaultdict(list)
        for lead in leads:
            self._phones[last_digits(lead.phone)].append(lead)
        self._base = self._index_base(items)
        self._ordered = len(items) == len(leads) and self._agrees_in_order(items)

    def by_phone(self, item: Item) -> LeadRow | None:
        """The one lead with the item's phone; of several, the one that time or index single out."""
        left = self._phones.get(last_digits(item.phone), [])
        if len(left) > 1:
            for narrower in (
                [lead for lead in left if lead.scheduled and lead.scheduled == item.scheduled],
                [lead for lead in left if lead is self._at_index(item)],
                [lead for lead in left if _digits(lead.phone) == _digits(item.phone)],
            ):
                left = narrower or left
                if len(left) == 1:
                    break
        return left[0] if len(left) == 1 else None

    def without_phone(self, item: Item) -> LeadRow | None:
        """By index where that is proven; by order only where a name stands with it."""
        indexed = self._at_index(item)
        if indexed is not None:
            return None if _contradicts(item, indexed) else indexed
        lead = self._at_position(item)
        if lead is None or not self._ordered or _contradicts(item, lead):
            return None
        return lead if item.name and lead.name else None

    def _at_index(self, item: Item) -> LeadRow | None:
        if item.number is None or self._base is None:
            return None
        place = item.number - self._base
        return self._leads[place] if 0 <= place < len(self._leads) else None

    def _at_position(self, item: Item) -> LeadRow | None:
        return self._leads[item.position] if item.position < len(self._leads) else None

    def _index_base(self, items: Sequence[Item]) -> int | None:
        """Whether indexes count from 0 or 1; None where phones contradict both, or say neither."""
        indexed = [item for item in items if item.number is not None]
        known = [item for item in indexed if last_digits(item.phone) in self._phones]
        bases = [base for base in (0, 1) if all(self._fits(item, base) for item in known)]
        numbers = sorted(item.number for item in indexed if item.number is not None)
        if len(bases) == 2 and not known:
            count = len(self._leads)
            bases = [base for base in (0, 1) if numbers == list(range(base, count + base))]
        elif len(bases) == 2:
            bases = [1] if numbers[-1] == len(self._leads) else [0] if numbers[0] == 0 else []
        return bases[0] if len(bases) == 1 and indexed else None

    def _fits(self, item: Item, base: int) -> bool:
        place = (item.number or 0) - base
        return 0 <= place < len(self._leads) and last_digits(
            self._leads[place].phone
        ) == last_digits(item.phone)

    def _agrees_in_order(self, items: Sequence[Item]) -> bool:
        with_phone = [item for item in items if last_digits(item.phone)]
        return bool(with_phone) and all(
            last_digits(self._leads[item.position].phone) == last_digits(item.phone)
            for item in with_phone
            if item.position < len(self._leads)
        )


def _contradicts(item: Item, lead: LeadRow) -> bool:
    """Whether what an item offers beside its place speaks of another lead."""
    named = item.name and lead.name and _folded(item.name) != _folded(lead.name)
    timed = item.scheduled and lead.scheduled and item.scheduled != lead.scheduled
    return bool(named or timed)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _digits(phone: str) -> str:
    return phone if phone.isdecimal() else "".join(filter(str.isdecimal, phone))


@lru_cache(maxsize=4096)  # each phone of a batch is asked for several times
def last_digits(phone: str) -> str:
    """What `+91…`, `91…`, `0…` and ten digits have in common."""
    return _digits(phone)[-10:]
