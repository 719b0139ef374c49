"""Ready rows sorted at the claim: leads to send now, rows that are settled, rows that must wait.

What was true at staging is looked at again here, inside the claim's transaction: times that have
passed, and the delivery keys of other runs. Reads only.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.keys import TAKEN
from ozodial.models import Field, LeadRow, Reason, SettledRow, State
from ozodial.schema import deliveries, rows
from ozodial.staging import Run

MOST_SETTLED = 2_000
"""A claim that settles more rows than this leaves the rest to the next: others want to write."""

_COLUMNS = (
    rows.c.row,
    rows.c.phone,
    rows.c.name,
    rows.c.scheduled,
    rows.c["values"],
    rows.c.lead_hash,
    rows.c.part,
)


class Sorting:
    """What a claim finds. `past` is now, in the account's time zone, written as a ScheduledTime.

    `leads` are to be sent, `held` has the keys that are taken over for some of them; `settled` rows
    are not sent at all, `blocked` counts rows that another run has in flight.
    """

    def __init__(self, connection: Connection, run: Run, past: str) -> None:
        self._connection = connection
        self._run = run
        self._past = past
        self._expiry = run.columns.index(Field.EXPIRY) if Field.EXPIRY in run.columns else None
        self._part = 0
        self._taken: set[bytes] = set()
        self.leads: list[LeadRow] = []
        self.held: dict[bytes, sa.Row[Any]] = {}
        self.settled: list[SettledRow] = []
        self.blocked = 0

    def fill(self, limit: int) -> None:
        """Look at ready rows in order, until `limit` leads are found."""
        after = 0
        while (page := self._page(after, limit)) and len(self.settled) < MOST_SETTLED:
            keys = self._keys(page)
            for row in page:
                if len(self.leads) == limit or (self.leads and row.part != self._part):
                    return  # rows under suspicion are sent by themselves
                self._sort(row, keys.get(row.lead_hash))
            after = page[-1].row

    def _page(self, after: int, size: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        ready = (
            sa.select(*_COLUMNS)
            .where(rows.c.run_id == self._run.id, rows.c.state == State.READY, rows.c.row > after)
            .order_by(rows.c.row)
            .limit(size)
        )
        return self._connection.execute(ready).all()

    def _keys(self, page: Sequence[sa.Row[*tuple[Any, ...]]]) -> Mapping[bytes, sa.Row[Any]]:
        hashes = [row.lead_hash for row in page]
        held = sa.select(deliveries).where(
            deliveries.c.target_id == self._run.target_id, deliveries.c.lead_hash.in_(hashes)
        )
        return {key.lead_hash: key for key in self._connection.execute(held)}

    def _sort(self, row: sa.Row[*tuple[Any, ...]], key: sa.Row[Any] | None) -> None:
        values = tuple(json.loads(row._mapping["values"]))
        lead = LeadRow(row.row, row.phone, row.name, row.scheduled, values, row.lead_hash)
        if self._is_too_late(lead):
            return
        if key is None:
            self._take(lead, row.part)
        elif key.state == State.SENDING:
            self.blocked += 1
        elif key.run_id == self._run.id:
            self._sort_own(lead, row.part, key)
        elif key.state == State.UNKNOWN:
            said = f"run {key.run_id} sent this lead (row {key.row}) and got no readable answer"
            self._settle(lead, State.UNKNOWN, Reason.UNKNOWN_ELSEWHERE, said)
        elif self._run.options.resend:
            self._take(lead, row.part, key)
        elif key.state in TAKEN:
            said = f"accepted in run {key.run_id}"
            self._settle(lead, State.ALREADY_ACCEPTED, Reason.SENT_BEFORE, said)
        else:
            said = f"the vendor said in run {key.run_id} that it has this lead"
            self._settle(lead, State.DUPLICATE, Reason.EXISTS_AT_VENDOR, said)

    def _sort_own(self, lead: LeadRow, part: int, key: sa.Row[Any]) -> None:
        if key.state == State.UNKNOWN and key.row == lead.row:
            self._take(lead, part, key)  # a person said --resend-unknown
        else:
            said = f"the same lead as row {key.row}"
            self._settle(lead, State.DUPLICATE, Reason.DUPLICATE_IN_FILE, said)

    def _is_too_late(self, lead: LeadRow) -> bool:
        expiry = lead.values[self._expiry] if self._expiry is not None else ""
        if lead.scheduled and lead.scheduled <= self._past:
            said = f"ScheduledTime {lead.scheduled} has passed since the file was read"
            self._settle(lead, State.INVALID, Reason.TIME_PAST, said)
        elif expiry and expiry <= self._past:
            said = f"ExpiryDate {expiry} has passed since the file was read"
            self._settle(lead, State.INVALID, Reason.EXPIRY_PAST, said)
        else:
            return False
        return True

    def _take(self, lead: LeadRow, part: int, key: sa.Row[Any] | None = None) -> None:
        if lead.lead_hash in self._taken:
            said = "the same lead stands earlier in this file"
            self._settle(lead, State.DUPLICATE, Reason.DUPLICATE_IN_FILE, said)
            return
        if key is not None:
            self.held[lead.lead_hash] = key
        self._part = part
        self._taken.add(lead.lead_hash)
        self.leads.append(lead)

    def _settle(self, lead: LeadRow, state: State, reason: Reason, message: str) -> None:
        self.settled.append(SettledRow(lead.row, lead.phone, lead.name, state, reason, message))
