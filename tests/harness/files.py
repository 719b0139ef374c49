"""Files of leads that nobody has to type."""

import csv
from collections.abc import Iterable
from pathlib import Path


def phones(count: int, first: int = 0) -> list[str]:
    """Distinct Indian mobile numbers, none of them magic."""
    return [str(9_810_000_000 + number) for number in range(first, first + count)]


def write_leads(path: Path, numbers: Iterable[str], *, bad_rows_between: int = 0) -> Path:
    """A CSV of leads; bad rows make it longer to stage and no longer to send."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Mobile No.", "Customer Name", "Priority"])
        for number in numbers:
            writer.writerow([number, f"Lead {number[-4:]}", int(number[-1]) or 10])
            for _ in range(bad_rows_between):
                writer.writerow(["12", "nobody", "1"])
    return path
