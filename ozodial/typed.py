"""What was typed as records for the commands, and their exit codes; shared by `cli` and `cli_runs`.

Heavy rooms are imported when a command runs, so that --help and --version stay light.
"""

import sys
from typing import Any

import typer

from ozodial.errors import ExitCode


def given(typed: dict[str, Any]) -> Any:  # noqa: ANN401 - opening.Given, which is not loaded yet
    """The options of an upload command as one record."""
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
        **own,
    )


def view(json: bool, quiet: bool = False, verbosity: int = 0) -> Any:  # noqa: ANN401 - as above
    """How to show things, by the streams and the flags."""
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


def exit_with(code: ExitCode) -> None:
    """End the command with this code."""
    raise typer.Exit(int(code))


def ask(question: str) -> bool:
    """A question at the terminal; whatever is not a yes is a no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
