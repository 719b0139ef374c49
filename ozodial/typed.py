"""What was typed on the command line -> `opening.Given` and `render.Viewing`.

Both are loaded only when a command runs, so that --help and --version stay light.
"""

import sys
from typing import Any


def given(typed: dict[str, Any]) -> Any:  # noqa: ANN401 - opening.Given, which is not loaded yet
    """What was typed for a command, by the names of its parameters."""
    from ozodial.opening import Given
    from ozodial.settings import NAMES

    flags = {name: typed.get(name) for name in NAMES}
    if flags["check_duplicate"] is not None:
        flags["check_duplicate"] = str(flags["check_duplicate"])
    own: dict[str, Any] = {}
    for name in ("profile", "file", "sheet", "at", "rejects", "results", "map_file", "save_map"):
        if typed.get(name) is not None:
            own[name] = typed[name]
    for name in ("dry_run", "resend", "resend_unknown", "sandbox"):
        own[name] = bool(typed.get(name))
    return Given(
        view=view(typed["json"], typed["quiet"], typed["verbose"]),
        flags=flags,
        maps=typed.get("maps") or (),
        extra=typed.get("extra") or (),
        suppress=typed.get("suppress") or (),
        faults=typed.get("fault") or (),
        notify=typed.get("notify") or (),
        **own,
    )


def view(json: bool, quiet: bool = False, verbosity: int = 0) -> Any:  # noqa: ANN401 - as above
    """The streams of this process, and how to show on them."""
    from ozodial.render import Viewing
    from ozodial.settings import terminal

    no_color, term = terminal()
    return Viewing(
        stdout=sys.stdout,
        stderr=sys.stderr,
        json=json,
        quiet=quiet,
        verbosity=verbosity,
        stdout_is_tty=sys.stdout is not None and sys.stdout.isatty(),
        stderr_is_tty=sys.stderr is not None and sys.stderr.isatty(),
        no_color=no_color,
        term=term,
    )
