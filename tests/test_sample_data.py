"""The samples are true on any day: good rows are good, and the messy file has every reason."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ozodial.dates import canonical
from ozodial.dedupe import Seen
from ozodial.mapping import Wanted, locate
from ozodial.models import Checked, Reason, Row, Rules
from ozodial.reader import open_source, read
from ozodial.validate import Validator

SAMPLES = Path(__file__).parent.parent / "sample_data"
INDIA = ZoneInfo("Asia/Kolkata")
DAYS = [datetime(2026, 11, 22, 12, tzinfo=INDIA), datetime(2098, 12, 1, 9, tzinfo=INDIA)]


def checked(
    name: str, now: datetime, needs_time: bool, row_characters: int | None
) -> list[Checked]:
    at = canonical(now + timedelta(days=1)) if needs_time else None
    with open_source(str(SAMPLES / name)) as source:
        columns, chunks = locate(
            read(source).chunks,
            Wanted(),
            needs_time=needs_time,
            has_at=needs_time,
            file=source.label,
        )
        validator = Validator(columns, Rules("IN", now, needs_time, at, row_characters))
        return [validator.check(Row(*row)) for chunk in chunks for row in zip(*chunk, strict=True)]


@pytest.mark.parametrize(("name", "rows"), [("leads.csv", 450), ("leads.xlsx", 240)])
@pytest.mark.parametrize("now", DAYS, ids=str)
@pytest.mark.parametrize("needs_time", [True, False])
def test_every_row_of_the_good_samples_is_a_lead_of_its_own(
    name: str, rows: int, now: datetime, needs_time: bool
) -> None:
    leads, seen = checked(name, now, needs_time, 2000), Seen()
    assert len(leads) == rows
    assert [lead.row for lead in leads if lead.problems or lead.note] == []
    assert [lead.row for lead in leads if seen.first(lead.phone, lead.scheduled, lead.row)] == []


@pytest.mark.parametrize("now", DAYS[:1], ids=str)
def test_the_messy_sample_has_every_reason_and_mostly_good_rows(now: datetime) -> None:
    found: Counter[Reason] = Counter()
    for needs_time in (True, False):
        rows = checked("leads_messy.csv", now, needs_time, 2000)
        found.update(problem.reason for row in rows for problem in row.problems)
        assert sum(not row.problems for row in rows) > 0.6 * len(rows)
    ours = list(Reason)[: list(Reason).index(Reason.DUPLICATE_IN_FILE)]
    ours.remove(Reason.TIME_OUTSIDE_HOURS)  # only --calling-hours brings it
    assert [reason for reason in ours if reason not in found] == []


def test_the_messy_sample_has_duplicates_and_several_problems_in_a_row() -> None:
    rows, seen = checked("leads_messy.csv", DAYS[0], True, None), Seen()
    good = [row for row in rows if not row.problems]
    assert sum(seen.first(row.phone, row.scheduled, row.row) is not None for row in good) == 5
    assert max(len(row.problems) for row in rows) == 4
    assert {row.scheduled for row in good} == {"2026-11-23 12:00:00"}
