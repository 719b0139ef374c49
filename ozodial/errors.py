"""Everything that can go wrong in a way a user can mend, and the exit codes.

OzodialError
├── UsageError          wrong option or setting value               exit 2
├── FileError           the file or its columns can't be used       exit 3
├── SettingError        a setting is missing, or can't be used      exit 6
├── RefusedError        the API refused account, key or campaign    exit 6
├── LedgerError         the ledger can't be opened or used          exit 6
└── StoppedError        stopped before the end; resume goes on      exit 7
    └── LedgerFullError the ledger can't take more facts            exit 7
        └── LedgerAwayError  its server is away for now         exit 7

Every error is one sentence for a person and, where there is one, the next command to type.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller (design section 5)."""

    OK = 0
    BUG = 1
    USAGE = 2
    FILE = 3
    PROBLEM_ROWS = 4
    UNKNOWN_ROWS = 5
    REFUSED = 6
    STOPPED = 7
    INTERRUPTED = 130
    TERMINATED = 143


class OzodialError(Exception):
    """The root: a sentence for a person, a hint with the next command, an exit code."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OzodialError):
    """An option or a setting has a value that can't be used."""

    exit_code = ExitCode.USAGE


class FileError(OzodialError):
    """The file is missing, unreadable or empty, or its columns can't be used; nothing was sent."""

    exit_code = ExitCode.FILE


class SettingError(OzodialError):
    """A setting that the run needs is missing."""

    exit_code = ExitCode.REFUSED


class RefusedError(OzodialError):
    """The API refused the account, the key, the token or the campaign."""

    exit_code = ExitCode.REFUSED


class LedgerError(OzodialError):
    """The ledger can't be opened, or is not one of ours."""

    exit_code = ExitCode.REFUSED


class StoppedError(OzodialError):
    """The run stopped before its end: network, API unavailable, or a limit in time."""

    exit_code = ExitCode.STOPPED


class LedgerFullError(StoppedError):
    """A fact can't be written to the ledger (disk full, read-only, gone)."""


class LedgerAwayError(LedgerFullError):
    """The ledger's server can't be reached for now; nothing was written."""
