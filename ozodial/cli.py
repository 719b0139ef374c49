"""The command line: options in, one call, exit code out. `cli_runs` has `ozodial runs`.

A command here has no logic: it gathers what was typed into one record and calls `commands` or
`looking`, which are imported only when a command runs, so that --help and --version stay light.
"""

import sys
from typing import Annotated, Any

import typer

from ozodial import __version__, completing
from ozodial import options as opt
from ozodial.cli_runs import runs_app
from ozodial.errors import ExitCode
from ozodial.typed import given as _given
from ozodial.typed import view as _view

app = typer.Typer(
    name="ozodial",
    help="Load leads from a CSV or XLSX file into a CloudAgent campaign, a receipt for every row.",
    epilog=opt.EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=opt.CONTEXT,
)
app.add_typer(runs_app, name="runs")


@app.command(
    epilog=opt.example('ozodial schedule leads.csv --campaign Diwali --at "tomorrow 10:00"'),
)
def schedule(
    file: opt.File,
    campaign: opt.Campaign = None,
    at: opt.At = None,
    user_name: opt.UserName = None,
    api_key_file: opt.KeyFile = None,
    profile: opt.Profile = None,
    domain: opt.Domain = None,
    base_url: opt.BaseUrl = None,
    maps: opt.Maps = None,
    map_file: opt.MapFile = None,
    extra: opt.Extra = None,
    sheet: opt.SheetName = None,
    region: opt.Region = None,
    timezone: opt.Timezone = None,
    check_duplicate: opt.CheckDuplicate = None,
    suppress: opt.Suppress = None,
    pace: opt.Pace = None,
    timeout: opt.Timeout = None,
    patience: opt.Patience = None,
    parallel: opt.Parallel = None,
    dry_run: opt.DryRun = False,
    resend: opt.Resend = False,
    rejects: opt.Rejects = None,
    results: opt.Results = None,
    log_file: opt.LogFile = None,
    notify: opt.Notify = None,
    notify_on: opt.NotifyOn = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
    fault: opt.Fault = None,
) -> None:
    """Add leads to a campaign at a scheduled time."""
    _upload("schedule", locals())


@app.command("bulk-add", epilog=opt.example("ozodial bulk-add leads.xlsx --campaign Diwali"))
def bulk_add(
    file: opt.File,
    campaign: opt.Campaign = None,
    api: opt.Api = None,
    user_name: opt.UserName = None,
    api_key_file: opt.KeyFile = None,
    profile: opt.Profile = None,
    domain: opt.Domain = None,
    base_url: opt.BaseUrl = None,
    maps: opt.Maps = None,
    map_file: opt.MapFile = None,
    extra: opt.Extra = None,
    sheet: opt.SheetName = None,
    region: opt.Region = None,
    timezone: opt.Timezone = None,
    check_duplicate: opt.CheckDuplicate = None,
    suppress: opt.Suppress = None,
    pace: opt.Pace = None,
    timeout: opt.Timeout = None,
    patience: opt.Patience = None,
    dry_run: opt.DryRun = False,
    resend: opt.Resend = False,
    rejects: opt.Rejects = None,
    results: opt.Results = None,
    log_file: opt.LogFile = None,
    notify: opt.Notify = None,
    notify_on: opt.NotifyOn = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
    fault: opt.Fault = None,
) -> None:
    """Add leads to a campaign now."""
    _upload("bulk-add", locals())


@app.command(epilog=opt.example("ozodial check leads.xlsx --for bulk-add"))
def check(
    file: opt.File,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="schedule|bulk-add", help="[schedule where it has times]"),
    ] = None,
    api: opt.Api = None,
    at: opt.At = None,
    campaign: opt.Campaign = None,
    profile: opt.Profile = None,
    maps: opt.Maps = None,
    map_file: opt.MapFile = None,
    save_map: opt.SaveMap = None,
    extra: opt.Extra = None,
    sheet: opt.SheetName = None,
    region: opt.Region = None,
    timezone: opt.Timezone = None,
    suppress: opt.Suppress = None,
    pace: opt.Pace = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
) -> None:
    """Everything but the sending: columns, bad rows, batches, how long it will take."""
    from ozodial import checking

    given = _given(locals())
    if for_ not in (None, "schedule", "bulk-add"):
        raise typer.BadParameter("schedule or bulk-add", param_hint="--for")
    _exit(checking.check(given, for_))


@app.command(epilog=opt.example("ozodial resume 12"))
def resume(
    run: Annotated[
        int | None,
        typer.Argument(
            metavar="[RUN]",
            help="[the latest with rows ready]",
            min=1,
            autocompletion=completing.runs,
        ),
    ] = None,
    resend_unknown: Annotated[
        bool,
        typer.Option(
            "--resend-unknown", help="Send unknown rows again; they may be dialled twice."
        ),
    ] = False,
    api_key_file: opt.KeyFile = None,
    profile: opt.Profile = None,
    domain: opt.Domain = None,
    base_url: opt.BaseUrl = None,
    pace: opt.Pace = None,
    timeout: opt.Timeout = None,
    patience: opt.Patience = None,
    parallel: opt.Parallel = None,
    rejects: opt.Rejects = None,
    results: opt.Results = None,
    log_file: opt.LogFile = None,
    notify: opt.Notify = None,
    notify_on: opt.NotifyOn = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
) -> None:
    """Finish an interrupted run; its file is not needed."""
    from ozodial import commands

    _exit(commands.resume(run, _given(locals())))


@app.command(epilog="Example: ozodial undo 12")
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
    terminal = sys.stdin is not None and sys.stdin.isatty() and typed.view.stderr_is_tty
    _exit(undoing.undo(run, typed, yes=yes, ask=_ask if terminal else None))


@app.command(epilog="Example: ozodial doctor --campaign Diwali")
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


@app.command(epilog="Example: ozodial login --profile west")
def login(profile: opt.Profile = None) -> None:
    """Ask who you are, try it at the vendor, keep it."""
    from ozodial import login as room

    try:
        _exit(room.login(profile, _view(False), sys.stdin is not None and sys.stdin.isatty()))
    except typer.Abort:
        typer.echo("\nnothing was kept", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


@app.command(epilog="Example: ozodial logout --profile west")
def logout(profile: opt.Profile = None) -> None:
    """Forget the key and the token; other settings stay."""
    from ozodial import login as room

    _exit(room.logout(profile, _view(False)))


@app.command(epilog="Example: ozodial sandbox --port 8080 --fault latency=2")
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


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(f"ozodial {__version__}")
        raise typer.Exit


def main() -> None:
    """The console script. Whatever happens, a sentence and an exit code, never a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # a bug of ours is still one sentence to its user
        _tell_bug(error)
        sys.exit(ExitCode.BUG)


def _tell_bug(error: Exception) -> None:
    from ozodial.render import show_error

    if "-vv" in sys.argv:
        import traceback

        sys.stderr.write(traceback.format_exc())
    said = f"this is a bug in ozodial ({type(error).__name__}: {error})"
    show_error(sys.stderr, said, "report it with the output of the same command with -vv")


def _upload(command: str, typed: dict[str, Any]) -> None:
    from ozodial import commands

    _exit(commands.upload(command, _given(typed)))


def _ask(question: str) -> bool:
    """A question at the terminal; whatever is not a yes is a no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _exit(code: ExitCode) -> None:
    raise typer.Exit(int(code))
