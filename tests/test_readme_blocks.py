"""Every fenced command of the README, run as it is written, on a desk that is made ready for it.

What is made ready stands here and nowhere else: the files that a block names, a simulator for the
vendor, a PostgreSQL for the host `db`, and a run of the number 12. The commands themselves are the
README's, word for word but for two things of the machine: the folder /srv, and the port 8080.
"""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import xlsxwriter

from ozodial import settings as config
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk
from tests.harness.server import NoServerError, Postgres
from tests.readme import ROOT, Block, blocks
from tests.test_login import answers, at_terminal

NOT_RUN = {
    "python3 -m venv": "it installs from the index; .ci/run does it in a clean copy",
    ".venv/bin/pip install": "it installs from the index; .ci/run does it in a clean copy",
    ".venv/bin/python -m pytest": "these are the tests; .ci/run does it in a clean copy",
    "pip install": "it installs from the index",
}
"""Begin of a command -> why it is not run here."""

CODES = {
    "ozodial undo 12": 2,  # it asks, and nobody is there: --yes
    "ozodial resume 12 --resend-unknown": 0,
}
"""Commands that don't end with 0 on the desk of the tests."""

KEY = "k-2718281828"
LEADS = "Mobile,Name,Tel (new),City\n9876543210,Asha,9876543220,Pune\n9876543211,Ravi,9876543221,\n"
BAD = LEADS + "98765,Dee,9876543229,Pune\n9855501555,Zoe,9876543222,Pune\n"

SH = blocks("sh")


def commands(block: Block) -> list[str]:
    """The commands of a block; what goes with `<<'SQL'` belongs to its command."""
    found: list[str] = []
    ending = None
    for line in block.text.splitlines():
        if ending is not None:
            found[-1] += f"\n{line}"
            ending = None if line == ending else ending
        elif line.strip() and not line.startswith("#"):
            found.append(line)
            heredoc = re.search(r"<<'(\w+)'", line)
            ending = heredoc[1] if heredoc else None
    return [part for line in found for part in ([line] if "\n" in line else line.split(" && "))]


def not_run(command: str) -> bool:
    return any(command.startswith(begin) for begin in NOT_RUN)


