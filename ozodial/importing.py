"""What `runs import-callback` does: reads files of the vendor's, settles the run's queued rows."""

from collections.abc import Sequence
from dataclasses import replace

from ozodial import settings as config
from ozodial.callbacks import Callback, Fate, is_callback, read_callbacks, read_failed
from ozodial.clock import SystemClock
from ozodial.endpoints import endpoint
from ozodial.errors import ExitCode, UsageError
from ozodial.events import NoticeEvent, SummaryEvent
from ozodial.ledger import Ledger
from ozodial.models import State
from ozodial.opening import guarded
from ozodial.render import Viewer, Viewing
from ozodial.settling import check_callbacks, phones_of, settle
from ozodial.staging import Run, Staging
from ozodial.telling import row_event
from ozodial.upload import exit_code


def import_callback(run_id: int, files: Sequence[str], view: Viewing) -> ExitCode:
    """Settle queued rows; every file is read and checked before anything is changed."""
    return guarded(replace(view, live=False), lambda viewer: _import(run_id, files, viewer))


def _import(run_id: int, files: Sequence[str], viewer: Viewer) -> ExitCode:
    ledger = Ledger.open(config.ledger_place(settings=config.load({}, None)), SystemClock())
    try:
        ledger.reap()
        run = Staging(ledger).run(run_id)
        if not endpoint(run.target.endpoint, run.api).queues:
            kind = f"{run.target.endpoint} {run.api}".strip()
            raise UsageError(f"Run {run_id} went by {kind}; only V4 calls back.", "ozodial runs")
        callbacks, failures = _read(ledger, run, files)
        done = settle(ledger, run, callbacks, failures)
        for row in done.rows:
            viewer.show(row_event(run.id, row))
        for doubt in done.doubts:
            viewer.show(NoticeEvent(doubt))
        if not done.rows and not done.doubts:
            viewer.show(NoticeEvent("nothing new: these rows were settled before"))
        return _tell(ledger, run, viewer)
    finally:
        ledger.close()


def _read(ledger: Ledger, run: Run, files: Sequence[str]) -> tuple[list[Callback], dict[str, Fate]]:
    callbacks: list[Callback] = []
    failures: dict[str, Fate] = {}
    for path in files:
        if is_callback(path):
            callbacks += read_callbacks(path)
        else:
            failures.update(read_failed(path, phones_of(ledger, run)).failures)
    check_callbacks(ledger, run, callbacks)
    return callbacks, failures


def _tell(ledger: Ledger, run: Run, viewer: Viewer) -> ExitCode:
    counts = Staging(ledger).counts(run.id)
    settled: dict[State, int] = {
        state: n for state, n in counts.items() if state is not State.READY
    }
    code = exit_code(settled, None, None)
    viewer.show(SummaryEvent(run.id, sum(counts.values()), counts, 0.0, code))
    return code
