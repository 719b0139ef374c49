"""What the shell may complete: profiles, campaigns seen before, numbers of runs.

Called at each press of Tab, so it reads as little as it can: the config file, and a few lines of an
SQLite ledger by the driver itself (SQLAlchemy would take longer to load than a person waits). It
changes nothing, makes no file, and whatever is wrong, it completes nothing instead. Every command
loads this room, to know what may be completed: so what it needs is imported when Tab is pressed.
"""

from contextlib import closing
from datetime import datetime

Choice = tuple[str, str]
"""(what is typed, what it is)"""

MOST = 50

_RUNS = """
    SELECT runs.id, runs.created_wall, targets.campaign, runs.file
    FROM runs JOIN targets ON targets.id = runs.target_id
    WHERE runs.state <> 'staging' ORDER BY runs.id DESC LIMIT ?
"""
_CAMPAIGNS = """
    SELECT targets.campaign, max(runs.id), max(runs.created_wall)
    FROM runs JOIN targets ON targets.id = runs.target_id
    GROUP BY targets.campaign ORDER BY 2 DESC LIMIT ?
"""


def profiles(incomplete: str) -> list[Choice]:
    """The profiles of the config file."""
    try:
        from ozodial.settings import profiles_known

        known = [(name, str(said.get("campaign", ""))) for name, said in profiles_known().items()]
    except Exception:  # a broken config file is for a command to tell
        return []
    return [choice for choice in known if choice[0].startswith(incomplete)]


def campaigns(incomplete: str) -> list[Choice]:
    """Campaigns that runs went to, latest first."""
    found = [(str(name), f"last {_day(wall)}") for name, _, wall in _asked(_CAMPAIGNS)]
    return [choice for choice in found if choice[0].startswith(incomplete)]


def runs(incomplete: str) -> list[Choice]:
    """Numbers of runs, latest first."""
    found = [
        (str(run), f"{campaign}, {file}, {_day(wall)}")
        for run, wall, campaign, file in _asked(_RUNS)
    ]
    return [choice for choice in found if choice[0].startswith(incomplete)]


def _asked(question: str) -> list[tuple[object, ...]]:
    try:
        import sqlite3
        from urllib.parse import quote

        from ozodial.outfile import at_home
        from ozodial.settings import ledger_place, load

        place = ledger_place(settings=load({}, None))
        if "://" in place:
            return []
        file = quote(str(at_home(place).absolute()))
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.2)) as ledger:
            return ledger.execute(question, (MOST,)).fetchall()
    except Exception:  # no ledger yet, one in use, one of another version
        return []


def _day(wall: object) -> str:
    return f"{datetime.fromtimestamp(float(str(wall))):%Y-%m-%d}"
