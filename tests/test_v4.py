"""V4 by the real command: what its page asks of a batch, and what becomes of rows that don't fit.

Its page: 500 rows, 5 requests a minute, 2,000 characters a row with its headers, Name of
letters, digits and a few signs, ExpiryDate as a date, AgentId, checkDuplicate as a text.
"""

import csv
import json
from urllib.parse import parse_qs

import pytest

from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet
from tests.wire import RawServer, call, http, saying

MESSY = (
    "Mobile,Customer Name,Expiry,Agent,Skill\n"
    '9876543210,"O\'Brien & Sons, Ltd",31/12/2029,a7,hindi\n'
    "9876543211,Asha (Rao). +$%-:_9,2029-12-31 10:00,a7,\n"
    "9876543212,नेहा,,,\n"
    f"9876543213,{'A' * 1990},,,\n"
)
V4 = ("bulk-add", "leads.csv", "--api", "v4")


def test_a_messy_file_goes_in_within_the_rules_and_what_was_changed_is_said(
    desk: Desk, vendor: ServerHandle
) -> None:
    desk.write("leads.csv", MESSY)
    done = desk.run(*V4, "--results", "out.csv", "-v")
    assert done.code == 4, done.err
    assert vendor.sandbox.violations == ()
    assert [(lead.fields["Name"], lead.fields["ExpiryDate"]) for lead in vendor.sandbox.leads] == [
        ("O Brien Sons Ltd", "2029-12-31"),
        ("Asha (Rao). +$%-:_9", "2029-12-31"),
        ("", ""),
    ]
    assert all("AgentId" in lead.fields for lead in vendor.sandbox.leads)
    assert "3 rows are sent with a remark" in done.err
    assert 'is sent as "O Brien Sons Ltd"' in done.err
    with (desk.home / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ozodial_status"] for row in rows] == ["queued", "queued", "queued", "invalid"]
    assert rows[3]["ozodial_reason"] == "row_too_long"
    assert rows[0]["Customer Name"] == "O'Brien & Sons, Ltd"  # the original column, untouched


def test_a_strict_mapping_file_makes_such_rows_invalid(desk: Desk, vendor: ServerHandle) -> None:
    desk.write("leads.csv", MESSY)
    desk.write("strict.toml", "strict = true\n")
    done = call(desk, "bulk-add", desk.home / "leads.csv", "--api", "v4", "--json",
                "--map-file", desk.home / "strict.toml")  # fmt: skip
    assert {record["row"]: record["reason"] for record in done.of("row")} == {
        2: "name_unclean",
        3: None,
        4: "name_unclean",
        5: "row_too_long",
    }
    assert [lead.phone for lead in vendor.sandbox.leads] == ["9876543211"]


def test_a_lead_that_went_in_by_v1_is_the_same_lead_by_v4(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", "\n".join(MESSY.split("\n")[:4]) + "\n")
    assert call(desk, "bulk-add", file).code == 0
    done = call(desk, "bulk-add", file, "--api", "v4", "--json")
    assert done.code == 0
    assert done.summary["already_accepted"] == 3
    assert len(vendor.sandbox.leads) == 3


def test_each_batch_keeps_its_transaction_and_shows_it(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(501))
    assert call(desk, "bulk-add", file, "--api", "v4").code == 0
    given = list(dict.fromkeys(lead.transaction for lead in vendor.sandbox.leads))
    assert len(given) == 2
    shown = call(desk, "runs", "show", "1", "--json").of("batch")
    assert [record["transaction_id"] for record in shown] == given
    plain = call(desk, "runs", "show", "1").out
    assert all(transaction in plain for transaction in given)


@pytest.mark.parametrize("check", [True, False])
def test_check_duplicate_is_a_text_on_the_wire(desk: Desk, check: bool) -> None:
    told = {"transactionId": "t-1", "status": "success", "message": "queued successfully"}
    with RawServer(saying(http(json.dumps(told).encode()))) as server:
        desk.write("leads.csv", sheet(2))
        flag = "--check-duplicate" if check else "--no-check-duplicate"
        file = desk.home / "leads.csv"
        done = call(desk, "bulk-add", file, "--api", "v4", flag, OZODIAL_BASE_URL=server.url)
        assert done.code == 0
        form = parse_qs(server.requests[0].partition(b"\r\n\r\n")[2].decode())
    assert form["checkDuplicate"] == [str(check).lower()]
    assert set(form) == {"apiKey", "userName", "campaignName", "checkDuplicate", "bulkData"}
    assert json.loads(form["bulkData"][0])["map"] == ["PhoneNumber", "Name"]
