"""What every command opens before it works: the place, the recipe, the ledger."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ozodial import settings as config
from ozodial.address import account_of, check_url
from ozodial.clock import SystemClock
from ozodial.endpoints import (
    SANDBOX_SHORTENS_PACE_BY,
    VERSIONS,
    Endpoint,
    endpoint,
)
from ozodial.errors import ExitCode, OzodialError, SettingError, UsageError
from ozodial.events import (
    ErrorEvent,
)
from ozodial.models import Field
from ozodial.outfile import at_home
from ozodial.render import Viewer, Viewing, open_viewer

if TYPE_CHECKING:
    from ozodial.layout import Layout
    from ozodial.ledger import Ledger
    from ozodial.limits import Limit
    from ozodial.prepare import Recipe
    from ozodial.staging import Run


def guarded(view: Viewing, work: Callable[[Viewer], ExitCode]) -> ExitCode:
    """Run a command with its viewer; an error of ours becomes a sentence and its exit code."""
    with open_viewer(view) as viewer:
        try:
            return work(viewer)
        except OzodialError as error:
            viewer.show(ErrorEvent(error.message, error.hint))
            return error.exit_code


@dataclass(frozen=True, slots=True)
class Given:
    """The options of an upload command as typed; None where nothing was."""

    view: Viewing
    flags: Mapping[str, str | None]
    profile: str | None = None
    file: str = ""
    maps: Sequence[str] = ()
    map_file: str | None = None
    save_map: Path | None = None
    extra: Sequence[str] = ()
    sheet: str | None = None
    at: str | None = None
    spread: str | None = None
    per_hour: int | None = None
    limit: int | None = None
    yes: bool = False
    suppress: Sequence[str] = ()
    rejects: Path | None = None
    results: Path | None = None
    dry_run: bool = False
    resend: bool = False
    resend_unknown: bool = False
    sandbox: bool = False
    faults: Sequence[str] = field(default_factory=tuple)
    notify: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is sent: the vendor, or the built-in simulator (`url` None in the account)."""

    url: str
    sandbox: bool

    def account(self, user_name: str) -> str:
        """The account in the ledger."""
        return account_of(user_name, None if self.sandbox else self.url)


def chosen_endpoint(command: str, settings: config.Settings, api: str | None = None) -> Endpoint:
    """The endpoint of a command, at the path that the profile gives it."""
    version = api or settings.choice("api", VERSIONS)
    entry = endpoint(command, version)
    path = settings.paths.get(entry.name) or settings.paths.get(entry.command)
    return replace(entry, path=path) if path else entry


def pace_of(entry: Endpoint, settings: config.Settings, sandbox: bool) -> float:
    """Seconds between an answer and the next request."""
    if settings.text("pace") is not None:
        return settings.number("pace", 0)
    return entry.pace / SANDBOX_SHORTENS_PACE_BY if sandbox else entry.pace


def recipe_of(given: Given, settings: config.Settings, entry: Endpoint) -> "Recipe":
    """How the file is to be read."""
    from ozodial.mapping import parse_map
    from ozodial.prepare import Recipe
    from ozodial.timing import Timing, timing_of

    zone = zone_of(settings)
    now = datetime.now(zone)
    wanted: dict[Field, str] = {}
    for text in given.maps:
        name, column = parse_map(text)
        wanted[name] = column
    timing = timing_of(given, settings, now, zone) if entry.needs_time else Timing()
    return Recipe(
        endpoint=entry,
        path=given.file,
        region=settings.text("region") or "IN",
        timezone=zone.key,
        now=now,
        layout=_layout(given, settings, wanted),
        at=timing.at,
        suppress=(*settings.suppress, *given.suppress),
        when=timing.when,
        spread=timing.spread,
        hours=timing.hours,
        limit=given.limit,
    )


