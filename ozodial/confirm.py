"""The question before many leads are sent: what a person is shown, and what the answer means.

In: a run's facts and the limit above which a person is asked. Out: lines, and yes or no. Pure; it
is asked by the viewer, and on a terminal alone.
"""

from datetime import datetime, timedelta

from ozodial.events import RunEvent
from ozodial.models import State
from ozodial.words import clipped, clock, duration, endpoint_name, plural, sandbox_line, told_counts

PROMPT = "Send them? [y/N] "
_YES = ("y", "yes")


def is_asked(ready: int, above: float, *, yes: bool, terminal: bool) -> bool:
    """Whether so many leads need an answer; `above` 0 never asks."""
    return terminal and not yes and 0 < above < ready


def question(run: RunEvent, when: str | None, now: datetime) -> list[str]:
    """What is about to happen. `when` is the ScheduledTime that leads without one get."""
    counts = told_counts({s: n for s, n in run.counts.items() if s is not State.READY})
    end = clock(now + timedelta(seconds=run.estimated_seconds), now)
    left_out = [f"{run.left_out:,} left out by --limit"] if run.left_out else []
    lines = [
        f"campaign  {clipped(run.campaign)}",
        f"account   {clipped(run.account)}, {endpoint_name(run.command, run.api)}",
        f"file      {clipped(run.file)}: {plural(run.rows, 'row')}",
        f"to send   {plural(run.ready, 'lead')} in {plural(run.batches, 'request')}",
        f"takes     about {duration(run.estimated_seconds)}, until {end}",
    ]
    rest = ", ".join([counts] * bool(counts) + left_out)
    lines += [f"not sent  {rest}"] if rest else []
    lines += [f"calls at  {when} where a lead has no time of its own"] if when else []
    return lines + ([f"sandbox   {sandbox_line(run)}"] if run.sandbox else [])


def is_yes(answer: str | None) -> bool:
    """Only a clear yes is one; None is an input that ended."""
    return answer is not None and answer.strip().lower() in _YES
