"""A file -> rows as the ledger stages them: read, map, validate, find duplicates. Needs no ledger.

`open_leads` opens the file and matches its columns; the rows then stream. A bad row never stops the
good ones: it comes out with its state and its reasons. `check` uses this alone, `upload` stages it.
"""

import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from itertools import compress, islice, repeat
from operator import itemgetter

from ozodial.dates import check_at
from ozodial.dedupe import Suppressed, load_suppression
from ozodial.delimited import Shape
from ozodial.endpoints import Endpoint
from ozodial.errors import FileError
from ozodial.findings import Findings
from ozodial.hours import Hours
from ozodial.judging import Judge, Judged
from ozodial.layout import PLAIN, Layout
from ozodial.mapping import Wanted, header_test, locate
from ozodial.models import (
    Chunk,
    Columns,
    Field,
    Rules,
    StagedRow,
    State,
)
from ozodial.reader import Sheet, Source, open_source, read
from ozodial.shown import shown
from ozodial.spread import Spread, SpreadTime
from ozodial.turns import first_leads, given_times, wants_time

_made = partial(tuple.__new__, StagedRow)
"""By C code, at a third of the cost of StagedRow(row=..., ...)."""

_READY = str(State.READY)
"""SQLite's driver takes three times as long for a text that is a member of an enum."""

_AT_ONCE = 512
_CONTAINERS = 50_000
"""More than the rows of a transaction have."""

_BETWEEN = "\0"
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file becomes leads. `at` is canonical; `now` is aware, in the account's time zone.

    `layout` is what a person said of this kind of sheet; `when` what was typed of times, such as
    `tomorrow 10:00`. With a `spread`, `at` is its first time; `limit` leads at most are taken.
    `otherwise` is for a file whose columns don't suit `endpoint`.
    """

    endpoint: Endpoint
    path: str
    region: str
    timezone: str
    now: datetime
    layout: Layout = PLAIN
    at: str | None = None
    suppress: Sequence[str] = ()
    when: str = ""
    spread: Spread | None = None
    hours: Hours | None = None
    limit: int | None = None
    otherwise: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Leads:
    """An open file: its name, what identifies its content, its columns.

    `judged()` reads and checks all its rows, each time from the start, `rows()` does so in the form
    that the ledger keeps; `findings` is what was found on the way and changes nothing.
    """

    file: str
    sheet: str | None
    content: str
    columns: Columns
    sent: tuple[str, ...]
    judged: Callable[[], Iterator[Judged]]
    rows: Callable[[], Iterator[StagedRow]]
    findings: Findings
    endpoint: Endpoint
    shape: Shape | None = None


def check_times(recipe: Recipe) -> None:
    """UsageError if a new run can't have the times that were asked for: they are past, or far."""
    if recipe.spread is not None:
        recipe.spread.check(recipe.now)
    elif recipe.at is not None and recipe.when:
        check_at(recipe.when, recipe.at, recipe.now)


@contextmanager
def open_leads(recipe: Recipe) -> Iterator[Leads]:
    """Open the file and match its columns; FileError where that can't be done."""
    layout = recipe.layout
    with (
        _few_collections(),
        open_source(recipe.path, layout.encoding, layout.delimiter) as source,
    ):
        table, recipe = _suiting(recipe, source)
        lists = load_suppression(recipe.suppress, recipe.region, layout.phone_form)
        findings = Findings(table.sheet, source.shape, lists)
        located = [table]

        def as_read() -> Iterator[Judged]:
            fresh = located.pop() if located else _table(recipe, source)
            findings.start_again()
            rules = _rules(recipe, fresh.sheet)
            judge = Judge(fresh.columns, rules, lists, findings, fresh.sheet.expected)
            return judge.all(fresh.chunks, recipe.at if recipe.spread is not None else None)

        def judged() -> Iterator[Judged]:
            found = as_read()
            if recipe.spread is not None:
                # their number comes first: it says how far apart they are
                count = sum(1 for each in found if wants_time(each, recipe.at))
                times = recipe.spread.times(count, recipe.now)
                found = given_times(as_read(), recipe.at, times, sent)
            return found if recipe.limit is None else first_leads(recipe.limit, found, findings)

        sent = table.columns.sent(recipe.endpoint.needs_time)

        yield Leads(
            file=source.label,
            sheet=table.sheet.name,
            content=_content(recipe, source.sha256, lists),
            columns=table.columns,
            sent=sent,
            judged=judged,
            rows=lambda: _staged(judged(), sent, recipe.spread),
            findings=findings,
            endpoint=recipe.endpoint,
            shape=source.shape,
        )


