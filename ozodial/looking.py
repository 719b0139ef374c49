"""What the commands do that send nothing: `check` plans, `runs` looks back, `sandbox` serves.

One call a command: settings in, tables, lines or files out, the exit code back.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.address import is_loopback
from ozodial.ages import since
from ozodial.clock import SystemClock
from ozodial.endpoints import (
    SANDBOX_SHORTENS_PACE_BY,
)
from ozodial.errors import ExitCode, UsageError
from ozodial.events import (
    NoticeEvent,
)
from ozodial.models import State
from ozodial.opening import (
    guarded,
)
from ozodial.plans import ReasonCount
from ozodial.render import Viewer, Viewing
from ozodial.report import show_runs, show_story
from ozodial.stories import BatchLine, RunLine, RunStory
from ozodial.words import PROBLEM_STATES, PROBLEMS_SHOWN, plural

if TYPE_CHECKING:
    from ozodial.history import RunRecord, Wanted
    from ozodial.ledger import Ledger
    from ozodial.staging import Run


# --- runs ---


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list, as typed; None where nothing was."""

    campaign: str | None = None
    state: str | None = None
    since: str | None = None
    limit: int | None = None


def runs_list(view: Viewing, chosen: RunFilter) -> ExitCode:
    """The runs that were asked for, newest first."""

    def work(_viewer: Viewer) -> ExitCode:
        from ozodial.history import list_runs

        wanted = _wanted(chosen)
        with opened_ledger() as ledger:
            lines = [_run_line(record) for record in list_runs(ledger, wanted)]
        filtered = chosen != RunFilter()
        show_runs(
            view, lines, "no such runs; `ozodial runs` lists all" if filtered else "no runs yet"
        )
        return ExitCode.OK

    return guarded(view, work)


def _wanted(chosen: RunFilter) -> "Wanted":
    from ozodial.history import RUN_STATES, Wanted

    now = datetime.now().astimezone()
    return Wanted(
        campaign=chosen.campaign,
        states=_words("--state", chosen.state, (*RUN_STATES, *State)),
        since=since(chosen.since, now, "--since").timestamp() if chosen.since else 0.0,
        limit=chosen.limit,
    )


def runs_show(run_id: int, view: Viewing) -> ExitCode:
    """One run: counts, reasons, every request, the problem rows."""

    def work(_viewer: Viewer) -> ExitCode:
        with opened_ledger() as ledger:
            show_story(view, story_of(ledger, run_id))
        return ExitCode.OK

    return guarded(view, work)


def runs_export(run_id: int, out: Path, only: str | None, view: Viewing) -> ExitCode:
    """A run's rows as a file, in the original columns and what became of each."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.export import check_target, export
        from ozodial.history import export_rows
        from ozodial.staging import Staging

        check_target(out)
        states = _words("--only", only, tuple(State))
        with opened_ledger() as ledger:
            run = Staging(ledger).run(run_id)
            check_kept(run)
            chosen = [State(word) for word in states] if states is not None else None
            count = export(out, run.header, export_rows(ledger, run_id, chosen))
        viewer.show(NoticeEvent(f"{plural(count, 'row')} of run {run_id} written to {out}"))
        return ExitCode.OK

    return guarded(view, work)


def runs_cancel(run_id: int, view: Viewing) -> ExitCode:
    """Give a run up: what is ready in it is never sent."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.staging import Staging

        with opened_ledger() as ledger:
            left = Staging(ledger).cancel(run_id)
        viewer.show(NoticeEvent(f"run {run_id} is cancelled; {left} rows were not sent"))
        return ExitCode.OK

    return guarded(view, work)


def check_kept(run: "Run") -> None:
    """UsageError where the rows of a run were purged."""
    if run.options.purged is not None:
        day = when(run.options.purged)[:10]
        said = f"The leads of run {run.id} were removed by `runs purge` on {day}."
        raise UsageError(said, f"ozodial runs show {run.id}")


@contextmanager
def opened_ledger() -> "Iterator[Ledger]":
    """The ledger, with what dead processes left told as it is: unknown."""
    from ozodial.ledger import Ledger

    settings = config.load({}, None)
    ledger = Ledger.open(config.ledger_place(settings=settings), SystemClock())
    try:
        ledger.reap()
        yield ledger
    finally:
        ledger.close()


