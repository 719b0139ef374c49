"""The options of the command line, each with its one line of help; shared by the commands."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ozodial import completing
from ozodial.errors import ExitCode

EXIT_CODES = """\b
Exit codes: 0 all in · 1 a bug · 2 wrong usage · 3 the file can't be used · 4 rows invalid or
rejected · 5 rows unknown · 6 refused, or a setting is missing · 7 stopped, `ozodial resume`
goes on · 130/143 interrupted"""


def exit_with(code: ExitCode) -> None:
    """End the command with this code."""
    raise typer.Exit(int(code))


def example(command: str) -> str:
    """What stands below a command's help: an example, and the exit codes."""
    return f"Example: {command}\n\n{EXIT_CODES}"


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

File = Annotated[str, typer.Argument(metavar="FILE", help="CSV or workbook; - is stdin.")]
RunId = Annotated[
    int,
    typer.Argument(metavar="RUN", help="The run's number.", min=1, autocompletion=completing.runs),
]
RunCampaign = Annotated[
    str | None,
    typer.Option(
        "--campaign",
        metavar="NAME",
        help="Runs of this campaign alone.",
        autocompletion=completing.campaigns,
    ),
]
RunState = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="STATES",
        help="open, finished, cancelled, or runs with such rows: unknown,rejected.",
    ),
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help="7d, today, or a date: from then on.")
]
Newest = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="The newest N runs.")
]
Campaign = Annotated[
    str | None,
    typer.Option(
        "--campaign",
        metavar="NAME",
        help="The campaign.",
        autocompletion=completing.campaigns,
    ),
]
UserName = Annotated[
    str | None, typer.Option("--user-name", metavar="NAME", help="The account's user name.")
]
KeyFile = Annotated[
    str | None,
    typer.Option("--api-key-file", metavar="PATH", help="A file that holds the API key."),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Settings from the config file.",
        autocompletion=completing.profiles,
    ),
]
Domain = Annotated[
    str | None, typer.Option("--domain", metavar="in|intl|HOST", help="Where the API is [in].")
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="The same as a whole URL (https).")
]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="A column that is matched wrongly."),
]
MapFile = Annotated[
    str | None,
    typer.Option("--map-file", metavar="FILE", help="The recipe for this kind of sheet (TOML)."),
]
SaveMap = Annotated[
    Path | None,
    typer.Option("--save-map", metavar="FILE", help="Write the columns found as a --map-file."),
]
Extra = Annotated[
    list[str] | None,
    typer.Option("--extra", metavar="COLUMN", help="Also send this column, under its own name."),
]
SheetName = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="A workbook's sheet [first with data]."),
]
Region = Annotated[
    str | None, typer.Option("--region", metavar="CC", help="Country of phones without one [IN].")
]
Timezone = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="The account's [Asia/Kolkata].")
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="WHEN",
        help='ScheduledTime of rows without one: "tomorrow 10:00", "+3d 10:00", a date and time.',
    ),
]
For = Annotated[
    Literal["schedule", "bulk-add"] | None,
    typer.Option("--for", help="The command [schedule where there are times]."),
]
Spread = Annotated[
    str | None,
    typer.Option(
        "--spread",
        metavar="WINDOW",
        help='Space leads without a time evenly over "tomorrow 10:00..18:00".',
    ),
]
PerHour = Annotated[
    int | None,
    typer.Option(
        "--per-hour", metavar="N", min=1, help="--spread: at most; the rest on the next days."
    ),
]
Days = Annotated[
    str | None, typer.Option("--days", metavar="DAYS", help="Days to call on, e.g. mon-sat [all].")
]
CallingHours = Annotated[
    str | None,
    typer.Option("--calling-hours", metavar="FROM-TO", help="Hours to call in: 09:00-21:00."),
]
Outside = Annotated[
    str | None,
    typer.Option(
        "--outside",
        metavar="reject|shift",
        help="Times outside: refuse the row, or move it to the next opening [reject].",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="Only the first N good rows: a careful try."),
]
ConfirmAbove = Annotated[
    str | None,
    typer.Option(
        "--confirm-above", metavar="N", help="Ask before more leads than this; 0 never [1000]."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
MaxDuration = Annotated[
    str | None,
    typer.Option("--max-duration", metavar="2h", help="Stop between two requests after this."),
]
StopAt = Annotated[
    str | None, typer.Option("--stop-at", metavar="20:00", help="Stop between two requests then.")
]
NoLive = Annotated[bool, typer.Option("--no-live", help="Plain lines instead of a live screen.")]
CheckDuplicate = Annotated[
    bool | None,
    typer.Option(
        "--check-duplicate/--no-check-duplicate", help="Let the vendor drop duplicates [on]."
    ),
]
Suppress = Annotated[
    list[str] | None,
    typer.Option("--suppress", metavar="FILE", help="A list of phones never to send."),
]
Pace = Annotated[
    str | None, typer.Option("--pace", metavar="SECONDS", help="Wait between requests.")
]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar="SECONDS", help="For one whole request [60].")
]
Patience = Annotated[
    str | None,
    typer.Option(
        "--patience", metavar="SECONDS", help="How long to retry what was not sent [300]."
    ),
]
Parallel = Annotated[
    str | None, typer.Option("--parallel", metavar="N", help="schedule: requests in flight [1].")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Stop before the first request.")]
Resend = Annotated[
    bool, typer.Option("--resend", help="Send leads that an earlier run had accepted.")
]
Rejects = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Write invalid and rejected rows here."),
]
Results = Annotated[
    Path | None, typer.Option("--results", metavar="FILE", help="Write all rows here.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, help="More on stderr (-vv).")]
LogFile = Annotated[
    str | None,
    typer.Option("--log-file", metavar="FILE", help="Also write it all down, phones masked."),
]
Notify = Annotated[
    list[str] | None,
    typer.Option("--notify", metavar="URL", help="Tell this service at the end (apprise's URLs)."),
]
NotifyOn = Annotated[
    str | None,
    typer.Option("--notify-on", metavar="always|problems", help="When to tell it [always]."),
]
SandboxFlag = Annotated[
    bool, typer.Option("--sandbox", help="Send to a built-in simulator instead of the vendor.")
]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="FAULT",
        help="How the simulator misbehaves; `ozodial sandbox --fault help` lists it.",
    ),
]
Api = Annotated[str | None, typer.Option("--api", metavar="v1|v4", help="The bulk API [v1].")]
