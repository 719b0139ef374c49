"""Where the API key is kept outside the command: a file of one's own, or the system's keyring.

In: a path or an entry's name. Out: the key, or SettingError with what to type. A machine without a
keyring is no error: nothing is found there, and keeping says False.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from ozodial.errors import SettingError
from ozodial.outfile import at_home

SERVICE = "ozodial"


def key_from_file(name: str, source: str) -> str:
    """The key in a file that nobody else can read; `source` says who named it."""
    path = at_home(name)
    try:
        with path.open(encoding="utf-8") as file:
            _check_private(path, os.fstat(file.fileno()))
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(
            f"The key file {path} of {source} can't be read: {why}.",
            f"put the key alone into that file, then: chmod 600 {path}",
        ) from error


def _check_private(path: Path, found: os.stat_result) -> None:
    """As ssh does; a file of somebody else's, lent to our group, is as private as it can be."""
    if not stat.S_ISREG(found.st_mode) or not hasattr(os, "geteuid"):
        return
    open_to = stat.S_IRWXO | (stat.S_IRWXG if found.st_uid == os.geteuid() else 0)
    if found.st_mode & open_to:
        mode = f"{stat.S_IMODE(found.st_mode):o}"
        raise SettingError(
            f"The key file {path} can be read by others (its mode is {mode}), so it is not used.",
            f"chmod 600 {path}",
        )


def key_from_keyring(entries: Iterable[str]) -> str:
    """The first of these entries that the system's keyring has; "" if none, or no keyring."""
    import keyring
    from keyring.errors import KeyringError

    for entry in entries:
        try:
            if key := keyring.get_password(SERVICE, entry):
                return key
        except (KeyringError, RuntimeError, OSError):
            return ""
    return ""


def keep_in_keyring(entry: str, key: str) -> bool:
    """Store the key; False where there is no keyring, or it does not keep what it is given."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, entry, key)
        return keyring.get_password(SERVICE, entry) == key
    except (KeyringError, RuntimeError, OSError):
        return False


def forget_in_keyring(entry: str) -> bool:
    """Remove the key; False if there was none."""
    import keyring
    from keyring.errors import KeyringError

    try:
        if keyring.get_password(SERVICE, entry) is None:
            return False
        keyring.delete_password(SERVICE, entry)
    except (KeyringError, RuntimeError, OSError):
        return False
    return True
