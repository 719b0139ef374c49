"""Preparing 10,000, 100,000 and 1,000,000 rows, and how time and memory grow."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from .bench import PYTHON, Measured, Part, Place, Turns, in_turn, middle, ratio, versions
from .files import messy_rows, write_csv

SIZES = {10_000: 5, 100_000: 3, 1_000_000: 1}
"""Rows -> turns."""

OURS, LIMIT = "ozodial, prepare", "csv.reader alone"
PANDAS, FRICTIONLESS = "pandas script", "frictionless validate"


def preparing(place: Place) -> Part:
    """Whole processes, in turn."""
    found = {size: one_size(place, size, turns) for size, turns in sizes(place).items()}
    rows = [
        [name, *(cell(found[size][name]) for size in found)]
        for name in (LIMIT, OURS, PANDAS, FRICTIONLESS)
    ]
    told = [
        f"{size:,} rows: ozodial takes {ratio(seen[OURS], seen[LIMIT])} the csv reader; "
        f"the pandas script {ratio(seen[PANDAS], seen[OURS])} as long as ozodial, "
        f"frictionless {ratio(seen[FRICTIONLESS], seen[OURS])}"
        for size, seen in found.items()
    ]
    if len(found) > 1:
        told.append(grown({size: middle(seen[OURS]) for size, seen in found.items()}))
    here, pandas = Path(PYTHON).parent, bins(place)[0]
    known = versions(here, "ozodial", "phonenumberslite", "python-dateutil")
    known |= versions(pandas, "pandas", "phonenumbers") | versions(bins(place)[1], "frictionless")
    about = (
        "The messy file (20 phone shapes, 5 % duplicates, four kinds of dates): read, mapped, "
        "normalised, validated, de-duplicated. frictionless only validates. "
        "Seconds and peak MiB of a process; "
        f"medians of {', '.join(map(str, sizes(place).values()))} turns."
    )
    head = ["", *(f"{size:,}" for size in found)]
    return Part("Preparing", about, head, rows, told, known)


def sizes(place: Place) -> dict[int, int]:
    """Rows -> turns of this run."""
    if place.fast:
        return {1_000: 1, 10_000: 1}
    return {size: turns for size, turns in SIZES.items() if size <= place.most}


def bins(place: Place) -> tuple[Path, Path]:
    """Of pandas and of frictionless."""
    return (
        place.environment("pandas", "pandas", "phonenumbers", "python-dateutil"),
        place.environment("frictionless", "frictionless"),
    )


def one_size(place: Place, size: int, turns: int) -> Turns:
    """All ways on a file of so many rows."""
    path = place.folder / str(size) / "messy.csv"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_csv(path, messy_rows(size))
    pandas, frictionless = bins(place)
    scripts = Path(__file__).parent
    step: list[str | Path] = [PYTHON, "-m", "tests.benchmarks.ours"]
    commands: dict[str, Sequence[str | Path]] = {
        LIMIT: [*step, "csv_pass", path],
        OURS: [*step, "prepare", path],
        PANDAS: [pandas / "python", scripts / "naive.py", path],
        FRICTIONLESS: [frictionless / "python", scripts / "frictionless_script.py", path],
    }
    return in_turn(commands, turns, scripts.parents[1])


def cell(turns: Sequence[Measured]) -> str:
    """The medians of one way at one size."""
    one = middle(turns)
    return f"{one.wall:.2f} s, {one.mib:.0f} MiB"


def grown(seen: dict[int, Measured]) -> str:
    """What one row more costs, from size to size; the start is in none of them."""
    steps = [
        f"{1e6 * (many.cpu - few.cpu) / (size - less):.1f} µs from {less:,} to {size:,} rows"
        for (less, few), (size, many) in pairwise(seen.items())
    ]
    first, last = min(seen), max(seen)
    more = seen[last].mib - seen[first].mib
    return (
        f"one row more costs ozodial {' and '.join(steps)} of processor time; "
        f"{last:,} rows take {more:.0f} MiB more than {first:,}"
    )
