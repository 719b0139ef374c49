"""The command line: options in, one call, exit code out. The only typer import.

A command here has no logic: it gathers what was typed into one record and calls `commands` or
`looking`, which are imported only when a command runs, so that --help and --version stay light.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ozodial import __version__
from ozodial import options as opt
from ozodial.cli_shared import add_shared
from ozodial.errors import ExitCode

EXIT_CODES = """\b
Exit codes: 0 all in · 1 a bug · 2 wrong usage · 3 the file can't be used · 4 rows invalid or
rejected · 5 rows unknown · 6 refused, or a setting is missing · 7 stopped, `ozodial resume`
goes on · 130/143 interrupted"""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="ozodial",
    help="Load leads from a CSV or XLSX file into a CloudAgent campaign, a receipt for every row.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)
runs_app = typer.Typer(
    help="List runs and look back at them.", rich_markup_mode=None, context_settings=CONTEXT
)
app.add_typer(runs_app, name="runs")


@app.command(
    epilog='Example: ozodial schedule leads.csv --campaign Diwali --at "tomorrow 10:00"',
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
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
    fault: opt.Fault = None,
) -> None:
    """Add leads to a campaign at a scheduled time."""
    _upload("schedule", locals())


@app.command("bulk-add", epilog="Example: ozodial bulk-add leads.xlsx --campaign Diwali")
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
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
    fault: opt.Fault = None,
) -> None:
    """Add leads to a campaign now."""
    _upload("bulk-add", locals())


@app.command(epilog="Example: ozodial check leads.xlsx --for bulk-add")
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


@app.command(epilog="Example: ozodial resume 12")
def resume(
    run: Annotated[
        int | None, typer.Argument(metavar="[RUN]", help="[the latest with rows ready]", min=1)
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
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    sandbox: opt.SandboxFlag = False,
) -> None:
    """Finish an interrupted run; its file is not needed."""
    from ozodial import commands

    _exit(commands.resume(run, _given(locals())))


@runs_app.callback(invoke_without_command=True, epilog="Example: ozodial runs")
def runs(context: typer.Context, json: opt.Json = False) -> None:
    """List runs and look back at them: show, export, cancel."""
    if context.invoked_subcommand is None:
        from ozodial import looking

        _exit(looking.runs_list(_view(json)))


@runs_app.command("list", epilog="Example: ozodial runs list --json")
def runs_list(json: opt.Json = False) -> None:
    """List all runs, newest first."""
    from ozodial import looking

    _exit(looking.runs_list(_view(json)))


@runs_app.command("show", epilog="Example: ozodial runs show 12")
def runs_show(run: opt.RunId, json: opt.Json = False) -> None:
    """Tell the story of a run: counts, reasons, every request, problem rows."""
    from ozodial import looking

    _exit(looking.runs_show(run, _view(json)))


@runs_app.command(
    "export", epilog="Example: ozodial runs export 12 out.xlsx --only rejected,invalid"
)
def runs_export(
    run: opt.RunId,
    out: Annotated[Path, typer.Argument(metavar="OUT", help=".csv, .xlsx or .jsonl")],
    only: Annotated[
        str | None, typer.Option("--only", metavar="STATES", help="e.g. rejected,invalid")
    ] = None,
    json: opt.Json = False,
) -> None:
    """Write a run's rows to a file: the original columns, then what became of each."""
    from ozodial import looking

    _exit(looking.runs_export(run, out, only, _view(json)))


@runs_app.command("cancel", epilog="Example: ozodial runs cancel 12")
def runs_cancel(run: opt.RunId, json: opt.Json = False) -> None:
    """Give a run up: its ready rows are never sent."""
    from ozodial import looking

    _exit(looking.runs_cancel(run, _view(json)))


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


add_shared(app, CONTEXT)


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


def _given(typed: dict[str, Any]) -> Any:  # noqa: ANN401 - opening.Given, which is not loaded yet
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
        view=_view(typed["json"], typed["quiet"], typed["verbose"]),
        flags=flags,
        maps=typed.get("maps") or (),
        extra=typed.get("extra") or (),
        suppress=typed.get("suppress") or (),
        faults=typed.get("fault") or (),
        **own,
    )


def _view(json: bool, quiet: bool = False, verbosity: int = 0) -> Any:  # noqa: ANN401 - as above
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


def _exit(code: ExitCode) -> None:
    raise typer.Exit(int(code))
