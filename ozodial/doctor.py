"""`doctor`: everything that a run needs, looked over one by one; no lead is sent.

Settings in, a line for each thing as it is found, exit code 0 or 6 out. What is broken is told and
the rest is looked at all the same, as far as it does not stand on that.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ozodial import settings as config
from ozodial.address import SANDBOX
from ozodial.checkup import (
    look_at_config,
    look_at_key,
    look_at_lists,
    look_at_paths,
    look_at_settings,
)
from ozodial.diagnosis import Chart, Diagnosis, failed, ok, warning
from ozodial.endpoints import Access
from ozodial.errors import ExitCode, OzodialError
from ozodial.models import State
from ozodial.opening import Given, Place, guarded, open_ledger, open_place, zone_of
from ozodial.render import Viewer

if TYPE_CHECKING:
    from ozodial.client import Client
    from ozodial.health import LedgerHealth
    from ozodial.ledger import Ledger

LEAST_FREE = 100 * 2**20
"""Bytes of disk below which a ledger is worth a word: a million rows take some 400 MB."""

LONGEST_ANSWER = 15.0
"""Seconds that one question may take, whatever a run's --timeout is."""


def doctor(given: Given) -> ExitCode:
    """Look at everything, tell each thing as it is found; 6 if something failed."""

    def work(viewer: Viewer) -> ExitCode:
        viewer.close()
        chart = Chart(given.view)
        with ExitStack() as stack:
            patient = _Patient(given, stack)
            for name, look in _LOOKS.items():
                for found in _carefully(name, look, patient):
                    chart.add(found)
        chart.close()
        return chart.exit_code

    return guarded(given.view, work)


@dataclass(slots=True)
class _Patient:
    """What the later looks stand on; None where an earlier one failed."""

    given: Given
    stack: ExitStack
    settings: config.Settings = field(default_factory=lambda: config.load_without_profile({}, {}))
    place: Place | None = None
    access: Access | None = None
    ledger: "Ledger | None" = None
    client: "Client | None" = None

    @property
    def campaign(self) -> str:
        """The campaign to ask about."""
        return self.settings.text("campaign") or (SANDBOX if self.given.sandbox else "")


_Look = Callable[[_Patient], Iterable[Diagnosis]]


def _carefully(name: str, look: _Look, patient: _Patient) -> Iterator[Diagnosis]:
    """The look's diagnoses; whatever it stumbles over is one too."""
    try:
        yield from look(patient)
    except OzodialError as error:
        yield failed(name, error.message, error.hint or _HINTS.get(name))
    except Exception as error:  # a doctor that falls ill helps nobody
        said = f"it can't be looked at: {type(error).__name__}: {error}"
        yield failed(name, said, _HINTS.get(name))


def _settings(patient: _Patient) -> Iterator[Diagnosis]:
    given = patient.given
    try:
        patient.settings = config.load(given.flags, given.profile)
        yield look_at_config(patient.settings)
    except OzodialError as error:
        patient.settings = config.load_without_profile(given.flags)
        yield failed("config", error.message, error.hint or f"mend {config.config_path()}")
    yield from look_at_settings(patient.settings, given.sandbox)


def _key(patient: _Patient) -> Iterator[Diagnosis]:
    found = look_at_key(patient.settings, patient.given.sandbox)
    user_name = (patient.settings.text("user_name") or "").strip()
    if patient.given.sandbox:
        patient.access = Access(user_name or SANDBOX, "sandbox-key")
    elif user_name:
        patient.access = config.access(patient.settings)
    yield found


def _files(patient: _Patient) -> Iterator[Diagnosis]:
    yield from look_at_lists(patient.settings)
    yield from look_at_paths(patient.settings)


def _address(patient: _Patient) -> Iterator[Diagnosis]:
    patient.place = patient.stack.enter_context(open_place(patient.given, patient.settings))
    if patient.place.sandbox:
        yield ok("base_url", f"{patient.place.url}, the built-in sandbox")
        return
    given = patient.settings.given
    sources = [given[name].source for name in ("base_url", "domain") if name in given]
    origins = [source for source in sources if source != "its default"] or sources
    yield ok("base_url", f"{patient.place.url}, from {' and '.join(origins)}")


