"""Settings: flag > environment > profile > default, and where each one came from.

The only reader of `os.environ`. Values come out checked and typed, or as one sentence that names
the source of what is wrong, never its value where that could be a secret. Nothing is prompted for.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from ozodial.address import check_url
from ozodial.endpoints import DOMAINS, Access
from ozodial.errors import SettingError, UsageError

APP = "ozodial"

DEFAULTS: Mapping[str, str] = {
    "domain": "in",
    "region": "IN",
    "timezone": "Asia/Kolkata",
    "timeout": "60",
    "patience": "300",
    "parallel": "1",
    "auth": "token",
    "api": "v1",
}
NAMES = (
    *DEFAULTS,
    "campaign",
    "user_name",
    "api_key_file",
    "base_url",
    "pace",
    "check_duplicate",
    "ledger",
    "map_file",
)
PROFILE_ONLY = ("paths", "suppress")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as text, and where it came from, in words for a person."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one command. `given` has each with its source; the defaults among them."""

    given: Mapping[str, Setting]
    profile: str | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    suppress: tuple[str, ...] = ()

    def text(self, name: str) -> str | None:
        """A setting's value, None where nobody gave one."""
        setting = self.given.get(name)
        return setting.value if setting is not None else None

    def number(self, name: str, least: float) -> float:
        """A number of seconds or requests, at least `least` (UsageError otherwise)."""
        setting = self.given[name]
        try:
            number = float(setting.value)
        except ValueError:
            number = float("nan")
        if not least <= number < float("inf"):
            raise UsageError(f"{setting.source} must be a number of at least {least:g}.")
        return number

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of a few words (UsageError otherwise)."""
        setting = self.given[name]
        if setting.value not in choices:
            raise UsageError(f"{setting.source} must be one of: {', '.join(choices)}.")
        return setting.value

    def truth(self, name: str, default: bool) -> bool:
        """A yes or no."""
        setting = self.given.get(name)
        if setting is None:
            return default
        word = setting.value.strip().lower()
        if word in ("true", "yes", "1", "on"):
            return True
        if word in ("false", "no", "0", "off"):
            return False
        raise UsageError(f"{setting.source} must be true or false.")

    def needed(self, name: str, flag: str) -> str:
        """A setting that the run can't do without (SettingError, exit 6)."""
        value = self.text(name)
        if value is None or not value.strip():
            raise SettingError(f"No {name.replace('_', ' ')} is set.", f"{flag}, or {_env(name)}=…")
        return value.strip()

    def base_url(self) -> str:
        """Where the API is: https, or http on loopback alone (UsageError otherwise)."""
        for origin in ("flag", "OZODIAL_", "profile", "default"):
            for name in ("base_url", "domain"):
                setting = self.given.get(name)
                if setting is not None and _origin(setting) == origin:
                    url = DOMAINS.get(setting.value) if name == "domain" else setting.value
                    return check_url(url or f"https://{setting.value}", setting.source)
        raise AssertionError("domain has a default")


