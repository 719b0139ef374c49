"""Batches as a claim gives them, and answers as the vendor's pages print them."""

import json
from collections.abc import Sequence

from ozodial.endpoints import Access
from ozodial.models import LeadRow
from ozodial.replies import Reply

KEY, TOKEN = "k3y-0f-an-account", "eyJ.t0ken.of-an-hour"
BASIC = Access("ops", KEY)
BEARER = Access("ops", KEY, TOKEN)

SOON = "2026-11-23 10:00:00"

Fields = dict[str, object]


def lead(row: int, phone: str, name: str = "", scheduled: str = "") -> LeadRow:
    """One claimed row."""
    values = tuple(value for value in (phone, scheduled, name) if value)
    return LeadRow(row, phone, name, scheduled, values, str(row).encode())


def batch(count: int, *, scheduled: str = SOON) -> list[LeadRow]:
    """Rows 2, 3, …, with phones and names of their own."""
    return [
        lead(2 + place, f"98765432{10 + place}", f"Lead {place}", scheduled)
        for place in range(count)
    ]


def scheduled_item(lead: LeadRow, index: object, **fields: object) -> Fields:
    """One row of the schedule page's success response."""
    return {
        "Response": "success",
        "msg": "Data updated successfully",
        "campaign_name": "Diwali",
        "ExpiryDate": None,
        "ScheduleTime": lead.scheduled,
        "skill": None,
        "index": index,
        "PhoneNumber": f"+91{lead.phone}",
        "AgentID": None,
        "rowId": 169201,
    } | fields


def bulk_item(lead: LeadRow, **fields: object) -> Fields:
    """One row of the bulk page's success response."""
    return {
        "PhoneNumber": lead.phone,
        "Name": lead.name,
        "Priority": "1",
        "ExpiryDate": "2026-12-01 00:00:00",
        "status": "SuccessFully Updated",
    } | fields


def scheduled_items(leads: Sequence[LeadRow]) -> list[Fields]:
    """The rows of a whole success response of the schedule page."""
    return [scheduled_item(lead, index) for index, lead in enumerate(leads)]


def bulk_items(leads: Sequence[LeadRow]) -> list[Fields]:
    """The rows of a whole success response of the bulk page."""
    return [bulk_item(lead) for lead in leads]


def reply(body: object, status: int = 200) -> Reply:
    """An answer whose body is this value as JSON."""
    return Reply(status, json.dumps(body).encode())
