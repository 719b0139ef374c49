"""The state that every row of a file has from the start: checked, suppressed, or there before.

In: chunks of rows below a header. Out: `Judged` rows in the file's order. A bad row never stops the
good ones. Rows that are no leads (empty ones, totals, notes at the end) are left out, and told.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress, repeat

from ozodial.dedupe import Seen, Suppressed
from ozodial.findings import Findings
from ozodial.leavings import Leaving, Leavings
from ozodial.models import Checked, Chunk, Columns, Reason, Row, Rules, State
from ozodial.validate import Validator

Judged = tuple[int, Sequence[str], str, tuple[str, ...], str, State, Reason | None, str | None]
"""Row number, cells, phone, values as they are sent, ScheduledTime; state, reason and message.

No class of its own: a million of them must be cheap.
"""

_NO_PHONE = (Reason.PHONE_MISSING, Reason.PHONE_INVALID, Reason.PHONE_LOST_DIGITS)
_MOST_NOTES = 50
"""More rows of that kind at the end are no notes."""


class Judge:
    """Judges the rows of one file; `expected` is about how many there are."""

    def __init__(
        self, columns: Columns, rules: Rules, lists: Suppressed, findings: Findings, expected: int
    ) -> None:
        self._validator = Validator(columns, rules)
        self._leavings = Leavings(columns)
        self._seen = Seen(expected)
        self._lists = lists
        self._findings = findings
        self._held: list[Judged] = []
        self._to_come: str | None = None

    def all(self, chunks: Iterable[Chunk], to_come: str | None = None) -> Iterator[Judged]:
        """Every row that is a lead, or might be one; `to_come` is a time still to be given."""
        self._to_come = to_come
        # a generator in between would cost as much as a look at each row
        return chain.from_iterable(self._chunks(chunks))

    def _chunks(self, chunks: Iterable[Chunk]) -> Iterator[Iterable[Judged]]:
        for chunk in chunks:
            yield self._chunk(chunk)
        for number, cells, *_ in self._held:
            self._findings.passed_over(Row(number, cells), Leaving.NOTE)

    def _chunk(self, chunk: Chunk) -> Iterable[Judged]:
        many = self._validator.check_many(chunk)
        phones, times = list(many.phones), list(many.times)
        begin = (repeat(State.READY), repeat(None), repeat(None))
        judged: list[Judged] = list(zip(*chunk, phones, many.values, times, *begin, strict=False))
        empty: set[int] = set()
        notes: set[int] = set()
        for place in many.odd:
            row = Row(chunk.numbers[place], chunk.rows[place])
            checked = self._validator.check_odd(row, place, many)
            phones[place], times[place] = checked.phone, checked.scheduled
            judged[place] = _begun(row, checked)
            kind = self._kind(row, checked)
            if kind is not None:
                (notes if kind is Leaving.NOTE else empty).add(place)
        keys = list(map(hash, zip(phones, times, strict=True)))
        refused = [place for place in many.odd if judged[place][5] is not State.READY]
        self._compare(judged, chunk.numbers, keys, refused)
        for place in many.odd:
            *_, state, _, note = judged[place]
            if state is State.READY and note:
                self._findings.noted(note)
        return self._leads(judged, empty, notes) if empty or notes or self._held else judged

    def _kind(self, row: Row, checked: Checked) -> Leaving | None:
        """What a row is that is no lead."""
        if not checked.problems:
            return None
        if not any(map(str.strip, row.cells)):
            return Leaving.EMPTY
        reason = checked.problems[0].reason
        kind = self._leavings.kind(row.cells) if reason in _NO_PHONE else None
        if kind is not None and kind is not Leaving.NOTE:
            self._findings.passed_over(row, kind)
        return kind

    def _compare(
        self,
        judged: list[Judged],
        numbers: Sequence[int],
        keys: Sequence[int],
        refused: Sequence[int],
    ) -> None:
        """Rows that are on a list, or stand earlier in the file, are not ready."""
        places: Sequence[int] = range(len(judged))
        good = bytearray(b"\1") * len(judged)
        for place in refused:
            good[place] = 0
        if self._lists.lists:
            for place in compress(places, bytes(good)):
                good[place] = not self._is_listed(judged, place)
        if not all(good):
            places, keys, numbers = (list(compress(each, good)) for each in (places, keys, numbers))
        for index, before in self._seen.again(keys, numbers):
            number, cells, phone, values, time, *_ = judged[places[index]]
            timed = time and time is not self._to_come
            said = f"same {'phone and ScheduledTime' if timed else 'phone'} as row {before}"
            state, reason = State.DUPLICATE, Reason.DUPLICATE_IN_FILE
            judged[places[index]] = number, cells, phone, values, time, state, reason, said

    def _is_listed(self, judged: list[Judged], place: int) -> bool:
        number, cells, phone, values, time, *_ = judged[place]
        name = self._lists.list_with(phone)
        if name is not None:
            state, reason = State.SUPPRESSED, Reason.ON_SUPPRESSION_LIST
            said = f"on the list {name}"
            judged[place] = number, cells, phone, values, time, state, reason, said
        return name is not None

    def _leads(self, judged: list[Judged], empty: set[int], notes: set[int]) -> Iterator[Judged]:
        """The rows without those that are no leads; a note is one only if no lead follows."""
        for place, row in enumerate(judged):
            if place in notes and len(self._held) < _MOST_NOTES:
                self._held.append(row)
            elif place not in empty:
                yield from self._held
                self._held.clear()
                yield row


def _begun(row: Row, checked: Checked) -> Judged:
    """An odd row: invalid, or ready with a note."""
    number, phone, values, time, problems, note = checked
    if not problems:
        return number, row.cells, phone, values, time, State.READY, None, note or None
    told = "; ".join(problem.message for problem in problems)
    return number, row.cells, phone, values, time, State.INVALID, problems[0].reason, told
