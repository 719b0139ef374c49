"""What a run's page has to tell, gathered from the ledger and worded for a person."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ozodial import __version__
from ozodial.charts import Sent, hours_chart, pauses, per_minute, speed_chart
from ozodial.fixes import fix_for
from ozodial.looking import story_of
from ozodial.models import State
from ozodial.page import Cells, Page
from ozodial.stories import RunStory
from ozodial.words import TOLD_ORDER, duration, endpoint_name, plural, told_counts

if TYPE_CHECKING:
    from ozodial.history import BatchRecord
    from ozodial.ledger import Ledger
    from ozodial.staging import Run

PROBLEMS_ON_PAGE = 5_000
"""More would make a browser slow; the page names the command that exports them all."""


def page_of(ledger: "Ledger", run_id: int) -> Page:
    """The page of one run (UsageError if there is none of that number)."""
    from ozodial.history import list_batches, scheduled_hours
    from ozodial.staging import Staging

    run = Staging(ledger).run(run_id)
    story = story_of(ledger, run_id, PROBLEMS_ON_PAGE)
    zone = ZoneInfo(run.options.timezone)
    batches = list_batches(ledger, run_id)
    sent = [each for batch in batches if (each := _sent(batch, zone)) is not None]
    hours = [(datetime.fromisoformat(hour), rows) for hour, rows in scheduled_hours(ledger, run_id)]
    counts, total = story.line.counts, story.line.rows
    purged = run.options.purged
    return Page(
        run=run_id,
        file=run.file,
        what=endpoint_name(story.line.command, run.api),
        campaign=run.target.campaign,
        account=run.target.account,
        created=_when(run.created, zone),
        timezone=zone.key,
        state=story.line.state,
        next=_next(run, story),
        rows=total,
        told=told_counts(counts),
        took=duration(int((sent[-1].end - sent[0].begin).total_seconds())) if sent else "",
        counts=[
            {"state": str(state), "words": str(state).replace("_", " "), "rows": counts[state]}
            for state in TOLD_ORDER
            if counts.get(state)
        ],
        pieces=list(_pieces(story)),
        reasons=_reasons(story),
        problems=[] if purged else _problems(story),
        more_problems=max(0, story.problem_rows - len(story.problems)),
        requests=[_request(batch, zone) for batch in batches],
        settings=story.settings,
        speed=speed_chart(sent) if sent else None,
        speed_note=_speed_note(sent) if sent else "",
        hours=hours_chart([(hour.replace(tzinfo=zone), rows) for hour, rows in hours])
        if hours
        else None,
        hours_note=_hours_note(hours) if hours else "",
        purged=_when(purged, zone)[:10] if purged else "",
        version=__version__,
        written=_when(ledger.clock.instant().wall, zone),
    )


def _when(seconds: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def _sent(batch: "BatchRecord", zone: ZoneInfo) -> Sent | None:
    if batch.seconds is None:
        return None  # still on its way
    begin = datetime.fromtimestamp(batch.claimed, zone)
    end = begin + timedelta(seconds=batch.seconds)
    return Sent(begin, end, batch.rows, batch.outcome == "answered", batch.resumed)


def _next(run: "Run", story: RunStory) -> str:
    counts = story.line.counts
    if counts.get(State.READY) and run.state == "open":
        return run.resume_command
    if counts.get(State.UNKNOWN):
        return f"{run.resume_command} --resend-unknown"
    problems = [str(s) for s in (State.REJECTED, State.INVALID) if counts.get(s)]
    if problems and not run.options.purged:
        return f"ozodial runs export {run.id} problems.xlsx --only {','.join(problems)}"
    return ""


def _pieces(story: RunStory) -> Iterator[Cells]:
    """The outcome bar; a piece is never so thin that it can't be seen."""
    wide = {s: max(4.0, 1000 * n / story.line.rows) for s, n in story.line.counts.items() if n}
    scale, x = 1000 / max(1.0, sum(wide.values())), 0.0
    for state in TOLD_ORDER:
        if state in wide:
            width = wide[state] * scale
            yield {
                "state": str(state),
                "words": str(state).replace("_", " "),
                "rows": story.line.counts[state],
                "x": round(x, 2),
                "width": round(width, 2),
            }
            x += width


def _reasons(story: RunStory) -> list[Cells]:
    most = max((reason.rows for reason in story.reasons), default=1)
    return [
        {
            "rows": reason.rows,
            "share": round(100 * reason.rows / most, 1),
            "state": str(reason.state),
            "reason": (reason.reason or "").replace("_", " "),
            "fix": fix_for(reason.state, reason.reason).replace("RUN", str(story.line.run)),
        }
        for reason in story.reasons
    ]


def _problems(story: RunStory) -> list[Cells]:
    return [
        {
            "row": row.row,
            "phone": row.phone,
            "name": row.name,
            "state": str(row.state),
            "reason": (row.reason or "").replace("_", " "),
            "message": row.message or "",
            "fix": fix_for(row.state, row.reason).replace("RUN", str(story.line.run)),
        }
        for row in story.problems
    ]


def _request(batch: "BatchRecord", zone: ZoneInfo) -> Cells:
    waited = "" if batch.waited is None else duration(batch.waited)
    return {
        "number": batch.number,
        "waited": f"resumed after {waited}" if batch.resumed else waited,
        "started": _when(batch.claimed, zone),
        "rows": batch.rows,
        "outcome": batch.outcome.replace("_", " "),
        "took": "" if batch.seconds is None else duration(batch.seconds),
        "http": "" if batch.http_status is None else str(batch.http_status),
        "transaction": batch.transaction_id or "",
        "message": batch.message or "",
    }


def _speed_note(sent: Sequence[Sent]) -> str:
    _, width = per_minute(sent)
    waits = pauses(sent)
    waited = sum((end - begin).total_seconds() for begin, end, paused in waits if not paused)
    answered = sum(request.rows for request in sent if request.answered)
    said = f"{answered:,} leads answered in {plural(len(sent), 'request')}"
    said += f"; each bar is {duration(int(width.total_seconds()))}."
    if waited:
        said += f" Yellow above: waiting for the next request, {duration(int(waited))} in all."
    if any(paused for *_, paused in waits):
        said += " Grey: nothing ran."
    failed = sum(not request.answered for request in sent)
    if failed:
        said += f" Red crosses: {plural(failed, 'request')} without an answer for its rows."
    return said


def _hours_note(hours: Sequence[tuple[datetime, int]]) -> str:
    busiest, rows = max(hours, key=lambda each: each[1])
    total = sum(rows for _, rows in hours)
    first, last = hours[0][0], hours[-1][0]
    said = f"{total:,} leads from {first:%Y-%m-%d %H}:00 to {last:%Y-%m-%d %H}:59; "
    return said + f"the busiest hour is {busiest:%Y-%m-%d %H}:00 with {rows:,}."
