"""Runs, a run's story and a plan laid out as titled blocks, and those as aligned plain lines.

`stories` come in, blocks of raw text come out; whoever writes them makes them harmless (`aligned`
does, `tables` does). Never imports rich.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ozodial.hours import day_name
from ozodial.models import SettledRow, State
from ozodial.plans import Plan, ReasonCount
from ozodial.words import clipped, duration, endpoint_name, plural, told_counts, why, width

if TYPE_CHECKING:
    from ozodial.stories import BatchLine, RunLine, RunStory

BAR = "█"
"""Where a stream can't write it, `report` writes `#`."""
LONGEST_BAR = 40
HOURS_SHOWN = 60

Cell = str | State
"""Text that is clipped and made harmless when shown; a State also gets its colour."""


@dataclass(frozen=True, slots=True)
class Block:
    """A title with a table below it, or with plain lines where there are no columns.

    `right` names the columns that stand to the right.
    """

    title: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    right: frozenset[str] = frozenset()
    lines: Sequence[str] = ()


def aligned(blocks: Sequence[Block]) -> list[str]:
    """Blocks as plain lines, columns aligned by spaces."""
    lines: list[str] = []
    for block in blocks:
        lines += [""] if lines else []
        lines += [clipped(block.title)] if block.title else []
        lines += map(clipped, block.lines)
        if block.columns:
            lines += _aligned_table(block)
    return lines


def _aligned_table(block: Block) -> list[str]:
    table = [list(block.columns), *([clipped(cell) for cell in row] for row in block.rows)]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    lines: list[str] = []
    for row in table:
        cells: list[str] = []
        for name, cell, wide in zip(block.columns, row, widths, strict=True):
            padding = " " * (wide - width(cell))
            cells.append(padding + cell if name in block.right else cell + padding)
        lines.append("  ".join(cells).rstrip())
    return lines


def runs_block(runs: "Sequence[RunLine]") -> Block:
    """A line a run."""
    columns = ("run", "created", "command", "campaign", "file", "rows", "state", "result")
    rows = [
        (
            str(run.run),
            run.created,
            endpoint_name(run.command, run.api),
            run.campaign,
            run.file,
            str(run.rows),
            run.state,
            told_counts(run.counts),
        )
        for run in runs
    ]
    return Block("", columns, rows, frozenset({"run", "rows"}))


def story_blocks(story: "RunStory") -> list[Block]:
    """One run from its settings to its problem rows."""
    run = story.line
    title = f"run {run.run}: {run.file}, {plural(run.rows, 'row')}, {run.state}"
    lines = [
        f"{endpoint_name(run.command, run.api)} to campaign {run.campaign}, {run.created}",
        told_counts(run.counts) or "no rows",
    ]
    blocks = [Block(title, lines=lines)]
    if story.settings:
        blocks.append(Block("Settings", ("setting", "value", "from"), story.settings))
    if story.reasons:
        blocks.append(_reasons_block(story.reasons))
    if story.batches:
        blocks.append(_batches_block(story.batches))
    hint = f"`ozodial runs export {run.run} OUT.csv` has all of them"
    return blocks + _problem_blocks(story.problems, story.problem_rows, hint)


def plan_blocks(plan: Plan) -> list[Block]:
    """The columns, the counts, the first problems, and how long it takes where."""
    chosen = plan.chosen
    told = told_counts(plan.counts) or "nothing to send"
    blocks = [Block(f"{plan.file}: {plural(plan.rows, 'row')}: {told}")]
    if plan.said:
        blocks.append(Block("", lines=plan.said))
    if plan.columns:
        rows = [(c.field, c.column, ", ".join(filter(None, c.samples))) for c in plan.columns]
        blocks.append(Block("Columns", ("field", "column in the file", "such as"), rows))
    if plan.unmatched:
        blocks.append(Block("", lines=[f"not sent: {', '.join(plan.unmatched)}"]))
    if plan.reasons:
        blocks.append(_reasons_block(plan.reasons))
    blocks += _problem_blocks(plan.problems, plan.problem_rows, "--rejects FILE.csv writes them")
    if plan.notes:
        blocks.append(Block("Sent with a remark", lines=plan.notes))
        more = plan.noted_rows - len(plan.notes)
        blocks += [Block("", lines=[f"and {plural(more, 'such row')} more"])] if more > 0 else []
    if plan.hours:
        blocks.append(_hours_block(plan.hours))
    columns = ("", "endpoint", "requests", "pace", "takes about", "ends")
    forecasts = [("->", chosen), *(("", other) for other in plan.others)]
    table = [
        (
            mark,
            forecast.endpoint,
            str(forecast.requests),
            f"{forecast.pace:g} s" if forecast.pace else "none",
            duration(forecast.seconds),
            forecast.ends,
        )
        for mark, forecast in forecasts
    ]
    return [*blocks, Block("How long it takes", columns, table, frozenset({"requests", "pace"}))]


def _hours_block(hours: Sequence[tuple[str, int]]) -> Block:
    """A bar an hour, the longest for the fullest hour."""
    most = max(leads for _, leads in hours)
    rows = [
        (day_name(hour[:10]), hour, f"{leads:,}", BAR * max(1, LONGEST_BAR * leads // most))
        for hour, leads in hours[:HOURS_SHOWN]
    ]
    if len(hours) > HOURS_SHOWN:
        rest = sum(leads for _, leads in hours[HOURS_SHOWN:])
        rows.append(
            ("", f"until {hours[-1][0]}", f"{rest:,}", f"in {len(hours) - HOURS_SHOWN} hours more")
        )
    return Block("When they are called", ("", "hour", "leads", ""), rows, frozenset({"leads"}))


def _reasons_block(reasons: Sequence[ReasonCount]) -> Block:
    rows = [(str(r.rows), r.state, r.reason or "", why(None, r.message)) for r in reasons]
    return Block("Reasons", ("rows", "state", "reason", "such as"), rows, frozenset({"rows"}))


def _batches_block(batches: "Sequence[BatchLine]") -> Block:
    columns = (
        *("batch", "waited", "started", "rows", "outcome", "took", "HTTP", "transaction"),
        "message",
    )
    rows = [
        (
            str(batch.batch),
            _waited(batch),
            batch.started,
            str(batch.rows),
            batch.outcome.replace("_", " ") + (" (undo)" if batch.kind == "remove" else ""),
            "" if batch.seconds is None else duration(batch.seconds),
            "" if batch.http_status is None else str(batch.http_status),
            batch.transaction or "",
            batch.message or "",
        )
        for batch in batches
    ]
    return Block("Requests", columns, rows, frozenset({"batch", "waited", "rows", "took"}))


def _waited(batch: "BatchLine") -> str:
    if batch.waited is None:
        return ""
    return f"resumed after {duration(batch.waited)}" if batch.resumed else duration(batch.waited)


def _problem_blocks(problems: Sequence[SettledRow], total: int, hint: str) -> list[Block]:
    if not problems:
        return []
    rows = [
        (str(row.row), row.phone, row.name, State(row.state), why(row.reason, row.message))
        for row in problems
    ]
    columns = ("row", "phone", "name", "state", "why")
    blocks = [Block("Problems", columns, rows, frozenset({"row"}))]
    more = total - len(problems)
    if more > 0:
        blocks.append(Block("", lines=[f"and {plural(more, 'problem row')} more: {hint}"]))
    return blocks
