"""What every command of the command line shares: how to show things, and how to leave."""

import sys
from typing import Any

import typer

from ozodial.errors import ExitCode

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def view_of(json: bool, quiet: bool = False, verbosity: int = 0) -> Any:  # noqa: ANN401 - Viewing is not loaded yet
    """How to show what a command tells, on the streams of this process."""
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


def leave(code: ExitCode) -> None:
    """End the command with its exit code."""
    raise typer.Exit(int(code))
