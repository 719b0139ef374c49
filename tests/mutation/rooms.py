"""Which rooms are mutated, and which tests are to notice: their own, in seconds and in-process.

Left out are tests that kill processes, wait for a lease in real time or want a PostgreSQL: a
surviving mutant costs the whole of its room's tests.
"""

from typing import NamedTuple


class Room(NamedTuple):
    """Modules that do one job, and the test files that hold them to it, without `test_`."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Tests whose hundreds of cases say the same of these modules as others do."""


ROOMS = {
    "batching": Room(("batching",), ("batching",)),
    "pacing": Room(("pacing", "throttle"), ("pacing", "throttle")),
    "interpret": Room(
        ("interpret",),
        ("interpret", "interpret_told", "interpret_bent", "interpret_deletes", "interpret_truth"),
        ("a_known_text_counts",),
    ),
    "validate": Room(("validate",), ("problems", "validate", "prepare"), ("check_shows",)),
    "ledger": Room(("ledger",), ("ledger_faults", "ledger", "joining"), ("many_threads",)),
    "matching": Room(("matching",), ("matching", "interpret_truth")),
    "body": Room(
        ("body", "answers"),
        ("answers", "interpret", "interpret_told", "interpret_bent"),
        ("a_known_text_counts",),
    ),
    "claims": Room(("claims", "marking"), ("claims", "ledger")),
    "slots": Room(("slots",), ("slots", "pacing", "tokens")),
    "keys": Room(("keys", "sorting"), ("claims",)),
    "owners": Room(("owners",), ("ledger", "ledger_faults")),
    "bulk": Room(("bulk",), ("validate", "problems")),
}
"""By the names that `python -m tests.mutation` takes."""
