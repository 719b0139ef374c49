"""Looking back: which runs are listed, and what a run's story has to tell."""

import pytest

from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet


@pytest.fixture
def worked(desk: Desk, vendor: ServerHandle) -> Desk:
    """A desk with four runs: good, with a bad row, never sent, and with an answer lost."""
    desk.run("bulk-add", desk.write("one.csv", sheet(2)))
    desk.run("bulk-add", desk.write("two.csv", sheet(2, start=10) + "12,Bad\n"))
    refused = {"OZODIAL_API_KEY": "wrong-key"}
    desk.run("bulk-add", desk.write("three.csv", sheet(2, start=20)), **refused)
    vendor.sandbox.misbehave("cut-after")
    desk.run("bulk-add", desk.write("four.csv", sheet(2, start=30)), "--campaign", "Holi")
    vendor.sandbox.behave()
    return desk


def listed(desk: Desk, *words: str) -> list[object]:
    done = desk.run("runs", *words, "--json")
    assert done.code == 0, done.err
    return [record["run"] for record in done.events]


def test_runs_are_newest_first_and_can_be_chosen(worked: Desk) -> None:
    assert listed(worked) == [4, 3, 2, 1]
    assert listed(worked, "list", "--limit", "2") == [4, 3]
    assert listed(worked, "--campaign", "diwali") == [3, 2, 1]
    assert listed(worked, "--campaign", "diwali", "--limit", "1") == [3]
    assert listed(worked, "--state", "open") == [3]
    assert listed(worked, "--state", "invalid,unknown") == [4, 2]
    assert listed(worked, "--state", "finished", "--limit", "1") == [4]
    assert listed(worked, "--since", "1h") == [4, 3, 2, 1]
    assert listed(worked, "--since", "2099-01-01") == []
    none = worked.run("runs", "--campaign", "nobody's")
    assert (none.code, none.out) == (0, "no such runs; `ozodial runs` lists all\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--state", "unknwn"], "--state unknown"),
        (["--since", "soon"], "--since 7d"),
        (["export", "1", "out.csv", "--only", "foo"], "--only "),
        (["export", "1", "out.csv", "--only", "reject"], "--only rejected"),
        (["export", "1", "out.pdf"], "name the file out.csv"),
        (["show", "77"], "ozodial runs"),
    ],
)
def test_a_word_that_is_not_known_names_the_next_command(
    desk: Desk, words: list[str], hint: str
) -> None:
    done = desk.run("runs", *words)
    assert (done.code, done.out) == (2, "")
    assert f"next: {hint}" in done.err


def test_a_story_has_the_settings_and_where_they_came_from(desk: Desk) -> None:
    desk.write("config.toml", '[profiles.west]\nregion = "IN"\nnotify = ["json://u:pw@x"]\n')
    file = desk.write("leads.csv", "Mobile No,Naam\n9800100007,Asha\n")
    words = ("--profile", "west", "--map", "Name=Naam", "--timeout", "9", "--campaign", "Holi")
    assert desk.run("bulk-add", file, *words, OZODIAL_CONFIG="config.toml").code == 0
    story = desk.run("runs", "show", "1", "--json", OZODIAL_CONFIG="config.toml")
    told = {
        str(record["name"]): (record["value"], record["from"]) for record in story.of("setting")
    }
    assert told["campaign"] == ("Holi", "--campaign")
    assert told["timeout"] == ("9", "--timeout")
    assert told["user_name"] == ("asha", "OZODIAL_USER_NAME")
    assert told["region"] == ("IN", "region in profile west (config.toml)")
    assert told["timezone"] == ("Asia/Kolkata", "its default")
    assert told["map"] == ("Name=Naam", "--map")
    assert told["api_key"] == ("(not shown)", "OZODIAL_API_KEY")
    assert "k-3141592653" not in story.out
    assert ":pw@" not in story.out


def test_a_story_has_the_waits_between_requests(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(450))
    assert desk.run("bulk-add", file).code == 0
    batches = desk.run("runs", "show", "1", "--json").of("batch")
    waits = [batch["waited"] for batch in batches]
    assert waits[0] is None
    assert all(float(str(wait)) >= 0.09 for wait in waits[1:])
    assert [batch["resumed"] for batch in batches] == [False] * 3
    assert "waited" in desk.run("runs", "show", "1").out


def test_a_request_of_a_later_process_is_resumed(worked: Desk) -> None:
    assert worked.run("resume", "4", "--resend-unknown").code == 0
    batches = worked.run("runs", "show", "4", "--json").of("batch")
    assert [batch["resumed"] for batch in batches] == [False, True]
