"""SIGKILL at any moment: nothing is lost and nothing is sent twice (design section 4).

The short form; the long one is `python -m tests.harness.kills --kills 300`.
"""

from dataclasses import replace

from tests.harness.kills import SCENARIOS, run
from tests.harness.server import Postgres

SHORT = [
    replace(SCENARIOS[0], leads=700),
    replace(SCENARIOS[2], leads=1_000),
    replace(SCENARIOS[3], leads=2_000),
]


FEW = [replace(SCENARIOS[0], leads=700), replace(SCENARIOS[2], leads=1_000)]


def test_no_kill_loses_a_lead_or_sends_it_twice() -> None:
    tally = run(kills=9, seed=20261122, most=4, scenarios=SHORT, fresh=False)

    assert tally.complaints == []
    assert tally.kills >= 9


def test_nor_on_a_server_that_others_share(postgres: Postgres) -> None:
    tally = run(
        6,
        seed=20261123,
        most=3,
        scenarios=FEW,
        new_ledger=lambda _: postgres.database(),
        fresh=False,
    )

    assert tally.complaints == []
    assert tally.kills >= 6
