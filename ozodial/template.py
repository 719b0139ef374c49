"""An empty sheet that can be filled in and sent as it is: `ozodial template OUT.xlsx` (or .csv).

In: a path and the endpoint it is for. Out: a file with the right headers; a workbook also has its
phones as text, its dates as dates, checks on what is typed, and a second sheet that explains the
columns. It holds no example leads: nobody may be dialled because a line was forgotten.
"""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ozodial.endpoints import Endpoint
from ozodial.errors import UsageError
from ozodial.models import Field

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

LEADS, COLUMNS = "Leads", "Columns"
"""The sheets. The leads stand first, where the reader takes them from."""

_LAST_ROW = 1_048_575
_TEXT = "@"
_MOMENT = "yyyy-mm-dd hh:mm"
_DAY = "yyyy-mm-dd"


class Guide(NamedTuple):
    """What a person needs to know of a column; `form` is the cells' number format."""

    field: Field
    needed: bool
    says: str
    example: str
    form: str = _TEXT
    width: int = 16


GUIDES = (
    Guide(
        Field.PHONE, True,
        "The number to call. Ten digits, or with a country code: +44 20 7946 0018. The cells are "
        "text, so that no digit is lost.",
        "98765 43210", width=20,
    ),
    Guide(
        Field.SCHEDULED, True,
        "When to call, in the account's time zone: a day and a time within the next 30 days. May "
        'stay empty where the command says it for all: --at "tomorrow 10:00".',
        "2026-12-25 15:30", _MOMENT, 20,
    ),
    Guide(Field.NAME, False, "Who is called.", "Asha Rao", width=26),
    Guide(
        Field.EXPIRY, False,
        "Not called any more after this day (or day and time). Not before ScheduledTime.",
        "2026-12-31", _DAY,
    ),
    Guide(
        Field.PRIORITY, False, "A whole number from 1 to 99: 1 is called first.", "5", "0", 10
    ),
    Guide(
        Field.AGENT, False, "The agent who gets the call, as CloudAgent knows them.", "agent7"
    ),
    Guide(Field.SKILL, False, "The skill that the agent needs.", "hindi"),
)  # fmt: skip


def write_template(path: Path, endpoint: Endpoint) -> None:
    """Write the empty sheet; UsageError if `path` can't be written or is there already."""
    guides = [each for each in GUIDES if endpoint.needs_time or each.field is not Field.SCHEDULED]
    writers = {".xlsx": _write_workbook, ".csv": _write_csv}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise UsageError(f"{path}: what to write is told by the suffix: .xlsx or .csv.")
    try:
        path.touch(0o644, exist_ok=False)
        write(path, guides, endpoint)
    except FileExistsError:
        raise UsageError(f"{path} exists already.", "Name another file, or remove it.") from None
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(f"{path} can't be written: {error.strerror or error}.") from None


def _write_csv(path: Path, guides: list[Guide], _endpoint: Endpoint) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerow([guide.field for guide in guides])


def _write_workbook(path: Path, guides: list[Guide], endpoint: Endpoint) -> None:
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    book = xlsxwriter.Workbook(str(path))
    _leads(book, book.add_worksheet(LEADS), guides)
    _columns(book, book.add_worksheet(COLUMNS), guides, endpoint)
    try:
        book.close()
    except FileCreateError as error:
        raise OSError(str(error)) from error


def _leads(book: "Workbook", sheet: "Worksheet", guides: list[Guide]) -> None:
    for place, guide in enumerate(guides):
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#DDEBF7" if guide.needed
                                else "#F2F2F2", "num_format": _TEXT})  # fmt: skip
        sheet.set_column(place, place, guide.width, book.add_format({"num_format": guide.form}))
        sheet.write_string(0, place, guide.field, head)
        check = _CHECKS.get(guide.field)
        if check is not None:
            said = {"input_title": guide.field, "input_message": guide.says}
            wrong = {"error_title": guide.field, "error_message": guide.says}
            sheet.data_validation(1, place, _LAST_ROW, place, {**check, **said, **wrong})
    sheet.freeze_panes(1, 0)


_CHECKS: dict[Field, dict[str, object]] = {
    # a warning: numbers with spaces, dashes and a country code are right too
    Field.PHONE: {
        "validate": "length", "criteria": "between", "minimum": 10, "maximum": 24,
        "error_type": "warning",
    },
    Field.SCHEDULED: {
        "validate": "date", "criteria": "between", "minimum": "=NOW()", "maximum": "=NOW()+30",
        "error_type": "warning",
    },
    Field.EXPIRY: {
        "validate": "date", "criteria": ">=", "value": "=TODAY()", "error_type": "warning",
    },
    Field.PRIORITY: {
        "validate": "integer", "criteria": "between", "minimum": 1, "maximum": 99,
    },
}  # fmt: skip
"""What a spreadsheet says of a cell while it is typed; `check` says the rest."""


def _columns(book: "Workbook", sheet: "Worksheet", guides: list[Guide], endpoint: Endpoint) -> None:
    bold, text = (book.add_format({"bold": b, "num_format": _TEXT, "valign": "top",
                                   "text_wrap": True}) for b in (True, False))  # fmt: skip
    sheet.set_column(0, 1, 16, text)
    sheet.set_column(2, 2, 70, text)
    sheet.set_column(3, 3, 20, text)
    lines = [("column", "needed", "what goes in", "such as")]
    lines += [(g.field, "yes" if g.needed else "no", g.says, g.example) for g in guides]
    for row, cells in enumerate(lines):
        for place, cell in enumerate(cells):
            sheet.write_string(row, place, cell, text if row else bold)
    after = (
        f"Fill in the sheet {LEADS}, a row a lead. Then: ozodial check FILE.xlsx, and "
        f"ozodial {endpoint.command} FILE.xlsx --campaign NAME.",
        "Columns that are not needed may stay empty or be removed; other columns do no harm and "
        "are not sent (--extra COLUMN sends one).",
    )
    for row, line in enumerate(after, start=len(lines) + 1):
        sheet.merge_range(row, 0, row, 3, line, text)
        sheet.set_row(row, 32)
    sheet.freeze_panes(1, 0)
