"""Settings: flag > environment > profile > default, and where each one came from.

The only reader of `os.environ`. Values come out checked and typed, or as one sentence that names
the source of what is wrong, never its value where that could be a secret. Nothing is prompted for.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ozodial.address import check_url
from ozodial.configfile import all_profiles, as_text, paths_of, profile_in, texts_of
from ozodial.endpoints import DOMAINS, Access
from ozodial.errors import SettingError, UsageError
from ozodial.keystore import key_from_file, key_from_keyring
from ozodial.outfile import at_home

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
    "notify_on": "always",
    "outside": "reject",
    "confirm_above": "1000",
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
    "log_file",
    "calling_hours",
    "days",
    "max_duration",
    "stop_at",
    "map_file",
)
PROFILE_ONLY = ("paths", "suppress", "notify")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as text, and where it came from, in words for a person."""

    value: str
    source: str

    def again(self, value: str) -> str:
        """How a person gives another value where this one came from."""
        if self.source.startswith("--"):
            return f"{self.source} {value}"
        return (
            f"{self.source}={value}" if self.source.startswith("OZODIAL_") else f"{value!r} there"
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one command. `given` has each with its source; the defaults among them."""

    given: Mapping[str, Setting]
    profile: str | None = None
    paths: Mapping[str, str] = field(default_factory=dict)
    suppress: tuple[str, ...] = ()
    notify: tuple[str, ...] = field(default=(), repr=False)  # such a URL may hold a password

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
            raise UsageError(
                f"{setting.source} must be a number of at least {least:g}, not {setting.value!r}.",
                f"{setting.again(DEFAULTS.get(name, '30'))}, or leave it out",
            )
        return number

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of a few words (UsageError otherwise)."""
        setting = self.given[name]
        if setting.value not in choices:
            raise UsageError(
                f"{setting.source} must be one of: {', '.join(choices)}.", setting.again(choices[0])
            )
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
        raise UsageError(f"{setting.source} must be true or false.", setting.again("true"))

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
    *,
    with_file: bool = True,
) -> Settings:
    """Merge flags, environment, the profile (unless told not to look) and the defaults."""
    environ = os.environ if environment is None else environment
    given = {name: Setting(value, "its default") for name, value in DEFAULTS.items()}
    config = config_path(environ)
    name = profile_name(profile, environ)
    chosen = profile_in(config, name, (*NAMES, *PROFILE_ONLY)) if with_file else {}
    for key, value in chosen.items():
        if key not in PROFILE_ONLY:
            source = f"{key} in profile {name or 'default'} ({config})"
            given[key] = Setting(as_text(value), source)
    for key in NAMES:
        if value := environ.get(_env(key)):
            given[key] = Setting(value, _env(key))
    for key, flag in flags.items():
        if flag is not None:
            given[key] = Setting(flag, f"--{key.replace('_', '-')}")
    notify = tuple(environ.get("OZODIAL_NOTIFY", "").split()) or texts_of(chosen, "notify", config)
    suppress = tuple(str(at_home(file)) for file in texts_of(chosen, "suppress", config))
    return Settings(given, name, paths_of(chosen, config), suppress, notify)


def profile_name(profile: str | None, environment: Mapping[str, str] | None = None) -> str | None:
    """The profile that was named, if any."""
    environ = os.environ if environment is None else environment
    return profile or environ.get("OZODIAL_PROFILE") or None


def load_without_profile(
    flags: Mapping[str, str | None], environment: Mapping[str, str] | None = None
) -> Settings:
    """What is left where the config file can't be used: flags, environment and defaults."""
    environ = dict(os.environ if environment is None else environment)
    environ.pop("OZODIAL_PROFILE", None)
    return load(flags, None, {**environ, "OZODIAL_CONFIG": os.devnull})


def api_key(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """The key: --api-key-file, OZODIAL_API_KEY, its file, then the system's keyring."""
    key, _ = _key(settings, environment)
    if not key:
        raise SettingError(
            "No API key is set.",
            "ozodial login, or OZODIAL_API_KEY=…, or --api-key-file PATH",
        )
    return checked_key(key)


def checked_key(key: str) -> str:
    """The key, if it can be one (SettingError that does not show it otherwise)."""
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        raise SettingError("The API key has characters that no key has.", "copy the key again")
    return key


def key_source(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Where the key came from, for a person."""
    return _key(settings, environment)[1]


def _key(settings: Settings, environment: Mapping[str, str] | None) -> tuple[str, str]:
    environ = os.environ if environment is None else environment
    file = settings.given.get("api_key_file")
    key = environ.get("OZODIAL_API_KEY", "").strip()
    if file is not None and (file.source.startswith("--") or not key):
        return key_from_file(file.value, file.source), f"{file.source}: {file.value}"
    if key:
        return key, "OZODIAL_API_KEY"
    return key_from_keyring(keyring_entries(settings)), "the system's keyring"


def keyring_entries(settings: Settings) -> list[str]:
    """Under which names the keyring may have the key: the profile's, then the user's."""
    user_name = settings.text("user_name")
    if not user_name:
        return []
    return [settings.profile, user_name] if settings.profile else [user_name]


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


def config_path(environment: Mapping[str, str] | None = None) -> Path:
    """The config file, whether it exists or not."""
    environ = os.environ if environment is None else environment
    if named := environ.get("OZODIAL_CONFIG"):
        return at_home(named)
    from platformdirs import user_config_path

    return user_config_path(APP) / "config.toml"


def profiles_known(environment: Mapping[str, str] | None = None) -> dict[str, dict[str, object]]:
    """The profiles of the config file as they stand there, unchecked."""
    found = all_profiles(config_path(environment))
    return {name: said for name, said in found.items() if isinstance(said, dict)}
