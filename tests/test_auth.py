"""Token mode or basic mode, as the profile says: what `schedule` sends, what a mismatch tells."""

import pytest

from ozodial.sandbox import Account, SandboxConfig
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, Result, sheet
from tests.conftest import StartSandbox
from tests.wire import call

KEY = "k-3141592653"


def send(desk: Desk, profile: str, **settings: str) -> Result:
    config = desk.write("config.toml", f"[profiles.default]\n{profile}\n")
    file = desk.write("leads.csv", sheet(3))
    words = ("schedule", file, "--at", "+3d 10:00", "--json")
    return call(desk, *words, OZODIAL_CONFIG=str(config), **settings)


@pytest.mark.parametrize(
    ("profile", "environment", "mode"),
    [
        ("", None, "token"),
        ('auth = "token"', None, "token"),
        ('auth = "basic"', None, "basic"),
        ('auth = "basic"', "token", "token"),
        ('auth = "token"', "basic", "basic"),
    ],
)
def test_the_mode_comes_from_the_profile_unless_the_environment_names_one(
    desk: Desk, vendor: ServerHandle, profile: str, environment: str | None, mode: str
) -> None:
    settings = {"OZODIAL_AUTH": environment} if environment else {}
    assert send(desk, profile, **settings).code == 0
    (request,) = vendor.sandbox.requests
    assert request.auth == mode
    assert len(vendor.sandbox.token_calls) == (mode == "token")


@pytest.mark.parametrize("mode", ["token", "basic"])
def test_the_mode_of_the_account_is_told_where_it_is_another(
    desk: Desk, start_sandbox: StartSandbox, mode: str
) -> None:
    account = Account(KEY, auth={"token": "basic", "basic": "token"}[mode])
    vendor = start_sandbox(SandboxConfig(accounts={"asha": account}))
    done = send(desk, f'auth = "{mode}"', OZODIAL_BASE_URL=vendor.url)
    assert done.code == 6
    assert "OZODIAL_AUTH" in done.err
    assert done.summary["ready"] == 3
    other = "basic" if mode == "token" else "token"
    assert send(desk, f'auth = "{other}"', OZODIAL_BASE_URL=vendor.url).code == 0
    assert len(vendor.sandbox.leads) == 3


def test_a_mode_that_is_none_is_named_with_its_place(desk: Desk, vendor: ServerHandle) -> None:
    done = send(desk, 'auth = "magic"')
    assert done.code == 2
    assert "auth in profile default" in done.err
    assert "token, basic" in done.err
    assert vendor.sandbox.requests == ()
