"""What is told outside of a run: the list of runs, a run's story, the plan of `check`.

`stories` come in, text goes to stdout: tables on a terminal, aligned plain lines off it, JSON lines
with --json. Computes nothing that it was not given; loads rich for a terminal only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ozodial.blocks import BAR, Block, aligned, plan_blocks, runs_block, story_blocks
from ozodial.jsonl import Json, write_record
from ozodial.models import SettledRow, State
from ozodial.plans import Forecast, Plan, ReasonCount
from ozodial.render import Viewing
from ozodial.streams import Sink
from ozodial.words import TOLD_ORDER

if TYPE_CHECKING:
    from ozodial.stories import RunLine, RunStory


def show_runs(view: Viewing, runs: "Sequence[RunLine]", none: str = "no runs yet") -> None:
    """The list of runs, in the order given; `none` is what to say where there are none."""
    if view.json:
        _write_records(view, map(_run_record, runs))
    elif not runs:
        Sink(view.stdout).line(none)
    else:
        _write(view, [runs_block(runs)])


def show_story(view: Viewing, story: "RunStory") -> None:
    """One run from its settings to its problem rows."""
    if view.json:
        _write_records(view, _story_records(story))
    else:
        _write(view, story_blocks(story))


def show_plan(view: Viewing, plan: Plan) -> None:
    """The columns, the counts, the first problems, and how long it will take where."""
    if view.json:
        _write_records(view, [_plan_record(plan)])
    else:
        _write(view, plan_blocks(plan))


def _write(view: Viewing, blocks: Sequence[Block]) -> None:
    sink = Sink(view.stdout)
    if view.wants_tables:
        from ozodial.tables import draw_blocks

        columns, _ = sink.size()
        lines = draw_blocks(blocks, columns, view.no_color, sink.unicode)
    else:
        lines = aligned(blocks)
    text = "".join(f"{line}\n" for line in lines)
    sink.write(text if sink.unicode else text.replace(BAR, "#"))


def _write_records(view: Viewing, records: Iterable[dict[str, Json]]) -> None:
    sink = Sink(view.stdout)
    for record in records:
        write_record(sink, record)


def _counts_record(counts: Mapping[State, int]) -> dict[str, Json]:
    return {str(state): counts.get(state, 0) for state in TOLD_ORDER}


def _run_record(run: "RunLine") -> dict[str, Json]:
    return {
        "event": "run",
        "run": run.run,
        "created": run.created,
        "command": run.command,
        "api": run.api or None,
        "campaign": run.campaign,
        "file": run.file,
        "rows": run.rows,
        "state": run.state,
        **_counts_record(run.counts),
    }


def _story_records(story: "RunStory") -> Iterable[dict[str, Json]]:
    number = story.line.run
    yield _run_record(story.line)
    for name, value, source in story.settings:
        yield {"event": "setting", "run": number, "name": name, "value": value, "from": source}
    for reason in story.reasons:
        yield {"event": "reason", "run": number, **_reason_record(reason)}
    for batch in story.batches:
        yield {
            "event": "batch",
            "run": number,
            "batch": batch.batch,
            "kind": batch.kind,
            "rows": batch.rows,
            "outcome": batch.outcome,
            "seconds": None if batch.seconds is None else round(batch.seconds, 3),
            "waited": None if batch.waited is None else round(batch.waited, 3),
            "resumed": batch.resumed,
            "started": batch.started,
            "http_status": batch.http_status,
            "transaction_id": batch.transaction,
            "message": batch.message,
        }
    for row in story.problems:
        yield {"event": "row", "run": number, **_row_record(row)}


def _plan_record(plan: Plan) -> dict[str, Json]:
    return {
        "event": "plan",
        "file": plan.file,
        "rows": plan.rows,
        **_counts_record(plan.counts),
        "columns": [
            {"field": c.field, "column": c.column, "samples": list(c.samples)} for c in plan.columns
        ],
        "unmatched": list(plan.unmatched),
        "reasons": [_reason_record(reason) for reason in plan.reasons],
        "chosen": _forecast_record(plan.chosen),
        "hours": [{"hour": hour, "rows": leads} for hour, leads in plan.hours],
        "others": [_forecast_record(other) for other in plan.others],
    }


def _reason_record(reason: ReasonCount) -> dict[str, Json]:
    word = None if reason.reason is None else str(reason.reason)
    return {
        "status": str(reason.state),
        "reason": word,
        "rows": reason.rows,
        "message": reason.message,
    }


def _row_record(row: SettledRow) -> dict[str, Json]:
    return {
        "row": row.row,
        "phone": row.phone,
        "status": str(row.state),
        "reason": row.reason,
        "message": row.message,
    }


def _forecast_record(forecast: Forecast) -> dict[str, Json]:
    return {
        "endpoint": forecast.endpoint,
        "requests": forecast.requests,
        "pace": forecast.pace,
        "seconds": round(forecast.seconds, 1),
        "ends": forecast.ends or None,
    }