def load(
    flags: Mapping[str, str | None],
    profile: str | None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Merge flags, environment, the profile and the defaults."""
    environ = os.environ if environment is None else environment
    given = {name: Setting(value, "its default") for name, value in DEFAULTS.items()}
    config = _config_path(environ)
    name = profile or environ.get("OZODIAL_PROFILE") or None
    chosen = _profile(config, name)
    for key, value in chosen.items():
        if key not in PROFILE_ONLY:
            source = f"{key} in profile {name or 'default'} ({config})"
            given[key] = Setting(_as_text(value), source)
    for key in NAMES:
        if value := environ.get(_env(key)):
            given[key] = Setting(value, _env(key))
    for key, flag in flags.items():
        if flag is not None:
            given[key] = Setting(flag, f"--{key.replace('_', '-')}")
    return Settings(given, name, _paths(chosen, config), _suppress(chosen, config))


def api_key(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """The key: --api-key-file, OZODIAL_API_KEY, its file, then the system's keyring."""
    environ = os.environ if environment is None else environment
    file = settings.given.get("api_key_file")
    key = environ.get("OZODIAL_API_KEY", "").strip()
    if file is not None and (file.source.startswith("--") or not key):
        key = _key_from(file)
    elif not key:
        key = _key_from_keyring(settings)
    if not key:
        raise SettingError(
            "No API key is set.",
            "OZODIAL_API_KEY=…, or --api-key-file PATH, or the system's keyring",
        )
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise SettingError("The API key has characters that no key has.", "copy the key again")
    return key


def access(settings: Settings, environment: Mapping[str, str] | None = None) -> Access:
    """Who is asking: user name and key, each named when it is missing."""
    user_name = settings.needed("user_name", "--user-name NAME")
    return Access(user_name, api_key(settings, environment))


def ledger_place(
    environment: Mapping[str, str] | None = None, settings: Settings | None = None
) -> str:
    """The ledger's file or URL; by default a file in the platform's state folder."""
    named = named_ledger(settings, environment)
    if named is not None:
        return named
    from platformdirs import user_state_path

    return str(user_state_path(APP) / "ledger.db")


def named_ledger(
    settings: Settings | None, environment: Mapping[str, str] | None = None
) -> str | None:
    """The ledger that somebody named, if any."""
    environ = os.environ if environment is None else environment
    return environ.get("OZODIAL_LEDGER") or (settings.text("ledger") if settings else None)


def terminal(environment: Mapping[str, str] | None = None) -> tuple[bool, str]:
    """(no colour wanted, TERM)."""
    environ = os.environ if environment is None else environment
    return bool(environ.get("NO_COLOR")), environ.get("TERM", "")


def _env(name: str) -> str:
    return f"OZODIAL_{name.upper()}"


def _origin(setting: Setting) -> str:
    if setting.source.startswith("--"):
        return "flag"
    if setting.source.startswith("OZODIAL_"):
        return "OZODIAL_"
    return "default" if setting.source == "its default" else "profile"


def _config_path(environ: Mapping[str, str]) -> Path:
    if named := environ.get("OZODIAL_CONFIG"):
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path(APP) / "config.toml"


def _profile(config: Path, name: str | None) -> Mapping[str, object]:
    try:
        text = config.read_bytes()
    except FileNotFoundError:
        text = b""
    except OSError as error:
        raise UsageError(f"The config file {config} can't be read: {error.strerror}.") from error
    try:
        profiles = tomllib.loads(text.decode()).get("profiles", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # its text is not shown: a key may have been pasted into it
        raise UsageError(f"The config file {config} is not valid TOML.", "mend the file") from error
    chosen = profiles.get(name or "default") if isinstance(profiles, dict) else None
    if chosen is None and name is not None:
        known = ", ".join(sorted(profiles)) or "none"
        raise UsageError(f"There is no profile {name!r} in {config} (it has: {known}).")
    if not isinstance(chosen, dict):
        return {}
    for key in chosen:
        if key not in NAMES and key not in PROFILE_ONLY:
            near = get_close_matches(key, [*NAMES, *PROFILE_ONLY], 1)
            meant = f"did you mean {near[0]}?" if near else f"known: {', '.join(NAMES)}"
            raise UsageError(f"Profile {name or 'default'} in {config} has {key!r}; {meant}")
    return chosen


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _paths(profile: Mapping[str, object], config: Path) -> Mapping[str, str]:
    paths = profile.get("paths", {})
    good = isinstance(paths, dict) and all(
        isinstance(path, str) and path.startswith("/") for path in paths.values()
    )
    if not good or not isinstance(paths, dict):
        raise UsageError(f"paths in {config} must be a table of paths that begin with /.")
    return {str(name): str(path) for name, path in paths.items()}


def _suppress(profile: Mapping[str, object], config: Path) -> tuple[str, ...]:
    files = profile.get("suppress", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise UsageError(f"suppress in {config} must be a list of files.")
    return tuple(str(Path(file).expanduser()) for file in files)


def _key_from(file: Setting) -> str:
    try:
        return Path(file.value).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"The key file of {file.source} can't be read: {why}.") from error


def _key_from_keyring(settings: Settings) -> str:
    """The system's keyring, where there is one; a server without any is not an error."""
    import keyring
    from keyring.errors import KeyringError

    user_name = settings.text("user_name")
    if not user_name:
        return ""
    try:
        return keyring.get_password(APP, settings.profile or user_name) or ""
    except (KeyringError, RuntimeError, OSError):
        return ""
