"""Claimed rows -> map and data: nothing but what some row fills."""

from dataclasses import replace

from ozodial.batching import upload_of
from ozodial.endpoints import Upload
from ozodial.models import LeadRow, Target
from ozodial.staging import Run, RunOptions

RUN = Run(
    id=1,
    target_id=1,
    target=Target("ops@sandbox", "bulk-add", "Diwali"),
    api="v1",
    file="leads.csv",
    state="open",
    header=("Mobile", "Name", "Priority", "City"),
    columns=("PhoneNumber", "Name", "Priority", "City"),
    options=RunOptions("ops", "http://127.0.0.1", "Asia/Kolkata", check_duplicate=True),
    created=0.0,
)


def leads(*values: tuple[str, ...]) -> list[LeadRow]:
    return [LeadRow(2 + i, row[0], row[1], "", row, b"") for i, row in enumerate(values)]


def test_rows_stand_in_order_under_the_runs_columns() -> None:
    rows = (("9876543210", "Asha", "1", "Pune"), ("9876543211", "Ravi", "2", "Delhi"))
    assert upload_of(RUN, leads(*rows)) == Upload("Diwali", True, RUN.columns, rows)


def test_columns_that_nobody_fills_are_left_out() -> None:
    rows = (("9876543210", "", "", "Pune"), ("9876543211", "", "", ""))
    expected = (("9876543210", "Pune"), ("9876543211", ""))
    upload = upload_of(RUN, leads(*rows))
    assert upload.columns == ("PhoneNumber", "City")
    assert upload.rows == expected


def test_the_phone_always_stays() -> None:
    assert upload_of(RUN, leads(("", "", "", ""))).columns == ("PhoneNumber",)


def test_each_batch_is_looked_at_by_itself() -> None:
    first = leads(("9876543210", "Asha", "", ""))
    second = leads(("9876543211", "Ravi", "3", ""))
    assert upload_of(RUN, first).columns == ("PhoneNumber", "Name")
    assert upload_of(RUN, second).columns == ("PhoneNumber", "Name", "Priority")


def test_check_duplicate_is_the_runs() -> None:
    off = replace(RUN, options=replace(RUN.options, check_duplicate=False))
    assert not upload_of(off, leads(("9876543210", "Asha", "", ""))).check_duplicate
