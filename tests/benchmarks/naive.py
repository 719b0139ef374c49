"""The script that people write: pandas, phonenumbers and dateutil, a function over each column.

`PYTHON naive.py FILE` with a Python that has those three. It knows nothing of ozodial.
"""

import sys

import pandas as pd  # type: ignore[import-untyped,import-not-found,unused-ignore]
import phonenumbers
from dateutil import parser


def phone(text: object) -> str | None:
    """E.164, or None."""
    try:
        number = phonenumbers.parse(str(text), "IN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def when(text: object) -> str | None:
    """`YYYY-MM-DD HH:MM:SS`, or None."""
    try:
        moment = parser.parse(str(text), dayfirst=not str(text)[:4].isdigit())
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def main(path: str) -> None:
    """Read, normalise, validate, de-duplicate; say how many leads are left."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table["phone"] = table["Mobile No."].apply(phone)
    table["when"] = table["Call Time"].apply(when)
    priority = pd.to_numeric(table["Priority"], errors="coerce").between(1, 99)
    good = table[table["phone"].notna() & table["when"].notna() & priority]
    good = good.drop_duplicates(["phone", "when"])
    sys.stdout.write(f"{len(good)} leads\n")


if __name__ == "__main__":
    main(sys.argv[1])
