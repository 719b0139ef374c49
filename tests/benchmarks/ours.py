"""One measured step in a process of its own: `python -m tests.benchmarks.ours STEP FILE`."""

import csv
import sys
import tempfile
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ozodial.__main__ import collect_seldom
from tests.benchmarks.files import FIRST

if TYPE_CHECKING:
    from ozodial.prepare import Recipe

ZONE = "Asia/Kolkata"


def csv_pass(path: str) -> str:
    """The limit: what the csv module needs to read the rows and forget them."""
    with open(path, newline="", encoding="utf-8") as file:
        deque(csv.reader(file), maxlen=0)
    return ""


def calamine_pass(path: str) -> str:
    """The limit for a workbook."""
    from python_calamine import load_workbook

    with open(path, "rb") as file:
        deque(load_workbook(file).get_sheet_by_index(0).iter_rows(), maxlen=0)
    return ""


def prepare(path: str) -> str:
    """Read, map, normalise, validate, de-duplicate."""
    from ozodial.models import State
    from ozodial.prepare import open_leads

    with open_leads(_recipe(path)) as leads:
        good = State.READY
        ready = sum(row[5] is good for row in leads.judged())
    return f"{ready} leads"


def stage(path: str) -> str:
    """The same, and into a ledger of its own."""
    from ozodial.clock import SystemClock
    from ozodial.crew import Stop
    from ozodial.ledger import Ledger
    from ozodial.models import Target
    from ozodial.staging import RunOptions
    from ozodial.upload import Job, prepare

    target = Target("asha@sandbox", "schedule", "Diwali")
    options = RunOptions("asha", "http://127.0.0.1", ZONE, check_duplicate=True)
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        ledger = Ledger.open(str(Path(folder) / "ledger.db"), SystemClock())
        with ledger.lease():
            deque(prepare(Job(_recipe(path), target, options), ledger, Stop()), maxlen=0)
        ledger.close()
    return ""


def _recipe(path: str) -> "Recipe":
    from ozodial.endpoints import endpoint
    from ozodial.prepare import Recipe

    now = datetime.combine(FIRST - timedelta(days=1), FIRST.time(), ZoneInfo(ZONE))
    return Recipe(endpoint("schedule"), path, "IN", ZONE, now)


STEPS = {step.__name__: step for step in (csv_pass, calamine_pass, prepare, stage)}

if __name__ == "__main__":
    collect_seldom()  # as the command does
    sys.stdout.write(STEPS[sys.argv[1]](sys.argv[2]) + "\n")
