"""`ozodial runs`: look back at runs, write them down, give one up, remove old leads."""

from pathlib import Path
from typing import Annotated

import typer

from ozodial import options as opt
from ozodial.options import exit_with as _exit
from ozodial.typed import view as _view

runs_app = typer.Typer(
    help="List runs and look back at them.", rich_markup_mode=None, context_settings=opt.CONTEXT
)


@runs_app.callback(
    invoke_without_command=True, epilog="Example: ozodial runs --campaign Diwali --since 7d"
)
def runs(
    context: typer.Context,
    campaign: opt.RunCampaign = None,
    state: opt.RunState = None,
    since: opt.Since = None,
    limit: opt.Newest = None,
    json: opt.Json = False,
) -> None:
    """List runs, newest first; look back at one: show, export, report; cancel, purge."""
    if context.invoked_subcommand is None:
        runs_list(campaign, state, since, limit, json)


@runs_app.command("list", epilog="Example: ozodial runs list --state unknown --json")
def runs_list(
    campaign: opt.RunCampaign = None,
    state: opt.RunState = None,
    since: opt.Since = None,
    limit: opt.Newest = None,
    json: opt.Json = False,
) -> None:
    """List runs, newest first."""
    from ozodial import looking

    chosen = looking.RunFilter(campaign, state, since, limit)
    _exit(looking.runs_list(_view(json), chosen))


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


@runs_app.command("report", epilog="Example: ozodial runs report 12 diwali.html")
def runs_report(
    run: opt.RunId,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An .html file.")],
    json: opt.Json = False,
) -> None:
    """Write a run as one page for a browser: counts, charts, reasons, problem rows."""
    from ozodial import archive

    _exit(archive.runs_report(run, out, _view(json)))


@runs_app.command("cancel", epilog="Example: ozodial runs cancel 12")
def runs_cancel(run: opt.RunId, json: opt.Json = False) -> None:
    """Give a run up: its ready rows are never sent."""
    from ozodial import looking

    _exit(looking.runs_cancel(run, _view(json)))


@runs_app.command(
    "import-callback", epilog="Example: ozodial runs import-callback 12 callback.json"
)
def runs_import_callback(
    run: opt.RunId,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Callbacks (JSON) and files of failed rows."),
    ],
    json: opt.Json = False,
    quiet: opt.Quiet = False,
) -> None:
    """Settle queued rows of a V4 run by what the vendor called back."""
    from ozodial import importing

    _exit(importing.import_callback(run, files, _view(json, quiet)))


@runs_app.command("purge", epilog="Example: ozodial runs purge --older-than 90d")
def runs_purge(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="90d, 12w: the day of the upload.")
    ],
    json: opt.Json = False,
) -> None:
    """Remove the leads of old runs; counts, and what stops a second call, stay."""
    from ozodial import archive

    _exit(archive.runs_purge(older_than, _view(json)))
