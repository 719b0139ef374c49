"""The config file as it is written: a profile's settings in, TOML out, everything else untouched.

Comments, order and other profiles stay as they stand. The file is replaced as a whole, and can be
read by its owner alone. It never holds a key.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ozodial.errors import UsageError
from ozodial.outfile import written_whole

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def profile_of(config: Path, name: str) -> dict[str, str]:
    """A profile's settings that are plain text; empty where there is no such profile yet."""
    found = _document(config).get("profiles", {}).get(name, {})
    return {key: str(value) for key, value in found.items() if isinstance(value, str)}


def save_profile(config: Path, name: str, settings: Mapping[str, str | None]) -> None:
    """Set these settings of a profile; None takes one out (UsageError if it can't be written)."""
    import tomlkit

    document = _document(config)
    profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
    profile = profiles.setdefault(name, tomlkit.table())
    for key, value in settings.items():
        if value is None:
            profile.pop(key, None)
        else:
            profile[key] = value
    target = config.resolve()  # where the file is a link, what it leads to
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        said = f"The folder {target.parent} can't be made: {error.strerror}."
        raise UsageError(said, "set OZODIAL_CONFIG to a file that you may write") from error
    with written_whole(target) as temporary:
        temporary.write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")


def _document(config: Path) -> "TOMLDocument":
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(config.read_bytes().decode())
    except FileNotFoundError:
        return tomlkit.document()
    except (TOMLKitError, UnicodeDecodeError, OSError) as error:
        # its text is not shown: a key may have been pasted into it
        said = f"The config file {config} can't be read as TOML."
        raise UsageError(said, f"mend {config}, or move it away") from error
