"""A column of dates, read by their parts: a file has few days, and a day has few minutes.

In: a column's texts. Out: each as it is sent, through two small dicts, one for what stands before
the first space and one for what stands behind it. They learn from texts that were read as a whole
before; what they don't know is read as a whole.
"""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter

_MOST = 20_000
"""Of days and of clock times that are remembered: 4 MB."""

_DAY = 10
_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?: ?[ap]m)?", re.ASCII | re.IGNORECASE)
"""Times of day that mean the same behind any date, and name no zone."""

_FIRST, _REST = itemgetter(slice(_DAY)), itemgetter(slice(_DAY, None))
_UNKNOWN = "\0"


class Moments:
    """Reads the dates of one column. `whole` reads a text, None for what can't be sent.

    `day` reads one without a time. Only days between `after` and `before` (both excluded) are
    remembered: there `whole` has no objection to any time. `alone` is put behind a day without one.
    """

    def __init__(
        self,
        whole: Callable[[str], str | None],
        day: Callable[[str], str | None],
        after: str,
        before: str,
        alone: str | None,
    ) -> None:
        self._whole = whole
        self._day = day
        self._after, self._before = after[:_DAY], before[:_DAY]
        self._days: dict[str, str] = {}
        self._clocks: dict[str, str] = {} if alone is None else {"": alone}
        self._same_days: set[str] = set()
        self._same_clocks: set[str] = set()
        """What is sent as it stands; a clock time with the space before it."""
        self._all_same = False

    def read(self, texts: Sequence[str], odd: set[int]) -> list[str]:
        """Each text as it is sent; the places of those that can't be are added."""
        if (
            self._all_same
            and self._same_days.issuperset(map(_FIRST, texts))
            and self._same_clocks.issuperset(map(_REST, texts))
        ):
            return list(texts)
        day, clock = self._days.get, self._clocks.get
        found = [
            day((parts := text.partition(" "))[0], _UNKNOWN) + clock(parts[2], _UNKNOWN)
            for text in texts
        ]
        if _UNKNOWN in "".join(found):
            for place in [place for place, value in enumerate(found) if _UNKNOWN in value]:
                value = self._whole(texts[place])
                found[place] = value or ""
                if value is None:
                    odd.add(place)
                else:
                    self._learn(texts[place], value)
        self._all_same = found == texts
        return found

    def _learn(self, text: str, value: str) -> None:
        day, _, clock = text.partition(" ")
        if day not in self._days and len(self._days) < _MOST:
            found = value[:_DAY]
            if self._after < found < self._before and self._day(day) == found:
                self._days[day] = found
                if day == found:
                    self._same_days.add(day)
        if len(self._clocks) < _MOST and _CLOCK.fullmatch(clock):
            self._clocks[clock] = value[_DAY:]
            if value[_DAY:] == f" {clock}":
                self._same_clocks.add(f" {clock}")
