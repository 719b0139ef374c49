"""The config file as it is read: TOML in, one profile's keys and values out, checked for typos.

Errors: UsageError that names the file and the key, never a value: a secret may stand there.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from ozodial.errors import UsageError


def all_profiles(config: Path) -> dict[str, object]:
    """Every profile of the file by its name; none where there is no file."""
    try:
        text = config.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"The config file {config} can't be read: {error.strerror}.") from error
    import tomllib

    try:
        profiles = tomllib.loads(text.decode()).get("profiles", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # its text is not shown: a key may have been pasted into it
        raise UsageError(
            f"The config file {config} is not valid TOML.", f"mend {config}"
        ) from error
    return profiles if isinstance(profiles, dict) else {}


def profile_in(config: Path, name: str | None, keys: Sequence[str]) -> Mapping[str, object]:
    """The profile of a name (None: the default one, or nothing); all its keys among `keys`."""
    profiles = all_profiles(config)
    chosen = profiles.get(name or "default")
    if chosen is None and name is not None:
        known = ", ".join(sorted(profiles)) or "none"
        near = get_close_matches(name, profiles, 1) or sorted(profiles)[:1]
        hint = f"--profile {near[0]}" if near else f"ozodial login --profile {name}"
        raise UsageError(f"There is no profile {name!r} in {config} (it has: {known}).", hint)
    if not isinstance(chosen, dict):
        return {}
    for key in chosen:
        if key not in keys:
            near = get_close_matches(key, keys, 1)
            meant = f"did you mean {near[0]}?" if near else f"known: {', '.join(keys)}"
            said = f"Profile {name or 'default'} in {config} has {key!r}; {meant}"
            raise UsageError(said, f"mend {config}")
    return chosen


def as_text(value: object) -> str:
    """A value of the file as a flag would give it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def paths_of(profile: Mapping[str, object], config: Path) -> Mapping[str, str]:
    """The profile's own paths of endpoints."""
    paths = profile.get("paths", {})
    good = isinstance(paths, dict) and all(
        isinstance(path, str) and path.startswith("/") for path in paths.values()
    )
    if not good or not isinstance(paths, dict):
        raise UsageError(
            f"paths in {config} must be a table of paths that begin with /.", f"mend {config}"
        )
    return {str(name): str(path) for name, path in paths.items()}


def texts_of(profile: Mapping[str, object], name: str, config: Path) -> tuple[str, ...]:
    """A list of texts in the profile: `suppress` (files), `notify` (URLs)."""
    values = profile.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        what = {"suppress": "files", "notify": "URLs"}[name]
        raise UsageError(f"{name} in {config} must be a list of {what}.", f"mend {config}")
    return tuple(values)
