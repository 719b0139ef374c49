"""What was typed on the command line -> `opening.Given` and `render.Viewing`.

Both are loaded only when a command runs, so that --help and --version stay light.
"""

import sys
from typing import Any

_OWN = (
    *("profile", "file", "sheet", "at", "spread", "per_hour", "limit"),
    *("rejects", "results", "map_file", "save_map"),
)
_SWITCHES = ("dry_run", "resend", "resend_unknown", "sandbox", "yes")


def given(typed: dict[str, Any]) -> Any:  # noqa: ANN401 - opening.Given, which is not loaded yet
    """What was typed for a command, by the names of its parameters; None for what was not."""
    from ozodial.opening import Given
    from ozodial.settings import NAMES

    flags = {name: typed.get(name) for name in NAMES}
    if flags["check_duplicate"] is not None:
        flags["check_duplicate"] = str(flags["check_duplicate"])
    own: dict[str, Any] = {name: typed[name] for name in _OWN if typed.get(name) is not None}
    own |= {name: bool(typed.get(name)) for name in _SWITCHES}
    return Given(
        view=view(typed["json"], typed["quiet"], typed["verbose"], not typed.get("no_live")),
        flags=flags,
        maps=typed.get("maps") or (),
        extra=typed.get("extra") or (),
        suppress=typed.get("suppress") or (),
        faults=typed.get("fault") or (),
        notify=typed.get("notify") or (),
        **own,
    )


def view(json: bool, quiet: bool = False, verbosity: int = 0, live: bool = True) -> Any:  # noqa: ANN401 - as above
    """The streams of this process, as far as they are open, and how to show on them."""
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
        live=live,
        stdin_is_tty=sys.stdin is not None and sys.stdin.isatty(),
    )
