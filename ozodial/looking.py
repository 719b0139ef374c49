"""What the commands do that send nothing: `check` plans, `runs` looks back, `sandbox` serves.

One call a command: settings in, tables, lines or files out, the exit code back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.address import is_loopback
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
from ozodial.render import Viewer, Viewing
from ozodial.report import show_runs, show_story
from ozodial.stories import (
    BatchLine,
    ReasonCount,
    RunLine,
    RunStory,
)
from ozodial.words import PROBLEM_STATES, PROBLEMS_SHOWN

if TYPE_CHECKING:
    from ozodial.history import RunRecord
    from ozodial.ledger import Ledger


# --- runs ---


def runs_list(view: Viewing) -> ExitCode:
    """Every run, newest first."""

    def work(_viewer: Viewer) -> ExitCode:
        from ozodial.history import list_runs

        with _ledger() as ledger:
            show_runs(view, [_run_line(record) for record in list_runs(ledger)])
        return ExitCode.OK

    return guarded(view, work)


def runs_show(run_id: int, view: Viewing) -> ExitCode:
    """One run: counts, reasons, every request, the problem rows."""

    def work(_viewer: Viewer) -> ExitCode:
        with _ledger() as ledger:
            show_story(view, _story(ledger, run_id))
        return ExitCode.OK

    return guarded(view, work)


def runs_export(run_id: int, out: Path, only: str | None, view: Viewing) -> ExitCode:
    """A run's rows as a file, in the original columns and what became of each."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.export import check_target, export
        from ozodial.history import export_rows
        from ozodial.staging import Staging

        check_target(out)
        states = _states(only)
        with _ledger() as ledger:
            run = Staging(ledger).run(run_id)
            count = export(out, run.header, export_rows(ledger, run_id, states))
        viewer.show(NoticeEvent(f"{count} rows of run {run_id} written to {out}"))
        return ExitCode.OK

    return guarded(view, work)


def runs_cancel(run_id: int, view: Viewing) -> ExitCode:
    """Give a run up: what is ready in it is never sent."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.staging import Staging

        with _ledger() as ledger:
            left = Staging(ledger).cancel(run_id)
        viewer.show(NoticeEvent(f"run {run_id} is cancelled; {left} rows were not sent"))
        return ExitCode.OK

    return guarded(view, work)


@contextmanager
def _ledger() -> "Iterator[Ledger]":
    from ozodial.ledger import Ledger

    settings = config.load({}, None)
    ledger = Ledger.open(config.ledger_place(settings=settings), SystemClock())
    try:
        ledger.reap()  # what a dead process left is told as it is: unknown
        yield ledger
    finally:
        ledger.close()


def _states(only: str | None) -> list[State] | None:
    if only is None:
        return None
    try:
        return [State(word.strip().lower()) for word in only.split(",")]
    except ValueError:
        known = ", ".join(State)
        raise UsageError(f"--only {only}: the states are {known}.") from None


def when(seconds: float) -> str:
    """Seconds since 1970 as a person here reads them."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _run_line(record: "RunRecord") -> RunLine:
    unsent = record.counts.get(State.READY, 0) + record.counts.get(State.SENDING, 0)
    state = "finished" if record.state == "open" and not unsent else record.state
    return RunLine(
        run=record.id,
        created=when(record.created),
        command=record.command,
        campaign=record.campaign,
        file=record.file,
        rows=sum(record.counts.values()),
        counts=record.counts,
        state=state,
        api=record.api,
    )


def _story(ledger: "Ledger", run_id: int) -> RunStory:
    from ozodial.history import count_reasons, list_batches, list_runs, problem_rows
    from ozodial.staging import Staging

    run = Staging(ledger).run(run_id)
    line = _run_line(list_runs(ledger, run_id)[0])
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
        )
        for batch in list_batches(ledger, run_id)
    ]
    return RunStory(
        line=line,
        reasons=[ReasonCount(*reason) for reason in count_reasons(ledger, run_id)],
        batches=batches,
        problems=problem_rows(ledger, run_id, PROBLEMS_SHOWN),
        problem_rows=sum(line.counts.get(state, 0) for state in PROBLEM_STATES),
        settings=[
            ("account", run.target.account, f"run {run_id}"),
            ("base_url", run.options.base_url, f"run {run_id}"),
            ("timezone", run.options.timezone, f"run {run_id}"),
        ],
    )


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
