"""`login` and `logout`: who the user is, tried at the vendor and kept for the commands to come.

The key goes into the system's keyring, or where there is none into a file of the user's own; the
rest into the config file. Asks at a terminal alone.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from ozodial import settings as config
from ozodial.address import account_of, check_url
from ozodial.clock import SystemClock
from ozodial.endpoints import DOMAINS, Access
from ozodial.errors import ExitCode, OzodialError, RefusedError, SettingError, UsageError
from ozodial.events import NoticeEvent
from ozodial.keystore import forget_in_keyring, keep_in_keyring
from ozodial.opening import guarded
from ozodial.outfile import at_home, written_whole
from ozodial.profiles import profile_of, save_profile
from ozodial.prompting import agree, ask
from ozodial.render import Viewer, Viewing

BY_HAND = (
    "set OZODIAL_USER_NAME and OZODIAL_API_KEY, or --api-key-file PATH (README, Configuration)"
)
_TRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What was typed; `base_url` is where that leads."""

    domain: str
    user_name: str
    key: str
    campaign: str
    timezone: str
    auth: str | None = None

    @property
    def base_url(self) -> str:
        """The API's address."""
        return _base_url(self.domain)

    def settings(self) -> dict[str, str | None]:
        """As the config file has them."""
        whole = "://" in self.domain
        return {
            "domain": None if whole else self.domain,
            "base_url": self.domain if whole else None,
            "user_name": self.user_name,
            "campaign": self.campaign or None,
            "timezone": self.timezone,
            "auth": self.auth,
        }


def login(profile: str | None, view: Viewing, at_terminal: bool) -> ExitCode:
    """Ask, try, keep."""

    def work(viewer: Viewer) -> ExitCode:
        if not at_terminal:
            raise UsageError("login asks its questions at a terminal, and there is none.", BY_HAND)
        file, chosen = config.config_path(), config.profile_name(profile)
        name = chosen or "default"
        answers = _tried(_asked(profile_of(file, name)), viewer)
        entry = chosen or answers.user_name
        save_profile(file, name, answers.settings() | _kept(entry, answers.key, file, viewer))
        flag = f" --profile {chosen}" if chosen else ""
        viewer.show(NoticeEvent(f"profile {name} is in {file}; next: ozodial check FILE{flag}"))
        return ExitCode.OK

    return guarded(replace(view, live=False), work)


def logout(profile: str | None, view: Viewing) -> ExitCode:
    """Forget the key and the token; the profile's other settings stay."""

    def work(viewer: Viewer) -> ExitCode:
        file, chosen = config.config_path(), config.profile_name(profile)
        name, settings = chosen or "default", config.load({}, chosen)
        gone = []
        if list(filter(forget_in_keyring, config.keyring_entries(settings))):
            gone.append("the key in the system's keyring")
        key_file = _key_file(file, chosen or settings.text("user_name") or "")
        if key_file.exists():
            key_file.unlink()
            gone.append(f"the key file {key_file}")
            save_profile(file, name, {"api_key_file": None})
        if _forget_token(settings):
            gone.append("the token in the ledger")
        told = ", ".join(gone) or "nothing; no key was kept"
        viewer.show(NoticeEvent(f"removed for profile {name}: {told}"))
        return ExitCode.OK

    return guarded(replace(view, live=False), work)


def _asked(known: dict[str, str]) -> Answers:
    usual = known.get("base_url") or known.get("domain") or "in"
    return Answers(
        domain=ask("Domain: in, intl, or your partner's host", usual, check=_domain),
        user_name=ask("User name", known.get("user_name", ""), check=_filled),
        key=ask("API key (not shown while you type)", hidden=True, check=config.checked_key),
        campaign=ask("Default campaign (may stay empty)", known.get("campaign", "")),
        timezone=ask("Time zone", known.get("timezone", "Asia/Kolkata"), check=_zone),
        auth=known.get("auth"),
    )


