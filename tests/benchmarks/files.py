"""The files that the benchmarks read: the same bytes for the same number of rows, on any day.

`python -m tests.benchmarks.files FOLDER ROWS` writes clean.csv and messy.csv, and messy.xlsx with a
fifth of the rows. *clean*: distinct mobiles, 80 % bare ten digits, the rest +91 and 0; ISO dates.
*messy*: 20 phone shapes, 7 % not plainly Indian, 5 % duplicates, half the dates d/m/Y or d-m-Y.
"""

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

HEADER = ["Lead Id", "Customer Name", "Mobile No.", "Call Time", "City", "Priority"]
FIRST = datetime(2030, 1, 1, 9)
"""Benchmarks read with `now` shortly before this."""

_NAMES = ["Asha", "Uma", "Nandini", "Arjun", "Geeta", "Kabir", "Imran", "Lakshmi", "Fatima"]
_LAST = ["Rao", "Iyer", "Sharma", "Khan", "Das", "Nair", "Patel", "Chatterjee", "Deshmukh"]
_CITIES = ["Pune", "Mumbai", "Chennai", "Kolkata", "New Delhi", "Kochi", "Surat", "Jaipur"]

_PLAIN: list[Callable[[str], str]] = [
    lambda n: n,
    lambda n: f"+91{n}",
    lambda n: f"+91 {n}",
    lambda n: f"+91-{n}",
    lambda n: f"91{n}",
    lambda n: f"0{n}",
    lambda n: f"0091{n}",
    lambda n: f"{n[:5]} {n[5:]}",
    lambda n: f"{n[:5]}-{n[5:]}",
    lambda n: f"+91 {n[:5]} {n[5:]}",
    lambda n: f"+91-{n[:5]}-{n[5:]}",
    lambda n: f"{n[:3]}-{n[3:6]}-{n[6:]}",
    lambda n: f"(+91) {n}",
    lambda n: f" {n} ",
]
_ODD: list[Callable[[str], str]] = [
    lambda n: f"+1 202 555 0{n[-3:]}",
    lambda n: f"+97150{n[-7:]}",
    lambda n: f"{n}.0",
    lambda n: f"{n[0]}.{n[1:3]}E+09",
    lambda n: f"{n} / 0{n[:-1]}1",
    lambda n: n[:7],
]


def clean_rows(count: int) -> Iterator[list[str]]:
    """Rows without a trouble."""
    chance = Random(1)
    for number in range(count):
        phone = _mobile(number)
        kind = chance.random()
        if kind > 0.8:
            phone = f"+91{phone}" if kind > 0.9 else f"0{phone}"
        when = FIRST + timedelta(minutes=chance.randrange(28 * 1440))
        yield _row(number, chance, phone, f"{when:%Y-%m-%d %H:%M:%S}")


def messy_rows(count: int) -> Iterator[list[str]]:
    """Rows as people keep them."""
    chance = Random(2)
    for number in range(count):
        twin = chance.random() < 0.05 and number
        lead = chance.randrange(number) if twin else number
        shape = chance.choice(_ODD if chance.random() < 0.07 else _PLAIN)
        when = FIRST + timedelta(minutes=lead * 7919 % (28 * 1440))
        yield _row(number, chance, shape(_mobile(lead)), _messy_date(when, chance.random()))


def _messy_date(when: datetime, kind: float) -> str:
    if kind < 0.45:
        return f"{when:%Y-%m-%d %H:%M:%S}"
    if kind < 0.75:
        return f"{when:%d/%m/%Y %H:%M}"
    if kind < 0.95:
        return f"{when:%d-%m-%Y %H:%M}"
    if kind < 0.97:
        return ""
    return f"{when:%d-%b-%y %H:%M}" if kind < 0.99 else f"{when:%d %b %Y %I:%M %p}"


def _mobile(number: int) -> str:
    # A step prime to 10^8 spreads them, and no two are alike.
    return f"9{7 + number % 2}{number * 48_271 % 100_000_000:08}"


def _row(number: int, chance: Random, phone: str, when: str) -> list[str]:
    name = f"{chance.choice(_NAMES)} {chance.choice(_LAST)}"
    return [f"L{number:07}", name, phone, when, chance.choice(_CITIES), str(1 + number % 9)]


def write_csv(path: Path, rows: Iterator[list[str]]) -> None:
    """Rows below the header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)


def write_xlsx(path: Path, rows: Iterator[list[str]]) -> None:
    """The same as a workbook: every third plain phone a number, ISO dates as Excel's own."""
    import xlsxwriter  # here: whoever measures the other files must not pay for it

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Leads")
        stamp = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_row(0, 0, HEADER)
        for index, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if column == 2 and index % 3 == 0 and cell.isdigit():
                    sheet.write_number(index, column, int(cell))
                elif column == 3 and cell[4:5] == "-":
                    sheet.write_datetime(index, column, datetime.fromisoformat(cell), stamp)
                else:
                    sheet.write_string(index, column, cell)


def write_all(folder: Path, rows: int) -> None:
    """All three files, unless they stand there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in (("clean.csv", clean_rows), ("messy.csv", messy_rows)):
        if not (folder / name).exists():
            write_csv(folder / name, made(rows))
    if not (folder / "messy.xlsx").exists():
        write_xlsx(folder / "messy.xlsx", messy_rows(rows // 5))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]), int(sys.argv[2]))
