"""A file -> rows as the ledger stages them: read, map, validate, find duplicates. Needs no ledger.

`open_leads` opens the file and matches its columns; the rows then stream. A bad row never stops the
good ones: it comes out with its state and its reasons. `check` uses this alone, `upload` stages it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ozodial.appointed import check_at
from ozodial.dedupe import Suppressed, load_suppression
from ozodial.delimited import Shape
from ozodial.endpoints import Endpoint
from ozodial.errors import FileError
from ozodial.findings import Findings
from ozodial.hours import Hours
from ozodial.judging import Judge, Judged
from ozodial.layout import PLAIN, Layout
from ozodial.mapping import Wanted, header_test, locate
from ozodial.models import Chunk, Columns, Rules, StagedRow
from ozodial.reader import Sheet, Source, open_source, read
from ozodial.shown import shown
from ozodial.storing import stored
from ozodial.turns import first_leads, given_times, wants_time

if TYPE_CHECKING:
    from ozodial.spread import Spread


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
    spread: "Spread | None" = None
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
    with open_source(recipe.path, layout.encoding, layout.delimiter) as source:
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
            rows=lambda: stored(judged(), sent, recipe.spread),
            findings=findings,
            endpoint=recipe.endpoint,
            shape=source.shape,
        )


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
