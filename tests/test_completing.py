"""What the shell offers at Tab, by the real console script as a shell calls it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Desk, sheet

SCRIPT = Path(sys.executable).with_name("ozodial")


def offered(desk: Desk, line: str, **settings: str) -> list[str]:
    """What bash is told for a line that ends where the cursor stands."""
    words = line.split(" ")
    shell = {"_OZODIAL_COMPLETE": "complete_bash", "COMP_WORDS": line}
    done = subprocess.run(
        [SCRIPT],
        cwd=desk.home,
        env=desk.environment(**shell, COMP_CWORD=str(len(words) - 1), **settings),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [line for line in done.stdout.split("\n") if line]


@pytest.fixture
def used(desk: Desk) -> Desk:
    for number, campaign in enumerate(("Diwali", "Holi 2026", "Diwali")):
        file = desk.write(f"{number}.csv", sheet(2, start=10 * number))
        assert desk.run("bulk-add", file, "--campaign", campaign).code == 0
    desk.write("config.toml", '[profiles.west]\ncampaign = "W"\n[profiles.east]\n')
    return Desk(desk.home, {**desk.settings, "OZODIAL_CONFIG": "config.toml"})


def test_runs_campaigns_and_profiles_are_offered(used: Desk) -> None:
    for words in ("runs show", "runs export", "runs report", "runs cancel", "resume"):
        assert offered(used, f"ozodial {words} ") == ["3", "2", "1"]
    assert offered(used, "ozodial runs show 2") == ["2"]
    for command in ("schedule x", "bulk-add x", "runs", "runs list"):
        assert offered(used, f"ozodial {command} --campaign ") == ["Diwali", "Holi 2026"]
    assert offered(used, "ozodial bulk-add x --campaign Ho") == ["Holi 2026"]
    assert offered(used, "ozodial bulk-add x --profile ") == ["west", "east"]
    assert offered(used, "ozodial login --profile w") == ["west"]


def test_nothing_is_offered_and_nothing_made_where_there_is_nothing(desk: Desk) -> None:
    assert offered(desk, "ozodial runs show ") == []
    assert not desk.ledger.exists()
    assert offered(desk, "ozodial check x --profile ") == []


@pytest.mark.parametrize("place", ["postgresql://nobody@127.0.0.1:1/x", "config.toml", "/proc/x"])
def test_what_is_broken_offers_nothing(desk: Desk, place: str) -> None:
    desk.write("config.toml", "[profiles\n")
    settings = {"OZODIAL_CONFIG": "config.toml", "OZODIAL_LEDGER": place}
    assert offered(desk, "ozodial check x --profile ", **settings) == []
    assert offered(desk, "ozodial runs show ", **settings) == []


def test_every_help_has_an_example_and_those_that_send_the_exit_codes(desk: Desk) -> None:
    for command in ("schedule", "bulk-add", "check", "resume"):
        text = desk.run(command, "--help").out
        assert f"Example: ozodial {command}" in text
        assert "Exit codes: 0 all in" in text
    assert "Exit codes: 0 all in" in desk.run("--help").out
