"""The vendor's rules for rows: an order comes in, the answer's payload goes out.

It remembers the leads that it took, and is pure otherwise: the caller says what time it is. Row
failures hide inside "status": "success" as the vendor's pages show them, and phones come back as
+91… from `schedule`. The ends of phone numbers in `MagicRow` and `MagicBatch` provoke the rest.
Sources: "Scheduled Campaign Data (Token authentication)", "Add campaign bulk data", its V4 page.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from zoneinfo import ZoneInfo

from ozodial.clock import utc
from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE
from ozodial.models import Field, Instant
from ozodial.sandbox_calls import Order, Table, read_table
from ozodial.sandbox_memory import (
    Memory,
    Payload,
    Refusal,
    SandboxConfig,
    TakenLead,
    Transaction,
    Violation,
)
from ozodial.sandbox_phones import international
from ozodial.sandbox_texts import Text

Row = dict[str, object]

FIRST_ROW_ID = 169201


class MagicRow(StrEnum):
    """Ends of phones whose row has an answer of its own kind."""

    DND = "55501555"
    EXISTS = "55502555"
    EMPTY = "55503555"
    STRANGE = "55504555"
    SILENT = "55505555"


class MagicBatch(StrEnum):
    """Ends of phones for which the whole request is refused."""

    WRONG_DATE = "55506555"
    BEYOND_HORIZON = "55507555"
    BAD_DATA = "55508555"


_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_OUTSIDE_NAME_RULE = re.compile(r"[^A-Za-z0-9_ ().+$%:-]")


class Vendor:
    """What the vendor does with the rows of an order, and which leads it has."""

    def __init__(self, config: SandboxConfig, memory: Memory) -> None:
        self._config = config
        self._memory = memory
        self._zone = ZoneInfo(config.timezone)
        self._row_ids = count(FIRST_ROW_ID)
        self._present: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._rules = {
            SCHEDULE.name: self._schedule,
            BULK_ADD_V1.name: self._bulk_v1,
            BULK_ADD_V4.name: self._bulk_v4,
        }

    def process(self, order: Order, now: Instant) -> Payload:
        """Take the order's leads and answer as its endpoint does, or refuse the whole of it."""
        return self._rules[order.entry.name](order, now)

    def forget(self) -> None:
        """Leads were deleted: what is not there any more is no duplicate."""
        self._present.clear()
        for lead in self._memory.present:
            self._note_present(lead.account, lead.campaign, lead)

    def _schedule(self, order: Order, now: Instant) -> Payload:
        table = self._table(order, "error")
        times = _column(table, Field.SCHEDULED)
        if times is None:
            raise Refusal("error", Text.NO_SCHEDULED_TIME)
        self._check_times(table, times, now)
        expiries = _column(table, Field.EXPIRY)
        if expiries is not None and not all(_is_moment(text) for text in expiries):
            raise Refusal("Error", Text.BAD_DATE)
        answers: list[Row] = []
        leads: list[TakenLead] = []
        for index, row in enumerate(table.rows):
            lead = self._lead(order, table, row, now)
            message = self._refused(lead, table, row) or self._seen_before(order, lead)
            if message is None:
                leads.append(lead)
            if _ending(lead.phone) != MagicRow.SILENT:
                answers.append(_scheduled_row(lead, index, message))
        self._memory.take(leads)
        return {"message": answers, "status": "success"}

    def _bulk_v1(self, order: Order, now: Instant) -> Payload:
        table = self._table(order, "failure")
        self._check_bulk(table, _is_stamp, Text.BAD_EXPIRY)
        answers: list[Row] = []
        leads: list[TakenLead] = []
        for row in table.rows:
            lead = self._lead(order, table, row, now)
            message = self._refused(lead, table, row)
            if message is None:
                self._remember(order, lead)
                leads.append(lead)
            if _ending(lead.phone) != MagicRow.SILENT:
                answers.append(_bulk_row(lead, message))
        self._memory.take(leads)
        return {"message": answers}

    def _bulk_v4(self, order: Order, now: Instant) -> Payload:
        table = self._table(order, "error")
        self._check_row_lengths(order, table)
        self._check_bulk(table, _is_date, Text.BAD_EXPIRY_V4)
        self._check_names(order, table)
        transaction = str(uuid.uuid4())
        leads, failed = [], []
        for row in table.rows:
            lead = self._lead(order, table, row, now)._replace(transaction=transaction)
            message = self._refused(lead, table, row) or self._seen_before(order, lead)
            if message is None:
                leads.append(lead)
            else:
                failed.append((lead.fields, str(message)))
        self._memory.take(leads)
        told = (transaction, order.number, order.account, order.campaign, len(table.rows))
        self._memory.work_off(Transaction(*told, tuple(failed), now.wall))
        return {"transactionId": transaction, "status": "success", "message": str(Text.QUEUED)}

    def _table(self, order: Order, status: str) -> Table:
        table = read_table(order.bulk, status)
        limit = order.entry.rows_per_request
        if len(table.rows) > limit:
            self._violate(order, "rows", len(table.rows), limit)
            raise Refusal("error", Text.MAX_LIMIT)
        return table

    def _check_times(self, table: Table, times: list[str], now: Instant) -> None:
        days = self._config.horizon_days
        latest = utc(now).astimezone(self._zone).replace(tzinfo=None) + timedelta(days=days)
        phones = _column(table, Field.PHONE) or [""] * len(times)
        for index, (text, phone) in enumerate(zip(times, phones, strict=True)):
            magic = _ending(phone)
            if magic == MagicBatch.WRONG_DATE or not _is_stamp(text):
                raise Refusal("error", Text.WRONG_DATE)
            if magic == MagicBatch.BEYOND_HORIZON or datetime.fromisoformat(text) > latest:
                raise Refusal("error", Text.BEYOND_HORIZON.format(days=days, index=index))
            if magic == MagicBatch.BAD_DATA:
                raise Refusal("Error", Text.BAD_DATE)

    def _check_bulk(self, table: Table, is_expiry: Callable[[str], bool], bad_expiry: Text) -> None:
        magic = {_ending(phone) for phone in _column(table, Field.PHONE) or ()}
        priorities = _column(table, Field.PRIORITY) or ()
        expiries = _column(table, Field.EXPIRY) or ()
        if MagicBatch.BAD_DATA in magic:
            raise Refusal("failure", Text.BAD_DATA)
        if MagicBatch.BEYOND_HORIZON in magic or not all(map(_is_priority, priorities)):
            raise Refusal("error", Text.BAD_PRIORITY)
        if MagicBatch.WRONG_DATE in magic or not all(
            not text or is_expiry(text) for text in expiries
        ):
            raise Refusal("error", bad_expiry)

    def _check_row_lengths(self, order: Order, table: Table) -> None:
        limit = order.entry.row_characters or 0
        headers = sum(map(len, table.columns))
        for index, row in enumerate(table.rows):
            if headers + sum(map(len, row)) > limit:
                self._violate(order, "row_characters", index, limit)
                raise Refusal("error", Text.BAD_DATA)

    def _check_names(self, order: Order, table: Table) -> None:
        for index, name in enumerate(_column(table, Field.NAME) or ()):
            if _OUTSIDE_NAME_RULE.search(name):
                self._violate(order, "name_characters", index, 0)

    def _lead(self, order: Order, table: Table, row: tuple[str, ...], now: Instant) -> TakenLead:
        fields = dict(zip(table.columns, row, strict=False))
        return TakenLead(
            request=order.number,
            account=order.account,
            endpoint=order.entry.name,
            campaign=order.campaign,
            phone=fields.get(Field.PHONE, ""),
            fields=fields,
            time=now.wall,
            row_id=next(self._row_ids),
        )

    def _refused(self, lead: TakenLead, table: Table, row: tuple[str, ...]) -> Text | None:
        if not lead.phone.strip():
            return Text.ROW_NO_PHONE
        if len(row) != len(table.columns):
            return Text.BAD_DATA
        return _MAGIC_ANSWERS.get(_ending(lead.phone))

    def _seen_before(self, order: Order, lead: TakenLead) -> Text | None:
        """The rule of checkDuplicate; remembers the lead, which is taken unless it was there."""
        present = self._present[order.account, order.campaign]
        key = international(lead.phone)
        if Field.SCHEDULED in lead.fields:
            key += "|" + lead.fields[Field.SCHEDULED]
        if order.check_duplicate and key in present:
            return Text.ROW_EXISTS
        self._remember(order, lead)
        return None

    def _remember(self, order: Order, lead: TakenLead) -> None:
        self._note_present(order.account, order.campaign, lead)

    def _note_present(self, account: str, campaign: str, lead: TakenLead) -> None:
        phone = international(lead.phone)
        scheduled = lead.fields.get(Field.SCHEDULED, "")
        self._present[account, campaign].update((phone, f"{phone}|{scheduled}"))

    def _violate(self, order: Order, kind: str, seen: float, limit: float) -> None:
        self._memory.violate(
            Violation(order.number, order.account, order.entry.name, kind, seen, limit)
        )


