"""What `ozodial ledger` does: tells how the ledger stands, upgrades it, copies it.

One call a command: settings in, lines or JSON out, the exit code back.
"""

from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.clock import SystemClock
from ozodial.errors import ExitCode
from ozodial.events import NoticeEvent
from ozodial.jsonl import Json, write_record
from ozodial.looking import when
from ozodial.opening import guarded
from ozodial.render import Viewer, Viewing
from ozodial.streams import Sink
from ozodial.words import duration, plural, told_counts

if TYPE_CHECKING:
    from ozodial.upkeep import Status


def show_status(view: Viewing) -> ExitCode:
    """Where the ledger is, its size and version, runs, leases, the oldest waiting row."""

    def work(_viewer: Viewer) -> ExitCode:
        from ozodial.ledger import Ledger
        from ozodial.upkeep import status

        ledger = Ledger.open(_place(), SystemClock())
        try:
            found = status(ledger)
        finally:
            ledger.close()
        sink = Sink(view.stdout)
        if view.json:
            write_record(sink, _record(found))
        else:
            for line in _lines(found):
                sink.line(line)
        return ExitCode.OK

    return guarded(view, work)


def upgrade(view: Viewing) -> ExitCode:
    """Bring the ledger to today's tables."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial import upkeep
        from ozodial.schema import VERSION

        upkeep.upgrade(_place())
        viewer.show(NoticeEvent(f"the ledger is of version {VERSION}, as this ozodial"))
        return ExitCode.OK

    return guarded(view, work)


def copy(target: str, view: Viewing) -> ExitCode:
    """Copy the ledger to another place, and compare what came there."""

    def work(viewer: Viewer) -> ExitCode:
        from ozodial import upkeep
        from ozodial.ledger import Ledger

        ledger = Ledger.open(_place(), SystemClock())
        try:
            counts = upkeep.copy(ledger, target)
        finally:
            ledger.close()
        sink = Sink(view.stdout)
        if view.json:
            write_record(sink, {"event": "copy", **counts})
        else:
            sink.line("copied: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
        # two ledgers that both go on would send the same leads
        viewer.show(NoticeEvent("from now on use one of the two only: OZODIAL_LEDGER"))
        return ExitCode.OK

    return guarded(view, work)


def _place() -> str:
    return config.ledger_place(settings=config.load({}, None))


def _record(found: "Status") -> dict[str, Json]:
    return {
        "event": "ledger",
        "place": found.place,
        "database": found.database,
        "bytes": found.bytes,
        "version": found.version,
        "runs": dict(found.runs),
        "rows": {str(state): count for state, count in found.rows.items()},
        "leases": [
            {
                "host": lease.host,
                "pid": lease.pid,
                "renewed_seconds": round(lease.renewed, 1),
                "in_flight": lease.in_flight,
            }
            for lease in found.leases
        ],
        "oldest_waiting": None
        if found.waiting_run is None or found.waiting_since is None
        else {
            "run": found.waiting_run,
            "row": found.waiting_row,
            "since": when(found.waiting_since),
        },
    }


def _lines(found: "Status") -> list[str]:
    runs = ", ".join(f"{count} {state}" for state, count in found.runs.items()) or "none"
    lines = [
        f"ledger:  {found.place}",
        f"kind:    {found.database}, version {found.version}, {found.bytes / 1e6:.1f} MB",
        f"runs:    {runs}",
        f"rows:    {told_counts(found.rows) or 'none'}",
    ]
    for lease in found.leases:
        flying = plural(lease.in_flight, "request")
        renewed = duration(lease.renewed)
        lines.append(f"at work: process {lease.pid} on {lease.host}, {flying}, seen {renewed} ago")
    if not found.leases:
        lines.append("at work: nobody")
    if found.waiting_run is not None and found.waiting_since is not None:
        since = when(found.waiting_since)
        lines.append(f"waiting: row {found.waiting_row} of run {found.waiting_run}, since {since}")
    return lines
