"""With which settings a run was made, and where each came from: for `runs show`, never a secret."""

from collections.abc import Iterator

from ozodial.endpoints import Endpoint
from ozodial.opening import Given
from ozodial.settings import Settings, key_source

Origin = tuple[str, str, str]
"""(name, value, where it came from)"""

_NOT_THE_RUNS = frozenset({"ledger", "log_file", "notify_on", "api_key_file"})
"""Where it is written down and who is told shapes nothing; the key has a line of its own."""

_OF_BULK, _OF_SCHEDULE = frozenset({"api"}), frozenset({"auth", "parallel"})
"""What the other command has no use for."""


def origins(given: Given, settings: Settings, entry: Endpoint) -> list[Origin]:
    """Every setting that shapes the run, in the order of the alphabet, then the bare options."""
    unused = _NOT_THE_RUNS | (_OF_BULK if entry.needs_time else _OF_SCHEDULE)
    if "base_url" in settings.given:
        unused |= {"domain"}
    told = [
        (name, setting.value, setting.source)
        for name, setting in sorted(settings.given.items())
        if name not in unused
    ]
    if "pace" not in settings.given and entry.pace and not given.sandbox:
        told.append(("pace", f"{entry.pace:g}", "the vendor's own"))
    if not given.sandbox:
        told.append(("api_key", "(not shown)", key_source(settings)))
    if settings.profile:
        told.append(("profile", settings.profile, "--profile or OZODIAL_PROFILE"))
    return told + list(_options(given, settings))


def _options(given: Given, settings: Settings) -> Iterator[Origin]:
    flags: dict[str, str | None] = {
        "at": given.at,
        "sheet": given.sheet,
        "map_file": given.map_file,
        "resend": "true" if given.resend else None,
        "sandbox": "true" if given.sandbox else None,
    }
    for name, value in flags.items():
        if value is not None:
            yield name, value, f"--{name.replace('_', '-')}"
    for name, values in (("map", given.maps), ("extra", given.extra), ("suppress", given.suppress)):
        for value in values:
            yield name, value, f"--{name}"
    for value in settings.suppress:
        yield "suppress", value, f"profile {settings.profile or 'default'}"
