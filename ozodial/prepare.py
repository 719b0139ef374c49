"""A file -> rows as the ledger stages them: read, map, validate, find duplicates. Needs no ledger.

`open_leads` opens the file and matches its columns; the rows then stream. A bad row never stops the
good ones: it comes out with its state and its reasons. `check` uses this alone, `upload` stages it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from ozodial.dedupe import Seen, Suppressed, load_suppression
from ozodial.delimited import Shape
from ozodial.endpoints import Endpoint
from ozodial.findings import Findings
from ozodial.layout import PLAIN, Layout
from ozodial.leavings import Leaving, Leavings
from ozodial.mapping import Wanted, locate
from ozodial.models import (
    Checked,
    Columns,
    Field,
    Reason,
    Row,
    Rules,
    StagedRow,
    State,
)
from ozodial.reader import Sheet, Source, open_source, read
from ozodial.validate import Validator

_NO_PHONE = (Reason.PHONE_MISSING, Reason.PHONE_INVALID, Reason.PHONE_LOST_DIGITS)
_MOST_NOTES = 50
"""More rows of that kind at the end are no notes."""

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file becomes leads. `at` is canonical; `now` is aware, in the account's time zone.

    `layout` is what a person said of this kind of sheet.
    """

    endpoint: Endpoint
    path: str
    region: str
    timezone: str
    now: datetime
    layout: Layout = PLAIN
    at: str | None = None
    suppress: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Leads:
    """An open file: its name, what identifies its content, its columns.

    `rows()` reads, checks and numbers all its rows, each time from the start; `findings` is what
    was found on the way and changes nothing.
    """

    file: str
    sheet: str | None
    content: str
    columns: Columns
    sent: tuple[str, ...]
    rows: Callable[[], Iterator[StagedRow]]
    findings: Findings
    shape: Shape | None = None


@contextmanager
def open_leads(recipe: Recipe) -> Iterator[Leads]:
    """Open the file and match its columns; FileError where that can't be done."""
    layout = recipe.layout
    with open_source(recipe.path, layout.encoding, layout.delimiter) as source:
        table = _table(recipe, source)
        lists = load_suppression(recipe.suppress, recipe.region, layout.phone_form)
        findings = Findings(table.sheet, source.shape, lists)
        located = [table]

        def rows() -> Iterator[StagedRow]:
            fresh = located.pop() if located else _table(recipe, source)
            findings.start_again()
            return _stage(recipe, fresh, lists, findings)

        yield Leads(
            file=source.label,
            sheet=table.sheet.name,
            content=_content(recipe, source.sha256, lists),
            columns=table.columns,
            sent=table.columns.sent(recipe.endpoint.needs_time),
            rows=rows,
            findings=findings,
            shape=source.shape,
        )


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet whose columns are matched, and the rows below its header."""

    sheet: Sheet
    columns: Columns
    rows: Iterator[Row]


def _table(recipe: Recipe, source: Source) -> _Table:
    layout = recipe.layout
    # A mapping file may name a sheet for workbooks, and serve for their CSV exports too.
    by_file = layout.sheet_by_file and source.shape is not None
    sheet = read(source, None if by_file else layout.sheet)
    columns, rows = locate(
        sheet.rows,
        Wanted(layout.columns, layout.extra, layout.last_name, layout.constants),
        needs_time=recipe.endpoint.needs_time,
        has_at=recipe.at is not None,
        file=source.label,
    )
    return _Table(sheet, columns, rows)


def _content(recipe: Recipe, sha256: str, suppressed: Suppressed) -> str:
    """What makes two commands the same, as far as the leads go (design section 4, rule 8)."""
    shapes = [
        sha256,
        recipe.layout.identity(),
        recipe.region,
        recipe.timezone,
        recipe.at,
        suppressed.digests,
    ]
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
    )


def _stage(
    recipe: Recipe, table: _Table, suppressed: Suppressed, findings: Findings
) -> Iterator[StagedRow]:
    validator = Validator(table.columns, _rules(recipe, table.sheet))
    seen, leavings = Seen(table.sheet.expected), Leavings(table.columns)
    sent = table.columns.sent(recipe.endpoint.needs_time)
    name_at = sent.index(Field.NAME) if Field.NAME in sent else None
    held: list[tuple[Row, StagedRow]] = []
    for row in table.rows:
        checked = validator.check(row)
        leaving = None
        if checked.problems and checked.problems[0].reason in _NO_PHONE:
            leaving = leavings.kind(row.cells)
            if leaving is not None and leaving is not Leaving.NOTE:
                findings.passed_over(row, leaving)
                continue
        state, reason, message = _judge(checked, seen, suppressed)
        ready = state is State.READY
        staged = StagedRow(
            row=checked.row,
            state=state,
            reason=reason,
            message=message,
            phone=checked.phone,
            name=checked.values[name_at] if name_at is not None and checked.values else "",
            scheduled=checked.scheduled,
            values=_ENCODE(checked.values) if ready else "[]",
            lead_hash=lead_hash(sent, checked.values) if ready else None,
            cells=_ENCODE(row.cells),
        )
        if leaving is Leaving.NOTE and len(held) < _MOST_NOTES:
            held.append((row, staged))  # a note only if no lead follows
            continue
        if held:
            yield from (before for _, before in held)
            held.clear()
        if checked.note and ready:
            findings.noted(checked.note)
        yield staged
    for row, _ in held:
        findings.passed_over(row, Leaving.NOTE)


def _judge(
    checked: Checked, seen: Seen, suppressed: Suppressed
) -> tuple[State, Reason | None, str | None]:
    if checked.problems:
        told = "; ".join(problem.message for problem in checked.problems)
        return State.INVALID, checked.problems[0].reason, told
    listed = suppressed.list_with(checked.phone)
    if listed is not None:
        return State.SUPPRESSED, Reason.ON_SUPPRESSION_LIST, f"on the list {listed}"
    first = seen.first(checked.phone, checked.scheduled, checked.row)
    if first is not None:
        what = "phone and ScheduledTime" if checked.scheduled else "phone"
        return State.DUPLICATE, Reason.DUPLICATE_IN_FILE, f"same {what} as row {first}"
    return State.READY, None, checked.note or None


def lead_hash(sent: Sequence[str], values: Sequence[str]) -> bytes:
    """16 bytes that are equal for the same lead: its filled fields, in a fixed order."""
    filled = sorted((name, value) for name, value in zip(sent, values, strict=True) if value)
    return hashlib.blake2b(_ENCODE(filled).encode("utf-8", "replace"), digest_size=16).digest()