def _words(flag: str, said: str | None, known: Sequence[str]) -> frozenset[str] | None:
    """Words with commas between them, each a known one (UsageError that names the nearest)."""
    if said is None:
        return None
    words = {word.strip().lower().replace(" ", "_") for word in said.split(",")}
    for word in sorted(words - set(known)):
        near = get_close_matches(word, known, 1) or [known[0]]
        told = f"{flag} {said}: there is no state {word!r}; they are {', '.join(known)}."
        raise UsageError(told, f"{flag} {near[0]}")
    return frozenset(words)


def when(seconds: float) -> str:
    """Seconds since 1970 as a person here reads them."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _run_line(record: "RunRecord") -> RunLine:
    return RunLine(
        run=record.id,
        created=when(record.created),
        command=record.command,
        campaign=record.campaign,
        file=record.file,
        rows=sum(record.counts.values()),
        counts=record.counts,
        state=record.stands,
        api=record.api,
    )


def story_of(ledger: "Ledger", run_id: int, most: int = PROBLEMS_SHOWN) -> RunStory:
    """What the ledger has on one run, `most` problem rows (UsageError if there is no such run)."""
    from ozodial.history import Wanted, count_reasons, list_batches, list_runs, problem_rows
    from ozodial.staging import Staging

    run = Staging(ledger).run(run_id)
    line = _run_line(list_runs(ledger, Wanted(run=run_id))[0])
    batches = [
        BatchLine(
            batch=batch.number,
            started=when(batch.claimed),
            rows=batch.rows,
            outcome=batch.outcome,
            seconds=batch.seconds,
            http_status=batch.http_status,
            transaction=batch.transaction_id,
            message=batch.message,
            kind=batch.kind,
            waited=batch.waited,
            resumed=batch.resumed,
        )
        for batch in list_batches(ledger, run_id)
    ]
    return RunStory(
        line=line,
        reasons=[ReasonCount(*reason) for reason in count_reasons(ledger, run_id)],
        batches=batches,
        problems=problem_rows(ledger, run_id, most),
        problem_rows=sum(line.counts.get(state, 0) for state in PROBLEM_STATES),
        settings=_settings(run),
    )


def _settings(run: "Run") -> list[tuple[str, str, str]]:
    """Where the run went, and the settings that made it so."""
    options = run.options
    told = [("account", run.target.account, "user_name and where the API is")]
    told += options.settings
    if all(name != "base_url" for name, *_ in told):
        told.insert(1, ("base_url", options.base_url, "domain"))
    if options.purged is not None:
        told.append(("purged", when(options.purged), "runs purge"))
    return told


# --- sandbox ---


def sandbox(host: str, port: int, real_pace: bool, faults: list[str], view: Viewing) -> ExitCode:
    """Serve the simulator until Ctrl-C or TERM."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.sandbox import Sandbox
        from ozodial.sandbox_faults import fault_help
        from ozodial.sandbox_memory import SandboxConfig
        from ozodial.sandbox_server import serve

        if "help" in faults:
            for line in fault_help().splitlines():
                viewer.log(line)
            return ExitCode.OK

        if not is_loopback(host):
            # it shows the leads that it took to whoever asks
            raise UsageError(f"--host {host} is not a loopback address.", "--host 127.0.0.1")
        scale = 1 if real_pace else SANDBOX_SHORTENS_PACE_BY
        simulator = Sandbox(SandboxConfig(pace_scale=scale))
        simulator.misbehave(*faults)
        serve(simulator, host, port, _ready(viewer, scale))
        return ExitCode.OK

    return guarded(view, work)


def _ready(viewer: Viewer, scale: int) -> Callable[[str], None]:
    def ready(url: str) -> None:
        pace = f"; its paces are {scale} times shorter (use --pace)" if scale > 1 else ""
        viewer.show(NoticeEvent(f"sandbox on {url}{pace}; export OZODIAL_BASE_URL={url}"))

    return ready
