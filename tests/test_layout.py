"""The promises about the package itself: who imports what, how light it starts, the README."""

import ast
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

import ozodial
from ozodial.cli import app

PACKAGE = Path(ozodial.__file__).parent
ROOT = Path(__file__).parents[1]

FOREIGN = {
    "typer": {"prompting", "cli", "cli_runs", "cli_tools", "cli_shared", "options"},
    "httpx": {"client"},
    "sqlalchemy": {
        *("schema", "database", "ledger", "owners", "staging", "claims", "sorting", "keys"),
        *("slots", "history", "marking", "health", "sifting", "holders", "removals", "settling"),
        *("purging", "postgres", "upkeep", "joining", "writing"),
    },
    "rich": {"live", "screen", "tables"},
    "starlette": {"sandbox_app", "sandbox_wire", "sandbox_server"},
    "uvicorn": {"sandbox_server"},
    "keyring": {"keystore"},
    "platformdirs": {"settings"},
    "phonenumbers": {"phones", "numbering"},
    "dateutil": {"dates"},
    "python_calamine": {"workbook"},
    "charset_normalizer": {"encodings"},
    "apprise": {"notify"},
    "jinja2": {"page"},
    "tomlkit": {"profiles"},
    "matplotlib": {"charts", "page"},
    "xlsxwriter": {"export", "template"},
}
"""A library -> the only rooms that may import it."""

STEPS = {
    "reader",
    "mapping",
    "validate",
    "batching",
    "client",
    "interpret",
    "endpoints",
    "deletes",
}
"""The steps of a lead's way; they never import each other (endpoints is what all stand on)."""

ABOVE = {
    *("cli", "cli_runs", "options", "typed", "commands", "looking", "checking", "opening"),
    *("undoing", "importing", "doctor", "origins", "archive", "outlets", "runpage", "prompting"),
    *("login", "timing", "asking", "templates", "working", "ledgers", "cli_tools", "cli_shared"),
}
"""The rooms of the command line; nothing below imports them."""


@cache
def modules() -> Sequence[tuple[str, ast.Module]]:
    return [
        (path.stem, ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.glob("*.py"))
    ]


def imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "ozodial":
                found.update(f"ozodial.{alias.name}" for alias in node.names)
    return found


def own(tree: ast.Module) -> set[str]:
    return {name.split(".")[1] for name in imports(tree) if name.startswith("ozodial.")}


@pytest.mark.parametrize("library", FOREIGN)
def test_a_library_is_imported_by_its_rooms_alone(library: str) -> None:
    users = {
        name
        for name, tree in modules()
        if any(used.split(".")[0] == library for used in imports(tree))
    }
    assert users <= FOREIGN[library]
    assert users, f"nobody imports {library} any more"


def test_steps_do_not_import_each_other() -> None:
    for name, tree in modules():
        if name in STEPS:
            assert own(tree) & STEPS - {"endpoints"} == set(), name


def test_nothing_below_imports_the_command_line() -> None:
    for name, tree in modules():
        if name not in ABOVE | {"__main__"}:
            assert own(tree) & ABOVE == set(), name


def test_the_simulator_does_not_share_the_reading_of_answers() -> None:
    shared = {"interpret", "answers", "matching", "client", "ledger", "upload", "sending"}
    for name, tree in modules():
        if name.startswith("sandbox"):
            assert own(tree) & shared == set(), name


def test_only_settings_read_the_environment() -> None:
    for name, tree in modules():
        reads = any(isinstance(n, ast.Attribute) and n.attr == "environ" for n in ast.walk(tree))
        assert not reads or name == "settings", name


def test_modules_stay_small_and_say_what_they_are() -> None:
    for path in PACKAGE.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 330, path.name
        assert ast.get_docstring(ast.parse(text)), path.name


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_looking_at_help_or_version_loads_nothing_heavy(argument: str) -> None:
    heavy = "httpx sqlalchemy phonenumbers dateutil rich.live starlette uvicorn keyring xlsxwriter"
    heavy += " apprise jinja2 matplotlib tomlkit sqlite3"
    code = (
        "import sys\n"
        "before = set(sys.modules)  # what counts coverage loads a database\n"
        f"sys.argv = ['ozodial', {argument!r}]\n"
        "from ozodial.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (0, None), end.code\n"
        f"print('loaded:', sorted({set(heavy.split())!r} & (sys.modules.keys() - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_check_loads_no_database_and_no_http(tmp_path: Path) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_text("Mobile,Name\n9876543210,Asha\n")
    code = (
        "import sys\n"
        f"sys.argv = ['ozodial', 'check', {str(leads)!r}]\n"
        "from ozodial.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print('loaded:', [n for n in ('sqlalchemy', 'httpx', 'uvicorn') if n in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


# --- README ---


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def sh_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", readme(), re.MULTILINE | re.DOTALL)


def test_the_readme_begins_with_the_two_commands() -> None:
    job, tests = sh_blocks()[:2]
    assert "ozodial schedule sample_data/leads.csv" in job
    assert "--sandbox" in job
    assert "pytest" in tests


def test_every_command_and_option_of_the_readme_exists() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for line in re.findall(
        r"^\$? ?(?:\S+/)?ozodial ([^\n]*)", "\n".join(sh_blocks()), re.MULTILINE
    ):
        words = line.split("#")[0].split()
        command = commands[words[0]] if not words[0].startswith("-") else get_command(app)
        sub = getattr(command, "commands", {}).get(words[1] if len(words) > 1 else "")
        known = {opt for c in (command, sub) if c for p in c.params for opt in p.opts}
        for word in words:
            if word.startswith("--"):
                assert word.split("=")[0] in known | {"--help"}, line


def test_every_command_has_help_with_an_example() -> None:
    todo = dict(get_command(app).commands)  # type: ignore[attr-defined]
    for group in ("runs", "ledger"):
        todo |= {f"{group} {name}": sub for name, sub in todo[group].commands.items()}
    for name, command in todo.items():
        assert command.help, name
        assert "ozodial" in (command.epilog or ""), name
