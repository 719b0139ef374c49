"""Claimed rows -> the vendor's map and data. Pure.

A column that no row of the batch fills is left out: some vendor checks refuse an empty value.
"""

from collections.abc import Sequence

from ozodial.endpoints import Upload
from ozodial.models import Field, LeadRow
from ozodial.staging import Run


def upload_of(run: Run, leads: Sequence[LeadRow]) -> Upload:
    """One batch of a run, at most as many rows as its endpoint takes."""
    used = [
        place
        for place, column in enumerate(run.columns)
        if column == Field.PHONE or any(lead.values[place] for lead in leads)
    ]
    return Upload(
        campaign=run.target.campaign,
        check_duplicate=run.options.check_duplicate,
        columns=tuple(run.columns[place] for place in used),
        rows=tuple(tuple(lead.values[place] for place in used) for lead in leads),
    )
