"""A pytest plugin: tests in the order of the time that they took without a mutant.

A mutant is tried until the first test fails; mutmut's fork server leaves their order to chance.
"""

import json
from pathlib import Path

import pytest

TIMES = "mutmut-stats.json"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    try:
        took = json.loads(Path(TIMES).read_text(encoding="utf-8"))["duration_by_test"]
    except (OSError, ValueError):
        return  # they are being measured
    items.sort(key=lambda item: took.get(item.nodeid, 0.0))
