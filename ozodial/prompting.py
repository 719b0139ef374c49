"""Questions to a person at a terminal, on stderr; the answers are checked before they are taken."""

from collections.abc import Callable

import typer

from ozodial.errors import OzodialError

Check = Callable[[str], str]
"""An answer as it was typed in, as it is kept out; an error of ours if it can't be used."""


def ask(question: str, default: str = "", *, hidden: bool = False, check: Check = str) -> str:
    """Ask until the answer can be used. "" may be an answer, where the check lets it pass."""
    while True:
        # an empty default would be shown as []
        shown = bool(default) and not hidden
        said = typer.prompt(question, default, hidden, show_default=shown, err=True)
        try:
            return check(str(said).strip())
        except OzodialError as error:
            typer.echo(error.message, err=True)


def agree(question: str, default: bool) -> bool:
    """A yes or no."""
    return typer.confirm(question, default, err=True)
