"""What becomes of runs that are over: a page to look at, or personal data removed.

One call a command: options in, a file or a ledger with less in it, the exit code back.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ozodial.ages import before
from ozodial.errors import ExitCode
from ozodial.events import NoticeEvent
from ozodial.jsonl import Json, write_record
from ozodial.looking import opened_ledger
from ozodial.opening import guarded
from ozodial.render import Viewer, Viewing
from ozodial.streams import Sink
from ozodial.words import plural

if TYPE_CHECKING:
    from ozodial.ledger import Ledger
    from ozodial.models import State
    from ozodial.purging import Purged
    from ozodial.staging import Run


def runs_report(run_id: int, out: Path, view: Viewing) -> ExitCode:
    """A run as a page for a browser."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.page import check_page, write_page
        from ozodial.runpage import page_of

        check_page(out)
        with opened_ledger() as ledger:
            write_page(out, page_of(ledger, run_id))
        viewer.show(NoticeEvent(f"run {run_id} written to {out}, with its names and phones"))
        return ExitCode.OK

    return guarded(view, work)


def runs_purge(older_than: str, view: Viewing) -> ExitCode:
    """Remove the leads of old runs; counts and delivery keys stay."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial.purging import purge

        moment = before(older_than, datetime.now().astimezone(), "--older-than")
        with opened_ledger() as ledger:
            done = purge(ledger, moment.timestamp())
            copies = _copies(ledger)
        if view.json:
            write_record(Sink(view.stdout), _record(done))
        said = f"{plural(len(done.runs), 'run')} purged: the leads of {plural(done.rows, 'row')}"
        kept = "counts and the keys that stop a second call stay"
        viewer.show(NoticeEvent(f"{said} were removed; {kept}"))
        for run, state in done.kept:
            viewer.show(NoticeEvent(_why_kept(run, state)))
        for copy in copies:
            viewer.show(NoticeEvent(f"a copy from an upgrade still has old leads: rm {copy}"))
        if not done.overwritten:
            said = "the ledger is in use, so its free pages may still hold what was removed"
            viewer.show(NoticeEvent(f"{said}: the same command again, later"))
        return ExitCode.OK

    return guarded(view, work)


def _record(done: "Purged") -> dict[str, Json]:
    kept: list[Json] = [{"run": run.id, "has": str(state)} for run, state in done.kept]
    return {"event": "purge", "runs": list(done.runs), "rows": done.rows, "kept": kept}


def _why_kept(run: "Run", state: "State") -> str:
    flag = " --resend-unknown" if state == "unknown" else ""
    return f"run {run.id} is kept, it has rows {state}: {run.resume_command}{flag}"


def _copies(ledger: "Ledger") -> list[Path]:
    """What an upgrade of the ledger's tables left beside it."""
    if ledger.engine.dialect.name != "sqlite" or ledger.engine.url.database is None:
        return []
    file = Path(ledger.engine.url.database)
    return sorted(file.parent.glob(f"{file.name}.v*"))
