"""The commands behind `ozodial runs`, parsed as in `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from ozodial import options as opt
from ozodial.errors import ExitCode
from ozodial.typed import view as _view

runs_app = typer.Typer(
    help="List runs and look back at them.", rich_markup_mode=None, context_settings=opt.CONTEXT
)


@runs_app.callback(invoke_without_command=True, epilog="Example: ozodial runs")
def runs(context: typer.Context, json: opt.Json = False) -> None:
    """List runs and look back at them: show, export, cancel, import-callback."""
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


def _exit(code: ExitCode) -> None:
    raise typer.Exit(int(code))
