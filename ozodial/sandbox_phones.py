"""Phone numbers as the vendor normalises and echoes them: text in, text out.

The vendor's pages show ten digits going in and +91… coming back; other sources show 91… and 0….
Nothing is validated here: what looks like no Indian number stays as it was sent.
"""

import re

_NO_DIGIT = re.compile(r"[^0-9]+")

PHONE_FORMS = ("plus91", "91", "0", "10")


def national(phone: str) -> str | None:
    """The ten digits of an Indian number in any of its forms; None for anything else."""
    digits = _NO_DIGIT.sub("", phone)
    if phone.lstrip().startswith("+"):
        return digits[2:] if len(digits) == 12 and digits.startswith("91") else None
    if len(digits) == 10:
        return digits
    if len(digits) == 12 and digits.startswith("91"):
        return digits[2:]
    return digits[1:] if len(digits) == 11 and digits.startswith("0") else None


def international(phone: str) -> str:
    """`+91…` for an Indian number, as in the answers of `schedule`; others as they were sent."""
    digits = national(phone)
    return phone if digits is None else f"+91{digits}"


def echoed(phone: str, form: str) -> str:
    """An Indian number in one of `PHONE_FORMS`; others as they are."""
    digits = national(phone)
    if digits is None:
        return phone
    return {"plus91": "+91", "91": "91", "0": "0"}.get(form, "") + digits
