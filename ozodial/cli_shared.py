"""The commands for a ledger that several hosts share: `work` and `ledger …`; `cli` has the others.

As there, a command gathers what was typed and makes one call.
"""

from typing import Annotated, Any

import typer

from ozodial import options as opt
from ozodial.options import exit_with as _exit
from ozodial.typed import given as _given
from ozodial.typed import view as _view


def add_shared(app: typer.Typer, context: dict[str, Any]) -> None:
    """Give these commands to the program."""
    app.command(epilog=opt.example("ozodial work --until-empty"))(work)
    group = typer.Typer(rich_markup_mode=None, context_settings=context, no_args_is_help=True)
    group.callback(epilog=opt.example("ozodial ledger status"))(ledger)
    group.command("status", epilog=opt.example("ozodial ledger status --json"))(ledger_status)
    group.command("upgrade", epilog=opt.example("ozodial ledger upgrade"))(ledger_upgrade)
    example = "Example: ozodial ledger copy postgresql+psycopg://ozodial@db/ozodial"
    group.command("copy", epilog=example)(ledger_copy)
    app.add_typer(group, name="ledger")


def work(
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when no run has rows ready.")
    ] = False,
    api_key_file: opt.KeyFile = None,
    profile: opt.Profile = None,
    domain: opt.Domain = None,
    base_url: opt.BaseUrl = None,
    pace: opt.Pace = None,
    timeout: opt.Timeout = None,
    patience: opt.Patience = None,
    parallel: opt.Parallel = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
) -> None:
    """Send what any run of the ledger has ready, beside other hosts, until stopped."""
    from ozodial import working

    _exit(working.work(_given(locals()), until_empty=until_empty))


def ledger() -> None:
    """Look after the ledger as a whole: status, upgrade, copy."""


def ledger_status(json: opt.Json = False) -> None:
    """Tell where the ledger is, how large, who is at work in it, and what waits."""
    from ozodial import ledgers

    _exit(ledgers.show_status(_view(json)))


def ledger_upgrade(json: opt.Json = False) -> None:
    """Bring an older ledger to this version, all or nothing, while nobody is at work."""
    from ozodial import ledgers

    _exit(ledgers.upgrade(_view(json)))


def ledger_copy(
    target: Annotated[str, typer.Argument(metavar="URL", help="An empty ledger's file or URL.")],
    json: opt.Json = False,
) -> None:
    """Copy the ledger to another place, and compare the counts."""
    from ozodial import ledgers

    _exit(ledgers.copy(target, _view(json)))
