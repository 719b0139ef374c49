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
    "interpret": Room(
        ("interpret", "body", "answers", "matching"),
        (
            "answers",
            "dialects",
            "interpret",
            "interpret_bent",
            "interpret_deletes",
            "interpret_truth",
            "matching",
        ),
        ("a_known_text_counts",),
    ),
    "validate": Room(("validate",), ("problems", "validate", "prepare"), ("check_shows",)),
    "bulk": Room(("bulk",), ("validate", "dates", "phones")),
    "ledger": Room(("ledger", "owners"), ("ledger", "database", "claims")),
    "claims": Room(
        ("claims", "marking", "keys", "sorting"), ("claims", "ledger", "staging", "interrupts")
    ),
    "pacing": Room(("pacing", "slots", "throttle"), ("pacing", "slots", "throttle", "limits")),
    "batching": Room(("batching",), ("batching",)),
}
"""By the names that `python -m tests.mutation` takes."""