def _timezone(patient: _Patient) -> Iterator[Diagnosis]:
    zone, setting = zone_of(patient.settings), patient.settings.given["timezone"]
    there = datetime.now(zone).strftime("%Y-%m-%d %H:%M")
    yield ok("timezone", f"{zone.key}, from {setting.source}: it is {there} there")


def _ledger(patient: _Patient) -> Iterator[Diagnosis]:
    from ozodial.health import examine

    settings, stack = patient.settings, patient.stack
    ledger = stack.enter_context(open_ledger(settings, patient.given.sandbox))
    ledger.reap()
    stack.enter_context(ledger.lease())
    health = examine(ledger)
    patient.ledger = ledger
    yield from _told_ledger(health)


def _told_ledger(health: "LedgerHealth") -> Iterator[Diagnosis]:
    if health.fault:
        said = f"its file is damaged: {health.fault}"
        yield failed("ledger", said, "restore a copy; keep this one, it knows what was sent")
    else:
        where = f"{health.file}, {health.size / 2**20:.1f} MB" if health.file else "on a server"
        yield ok("ledger", f"{where}; runs: {health.runs}; it can be written")
    for place in health.open_to_others:
        mode = "go-w" if place.is_dir() else "600"
        said = f"others than you may {'write' if place.is_dir() else 'read'} {place}"
        yield warning("ledger", said, f"chmod {mode} {place}")
    if health.file and health.free < LEAST_FREE:
        said = f"its disk has {health.free / 2**20:.0f} MB left"
        yield warning("ledger", said, "make room, or OZODIAL_LEDGER=… on another disk")
    for (run, state), count in health.waiting.items():
        hint = f"ozodial runs show {run}" if state is State.UNKNOWN else f"ozodial resume {run}"
        if state is not State.SENDING:  # another process is at it right now
            yield warning("ledger", f"run {run} has {count:,} rows {state}", hint)


def _server(patient: _Patient) -> Iterator[Diagnosis]:
    from ozodial.client import Client
    from ozodial.clock import SystemClock
    from ozodial.inquiring import look_at_server

    if patient.place is None:
        yield warning("server", "not asked, since there is no base URL")
        return
    environment = not patient.place.sandbox
    client = Client(patient.place.url, _timeout(patient.settings), environment=environment)
    patient.stack.enter_context(client)
    answered, found = look_at_server(client, patient.place.url, SystemClock())
    patient.client = client if answered else None
    yield from found


def _timeout(settings: config.Settings) -> float:
    try:
        return min(LONGEST_ANSWER, settings.number("timeout", 0.001))
    except OzodialError:
        return LONGEST_ANSWER  # told already


def _api(patient: _Patient) -> Iterator[Diagnosis]:
    from ozodial.inquiring import Account

    by_token = patient.settings.text("auth") != "basic"
    if patient.client is None or patient.access is None or patient.place is None:
        yield warning("token", "not asked for: see what failed above")
        return
    if patient.ledger is None:
        said = "not asked for: without the ledger a new one could end another process's"
        yield warning("token", said)
        return
    name = patient.place.account(patient.access.user_name)
    account = Account(patient.client, patient.access, patient.ledger, name)
    if by_token:
        found = account.look_at_token()
        yield found
        if found.hint:
            return  # there is none yet
    else:
        yield ok(
            "token", f"not needed: auth is basic, from {patient.settings.given['auth'].source}"
        )
    if patient.campaign:
        yield account.look_at_campaign(patient.campaign)


_HINTS = {
    "api_key": "OZODIAL_API_KEY=…, or --api-key-file PATH",
    "base_url": "--domain in, --domain intl, or --base-url https://HOST",
    "ledger": "OZODIAL_LEDGER=… names another file",
    "server": "check --base-url, the network, HTTPS_PROXY and SSL_CERT_FILE",
    "token": "the same command again in a while; ozodial doctor --json for a report",
}
"""What to do where the error itself doesn't say it."""

_LOOKS: dict[str, _Look] = {
    "config": _settings,
    "api_key": _key,
    "files": _files,
    "base_url": _address,
    "timezone": _timezone,
    "ledger": _ledger,
    "server": _server,
    "token": _api,
}
"""In the order in which they stand on each other; the name is for what breaks a look off."""
