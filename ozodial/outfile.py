"""A file that we write for a person: whole or not at all, readable by its owner alone.

It is written beside its target and put in its place only when it is whole. What is no file of ours
is never written over. Errors: UsageError, and whatever stood there still stands.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ozodial.errors import UsageError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to (mode 0600); put in its place when the block ends well."""
    import tempfile

    try:
        number, name = tempfile.mkstemp(path.suffix, f".{path.stem[:50]}-", path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    os.close(number)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: Path, example: str) -> None:
    """Raise UsageError if no ordinary file can stand at `path`; `example` is a file's name."""
    if path.is_symlink():
        raise UsageError(f"{path} is a link", "name the file itself")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", f"name a file, such as {path / example}")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not an ordinary file", f"name a file, such as {example}")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", f"mkdir -p {path.parent}")


def is_ours(path: Path, marked: Callable[[Path], bool]) -> bool:
    """Whether nothing would be lost at `path`: nothing there, nothing in it, or a file of ours."""
    try:
        return not path.exists() or path.stat().st_size == 0 or marked(path)
    except OSError:
        return False  # what can't be read can't be known to be ours


def _unwritable(path: Path, error: OSError) -> UsageError:
    why = error.strerror or str(error)
    return UsageError(f"{path} can't be written: {why}", f"look at the folder {path.parent}")


def at_home(place: str) -> Path:
    """A path with `~` as the home folder; what is nobody's home stays as it stands."""
    return Path(os.path.expanduser(place))