def _tried(answers: Answers, viewer: Viewer) -> Answers:
    """The answers once the vendor gave a token for them, or the user wants them all the same."""
    if answers.auth == "basic":
        viewer.show(NoticeEvent("an account on basic mode has nothing to be tried without a lead"))
        return answers
    try:
        _get_token(answers)
    except RefusedError as error:
        viewer.show(NoticeEvent(error.message))
        if agree("Is the account on basic mode (without tokens)?", False):
            return replace(answers, auth="basic")
        _keep_or_stop(error)
    except OzodialError as error:
        viewer.show(NoticeEvent(f"It could not be tried. {error.message}"))
        _keep_or_stop(error)
    else:
        viewer.show(NoticeEvent("the vendor knows user name and key"))
    return answers


def _keep_or_stop(error: OzodialError) -> None:
    if not agree("Keep it all the same?", False):
        raise SettingError(f"Nothing was kept. {error.message}", "ozodial login") from error


def _get_token(answers: Answers) -> None:
    """A new token, shared with all processes as always: it ends the one before."""
    from ozodial.client import Client
    from ozodial.ledger import Ledger
    from ozodial.pacing import Patience
    from ozodial.slots import Slots
    from ozodial.tokens import Tokens

    ledger = Ledger.open(config.ledger_place(settings=config.load({}, None)), SystemClock())
    try:
        account = account_of(answers.user_name, answers.base_url)
        access = Access(answers.user_name, answers.key)
        with ledger.lease(), Client(answers.base_url, _TRY_SECONDS) as client:
            slots = Slots(ledger)
            tokens = Tokens(slots, client, access, account, Patience(ledger.clock, 0))
            tokens.get(_no_wait, ledger.reap, slots.token(account))
    finally:
        ledger.close()


def _no_wait(_seconds: float, _why: str, message: str) -> NoReturn:
    raise SettingError(f"{message[:1].upper()}{message[1:]}.", "ozodial login, later")


def _forget_token(settings: config.Settings) -> bool:
    from ozodial.ledger import Ledger
    from ozodial.slots import Slots

    user_name, place = settings.text("user_name"), config.ledger_place(settings=settings)
    if not user_name or ("://" not in place and not at_home(place).exists()):
        return False
    ledger = Ledger.open(place, SystemClock())
    try:
        return Slots(ledger).forget_token(account_of(user_name, settings.base_url()))
    finally:
        ledger.close()


def _kept(entry: str, key: str, file: Path, viewer: Viewer) -> dict[str, str | None]:
    """Keep the key; what the profile has to say of where it is."""
    key_file = _key_file(file, entry)
    if keep_in_keyring(entry, key):
        key_file.unlink(missing_ok=True)
        viewer.show(NoticeEvent("the key is in the system's keyring"))
        return {"api_key_file": None}
    viewer.show(NoticeEvent("this machine has no keyring that keeps a key"))
    if not agree(f"Keep the key in {key_file}, readable by you alone?", True):
        viewer.show(NoticeEvent("the key is not kept: set OZODIAL_API_KEY, or --api-key-file PATH"))
        return {"api_key_file": None}
    key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with written_whole(key_file) as temporary:
        temporary.write_text(f"{key}\n", encoding="ascii")
    return {"api_key_file": str(key_file)}


def _key_file(file: Path, entry: str) -> Path:
    """Beside the config file; an entry's name may hold anything."""
    name = "".join(c if c.isalnum() or c in "-_.@" else "_" for c in entry)
    return file.with_name(f"{name}.key").absolute()


def _base_url(domain: str) -> str:
    return check_url(DOMAINS.get(domain, domain if "://" in domain else f"https://{domain}"), "It")


def _domain(said: str) -> str:
    _base_url(said)
    return said


def _filled(said: str) -> str:
    if not said:
        raise UsageError("It can't be empty.")
    return said


def _zone(said: str) -> str:
    try:
        return ZoneInfo(said).key
    except (KeyError, ValueError, OSError):
        raise UsageError("There is no such time zone; one is Asia/Kolkata.") from None
