"""The README against the code, both ways: options, settings, states, reasons, exit codes."""

import re
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from ozodial.cli import app
from ozodial.errors import ExitCode
from ozodial.fixes import FIXES
from ozodial.models import Reason, State
from ozodial.options import EXIT_CODES
from ozodial.settings import NAMES, PROFILE_ONLY
from tests.readme import ROOT, TEXT, table
from tests.test_layout import PACKAGE

Command = Any
"""Typer may bring a click of its own, so its type has no name that lasts."""

OTHERS = {"--editable", "--hypothesis-profile", "--from", "--spec"}
"""Options of pip, pytest, uvx and pipx."""

ENVIRONMENT_ONLY = {"OZODIAL_API_KEY", "OZODIAL_PROFILE", "OZODIAL_CONFIG", "OZODIAL_NOTIFY"}

EXITS = {
    ExitCode.OK: "every row is accepted or queued, or was before (duplicates and suppressed rows "
    "are as asked)",
    ExitCode.BUG: "a bug in ozodial",
    ExitCode.USAGE: "wrong usage",
    ExitCode.FILE: "the file (missing, unreadable, empty) or its columns can't be used; nothing "
    "was sent",
    ExitCode.PROBLEM_ROWS: "finished, but rows were invalid or rejected",
    ExitCode.UNKNOWN_ROWS: "rows are unknown",
    ExitCode.REFUSED: "the API refused the account, the key or the campaign, or a setting is "
    "missing",
    ExitCode.STOPPED: "stopped before the end (network, API unavailable, a limit in time); ozodial "
    "resume goes on",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C or a TERM signal; ozodial resume goes on",
    ExitCode.TERMINATED: "interrupted by Ctrl-C or a TERM signal; ozodial resume goes on",
}
"""What each exit code promises; a change here is a change of the contract."""


def commands() -> Iterator[tuple[str, Command]]:
    """Every command with the words that it is called by."""
    todo: list[tuple[str, Command]] = [("ozodial", get_command(app))]
    for name, command in todo:
        yield name, command
        below = getattr(command, "commands", {})
        todo += [(f"{name} {word}", each) for word, each in below.items()]


def options(command: Command) -> set[str]:
    """The long options of a command, each by every name that it has."""
    names = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    return {name for name in names if name.startswith("--")}


def test_every_command_is_in_the_readme() -> None:
    shown = {"ozodial runs list": "ozodial runs "}  # the same as `runs` alone
    for name, _ in commands():
        assert shown.get(name, name) in TEXT, name


def test_every_option_is_in_the_readme_and_every_option_there_exists() -> None:
    known = {option for _, command in commands() for option in options(command)} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT))
    assert named - OTHERS == known


def test_every_setting_is_in_the_readme_and_every_setting_there_exists() -> None:
    (told,) = re.findall(r"^The keys of a profile: (.*?)\n\n", TEXT, re.MULTILINE | re.DOTALL)
    keys = set(re.findall(r"`([a-z_]+)`", told))
    assert keys == {*NAMES, *PROFILE_ONLY}
    variables = {f"OZODIAL_{name.upper()}" for name in NAMES}
    named = set(re.findall(r"OZODIAL_[A-Z_]+[A-Z]", TEXT))
    assert named - variables == ENVIRONMENT_ONLY
    assert not {f"OZODIAL_{name.upper()}" for name in PROFILE_ONLY} - ENVIRONMENT_ONLY & named


def test_every_variable_that_the_code_reads_is_told() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py"))
    read = set(re.findall(r"OZODIAL_[A-Z_]+[A-Z]", source))
    assert read <= ENVIRONMENT_ONLY | {f"OZODIAL_{name.upper()}" for name in NAMES}
    assert read >= ENVIRONMENT_ONLY


def test_the_table_of_options_pairs_each_with_its_own_variable() -> None:
    for option, environment, meaning in table("option"):
        assert meaning
        flags = re.findall(r"--([a-z-]+)", option)
        mine = {f"OZODIAL_{flag.removeprefix('no-').replace('-', '_').upper()}" for flag in flags}
        for variable in re.findall(r"OZODIAL_\w+", environment):
            assert variable in mine | {"OZODIAL_LEDGER", "OZODIAL_API_KEY"}, option


def test_the_states_are_those_of_the_code() -> None:
    rows = table("state")
    assert [state for state, _ in rows] == [str(state) for state in State]
    assert all(meaning for _, meaning in rows)


def test_the_reasons_are_those_of_the_code_and_are_mended_as_it_says() -> None:
    rows = table("reason")
    assert [(code, fix) for code, _, fix in rows] == [
        (str(reason), FIXES[reason]) for reason in Reason
    ], "the README's table of reasons wants a line as | `code` | what it says | its fix |"
    meanings = [meaning for _, meaning, _ in rows]
    assert all(meanings)
    assert len(set(meanings)) == len(meanings)


def test_the_exit_codes_are_those_of_the_code_with_their_meaning() -> None:
    told = {
        ExitCode(int(code)): meaning
        for codes, meaning in table("exit code")
        for code in codes.split(", ")
    }
    assert told == EXITS
    assert list(told) == list(ExitCode)
    listed = {int(code) for code in re.findall(r"(?<![\w-])\d+\b", EXIT_CODES)}
    assert listed == set(ExitCode)


def test_what_the_readme_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert "tests/VENDOR_ANSWERS.md" in links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).is_file(), link
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"):
        assert (ROOT / name).read_text(encoding="utf-8").strip(), name
