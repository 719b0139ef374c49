"""Settings, key and files looked over without asking anybody: settings in, diagnoses out.

Where each setting came from is told, never what it is. Opens no ledger and no connection.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ozodial import settings as config
from ozodial.diagnosis import Diagnosis, failed, ok, warning
from ozodial.endpoints import ENDPOINTS, VERSIONS
from ozodial.errors import OzodialError, SettingError
from ozodial.outfile import at_home
from ozodial.phones import Phones

OWN_LINES = ("base_url", "domain", "timezone", "ledger", "api_key_file")
"""Settings that are told where they are used."""

DEFAULT_SOURCE = "its default"


def look_at_config(settings: config.Settings) -> Diagnosis:
    """The config file and the profile taken from it."""
    file = config.config_path()
    if not file.exists():
        return ok("config", f"there is no config file {file}; none is needed")
    if _mode(file) & (stat.S_IWGRP | stat.S_IWOTH):
        return warning("config", f"others than you may write {file}", f"chmod go-w {file}")
    return ok("config", f"profile {settings.profile or 'default'} of {file}")


def look_at_settings(settings: config.Settings, sandbox: bool) -> Iterator[Diagnosis]:
    """One line for each setting that somebody gave or has to give, and one for the defaults."""
    for name, hint in (("user_name", "--user-name NAME"), ("campaign", "--campaign NAME")):
        if not (settings.text(name) or "").strip():
            yield _missing(name, hint, sandbox)
    quiet = []
    for name, setting in settings.given.items():
        if name in OWN_LINES:
            continue
        problem = _problem(settings, name)
        if problem is not None:
            yield problem
        elif setting.source == DEFAULT_SOURCE:
            quiet.append(name)
        else:
            yield ok(name, f"from {setting.source}")
            if name == "pace" and not sandbox:
                yield from _pace_below(settings.number("pace", 0))
    yield ok("defaults", ", ".join(quiet) or "none is in use")


def look_at_key(settings: config.Settings, sandbox: bool) -> Diagnosis:
    """The API key: there, and where from; never the key."""
    if sandbox:
        return ok("api_key", "the sandbox's own; the real one is never sent there")
    config.api_key(settings)
    source = config.key_source(settings)
    file = settings.given.get("api_key_file")
    if file is not None and source.startswith(file.source):
        path = at_home(file.value)
        if _mode(path) & (stat.S_IRWXG | stat.S_IRWXO):
            return warning("api_key", f"others than you may read {path}", f"chmod 600 {path}")
    return ok("api_key", f"from {source}")


def look_at_lists(settings: config.Settings) -> Iterator[Diagnosis]:
    """The suppression lists of the profile: a run refuses to start without them."""
    for name in settings.suppress:
        if os.access(name, os.R_OK) and Path(name).is_file():
            yield ok("suppress", f"{name} can be read")
        else:
            yield failed("suppress", f"{name} can't be read", "mend suppress in the profile")


def look_at_paths(settings: config.Settings) -> Iterator[Diagnosis]:
    """Paths of the profile that are laid over ours."""
    known = {name for entry in ENDPOINTS for name in (entry.name, entry.command)}
    for name in settings.paths:
        if name in known:
            yield ok("paths", f"{name} has a path of its own in the profile")
        else:
            hint = f"known: {', '.join(sorted(known))}"
            yield warning("paths", f"{name!r} in the profile's paths is no endpoint", hint)


def _missing(name: str, hint: str, sandbox: bool) -> Diagnosis:
    if sandbox:
        return ok(name, "the sandbox's own")
    said, hint = f"no {name.replace('_', ' ')} is set", f"{hint}, or OZODIAL_{name.upper()}=…"
    # a campaign is often named anew for each command
    return warning(name, said, hint) if name == "campaign" else failed(name, said, hint)


def _pace_below(pace: float) -> Iterator[Diagnosis]:
    for entry in ENDPOINTS:
        if pace < entry.pace:
            said = f"{pace:g} s is below the vendor's {entry.pace:g} s for {entry.name}"
            yield warning("pace", said, "right only for an account with limits of its own")


def _problem(settings: config.Settings, name: str) -> Diagnosis | None:
    """What a run would say of a setting's value."""
    check = _CHECKS.get(name)
    if check is None:
        return None
    try:
        check(settings)
    except OzodialError as error:
        hint = error.hint if isinstance(error, SettingError) else f"mend {name}"
        return failed(name, error.message, hint)
    return None


_CHECKS: dict[str, Callable[[config.Settings], object]] = {
    "timeout": lambda settings: settings.number("timeout", 0.001),
    "patience": lambda settings: settings.number("patience", 0),
    "parallel": lambda settings: settings.number("parallel", 1),
    "pace": lambda settings: settings.number("pace", 0),
    "auth": lambda settings: settings.choice("auth", ("token", "basic")),
    "api": lambda settings: settings.choice("api", VERSIONS),
    "check_duplicate": lambda settings: settings.truth("check_duplicate", True),
    "region": lambda settings: Phones(settings.text("region") or "IN"),
}


def _mode(path: Path) -> int:
    return path.stat().st_mode
