"""`login` and `logout` at a real terminal: what is asked, tried and kept, and where the key is."""

import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pytest

from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, command, sheet

KEY = "k-2718281828"
KEYRING = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
NONE = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@pytest.fixture
def clean(desk: Desk) -> Desk:
    """A desk with no settings but its ledger, config file and pace."""
    settings = {"OZODIAL_PACE": "0.1", "OZODIAL_CONFIG": str(desk.home / "etc" / "config.toml")}
    return Desk(desk.home, settings)


HIDDEN = "while you type): "
"""The end of that question: only then is nothing shown any more."""


def config(desk: Desk) -> Path:
    return desk.home / "etc" / "config.toml"


def at_terminal(
    desk: Desk, words: Sequence[str], talk: Sequence[tuple[str, str]], **settings: str
) -> tuple[int, str]:
    """Answer each question as it comes; the exit code, and all that the terminal showed."""
    first, *rest = command(words)
    with_xdg = {"XDG_DATA_HOME": str(desk.home / "data"), "TERM": "xterm", **settings}
    environment = desk.environment(**with_xdg)
    child = pexpect.spawn(
        first, rest, env=environment, cwd=str(desk.home), encoding="utf-8", timeout=120
    )
    shown = ""
    for question, answer in talk:
        child.expect_exact(question)
        shown += str(child.before) + question
        child.sendline(answer)
    child.expect(pexpect.EOF)
    shown += str(child.before)
    child.close()
    return int(child.exitstatus if child.exitstatus is not None else -1), shown


def answers(vendor: ServerHandle, key: str = KEY) -> list[tuple[str, str]]:
    return [
        ("Domain", vendor.url),
        ("User name", "asha"),
        (HIDDEN, key),
        ("Default campaign", "Diwali"),
        ("Time zone", ""),
    ]


def test_login_tries_keeps_and_the_next_command_needs_nothing(
    clean: Desk, vendor: ServerHandle
) -> None:
    code, shown = at_terminal(clean, ["login"], answers(vendor), **KEYRING)
    assert code == 0, shown
    assert "the vendor knows user name and key" in shown
    assert "the key is in the system's keyring" in shown
    assert KEY not in shown
    assert len(vendor.sandbox.token_calls) == 1
    assert stat.S_IMODE(config(clean).stat().st_mode) == 0o600
    assert tomllib.loads(config(clean).read_text()) == {
        "profiles": {
            "default": {
                "base_url": vendor.url,
                "user_name": "asha",
                "campaign": "Diwali",
                "timezone": "Asia/Kolkata",
            }
        }
    }
    assert KEY.encode() not in clean.ledger.read_bytes()
    file = clean.write("leads.csv", sheet(2))
    xdg = {"XDG_DATA_HOME": str(clean.home / "data")}
    done = clean.run("schedule", file, "--at", "tomorrow 10:00", "--json", **KEYRING, **xdg)
    assert (done.code, done.summary["accepted"]) == (0, 2), done.err
    assert len(vendor.sandbox.token_calls) == 1  # the token of the try is shared


def test_a_profile_of_a_name_beside_what_stands_there(clean: Desk, vendor: ServerHandle) -> None:
    config(clean).parent.mkdir()
    config(clean).write_text('# mine\n[profiles.default]\nuser_name = "u"  # me\npace = 15\n')
    talk = [("Domain", "not a host"), ("not a base URL", vendor.url), *answers(vendor)[1:-1]]
    talk += [("Time zone", "Mars"), ("no such time zone", "Asia/Dubai")]
    code, shown = at_terminal(clean, ["login", "--profile", "west"], talk, **KEYRING)
    assert code == 0, shown
    assert "ozodial check FILE --profile west" in shown
    text = config(clean).read_text()
    assert text.startswith('# mine\n[profiles.default]\nuser_name = "u"  # me\npace = 15\n')
    assert tomllib.loads(text)["profiles"]["west"]["timezone"] == "Asia/Dubai"
    file = clean.write("leads.csv", sheet(2))
    xdg = {"XDG_DATA_HOME": str(clean.home / "data"), **KEYRING}
    assert clean.run("bulk-add", file, "--profile", "west", **xdg).code == 0
    assert clean.run("bulk-add", file, **xdg).code == 6  # the default profile has no key


