"""What SECURITY.md promises: secrets, permissions, links, names that act, TLS."""

import os
import re
import ssl
import stat
import subprocess
import warnings
from pathlib import Path

import pytest

from ozodial.client import Client
from ozodial.clock import SystemClock
from ozodial.database import open_engine
from ozodial.errors import LedgerError
from ozodial.ledger import Ledger
from ozodial.replies import Lost, NotSent, Reply
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, command, sheet
from tests.test_client import REQUEST
from tests.test_readme import commands, options
from tests.wire import Authority, RawServer, closed_port, http, saying

KEY = "k-3141592653"
WORD = "pass-w0rd-of-a-service"
BAD = sheet(3) + "98765,Dee\n9855501555,Zoe\n"
SOON = ("--at", "tomorrow 10:00")


def under(desk: Desk, umask: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `ozodial` with another umask."""
    return subprocess.run(
        ["sh", "-c", f'umask {umask}; exec "$@"', "sh", *command(words)],
        cwd=desk.home,
        env=desk.environment(MPLCONFIGDIR=str(desk.home / "matplotlib")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


# --- secrets ---


def test_no_secret_in_anything_that_is_written(desk: Desk, vendor: ServerHandle) -> None:
    desk.write("leads.csv", BAD)
    service = closed_port().replace("http://", f"json://me:{WORD}@")
    away = f"postgresql+psycopg://me:{WORD}@127.0.0.1:1/none"
    outlets = ("--rejects", "bad.csv", "--results", "all.xlsx", "--log-file", "o.log", "-vv")
    done = [
        desk.run("schedule", "leads.csv", *SOON, *outlets, "--notify", service),
        desk.run("bulk-add", "leads.csv", "--json", *outlets, OZODIAL_NOTIFY=service),
        desk.run("doctor", "--campaign", "Diwali", "-vv"),
        desk.run("runs", "show", "1", "--json"),
        desk.run("runs", "export", "1", "out.jsonl"),
        desk.run("runs", "report", "1", "out.html"),
        desk.run("ledger", "status"),
        desk.run("bulk-add", "leads.csv", "--api-key-file", KEY, "-vv"),
        desk.run("bulk-add", "leads.csv", "-vv", OZODIAL_LEDGER=away),
        desk.run("doctor", OZODIAL_LEDGER=away),
        desk.run("--show-completion", "bash", SHELL="/bin/bash"),
    ]
    assert [each.code for each in done[:7]] == [4, 4, 0, 0, 0, 0, 0], done
    told = "".join(each.out + each.err for each in done)
    told = told.replace(f"key file {KEY}", "").replace(
        f"alone into that file, then: chmod 600 {KEY}", ""
    )
    assert "notification 1 (json:" in told
    files = {path: path.read_bytes() for path in desk.home.rglob("*") if path.is_file()}
    assert len(files) >= 6
    for secret in (KEY, WORD):
        assert secret not in told
        assert [path.name for path, content in files.items() if secret.encode() in content] == []
    token = re.compile(rb"eyJ[\w-]+\.[\w.-]+")
    assert not token.search(told.encode())
    assert vendor.sandbox.token_calls
    having = {path.name for path, content in files.items() if token.search(content)}
    assert having <= {"ledger.db", "ledger.db-wal"}


def test_no_process_is_started_that_could_show_a_secret() -> None:
    for path in (Path(__file__).parents[1] / "ozodial").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(subprocess|multiprocessing|os\.system|os\.exec|popen)\b", text), (
            path.name
        )


# --- permissions ---


@pytest.mark.parametrize("umask", ["000", "022"])
def test_files_are_their_owners_alone(desk: Desk, umask: str) -> None:
    desk.write("leads.csv", BAD).chmod(0o600)
    before = set(desk.home.rglob("*"))
    outlets = ("--rejects", "bad.csv", "--results", "all.xlsx", "--log-file", "o.log")
    for words in (
        ("bulk-add", "leads.csv", *outlets),
        ("runs", "export", "1", "out.jsonl"),
        ("runs", "report", "1", "out.html"),
        ("check", "leads.csv", "--save-map", "crm.toml"),
        ("template", "empty.xlsx"),
    ):
        done = under(desk, umask, *words)
        assert done.returncode in (0, 4), done.stderr
    written = {path for path in set(desk.home.rglob("*")) - before if "matplotlib" not in str(path)}
    made = {path: stat.S_IMODE(path.stat().st_mode) for path in written}  # fonts are its own affair
    names = {path.name for path in made}
    assert names >= {"ledger.db", "bad.csv", "all.xlsx", "o.log", "out.jsonl", "out.html"}
    for path, mode in made.items():
        without_leads = path.name in ("crm.toml", "empty.xlsx")
        assert mode & (0o133 if without_leads else 0o077) == 0, (path, oct(mode))


def test_the_ledgers_side_files_are_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = Ledger.open(str(tmp_path / "state" / "ledger.db"), SystemClock())
        with ledger.lease():
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
        ledger.close()
    finally:
        os.umask(before)
    assert modes.pop("state") == 0o700
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


# --- links ---

WRITERS = {
    "rejects": ("bulk-add", "leads.csv", "--rejects", "link.csv"),
    "results": ("bulk-add", "leads.csv", "--results", "link.csv"),
    "log": ("bulk-add", "leads.csv", "--log-file", "link.csv"),
    "export": ("runs", "export", "1", "link.csv"),
    "report": ("runs", "report", "1", "link.html"),
    "template": ("template", "link.csv"),
    "recipe": ("check", "leads.csv", "--save-map", "link.csv"),
    "ledger": ("runs",),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_planted_link_is_never_followed(desk: Desk, writer: str) -> None:
    desk.write("leads.csv", BAD)
    if writer in ("export", "report"):
        desk.run("bulk-add", "leads.csv")
    precious = desk.write("precious.txt", "precious,ozodial_status\n")
    words = WRITERS[writer]
    link = desk.home / next((word for word in words if word.startswith("link")), "link.db")
    settings = {"OZODIAL_LEDGER": str(link)} if writer == "ledger" else {}
    for target in (precious, desk.home / "not-there"):
        link.symlink_to(target)
        done = desk.run(*words, **settings)
        assert done.code in (2, 3, 6), done
        assert done.err.count("error: ") == 1
        assert link.is_symlink()
        link.unlink()
    assert precious.read_text() == "precious,ozodial_status\n"
    assert not (desk.home / "not-there").exists()


def test_a_ledger_may_be_a_link_of_ones_own(desk: Desk) -> None:
    desk.write("leads.csv", sheet(1))
    assert desk.run("bulk-add", "leads.csv").code == 0
    (desk.home / "link.db").symlink_to(desk.ledger)
    assert "1 accepted" in desk.run("runs", OZODIAL_LEDGER=str(desk.home / "link.db")).out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_ledger_is_no_link_to_a_file_of_somebody_else(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.db"
    open_engine(str(theirs)).dispose()
    os.chown(theirs, 65534, 65534)
    (tmp_path / "ledger.db").symlink_to(theirs)
    with pytest.raises(LedgerError, match="a link to somebody else's file"):
        open_engine(str(tmp_path / "ledger.db"))


# --- names ---


def test_paths_that_begin_with_a_dash(desk: Desk) -> None:
    desk.write("-x.csv", BAD)
    assert desk.run("check", "./-x.csv").code == 4
    assert desk.run("check", "--", "-x.csv").code == 4
    done = desk.run("bulk-add", "--rejects=-bad.csv", "--results", "-all.csv", "--", "-x.csv")
    assert done.code == 4, done.err
    assert {"-bad.csv", "-all.csv"} <= {path.name for path in desk.home.iterdir()}
    done = desk.run("check", "-x.csv")
    assert (done.code, "Traceback" in done.err) == (2, False)


NAMES = {
    "control": "Di\x07wa\x1b[31mli\x1b[0m\x9b2J",
    "lines": "Diwali\r\nX-Injected: yes",
    "turned": "Diwali \u202egpj.exe\u2066",
    "markup": "[red]Diwali[/red] [link=https://x.example]here[/link]",
    "format": "%s%n{0}{campaign!r}$HOME`id`",
    "sql": "Robert'); DROP TABLE runs;--",
    "path": "../../../etc/passwd",
    "long": "D" * 10_000,
}
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_that_acts_is_sent_as_it_is_and_shown_without_harm(
    desk: Desk, vendor: ServerHandle, kind: str
) -> None:
    name = NAMES[kind]
    quoted = name.replace('"', '""')
    desk.write("leads.csv", f'Mobile,Name,"{quoted}"\n9876543210,"{quoted}",x\n98,"{quoted}",y\n')
    done = [
        desk.run("bulk-add", "leads.csv", "--campaign", name, "--log-file", "o.log", "-vv"),
        desk.run("runs"),
        desk.run("runs", "show", "1"),
        desk.run("runs", "show", "1", "--json"),
        desk.run("runs", "report", "1", "out.html"),
    ]
    assert [each.code for each in done] == [4, 0, 0, 0, 0], done
    told = "".join(each.out + each.err for each in done)
    log, page = ((desk.home / each).read_text() for each in ("o.log", "out.html"))
    for text in (told, log, page.replace("\t", " ")):
        assert not ACTING.search(text)
    assert "X-Injected" not in re.sub(r"Diwali\S*\s*X-Injected", "", told)
    (lead,) = vendor.sandbox.leads
    assert lead.campaign == name.strip()
    if kind == "markup":
        assert "[red]Diwali[/red]" in told
    if kind == "long":
        assert all(len(line) < 2_000 for line in done[0].err.splitlines())


def test_a_path_of_the_profile_brings_no_header_in(desk: Desk, vendor: ServerHandle) -> None:
    desk.write("leads.csv", sheet(1))
    paths = '[profiles.default.paths]\nbulk-add = "/x HTTP/1.1\\r\\nX-Injected: yes\\r\\n"\n'
    config = desk.write("config.toml", paths)
    done = desk.run("bulk-add", "leads.csv", "--patience", "0", OZODIAL_CONFIG=str(config))
    assert done.code in (2, 5, 6, 7), done
    assert "Traceback" not in done.err
    assert not vendor.sandbox.leads


# --- TLS ---


def ask(url: str) -> Reply | NotSent | Lost:
    with Client(url, 5.0) as client:
        return client.send(REQUEST)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return Authority(tmp_path)


def test_tls_older_than_1_2_is_refused(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    old = authority.server()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with RawServer(saying(http(b"{}")), tls=old) as server:
        answer = ask(server.url)
    assert isinstance(answer, NotSent), answer
    assert "\n" not in answer.message


def test_nothing_turns_the_checking_off(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, each in commands():
        assert not {name for name in options(each) if re.search("insecure|verify|tls|ssl", name)}
    for name, value in (
        ("PYTHONHTTPSVERIFY", "0"),
        ("CURL_CA_BUNDLE", ""),
        ("REQUESTS_CA_BUNDLE", ""),
        ("SSL_VERIFY", "0"),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
    ):
        monkeypatch.setenv(name, value)
    with RawServer(saying(http(b"{}")), tls=authority.server(signed=False)) as server:
        answer = ask(server.url)
    assert isinstance(answer, NotSent)
    assert "certificate" in answer.message.lower()


def test_no_session_key_is_written_down(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with RawServer(saying(http(b"{}")), tls=authority.server()) as server:
        monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
        assert isinstance(ask(server.url), Reply)
    assert "CLIENT" not in (keys.read_text() if keys.exists() else "")


def test_no_password_of_a_netrc_is_sent(desk: Desk) -> None:
    desk.write(".netrc", f"machine 127.0.0.1 login me password {WORD}\n").chmod(0o600)
    desk.write("leads.csv", sheet(1))
    with RawServer(saying(http(b"{}"))) as server:
        netrc = str(desk.home / ".netrc")
        desk.run("bulk-add", "leads.csv", OZODIAL_BASE_URL=server.url, NETRC=netrc)
        received = b"".join(server.requests)
    assert b"api_key=" in received
    assert b"authorization" not in received.lower()
