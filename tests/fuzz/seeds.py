"""Good inputs of every kind that is read: what the fuzzer bends."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from tests.fuzz.mutate import packed, unpacked
from tests.hostile import old_workbook, sheet_workbook, text_row
from tests.sheets_xlsb import cell, formatted, row_of, sheet_of, xlsb

TEXT = (
    "Mobile No.,Customer Name,Call Time,Expiry,Priority,City\r\n"
    '9876543210,"Rao, Asha",2099-01-02 10:00,2099-02-01,5,Pune\r\n'
    "+91 98765-43211,नेहा,31/12/2099 4:30 pm,,1,\r\n"
    '98765 43212,"O\'Brien\nand Sons",45678.5,N/A,,"a ""b"""\r\n'
    "Total,3,,,,\r\n"
)
RECIPE = """\
sheet = "Leads"
encoding = "utf-8"
delimiter = ";"
date_order = "mdy"
default_time = "10:00"
phone_format = "e164"
strict = true
extra = ["City"]

[columns]
PhoneNumber = "Mobile"
Name = ["First Name", "Last Name"]

[constants]
Priority = 5
ExpiryDate = 2099-12-31
"""
CONFIG = """\
[profiles.default]
user_name = "asha"
campaign = "Diwali"
domain = "in"
timezone = "Asia/Kolkata"
pace = 15
check_duplicate = false
suppress = ["never.csv"]
notify = ["json://user:word@localhost/"]
calling_hours = "09:00-21:00"
days = "mon-sat"

[profiles.default.paths]
"bulk-add v1" = "/elsewhere"
"""
ANSWERS = (
    {"status": "success", "message": [{"index": 0, "Response": "success", "msg": "Updated"}]},
    {"status": "SUCCESS", "message": "Data updated successfully", "transactionId": "t-1"},
    {"0-0": "Success response", "0-1": "Number Already Exist"},
    [{"PhoneNumber": "+919876543210", "status": "FAIL", "msg": "a DND Number", "rowId": 7}],
    {"status": "error", "message": "ScheduledTime exceeds 30 days limit at index 1"},
    {"status": "success", "message": '{"0": {"msg": "queued successfully"}}'},
)
CALLBACK = {
    "data": {
        "transactionId": "t-1",
        "status": "success",
        "message": "Data added",
        "totalRecords": 3,
        "successRecords": 2,
        "failedRecords": 1,
        "failedRecordsFile": "https://example.org/failed.csv",
    }
}


def seeds() -> dict[str, list[bytes]]:
    """Target -> good inputs."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "csv": list(_texts()),
            "xlsx": [_made(_plain, folder), _made(_raw, folder)],
            "xls": [_made(_old, folder)],
            "xlsb": [_made(xlsb, folder), _made(_with_formats, folder)],
            "ods": [_made(open_document, folder)],
            "answer": [json.dumps(answer).encode() for answer in ANSWERS],
            "callback": [json.dumps(CALLBACK).encode(), json.dumps([CALLBACK] * 2).encode()],
            "recipe": [RECIPE.encode()],
            "config": [CONFIG.encode()],
            "suppress": [b"9876543210\n", b"Name;Mobile\nAsha;+91 9876543210\n", *_texts()],
        }


def _with_formats(path: Path) -> None:
    head = row_of(0, ()) + formatted(0, "Mobile") + cell(1, "Name")
    xlsb(path, sheet=sheet_of(head, row_of(1, (9_876_543_210.0,)) + formatted(1, "Asha")))


def _texts() -> Iterator[bytes]:
    yield TEXT.encode()
    for encoding in ("utf-8-sig", "utf-16", "utf-16-be"):
        yield TEXT.encode(encoding)
    yield TEXT.encode("cp1252", "replace").replace(b",", b";")
    yield TEXT.replace(",", "\t").replace("\r\n", "\n").encode()
    yield b"sep=;\n" + TEXT.replace(",", ";").encode()


def _made(make: Callable[[Path], None], folder: str) -> bytes:
    path = Path(folder) / "made"
    make(path)
    content = path.read_bytes()
    entries = unpacked(content)  # packed again: the same bytes on any day
    return packed(entries) if entries else content


def _plain(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})
        book.add_worksheet("Cover").write(0, 0, "Leads of May")
        page = book.add_worksheet("Leads")
        page.write_row(0, 0, ["Mobile", "Name", "Expiry"])
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for row in range(1, 4):
            page.write(row, 0, 9_876_543_210 + row)
            page.write(row, 1, f"Lead {row}")
            page.write_number(row, 2, 73_000 + row, date)
        page.write_formula(4, 0, "=A2", value=9_876_543_299)
        page.set_row(2, options={"hidden": True})


def _raw(path: Path) -> None:
    sheet_workbook(path, [text_row(1, "Mobile", "Name"), text_row(2, "9876543210", "Asha")])


def _old(path: Path) -> None:
    head: list[tuple[int, int, str | float]] = [(0, 0, "Mobile"), (0, 1, "Name")]
    lead: list[tuple[int, int, str | float]] = [(1, 0, 9_876_543_210.0), (1, 1, "Asha")]
    old_workbook(path, *head, *lead, (2, 0, "#N/A"), hidden=2)


def open_document(path: Path, *rows: tuple[str, ...], content: str = "") -> None:
    """An .ods whose sheet has these rows of text, or this XML inside its table."""
    rows = rows or (("Mobile", "Name"), ("9876543210", "Asha"))
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    written = content or "".join(
        f"<table:table-row>{''.join(cell.format(text) for text in row)}</table:table-row>"
        for row in rows
    )
    base = "urn:oasis:names:tc:opendocument:xmlns"
    body = (
        f'<office:document-content xmlns:office="{base}:office:1.0" '
        f'xmlns:table="{base}:table:1.0" xmlns:text="{base}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="Leads">{written}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{base}:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        "</manifest:manifest>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), kind)
        archive.writestr("content.xml", body)
        archive.writestr("META-INF/manifest.xml", manifest)
    path.write_bytes(packed.getvalue())