_MAGIC_ANSWERS: dict[str, Text] = {
    MagicRow.DND: Text.ROW_DND,
    MagicRow.EXISTS: Text.ROW_EXISTS,
    MagicRow.EMPTY: Text.ROW_NO_PHONE,
    MagicRow.STRANGE: Text.ROW_STRANGE,
}

_RESPONSES = {Text.ROW_DND: "FAIL", Text.ROW_EXISTS: "SUCCESS"}


def _scheduled_row(lead: TakenLead, index: int, message: Text | None) -> Row:
    fields = lead.fields
    answer: Row = {
        "Response": "success" if message is None else _RESPONSES.get(message, "error"),
        "msg": str(message or Text.ROW_SCHEDULED),
        "campaign_name": lead.campaign,
        "ExpiryDate": fields.get(Field.EXPIRY) or None,
        "ScheduleTime": fields.get(Field.SCHEDULED),
        "skill": fields.get(Field.SKILL) or None,
        "index": index,
        "PhoneNumber": international(lead.phone),
        "Name": fields.get(Field.NAME) or None,
        "AgentID": fields.get(Field.AGENT) or None,
    }
    if message is None:
        answer["rowId"] = lead.row_id
    return answer


def _bulk_row(lead: TakenLead, message: Text | None) -> Row:
    answer: Row = dict(lead.fields)
    if message is None:
        answer["status"] = str(Text.ROW_ADDED)
    elif message is Text.ROW_DND:
        answer |= {"status": "FAIL", "message": str(message)}
    elif message is Text.ROW_NO_PHONE:
        answer["Status"] = str(message)  # the page's own capital
    else:
        answer["status"] = str(message)
    return answer


def _ending(phone: str) -> str:
    return phone[-8:]


def _column(table: Table, column: str) -> list[str] | None:
    place = table.place(column)
    if place is None:
        return None
    return [row[place] if place < len(row) else "" for row in table.rows]


def _is_stamp(text: str) -> bool:
    return _STAMP.fullmatch(text) is not None and _exists(text)


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _exists(text)


def _is_moment(text: str) -> bool:
    return not text or _is_stamp(text) or _is_date(text)


def _is_priority(text: str) -> bool:
    return not text or _NUMBER.fullmatch(text.strip()) is not None


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