def _layout(given: Given, settings: config.Settings, wanted: Mapping[Field, str]) -> "Layout":
    """The mapping file, and the flags laid over it."""
    from ozodial.layout import PLAIN

    path, base = given.map_file or settings.text("map_file"), PLAIN
    if path is not None:
        from ozodial.mapfile import load_layout

        base = load_layout(str(at_home(path)))
    return replace(
        base,
        columns={**base.columns, **wanted},
        last_name=None if Field.NAME in wanted else base.last_name,
        constants={each: text for each, text in base.constants.items() if each not in wanted},
        extra=(*base.extra, *given.extra),
        sheet=given.sheet or base.sheet,
        sheet_by_file=given.sheet is None,
    )


def zone_of(settings: config.Settings) -> ZoneInfo:
    """The account's time zone (UsageError if there is none of that name)."""
    setting = settings.given["timezone"]
    try:
        return ZoneInfo(setting.value)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"{setting.source} names no time zone: {setting.value!r}.", "--timezone Asia/Kolkata"
        ) from None


@contextmanager
def open_place(
    given: Given, settings: config.Settings, run: "Run | None" = None
) -> Iterator[Place]:
    """Where to send: the vendor (or where the run went), or a simulator served meanwhile."""
    if not given.sandbox:
        url = settings.base_url()
        if run is not None and _no_address(settings):
            url = check_url(run.options.base_url, f"run {run.id}'s base URL")
        yield Place(url, sandbox=False)
        return
    from ozodial.sandbox import Sandbox
    from ozodial.sandbox_memory import SandboxConfig
    from ozodial.sandbox_server import serve_in_thread

    simulator = Sandbox(SandboxConfig(pace_scale=SANDBOX_SHORTENS_PACE_BY))
    simulator.misbehave(*given.faults)
    with serve_in_thread(simulator) as server:
        yield Place(server.url, sandbox=True)


def _no_address(settings: config.Settings) -> bool:
    return "base_url" not in settings.given and settings.given["domain"].source == "its default"


@contextmanager
def open_ledger(settings: config.Settings, sandbox: bool) -> "Iterator[Ledger]":
    """The ledger; in the sandbox a throw-away one unless somebody named one."""
    from ozodial.ledger import Ledger

    with ExitStack() as stack:
        place = config.named_ledger(settings)
        if place is None and sandbox:
            import tempfile

            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ozodial-sandbox-"))
            place = str(Path(folder) / "ledger.db")
        ledger = Ledger.open(place or config.ledger_place(settings=settings), SystemClock())
        stack.callback(ledger.close)
        ledger.outage.patience = settings.number("patience", 0)
        yield ledger


def time_limit(settings: config.Settings) -> "Limit | None":
    """When this command is to stop by itself; a length of time counts from here."""
    from ozodial.limits import limit_of

    length, clock = (settings.given.get(name) for name in ("max_duration", "stop_at"))
    return limit_of(
        (length.value, length.source) if length is not None else None,
        (clock.value, clock.source) if clock is not None else None,
        SystemClock().instant(),
        datetime.now(zone_of(settings)),
    )


def check_files(given: Given) -> None:
    """What can't be written, or must not be written over, is better known before than after."""
    from ozodial.export import check_target

    taken = [Path(name) for name in (given.file, given.map_file, *given.suppress) if name]
    for flag, path in (("--rejects", given.rejects), ("--results", given.results)):
        if path is None:
            continue
        check_target(path)
        if any(_same_file(path, other) for other in taken):
            raise UsageError(
                f"{flag} {path} would be written over a file of this command.",
                f"{flag} {path.with_stem(path.stem + '-' + flag[2:])}",
            )
        taken.append(path)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()


def name_missing(settings: config.Settings) -> None:
    """All settings that a run needs and that nobody gave, in one sentence."""
    missing: list[SettingError] = []
    checks: tuple[Callable[[], object], ...] = (
        lambda: settings.needed("user_name", "--user-name NAME"),
        lambda: config.api_key(settings),
        lambda: settings.needed("campaign", "--campaign NAME"),
    )
    for check in checks:
        try:
            check()
        except SettingError as error:
            missing.append(error)
    if len(missing) > 1:
        hints = "; ".join(error.hint for error in missing if error.hint)
        raise SettingError(" ".join(error.message for error in missing), hints)
