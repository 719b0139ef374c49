"""`check`: everything but the sending. A file in, the plan for it out; no ledger, no network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.endpoints import (
    ENDPOINTS,
    Endpoint,
)
from ozodial.errors import ExitCode
from ozodial.events import (
    NoticeEvent,
    ReadingEvent,
    RowEvent,
    RunEvent,
    SummaryEvent,
)
from ozodial.models import Columns, Field, SettledRow, State
from ozodial.opening import (
    Given,
    chosen_endpoint,
    guarded,
    pace_of,
    recipe_of,
)
from ozodial.plans import ColumnLine, Forecast, Plan, ReasonCount
from ozodial.render import Viewer
from ozodial.report import show_plan
from ozodial.words import PROBLEM_STATES, PROBLEMS_SHOWN, clock

if TYPE_CHECKING:
    from ozodial.judging import Judged
    from ozodial.prepare import Leads, Recipe

SAMPLES = 3
PROGRESS_EVERY = 5_000
_HOUR = len("2026-11-23 10")


def check(given: Given, command: str | None) -> ExitCode:
    """Everything but the sending; `command` None: schedule where the file has a ScheduledTime."""
    return guarded(given.view, lambda viewer: _check(given, command, viewer))


def _check(given: Given, command: str | None, viewer: Viewer) -> ExitCode:
    from ozodial.prepare import check_times, open_leads

    settings = config.load(given.flags, given.profile)
    entry = chosen_endpoint(command or "schedule", settings)
    recipe = recipe_of(given, settings, entry)
    if command is None and recipe.at is None:
        recipe = replace(recipe, otherwise=chosen_endpoint("bulk-add", settings))
    check_times(recipe)
    with open_leads(recipe) as leads:
        entry = leads.endpoint
        found = _Found(leads.columns, _place_of_name(leads))
        for judged in leads.judged():
            found.add(judged)
            if found.total % PROGRESS_EVERY == 0:
                viewer.show(ReadingEvent(found.total))
        found.counts[State.READY] = found.ready  # counted apart: an enum's hash is slow
        if given.save_map is not None:
            from ozodial.mapfile import save_layout

            save_layout(given.save_map, recipe.layout, leads.columns, leads.sheet)
        code = ExitCode.PROBLEM_ROWS if found.counts[State.INVALID] else ExitCode.OK
        forecast = _Forecasts(settings, found.counts[State.READY], given.sandbox)
        if given.view.json:
            campaign = settings.text("campaign") or ""
            viewer.show(replace(forecast.event(entry, leads.file, found), campaign=campaign))
            for judged in leads.judged():
                viewer.show(_row_event(judged, found.name_at))
            for said, quotes in leads.findings.notices():
                viewer.show(NoticeEvent(said, quotes))
            show_plan(given.view, _plan(leads, recipe, found, forecast))
            viewer.show(SummaryEvent(None, found.total, found.counts, 0.0, code))
        elif not given.view.quiet:
            viewer.close()
            show_plan(given.view, _plan(leads, recipe, found, forecast))
    return code


def _place_of_name(leads: "Leads") -> int | None:
    return leads.sent.index(Field.NAME) if Field.NAME in leads.sent else None


@dataclass(slots=True)
class _Found:
    """What reading a file found out, in bounded memory."""

    columns: Columns
    name_at: int | None
    total: int = 0
    ready: int = 0
    counts: Counter[State] = field(default_factory=Counter)
    reasons: Counter[tuple[State, str | None]] = field(default_factory=Counter)
    examples: dict[tuple[State, str | None], str | None] = field(default_factory=dict)
    problems: list[SettledRow] = field(default_factory=list)
    problem_rows: int = 0
    samples: dict[int, list[str]] = field(default_factory=dict)
    hours: Counter[str] = field(default_factory=Counter)

    def add(self, judged: "Judged") -> None:
        """Count one row."""
        self.total += 1
        _, cells, _, _, scheduled, state, reason, message = judged
        if self.total <= SAMPLES:
            self._sample(cells)
        if state is State.READY:
            self.ready += 1
            if scheduled:
                self.hours[scheduled[:_HOUR]] += 1
            return
        self.counts[state] += 1
        key = (state, reason)
        self.reasons[key] += 1
        self.examples.setdefault(key, message)
        if state in PROBLEM_STATES:
            self.problem_rows += 1
            if len(self.problems) < PROBLEMS_SHOWN:
                event = _row_event(judged, self.name_at)
                self.problems.append(
                    SettledRow(
                        event.row, event.phone, event.name, state, event.reason, event.message
                    )
                )

    def _sample(self, cells: Sequence[str]) -> None:
        for place, cell in enumerate(cells):
            if cell.strip():
                self.samples.setdefault(place, []).append(cell)


@dataclass(frozen=True, slots=True)
class _Forecasts:
    settings: config.Settings
    ready: int
    sandbox: bool

    def of(self, entry: Endpoint, *, own_pace: bool) -> Forecast:
        """How many requests an endpoint needs for the same rows, and how long they take."""
        pace = pace_of(entry, self.settings, self.sandbox) if own_pace else entry.pace
        requests = ceil(self.ready / entry.rows_per_request)
        seconds = entry.estimated_seconds(requests, pace)
        now = datetime.now().astimezone()
        ends = clock(now + timedelta(seconds=seconds), now)
        return Forecast(entry.name, requests, pace, seconds, ends)

    def event(self, entry: Endpoint, file: str, found: _Found) -> RunEvent:
        chosen = self.of(entry, own_pace=True)
        return RunEvent(
            run=None,
            command=entry.command,
            campaign="",
            file=file,
            rows=found.total,
            ready=self.ready,
            batches=chosen.requests,
            estimated_seconds=chosen.seconds,
            api=entry.api,
            counts=found.counts,
            pace=chosen.pace,
            dry=True,
        )


def _plan(leads: "Leads", recipe: "Recipe", found: _Found, forecasts: _Forecasts) -> Plan:
    entry, when = leads.endpoint, str(recipe.spread or recipe.at or "")
    columns = leads.columns
    matched = [(str(name), place) for name, place in columns.fields]
    if columns.last_name is not None:
        matched.append((f"{Field.NAME} (last)", columns.last_name))
    matched += [(f"{name} (extra)", place) for name, place in columns.extra]
    taken = {place for _, place in matched}
    return Plan(
        file=leads.file,
        rows=found.total,
        chosen=forecasts.of(entry, own_pace=True),
        columns=[
            ColumnLine(name, columns.header[place], found.samples.get(place, []))
            for name, place in matched
        ]
        + [ColumnLine(name, "(the same for all)", [value]) for name, value in columns.constants]
        + ([ColumnLine(Field.SCHEDULED, "(where a row has none)", [when])] if when else []),
        unmatched=[name for i, name in enumerate(columns.header) if i not in taken and name],
        counts=found.counts,
        reasons=[
            ReasonCount(state, reason, count, found.examples[state, reason])
            for (state, reason), count in found.reasons.most_common()
        ],
        problems=found.problems,
        problem_rows=found.problem_rows,
        hours=[(f"{hour}:00", leads) for hour, leads in sorted(found.hours.items())],
        said=leads.findings.about_file(),
        notes=leads.findings.notes,
        noted_rows=leads.findings.noted_rows,
        others=[
            forecasts.of(other, own_pace=False) for other in ENDPOINTS if other.name != entry.name
        ],
    )


def _row_event(judged: "Judged", name_at: int | None) -> RowEvent:
    number, _, phone, values, _, state, reason, message = judged
    name = values[name_at] if name_at is not None and values else ""
    return RowEvent(None, number, phone, state, reason, message, name)
