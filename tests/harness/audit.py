"""The promises of the design's section 4, checked from outside: ledger file against the vendor.

Reads the ledger with plain SQL, so that no mistake of its own code can hide here. A ledger is a
file's path or the URL of a PostgreSQL database.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Lead = tuple[str, str, str]
"""(campaign, phone, ScheduledTime)"""


class LedgerRow(NamedTuple):
    """One row of any run."""

    run: int
    row: int
    state: str
    reason: str | None
    lead: Lead


class Key(NamedTuple):
    """One delivery key, and the row that it names."""

    state: str
    run: int
    row: int
    row_state: str | None


ROWS = """
    SELECT rows.run_id, rows.row, rows.state, rows.reason,
           targets.campaign, rows.phone, rows.scheduled
    FROM rows JOIN runs ON runs.id = rows.run_id JOIN targets ON targets.id = runs.target_id
    WHERE runs.state != 'staging' ORDER BY 1, 2
"""
KEYS = """
    SELECT deliveries.state, deliveries.run_id, deliveries.row, rows.state
    FROM deliveries
    LEFT JOIN rows ON rows.run_id = deliveries.run_id AND rows.row = deliveries.row
"""
FITTING = {
    "accepted": {"accepted"},
    "queued": {"queued"},
    "duplicate": {"duplicate"},
    "sending": {"sending"},
    "unknown": {"unknown", "ready"},  # ready: a person said --resend-unknown
}


def ledger_rows(ledger: Path | str) -> list[LedgerRow]:
    """All rows of all runs that were opened."""
    return [
        LedgerRow(run, row, state, reason, tuple(lead))
        for run, row, state, reason, *lead in query(ledger, ROWS)
    ]


def audit(
    ledger: Path | str, taken: Mapping[Lead, int], *, at_rest: bool = True, resent: bool = False
) -> list[str]:
    """Everything that is not as promised; `taken` is how often the vendor took each lead.

    `at_rest`: no process is at work. `resent`: somebody used --resend or --resend-unknown.
    """
    return [*_complaints(ledger, taken, at_rest, resent)]


def _complaints(
    ledger: Path | str, taken: Mapping[Lead, int], at_rest: bool, resent: bool
) -> Iterator[str]:
    rows = ledger_rows(ledger)
    by_state: dict[str, Counter[Lead]] = {}
    for row in rows:
        by_state.setdefault(row.state, Counter())[row.lead] += 1
    claimed = by_state.get("accepted", Counter()) + by_state.get("queued", Counter())
    for lead, times in taken.items():
        if times > 1 and not resent:
            yield f"{lead} was taken {times} times"
    for lead, times in claimed.items():
        if taken.get(lead, 0) < times:
            yield f"{lead}: the ledger says accepted {times} times, taken {taken.get(lead, 0)}"
    possible = claimed + by_state.get("unknown", Counter()) + by_state.get("sending", Counter())
    if not resent:
        for lead in taken:
            if lead not in possible:
                yield f"{lead} was taken, and no row says so"
    if at_rest:
        yield from _not_at_rest(ledger, rows)
    yield from _keys(ledger, rows)


def _not_at_rest(ledger: Path | str, rows: list[LedgerRow]) -> Iterator[str]:
    sending = sum(row.state == "sending" for row in rows)
    if sending:
        yield f"{sending} rows are still sending"
    for table, such in (
        ("batches", "outcome = 'sending'"),
        ("runs", "state = 'staging'"),
        ("slots", "owner_id IS NOT NULL"),
        ("tokens", "owner_id IS NOT NULL"),
        ("owners", "NOT gone"),
    ):
        found = query(ledger, f"SELECT count(*) FROM {table} WHERE {such}")[0][0]
        if found:
            yield f"{found} {table} with {such}"
    orphans = query(ledger, "SELECT count(*) FROM rows WHERE run_id NOT IN (SELECT id FROM runs)")
    if orphans[0][0]:
        yield f"{orphans[0][0]} rows without a run"


def _keys(ledger: Path | str, rows: list[LedgerRow]) -> Iterator[str]:
    keys = [Key(*found) for found in query(ledger, KEYS)]
    holders = {(key.run, key.row): key.state for key in keys}
    for key in keys:
        if key.row_state not in FITTING[key.state]:
            yield f"{key} does not fit its row"
    # a lead that a run --resent belongs to the later run, so only the number of keys can be checked
    leads = {row.lead for row in rows if row.state in ("accepted", "queued")}
    held = sum(state in ("accepted", "queued", "sending", "unknown") for state in holders.values())
    if held < len(leads):
        yield f"{len(leads)} leads were accepted, {held} keys are held"


def query(ledger: Path | str, statement: str) -> list[tuple[Any, ...]]:
    """What plain SQL says; nothing while the ledger has no tables yet."""
    if "://" in str(ledger):
        return _query_server(str(ledger), statement)
    connection = sqlite3.connect(ledger, timeout=30)
    try:
        return connection.execute(statement).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return []
    finally:
        connection.close()


def _query_server(url: str, statement: str) -> list[tuple[Any, ...]]:
    import psycopg

    where = url.replace("+psycopg", "", 1)
    with psycopg.connect(where, autocommit=True) as connection:
        try:
            return connection.execute(statement.encode()).fetchall()
        except psycopg.errors.UndefinedTable:
            return []
