"""The command line: options in, one call, exit code out. `cli_runs` has `ozodial runs`.

A command here has no logic: it gathers what was typed into one record and calls `commands` or
`looking`, which are imported only when a command runs, so that --help and --version stay light.
"""

import sys
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer

from ozodial import __version__, completing
from ozodial import options as opt
from ozodial.cli_runs import runs_app
from ozodial.cli_shared import add_shared
from ozodial.cli_tools import tools_app
from ozodial.errors import ExitCode
from ozodial.options import exit_with as _exit
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
app.add_typer(tools_app)
add_shared(app, opt.CONTEXT)


@app.command(
    epilog=opt.example('ozodial schedule leads.csv --campaign Diwali --at "tomorrow 10:00"'),
)
def schedule(
    file: opt.File,
    campaign: opt.Campaign = None,
    at: opt.At = None,
    spread: opt.Spread = None,
    per_hour: opt.PerHour = None,
    days: opt.Days = None,
    calling_hours: opt.CallingHours = None,
    outside: opt.Outside = None,
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
    limit: opt.Limit = None,
    confirm_above: opt.ConfirmAbove = None,
    yes: opt.Yes = False,
    max_duration: opt.MaxDuration = None,
    stop_at: opt.StopAt = None,
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
    no_live: opt.NoLive = False,
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
    limit: opt.Limit = None,
    confirm_above: opt.ConfirmAbove = None,
    yes: opt.Yes = False,
    max_duration: opt.MaxDuration = None,
    stop_at: opt.StopAt = None,
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
    no_live: opt.NoLive = False,
    sandbox: opt.SandboxFlag = False,
    fault: opt.Fault = None,
) -> None:
    """Add leads to a campaign now."""
    _upload("bulk-add", locals())


@app.command(epilog=opt.example("ozodial check leads.xlsx --for bulk-add"))
def check(
    file: opt.File,
    for_: opt.For = None,
    api: opt.Api = None,
    at: opt.At = None,
    spread: opt.Spread = None,
    per_hour: opt.PerHour = None,
    days: opt.Days = None,
    calling_hours: opt.CallingHours = None,
    outside: opt.Outside = None,
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
    no_live: opt.NoLive = False,
) -> None:
    """Everything but the sending: columns, bad rows, batches, how long it will take."""
    from ozodial import checking

    _exit(checking.check(_given(locals()), for_))


@app.command(epilog=opt.example("ozodial template leads.xlsx --for schedule"))
def template(
    out: Annotated[Path, typer.Argument(metavar="OUT", help=".xlsx or .csv; a new file.")],
    for_: opt.For = None,
) -> None:
    """Write an empty sheet with the right columns, to be filled in and sent."""
    from ozodial import templates

    _exit(templates.template(out, for_ or "schedule", _view(False)))


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
    max_duration: opt.MaxDuration = None,
    stop_at: opt.StopAt = None,
    rejects: opt.Rejects = None,
    results: opt.Results = None,
    log_file: opt.LogFile = None,
    notify: opt.Notify = None,
    notify_on: opt.NotifyOn = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = 0,
    no_live: opt.NoLive = False,
    sandbox: opt.SandboxFlag = False,
) -> None:
    """Finish an interrupted run; its file is not needed."""
    from ozodial import commands

    _exit(commands.resume(run, _given(locals())))


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
    """The command. Whatever happens, a sentence and an exit code, never a traceback."""
    try:
        _with_only(sys.argv[1] if len(sys.argv) > 1 else "")()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # a bug of ours is still one sentence to its user
        _tell_bug(error)
        sys.exit(ExitCode.BUG)


def _with_only(word: str) -> typer.Typer:
    """The program with the command of that name alone, if it is one: making all takes a while."""
    for command in app.registered_commands:
        if word == (command.name or getattr(command.callback, "__name__", "")):
            small = copy(app)
            small.registered_commands, small.registered_groups = [command], []
            return small
    return app


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
