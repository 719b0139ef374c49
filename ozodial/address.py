"""Where the API is: base URLs that may be used, and which account a user name is there. Pure."""

import ipaddress
from urllib.parse import urlsplit

from ozodial.endpoints import DOMAINS
from ozodial.errors import UsageError

SANDBOX = "sandbox"
"""The place of the built-in simulator in an account's name."""


def account_of(user_name: str, base_url: str | None) -> str:
    """The account in the ledger: who, and at which vendor. None: the built-in sandbox.

    A rehearsal on loopback is an account of its own whatever its port, so that it never makes a
    real lead look sent.
    """
    if base_url is None:
        return f"{user_name}@{SANDBOX}"
    host = (urlsplit(base_url).hostname or "").lower()
    return f"{user_name}@{'loopback' if is_loopback(host) else host}"


def check_url(url: str, source: str) -> str:
    """A base URL without a trailing slash; https, or http for loopback."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host = ""
    blank = any(character.isspace() for character in host)
    if not host or blank or parts.username or parts.query or parts.fragment:
        said = f"{source} is not a base URL such as {DOMAINS['in']}."
        raise UsageError(said, "--domain in, --domain intl, or --base-url https://HOST")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError(
            f"{source} must be https (http for loopback alone): leads are private.",
            f"--base-url https://{parts.netloc}",
        )
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