class Stage:
    """A desk with the README's files, and a shell on it."""

    def __init__(self, home: Path, vendor: ServerHandle) -> None:
        self.vendor = vendor
        settings = {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "OZODIAL_PACE": "0.05",
            "OZODIAL_API_KEY": KEY,
            "OZODIAL_CONFIG": str(home / "config.toml"),
            "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
            "XDG_DATA_HOME": str(home / "data"),
        }
        self.desk = Desk(home, settings)
        self.exported: dict[str, str] = {}
        (home / "bin").mkdir()
        program = home / "bin" / "ozodial"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ozodial "$@"\n')
        program.chmod(0o755)
        (home / ".venv").symlink_to(home)
        (home / "sample_data").symlink_to(ROOT / "sample_data")
        profile = f'user_name = "asha"\nbase_url = "{vendor.url}"\n'
        self.desk.write("config.toml", f"[profiles.default]\n{profile}")
        self.desk.write("leads.csv", LEADS)
        self.workbook()

    def workbook(self, *, times: bool = False) -> None:
        """leads.xlsx, filled in."""
        tomorrow = datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(days=1)
        with xlsxwriter.Workbook(str(self.desk.home / "leads.xlsx")) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, ["PhoneNumber", "Name", *(["ScheduledTime"] if times else [])])
            for row in range(1, 4):
                when = [f"{tomorrow:%Y-%m-%d} {8 + row}:30"] if times else []
                page.write_row(row, 0, [f"98765001{row:02}", f"Lead {row}", *when])

    def set(self, **settings: str) -> None:
        """Other settings in the environment."""
        self.desk = Desk(self.desk.home, {**self.desk.settings, **settings})

    def run_12(self, *words: str) -> None:
        """A ledger whose newest run has the number 12."""
        self.desk.ledger.unlink(missing_ok=True)
        assert self.desk.run("runs").code == 0
        with closing(sqlite3.connect(self.desk.ledger)) as ledger, ledger:
            ledger.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', 11)")
        done = self.desk.run(*words, "--campaign", "Diwali", "--json")
        assert done.summary["run"] == 12, done.err

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Type one command."""
        if exported := re.fullmatch(r"export (\w+)=(\S+)", command):
            self.exported[exported[1]] = exported[2]
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.desk.home,
            env=self.desk.environment(**self.exported),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        expected = CODES.get(command.split("  #")[0].strip(), 0)
        assert done.returncode == expected, f"{command}\n{done.stdout}{done.stderr}"
        return done


@pytest.fixture
def stage(tmp_path: Path, vendor: ServerHandle) -> Stage:
    return Stage(tmp_path, vendor)


def of(section: str, place: int = 0) -> list[str]:
    return commands([block for block in SH if block.section == section][place])


def test_every_block_is_run_by_a_test_below() -> None:
    assert [(block.section, block.language) for block in blocks()] == [
        ("ozodial", "sh"),
        ("ozodial", "sh"),
        ("ozodial", ""),
        ("Sending for real", "sh"),
        ("Sending for real", "sh"),
        ("Sending for real", "sh"),
        ("Over the day", "sh"),
        ("Going on, and looking back", "sh"),
        ("Going on, and looking back", "sh"),
        ("The wrong list", "sh"),
        ("Configuration", "toml"),
        ("From cron", ""),
        ("Several hosts, one ledger", "sh"),
        ("Several hosts, one ledger", "sql"),
        ("Rehearsing", "sh"),
    ]
    left_out = [command for block in SH for command in commands(block) if not_run(command)]
    assert len(left_out) == 6, left_out
    assert all(any(command.startswith(begin) for command in left_out) for begin in NOT_RUN)


def test_the_first_command_prints_what_the_readme_shows(stage: Stage) -> None:
    (command,) = [each for each in of("ozodial") if not not_run(each)]
    stage.set(OZODIAL_LEDGER="", OZODIAL_PACE="")
    done = stage.run(command.replace(".venv/bin/", "bin/"))
    (shown,) = (block.text for block in blocks("") if block.section == "ozodial")
    assert timeless(done.stderr + done.stdout) == timeless(shown)


def timeless(text: str) -> str:
    return re.sub(r"\d+\.\d s", "N s", text)


def test_sending_for_real(stage: Stage) -> None:
    for command in of("Sending for real"):
        if command.split("  ")[0] == "ozodial login":
            stage.set(OZODIAL_API_KEY="")
            code, shown = at_terminal(stage.desk, ["login"], answers(stage.vendor, KEY))
            assert code == 0, shown
            continue
        if command.startswith("ozodial template"):
            (stage.desk.home / "leads.xlsx").unlink()
            stage.run(command)
            stage.workbook()  # somebody fills it in
            continue
        stage.run(command)
    assert len(stage.vendor.sandbox.leads) == 3 + 2  # V4: they are in


def test_columns_by_hand_and_a_mapping_file(stage: Stage) -> None:
    (command,) = of("Sending for real", 1)
    stage.run(command)
    sent = [lead.fields for lead in stage.vendor.sandbox.leads]
    assert [(each["PhoneNumber"], each["City"]) for each in sent] == [
        ("9876543220", "Pune"),
        ("9876543221", ""),
    ]
    for command in of("Sending for real", 2):
        stage.run(command)
    assert len(stage.vendor.sandbox.leads) == 2 + 3


def test_over_the_day(stage: Stage) -> None:
    for command in of("Over the day"):
        stage.workbook(times="--calling-hours" in command)
        stage.run(command)
    assert len(stage.vendor.sandbox.leads) == 3 + 3 + 2


def test_going_on(stage: Stage) -> None:
    stage.run_12("bulk-add", "leads.csv")
    for command in of("Going on, and looking back"):
        stage.run(command)
    assert {"out.xlsx", "diwali.html"} <= {path.name for path in stage.desk.home.iterdir()}


def test_callbacks(stage: Stage) -> None:
    stage.desk.write("leads.csv", BAD)
    stage.run_12("bulk-add", "leads.csv", "--api", "v4")
    shown = stage.desk.run("runs", "show", "12", "--json")
    (transaction,) = (batch["transaction_id"] for batch in shown.of("batch"))
    base = f"{stage.vendor.url}/sandbox/callbacks/{transaction}"
    for name, url in (("callback.json", base), ("failed.csv", f"{base}/failed.csv")):
        stage.desk.write(name, httpx.get(url, trust_env=False).text)
    (command,) = of("Going on, and looking back", 1)
    stage.run(f"{command} && ozodial runs show 12 --json > story || [ $? = 4 ]")
    assert stage.desk.run("runs", "list", "--state", "queued", "--json").of("run") == []


def test_the_wrong_list(stage: Stage) -> None:
    stage.run_12("bulk-add", "leads.csv")
    for command in of("The wrong list"):
        stage.run(command)
    assert not stage.vendor.sandbox.present


def test_the_config_file_is_one(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    path = tmp_path / "config.toml"
    path.write_text(block.text, encoding="utf-8")
    profiles = tomllib.loads(block.text)["profiles"]
    assert set(profiles) == {"default", "west"}
    for name, said in profiles.items():
        loaded = config.load({}, name, {"OZODIAL_CONFIG": str(path)})
        for key, value in said.items():
            taken = {"suppress": loaded.suppress, "notify": loaded.notify}.get(key)
            assert list(taken or ()) == value if taken else loaded.text(key) == str(value), key


def test_the_lines_for_cron_are_silent_when_all_is_well(stage: Stage) -> None:
    (block,) = (block for block in blocks("") if block.section == "From cron")
    lines = [line for line in block.text.splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    (stage.desk.home / "srv" / "leads").mkdir(parents=True)
    stage.desk.write("srv/leads/today.csv", LEADS)
    for line in lines:
        *when, command = line.split(maxsplit=5)
        assert all(re.fullmatch(r"[\d*/,-]+", field) for field in when), line
        command = command.replace("/srv/", f"{stage.desk.home}/srv/")
        if "today 10:00" in command:  # cron starts it at 7; the tests run at any hour
            command = command.replace("today 10:00", "tomorrow 10:00")
        done = stage.run(command)
        assert done.stdout + done.stderr == ""
    assert len(stage.vendor.sandbox.leads) == 2


@pytest.fixture
def db() -> Iterator[tuple[Postgres, dict[str, str]]]:
    """An empty server that answers to `-h db`, and the environment in which it does."""
    port = free_port()
    try:
        server = Postgres(listen_addresses="127.0.0.1", port=str(port))
    except NoServerError as error:
        pytest.skip(str(error))
    with server:
        server.query("DROP DATABASE ozodial")
        server.query("DROP ROLE ozodial")
        yield server, {"PGHOSTADDR": "127.0.0.1", "PGPORT": str(port)}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_several_hosts(stage: Stage, db: tuple[Postgres, dict[str, str]]) -> None:
    server, stage.exported = db
    (sql,) = blocks("sql")
    program = shutil.which("psql") or server.program("psql")
    (stage.desk.home / "bin" / "psql").symlink_to(program)
    first, *rest = [each for each in of("Several hosts, one ledger") if not not_run(each)]
    assert first.startswith("psql -h db")
    stage.run(first)
    for command in rest:
        if command.startswith("ozodial schedule"):
            stage.run("ozodial ledger status")  # makes the tables
            server.query("ALTER SEQUENCE runs_id_seq RESTART WITH 12", "ozodial")
        stage.run(command)
    assert len(stage.vendor.sandbox.leads) == 2
    server.query("CREATE ROLE ozodial_host LOGIN PASSWORD 'change-me'")
    for statement in filter(None, map(str.strip, sql.text.split(";"))):
        server.query(statement, "ozodial")
    url = stage.exported["OZODIAL_LEDGER"].replace("//ozodial:", "//ozodial_host:")
    stage.exported["OZODIAL_LEDGER"] = url
    assert "12" in stage.run("ozodial runs").stdout
    stage.desk.write("leads.csv", LEADS.replace("98765432", "98765433"))
    stage.run('ozodial schedule leads.csv --campaign Diwali --at "tomorrow 10:00"')
    assert len(stage.vendor.sandbox.leads) == 4


def test_rehearsing(stage: Stage) -> None:
    serve, send = of("Rehearsing")
    port = str(free_port())
    words = serve.replace("8080", port).split()[1:]
    server = stage.desk.start(*words)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as near:
                if near.connect_ex(("127.0.0.1", int(port))) == 0:
                    break
            time.sleep(0.05)
        done = stage.run(send.replace("8080", port))
        assert "2 accepted" in done.stdout
    finally:
        server.terminate()
        server.communicate()