def test_without_a_keyring_the_key_goes_into_a_private_file(
    clean: Desk, vendor: ServerHandle
) -> None:
    talk = [*answers(vendor), ("Keep the key in", "y")]
    code, shown = at_terminal(clean, ["login"], talk, **NONE)
    assert code == 0, shown
    assert "no keyring" in shown
    key_file = config(clean).parent / "asha.key"
    assert key_file.read_text() == f"{KEY}\n"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    file = clean.write("leads.csv", sheet(2))
    assert clean.run("bulk-add", file, **NONE).code == 0
    done = clean.run("logout", **NONE)
    assert (done.code, key_file.exists()) == (0, False)
    assert f"the key file {key_file}" in done.err
    assert "the token in the ledger" in done.err
    assert "api_key_file" not in config(clean).read_text()
    assert clean.run("bulk-add", clean.write("more.csv", sheet(9)), **NONE).code == 6


def test_a_key_that_is_kept_nowhere_is_said_with_what_to_do(
    clean: Desk, vendor: ServerHandle
) -> None:
    talk = [*answers(vendor), ("Keep the key in", "n")]
    # a backend that takes everything and keeps nothing
    null = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    code, shown = at_terminal(clean, ["login"], talk, **null)
    assert code == 0
    assert "set OZODIAL_API_KEY" in shown
    assert not list(config(clean).parent.glob("*.key"))


@pytest.mark.parametrize(("keep", "code"), [("n", 6), ("y", 0)])
def test_a_key_that_the_vendor_refuses_is_kept_only_if_wanted(
    clean: Desk, vendor: ServerHandle, keep: str, code: int
) -> None:
    talk = [*answers(vendor, "wrong-key"), ("basic mode", "n"), ("all the same", keep)]
    done, shown = at_terminal(clean, ["login"], talk, **KEYRING)
    assert done == code, shown
    assert "gives no token" in shown
    assert config(clean).exists() == (keep == "y")
    assert "wrong-key" not in shown


def test_an_account_on_basic_mode(clean: Desk, vendor: ServerHandle) -> None:
    talk = [*answers(vendor, "wrong-key"), ("basic mode", "y")]
    assert at_terminal(clean, ["login"], talk, **KEYRING)[0] == 0
    assert tomllib.loads(config(clean).read_text())["profiles"]["default"]["auth"] == "basic"


def test_a_vendor_that_cannot_be_reached(clean: Desk, vendor: ServerHandle) -> None:
    vendor.stop()
    talk = [*answers(vendor), ("all the same", "y")]
    code, shown = at_terminal(clean, ["login"], talk, **KEYRING)
    assert code == 0, shown
    assert "could not be tried" in shown


def test_ctrl_c_keeps_nothing(clean: Desk, vendor: ServerHandle) -> None:
    code, shown = at_terminal(clean, ["login"], [*answers(vendor)[:2], (HIDDEN, "\x03")])
    assert (code, config(clean).exists()) == (130, False)
    assert "nothing was kept" in shown
    assert "Traceback" not in shown


def test_without_a_terminal_nothing_is_asked(clean: Desk) -> None:
    done = clean.run("login", stdin="in\nasha\n")
    assert (done.code, done.out, config(clean).exists()) == (2, "", False)
    assert "OZODIAL_API_KEY" in done.err
    assert "--api-key-file" in done.err


def test_logout_removes_the_key_from_the_keyring(clean: Desk, vendor: ServerHandle) -> None:
    xdg = {"XDG_DATA_HOME": str(clean.home / "data"), **KEYRING}
    at_terminal(clean, ["login", "--profile", "west"], answers(vendor), **KEYRING)
    done = clean.run("logout", "--profile", "west", **xdg)
    assert "removed for profile west: the key in the system's keyring, the token" in done.err
    file = clean.write("leads.csv", sheet(2))
    assert clean.run("bulk-add", file, "--profile", "west", **xdg).code == 6
    again = clean.run("logout", "--profile", "west", **xdg)
    assert (again.code, "no key was kept" in again.err) == (0, True)
    assert clean.run("logout", "--profile", "wset", **xdg).code == 2


def test_a_config_file_that_is_not_toml_is_left_as_it_is(clean: Desk) -> None:
    config(clean).parent.mkdir()
    config(clean).write_text("[profiles\nkey = sesame")
    code, shown = at_terminal(clean, ["login"], [])
    assert code == 2
    assert "sesame" not in shown
    assert config(clean).read_text() == "[profiles\nkey = sesame"
