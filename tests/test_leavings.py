"""Rows that are no leads: totals, notes at the end, a header once more."""

import pytest

from ozodial.leavings import Leaving, Leavings
from ozodial.models import Columns, Field

HEADER = ("Sr", "Mobile", "Name", "Amount")
LEAVINGS = Leavings(Columns(HEADER, 1, ((Field.PHONE, 1), (Field.NAME, 2))))
NARROW = Leavings(Columns(("Mobile", "Name"), 1, ((Field.PHONE, 0), (Field.NAME, 1))))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("Total", "", "", "450"), Leaving.TOTAL),
        (("", "", "Grand Total:", "450"), Leaving.TOTAL),
        (("", "Total leads: 450", "", ""), Leaving.TOTAL),
        (("Sub-total", "450", "", ""), Leaving.TOTAL),
        (("कुल", "", "", "450"), Leaving.TOTAL),
        (("Count: 450", "", "", ""), Leaving.TOTAL),
        (("Sr", "Mobile", "Name", "Amount"), Leaving.HEADER),
        (("", "MOBILE", "", ""), Leaving.HEADER),
        (("Exported by Asha", "", "", ""), Leaving.NOTE),
        (("* DND numbers were left out", "", "", ""), Leaving.NOTE),
        (("", "", "", "signed"), Leaving.NOTE),
        (("7", "", "Asha", ""), None),
        (("", "", "Asha", ""), None),
        (("", "", "Total Fitness", ""), None),
        (("", "12345", "", ""), None),
        (("7", "not known", "", ""), None),
        (("Call 9876543210 instead", "", "", ""), None),
        (("", "", "", ""), None),
    ],
)
def test_what_a_row_without_a_phone_is(cells: tuple[str, ...], kind: Leaving | None) -> None:
    assert LEAVINGS.kind(cells) is kind


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("Note: exported on Monday", ""), Leaving.NOTE),
        (("Leads from the May exhibition", ""), Leaving.NOTE),
        (("not given", ""), None),
        (("", "Asha"), None),
        (("", "please call these leads before noon"), None),
        (("12345", ""), None),
    ],
)
def test_in_a_column_that_is_sent_only_a_sentence_is_a_note(
    cells: tuple[str, ...], kind: Leaving | None
) -> None:
    assert NARROW.kind(cells) is kind
