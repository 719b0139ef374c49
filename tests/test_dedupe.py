"""Leads that stand twice, and suppression lists."""

from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from ozodial.dedupe import Seen, load_suppression
from ozodial.errors import FileError


def test_the_first_row_stays_and_the_others_name_it() -> None:
    seen = Seen()
    assert seen.first("9876543210", "", 2) is None
    assert seen.first("9123456780", "", 3) is None
    assert seen.first("9876543210", "", 4) == 2
    assert seen.first("9876543210", "", 5) == 2


def test_another_time_is_another_lead() -> None:
    seen = Seen()
    assert seen.first("9876543210", "2026-11-25 10:00:00", 2) is None
    assert seen.first("9876543210", "2026-11-26 10:00:00", 3) is None
    assert seen.first("9876543210", "2026-11-25 10:00:00", 4) == 2


@pytest.mark.parametrize("expected", [0, 10, 50_000])
def test_tens_of_thousands_of_rows_are_kept_apart(expected: int) -> None:
    seen = Seen(expected)
    for row in range(50_000):
        assert seen.first(f"9{row:09d}", "", row) is None
    for row in range(0, 50_000, 7):
        assert seen.first(f"9{row:09d}", "", 99) == row
        assert seen.row_of(f"8{row:09d}", "") is None


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "x", "y"]))))
def test_it_answers_as_a_dict_would(leads: list[tuple[str, str]]) -> None:
    seen, known = Seen(), dict[tuple[str, str], int]()
    for row, (phone, scheduled) in enumerate(leads, start=2):
        assert seen.first(phone, scheduled, row) == known.get((phone, scheduled))
        known.setdefault((phone, scheduled), row)


def test_a_list_of_numbers_needs_no_header(tmp_path: Path) -> None:
    plain = tmp_path / "dnc.csv"
    plain.write_text("98765 43210\n+91 91234 56780\n", encoding="utf-8")
    suppressed = load_suppression([str(plain)], "IN")
    assert suppressed.list_with("9876543210") == "dnc.csv"
    assert suppressed.list_with("9123456780") == "dnc.csv"
    assert suppressed.list_with("9999999999") is None
    assert suppressed.said == []


def test_every_column_of_phones_is_the_list(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.csv"
    listed.write_text(
        "Blocked numbers of May\nSr;Reason;Mobile;Other\n"
        "1;asked;9876543210 / 080-22334455;9000000009\n2;asked;unreadable;\n3;asked;;\n",
        encoding="utf-8",
    )
    suppressed = load_suppression([str(listed)], "IN")
    assert suppressed.list_with("9876543210") == "blocked.csv"
    assert suppressed.list_with("8022334455") == "blocked.csv"
    assert suppressed.list_with("9000000009") == "blocked.csv"
    assert suppressed.said == [
        'the suppression list "blocked.csv" has phone numbers in 2 columns (C, D): '
        "all of them count",
        '1 cell of the suppression list "blocked.csv" can\'t be read as a phone number: C4',
    ]


def test_a_list_with_nobody_on_it_yet(tmp_path: Path) -> None:
    listed = tmp_path / "dnc.csv"
    listed.write_text("Sr,Mobile No.\n", encoding="utf-8")
    suppressed = load_suppression([str(listed)], "IN")
    assert suppressed.said == ['the suppression list "dnc.csv" holds no numbers']


def test_several_lists_of_several_kinds(tmp_path: Path) -> None:
    first, second = tmp_path / "one.txt", tmp_path / "two.xlsx"
    first.write_text("Phone\n9876543210\n", encoding="utf-8")
    with xlsxwriter.Workbook(str(second)) as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["Number", 9123456780, 9876543210])
    suppressed = load_suppression([str(first), str(second)], "IN")
    assert suppressed.list_with("9876543210") == "one.txt"
    assert suppressed.list_with("9123456780") == "two.xlsx"
    assert suppressed.lists == ["one.txt", "two.xlsx"]


def test_a_list_without_phones_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "names.csv"
    wrong.write_text("Name\nAsha\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"names\.csv has no column of phone numbers"):
        load_suppression([str(wrong)], "IN")


def test_no_list_holds_nobody() -> None:
    assert load_suppression([], "IN").list_with("9876543210") is None
