"""Settings: which source wins, what is refused, and that the key stays a secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ozodial.address import account_of, check_url
from ozodial.errors import SettingError, UsageError
from ozodial.settings import Settings, access, api_key, ledger_place, load

PROFILE = """
[profiles.default]
campaign = "from the profile"
user_name = "profile-user"
pace = 15
check_duplicate = false

[profiles.west]
domain = "west.example.org"
paths = { schedule = "/CA_APIS/campaignScheduledData" }
suppress = ["never.csv"]
"""


@pytest.fixture
def config(tmp_path: Path) -> dict[str, str]:
    """An environment that names a config file and no keyring."""
    path = tmp_path / "config.toml"
    path.write_text(PROFILE)
    return {"OZODIAL_CONFIG": str(path), "HOME": str(tmp_path)}


def settings(environment: dict[str, str], profile: str | None = None, **flags: str) -> Settings:
    return load(flags, profile, environment)


def test_flag_beats_environment_beats_profile_beats_default(config: dict[str, str]) -> None:
    both = {**config, "OZODIAL_CAMPAIGN": "from the environment"}
    assert settings(both, campaign="from the flag").text("campaign") == "from the flag"
    assert settings(both).text("campaign") == "from the environment"
    assert settings(config).text("campaign") == "from the profile"
    assert settings(config).text("region") == "IN"


def test_each_setting_knows_where_it_came_from(config: dict[str, str]) -> None:
    given = settings({**config, "OZODIAL_PATIENCE": "5"}, timeout="9").given
    assert given["timeout"].source == "--timeout"
    assert given["patience"].source == "OZODIAL_PATIENCE"
    assert given["pace"].source.startswith("pace in profile default")
    assert given["parallel"].source == "its default"


def test_values_are_typed(config: dict[str, str]) -> None:
    found = settings(config)
    assert found.number("pace", 0) == 15
    assert found.truth("check_duplicate", True) is False
    assert settings(config, check_duplicate="True").truth("check_duplicate", False) is True
    for bad in ("", "x", "nan", "inf", "-1"):
        with pytest.raises(UsageError, match="--pace"):
            settings(config, pace=bad).number("pace", 0)
    with pytest.raises(UsageError, match="true or false"):
        settings({**config, "OZODIAL_CHECK_DUPLICATE": "maybe"}).truth("check_duplicate", True)


@pytest.mark.parametrize(
    ("environment", "flags", "url"),
    [
        ({}, {}, "https://in1-ccaas-api.ozonetel.com"),
        ({}, {"domain": "intl"}, "https://api.ccaas.ozonetel.com"),
        ({}, {"domain": "partner.example.org"}, "https://partner.example.org"),
        ({"OZODIAL_BASE_URL": "https://a.example.org/"}, {}, "https://a.example.org"),
        ({"OZODIAL_BASE_URL": "https://a.example.org"}, {"domain": "in"}, None),
        ({"OZODIAL_DOMAIN": "intl"}, {"base_url": "http://[::1]:80"}, "http://[::1]:80"),
    ],
)
def test_where_the_api_is(
    config: dict[str, str], environment: dict[str, str], flags: dict[str, str], url: str | None
) -> None:
    found = load(flags, None, {**config, **environment}).base_url()
    assert found == (url or "https://in1-ccaas-api.ozonetel.com")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "ftp://example.org",
        "https://",
        "example.org",
        "https://user:secret@example.org",
        "https://example.org?key=1",
        "https://example.org:port",
        "http://127.0.0.1.example.org",
    ],
)
def test_an_address_that_is_not_private_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_url(url, "--base-url")
    assert "secret" not in refused.value.message


def test_a_rehearsal_is_an_account_of_its_own() -> None:
    assert account_of("u", None) == "u@sandbox"
    assert account_of("u", "http://127.0.0.1:1") == account_of("u", "http://localhost:2")
    assert account_of("u", "https://API.example.org") == "u@api.example.org"


def test_a_profile_by_name(config: dict[str, str]) -> None:
    west = settings(config, "west")
    assert west.base_url() == "https://west.example.org"
    assert west.paths == {"schedule": "/CA_APIS/campaignScheduledData"}
    assert west.suppress == ("never.csv",)
    assert settings({**config, "OZODIAL_PROFILE": "west"}).profile == "west"
    with pytest.raises(UsageError, match="default, west"):
        settings(config, "east")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[profiles", "not valid TOML"),
        ('[profiles.default]\napi_kye_file = "x"', "did you mean api_key_file"),
        ('[profiles.default]\napi_key = "sesame"', "api_key_file"),
        ("[profiles.default]\npaths = 3", "table of paths"),
        ('[profiles.default]\nsuppress = "x.csv"', "list of files"),
    ],
)
def test_a_broken_profile_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said) as refused:
        settings({"OZODIAL_CONFIG": str(path)})
    assert "sesame" not in str(refused.value)


def test_the_key_comes_from_its_file_or_the_environment(
    config: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    file.chmod(0o600)
    flag = settings(config, api_key_file=str(file))
    assert api_key(flag, {**config, "OZODIAL_API_KEY": "from-env"}) == "from-file"
    named = {**config, "OZODIAL_API_KEY_FILE": str(file)}
    assert api_key(settings(named), named) == "from-file"
    assert api_key(settings(named), {**named, "OZODIAL_API_KEY": "from-env"}) == "from-env"
    assert "from-file" not in repr(access(flag, config))


def test_a_key_that_cannot_be_read_is_said_without_the_key(
    config: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="--api-key-file"):
        api_key(settings(config, api_key_file=str(tmp_path / "none")), config)
    with pytest.raises(SettingError) as odd:
        api_key(settings(config), {**config, "OZODIAL_API_KEY": "two words\n\x00"})
    assert "two words" not in odd.value.message


def test_a_missing_setting_says_how_to_give_it(config: dict[str, str]) -> None:
    with pytest.raises(SettingError) as missing:
        load({}, "west", config).needed("campaign", "--campaign NAME")
    assert missing.value.hint == "--campaign NAME, or OZODIAL_CAMPAIGN=…"
    assert int(missing.value.exit_code) == 6


def test_the_ledger_is_where_it_is_named(config: dict[str, str]) -> None:
    named = {**config, "OZODIAL_LEDGER": "/x/ledger.db"}
    assert ledger_place(named, settings(named)) == "/x/ledger.db"
    assert ledger_place(config, settings(config)).endswith("ledger.db")


@pytest.mark.parametrize(("mode", "used"), [(0o600, True), (0o400, True), (0o640, False)])
def test_a_key_file_that_others_can_read_is_refused(
    config: dict[str, str], tmp_path: Path, mode: int, used: bool
) -> None:
    file = tmp_path / "key"
    file.write_text("from-file")
    file.chmod(mode)
    flag = settings(config, api_key_file=str(file))
    if used:
        assert api_key(flag, config) == "from-file"
        return
    with pytest.raises(SettingError, match="its mode is 640") as refused:
        api_key(flag, config)
    assert refused.value.hint == f"chmod 600 {file}"
    assert int(refused.value.exit_code) == 6


def test_what_is_wrong_names_what_to_type(config: dict[str, str], tmp_path: Path) -> None:
    def hint(work: Callable[[], object]) -> str:
        with pytest.raises((UsageError, SettingError)) as wrong:
            work()
        return wrong.value.hint or ""

    assert hint(lambda: settings(config, "wset")) == "--profile west"
    assert "--timeout 60" in hint(lambda: settings(config, timeout="-1").number("timeout", 0))
    named = {**config, "OZODIAL_API": "v9"}
    assert hint(lambda: settings(named).choice("api", ("v1", "v4"))) == "OZODIAL_API=v1"
    assert "https://example.org" in hint(lambda: check_url("http://example.org", "--base-url"))
    missing = settings(config, api_key_file=str(tmp_path / "none"))
    assert hint(lambda: api_key(missing, config)).endswith(f"chmod 600 {tmp_path / 'none'}")
