import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.formula import guarded, unguarded


@pytest.mark.parametrize(
    "cell", ["=1+1", "+919876543210", "-2", "@SUM(A1)", "\tx", "\rx", "'=1", "''+"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert guarded(cell) == "'" + cell
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["", "9876543210", "O'Brien", "'quoted'", "a=b", " =1", "'"])
def test_anything_else_is_left_alone(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell


@given(st.text(alphabet="'=+-@\t\r\nab9 "))
def test_every_cell_reads_back_unchanged(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
