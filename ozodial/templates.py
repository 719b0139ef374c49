"""`template`: an empty sheet for leads, ready to be filled in."""

from pathlib import Path

from ozodial.endpoints import endpoint
from ozodial.errors import ExitCode
from ozodial.events import NoticeEvent
from ozodial.opening import guarded
from ozodial.render import Viewer, Viewing
from ozodial.template import write_template


def template(out: Path, command: str, view: Viewing) -> ExitCode:
    """Write the sheet; never over another file."""

    def work(viewer: Viewer) -> ExitCode:
        write_template(out, endpoint(command))
        viewer.show(NoticeEvent(f"{out} is ready to be filled in; then: ozodial check {out}"))
        return ExitCode.OK

    return guarded(view, work)
