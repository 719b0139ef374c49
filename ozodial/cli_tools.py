"""The commands beside the upload: take back, look over, log in, rehearse; parsed as in `cli`."""

import sys
from typing import Annotated

import typer

from ozodial import options as opt
from ozodial.errors import ExitCode
from ozodial.options import exit_with as _exit
from ozodial.typed import given as _given
from ozodial.typed import view as _view

tools_app = typer.Typer(rich_markup_mode=None, context_settings=opt.CONTEXT)


@tools_app.command(epilog=opt.example("ozodial undo 12"))
def undo(
    run: opt.RunId,
    yes: opt.Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    api_key_file: opt.KeyFile = None,
    profile: opt.Profile = None,
    domain: opt.Domain = None,
    base_url: opt.BaseUrl = None,
    pace: opt.Pace = None,
    timeout: opt.Timeout = None,
    patience: opt.Patience = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
) -> None:
    """Take back what a run put in, as far as the vendor lets it; shows first what it will do."""
    from ozodial import undoing

    typed = _given(locals())
    terminal = typed.view.stdin_is_tty and typed.view.stderr_is_tty
    _exit(undoing.undo(run, typed, yes=yes, ask=_ask if terminal else None))


@tools_app.command(epilog=opt.example("ozodial doctor --campaign Diwali"))
def doctor(
    campaign: opt.Campaign = None,
    user_name: opt.UserName = None,
    api_key_file: opt.KeyFile = None,
    profile: opt.Profile = None,
    domain: opt.Domain = None,
    base_url: opt.BaseUrl = None,
    region: opt.Region = None,
    timezone: opt.Timezone = None,
    pace: opt.Pace = None,
    timeout: opt.Timeout = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
    fault: opt.Fault = None,
) -> None:
    """Look over settings, key, network, clock, token, campaign and ledger; sends no lead."""
    from ozodial import doctor as room

    _exit(room.doctor(_given(locals())))


@tools_app.command(epilog="Example: ozodial login --profile west")
def login(profile: opt.Profile = None) -> None:
    """Ask who you are, try it at the vendor, keep it."""
    from ozodial import login as room

    try:
        _exit(room.login(profile, _view(False), sys.stdin is not None and sys.stdin.isatty()))
    except typer.Abort:
        typer.echo("\nnothing was kept", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


@tools_app.command(epilog="Example: ozodial logout --profile west")
def logout(profile: opt.Profile = None) -> None:
    """Forget the key and the token; other settings stay."""
    from ozodial import login as room

    _exit(room.logout(profile, _view(False)))


@tools_app.command(epilog="Example: ozodial sandbox --port 8080 --fault latency=2")
def sandbox(
    host: Annotated[str, typer.Option("--host", help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    real_pace: Annotated[
        bool, typer.Option("--real-pace", help="The vendor's own 30 s, not 1 s.")
    ] = False,
    fault: opt.Fault = None,
) -> None:
    """Serve the vendor simulator on loopback, to rehearse against it."""
    from ozodial import looking

    _exit(looking.sandbox(host, port, real_pace, list(fault or ()), _view(False)))


def _ask(question: str) -> bool:
    """A question at the terminal; whatever is not a yes is a no."""
    from ozodial.confirm import is_yes

    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return is_yes(sys.stdin.readline())
