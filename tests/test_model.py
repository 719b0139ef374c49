"""Ledger, turns and keys in any order of events (design section 4), by a state machine.

The short form; the long one is `python -m tests.harness.model --steps 10000`.
"""

from tests.harness.model import run


def test_every_promise_holds_after_every_step() -> None:
    assert run(examples=12, steps=40) > 300