@contextmanager
def _few_collections() -> Iterator[None]:
    """Rows refer to nothing in a circle; to look for that again and again costs a sixth of all."""
    before = gc.get_threshold()
    gc.set_threshold(_CONTAINERS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _suiting(recipe: Recipe, source: Source) -> "tuple[_Table, Recipe]":
    try:
        return _table(recipe, source), recipe
    except FileError:
        if recipe.otherwise is None:
            raise
    recipe = replace(recipe, endpoint=recipe.otherwise, otherwise=None)
    return _table(recipe, source), recipe


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet whose columns are matched, and the rows below its header."""

    sheet: Sheet
    columns: Columns
    chunks: Iterator[Chunk]


def _table(recipe: Recipe, source: Source) -> _Table:
    layout = recipe.layout
    # A mapping file may name a sheet for workbooks, and serve for their CSV exports too.
    by_file = layout.sheet_by_file and source.shape is not None
    wanted = Wanted(layout.columns, layout.extra, layout.last_name, layout.constants)
    sheet = read(source, None if by_file else layout.sheet, header_test(wanted))
    columns, chunks = locate(
        sheet.chunks,
        wanted,
        needs_time=recipe.endpoint.needs_time,
        has_at=recipe.at is not None,
        file=source.label if sheet.name is None else f"{source.label}, sheet {shown(sheet.name)}",
    )
    return _Table(sheet, columns, chunks)


def _content(recipe: Recipe, sha256: str, suppressed: Suppressed) -> str:
    """What makes two commands the same, as far as the leads go (design section 4, rule 8)."""
    shapes: list[object] = [
        sha256,
        recipe.layout.identity(),
        recipe.region,
        recipe.timezone,
        recipe.when or recipe.at,
        suppressed.digests,
    ]
    shapes += [str(recipe.hours), recipe.hours.shift] if recipe.hours is not None else []
    return hashlib.sha256(json.dumps(shapes).encode()).hexdigest()


def _rules(recipe: Recipe, sheet: Sheet) -> Rules:
    layout = recipe.layout
    return Rules(
        region=recipe.region,
        now=recipe.now,
        needs_time=recipe.endpoint.needs_time,
        at=recipe.at,
        row_characters=recipe.endpoint.row_characters,
        sheet=sheet.name,
        unvalued=sheet.told.unvalued,
        since_1904=sheet.told.since_1904,
        date_order=layout.date_order,
        default_time=layout.default_time,
        phone_form=layout.phone_form,
        strict=layout.strict,
        plain_names=recipe.endpoint.plain_names,
        expiry_as_date=recipe.endpoint.expiry_as_date,
        hours=recipe.hours,
    )


def _staged(
    judged: Iterator[Judged], sent: Sequence[str], spread: Spread | None
) -> Iterator[StagedRow]:
    """The rows as the ledger keeps them, made column by column: a third cheaper than row by row."""
    hashed = lead_hasher(sent)
    name_at = sent.index(Field.NAME) if Field.NAME in sent else None
    while some := list(islice(judged, _AT_ONCE)):
        numbers, cells, phones, values, times, states, reasons, messages = zip(*some, strict=True)
        ready = [state is State.READY for state in states]
        known: Sequence[Sequence[str]] = values
        if spread is not None:
            known = _with_key(values, times, sent.index(Field.SCHEDULED), spread.key)
            times = tuple(map(str, times))
        sendable = iter(json_lists(list(compress(values, ready))))
        staged = zip(
            numbers,
            [_READY if good else str(state) for good, state in zip(ready, states, strict=True)],
            [None if reason is None else str(reason) for reason in reasons],
            [None if good else said for good, said in zip(ready, messages, strict=True)],
            phones,
            repeat("") if name_at is None else [row[name_at] if row else "" for row in values],
            times,
            [next(sendable) if good else "[]" for good in ready],
            [hashed(row) if good else None for good, row in zip(ready, known, strict=True)],
            json_lists(cells),
            [said if good else None for good, said in zip(ready, messages, strict=True)],
            strict=False,
        )
        yield from map(_made, staged)


def _with_key(
    values: Sequence[Sequence[str]], times: Sequence[str], time_at: int, key: str
) -> Sequence[Sequence[str]]:
    """The values with a key for each time that the spread gave: the lead stays the same one."""
    return [
        (*row[:time_at], key, *row[time_at + 1 :]) if type(time) is SpreadTime else row
        for row, time in zip(values, times, strict=True)
    ]


def json_lists(rows: Sequence[Sequence[str]]) -> list[str]:
    """Each row as a JSON array; most need no escapes, which is seen of all of them at once."""
    texts = ['","'.join(row) for row in rows]
    whole = "".join(texts)
    quotes = 2 * (sum(map(len, rows)) - len(rows))
    if whole.isprintable() and "\\" not in whole and whole.count('"') == quotes and all(rows):
        return [f'["{text}"]' for text in texts]
    return [json_list(row) for row in rows]


def json_list(texts: Sequence[str]) -> str:
    """A JSON array; a text without escapes is written three times as fast."""
    text = '","'.join(texts)
    if text.isprintable() and "\\" not in text and text.count('"') == 2 * len(texts) - 2:
        return f'["{text}"]' if texts else "[]"
    return _ENCODE(texts)


def lead_hasher(sent: Sequence[str]) -> Callable[[Sequence[str]], bytes]:
    """A function from values to 16 bytes that are equal for the same lead.

    A lead is its filled fields by name, so neither the order of the columns counts nor one that is
    empty.
    """
    order = sorted(range(len(sent)), key=lambda place: sent[place])
    names = [sent[place] for place in order]
    all_names = _BETWEEN.join(names)
    pick = itemgetter(*order) if len(order) > 1 else tuple

    def hashed(values: Sequence[str]) -> bytes:
        sorted_values = pick(values)
        if "" in sorted_values:
            filled = [pair for pair in zip(names, sorted_values, strict=True) if pair[1]]
            text = _BETWEEN.join(pair[0] for pair in filled)
            sorted_values = tuple(pair[1] for pair in filled)
        else:
            text = all_names
        text = _BETWEEN.join([text, *sorted_values])
        if text.count(_BETWEEN) != 2 * len(sorted_values) - 1:
            text = _ENCODE([text, *sorted_values])  # a value with the mark inside stays itself
        return blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()

    return hashed


def lead_hash(sent: Sequence[str], values: Sequence[str]) -> bytes:
    """The hash of one lead."""
    return lead_hasher(sent)(values)
