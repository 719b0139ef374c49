"""Ready rows sorted at the claim: leads to send now, rows that are settled, rows that must wait.

What was true at staging is looked at again here, inside the claim's transaction: times that have
passed, and the delivery keys of other runs. Reads only.
"""

import json
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.holders import leaving, tail_of
from ozodial.keys import TAKEN, Key
from ozodial.models import Field, LeadRow, Reason, SettledRow, State
from ozodial.schema import deliveries, rows
from ozodial.staging import Run

MOST_SETTLED = 2_000
"""A claim that settles more rows than this leaves the rest to the next: others want to write."""

_READY = (
    sa.select(rows.c.row)
    .where(
        rows.c.run_id == sa.bindparam("run"),
        rows.c.state == State.READY,
        rows.c.row > sa.bindparam("after"),
    )
    .order_by(rows.c.row)
    .limit(sa.bindparam("size"))
    .subquery()
)
"""By itself, this is read from `rows_by_state` alone, however many rows are sent already."""

_PAGE = (
    sa.select(
        rows.c.row,
        rows.c.phone,
        rows.c.name,
        rows.c.scheduled,
        rows.c["values"],
        rows.c.lead_hash,
        rows.c.part,
        rows.c.remark,
        deliveries.c.state,
        deliveries.c.run_id,
        deliveries.c.row.label("key_row"),
        deliveries.c.prior,
    )
    .select_from(_READY)
    .join(rows, (rows.c.run_id == sa.bindparam("run")) & (rows.c.row == _READY.c.row))
    .outerjoin(
        deliveries,
        (deliveries.c.target_id == sa.bindparam("target"))
        & (deliveries.c.lead_hash == rows.c.lead_hash),
    )
    .order_by(_READY.c.row)
)
"""Ready rows with the keys of their leads; a statement made once costs less each time."""


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
        self._leaving: Collection[str] = ()
        self.leads: list[LeadRow] = []
        self.held: dict[bytes, Key] = {}
        self.settled: list[SettledRow] = []
        self.blocked = 0

    def fill(self, limit: int, after: int = 0) -> None:
        """Look at ready rows in order, behind the row `after`, until `limit` leads are found."""
        place = {"run": self._run.id, "target": self._run.target_id, "size": limit}
        self._leaving = leaving(self._connection, self._run)
        while len(self.leads) < limit and len(self.settled) < MOST_SETTLED:
            page = self._connection.execute(_PAGE, {**place, "after": after}).all()
            if not page:
                return
            all_values = json.loads(f"[{','.join(found[4] for found in page)}]")
            for found, values in zip(page, all_values, strict=True):
                row, phone, name, scheduled, _, lead_hash, part, remark, state, *holder = found
                if len(self.leads) == limit or (self.leads and part != self._part):
                    return  # rows under suspicion are sent by themselves
                lead = LeadRow(row, phone, name, scheduled, tuple(values), lead_hash, remark)
                self._sort(lead, part, Key(state, *holder) if state is not None else None)
            after = page[-1].row

    def _sort(self, lead: LeadRow, part: int, key: Key | None) -> None:
        own = (State.UNKNOWN, self._run.id, lead.row)
        if self._is_too_late(lead, in_doubt=key is not None and key[:3] == own):
            return
        if self._leaving and tail_of(lead.phone) in self._leaving:
            self.blocked += 1
        elif key is None:
            self._take(lead, part)
        elif key.state == State.SENDING:
            self.blocked += 1
        elif key.run == self._run.id:
            self._sort_own(lead, part, key)
        elif key.state == State.UNKNOWN:
            said = f"run {key.run} sent this lead (row {key.row}) and got no readable answer"
            self._settle(lead, State.UNKNOWN, Reason.UNKNOWN_ELSEWHERE, said)
        elif self._run.options.resend:
            self._take(lead, part, key)
        elif key.state in TAKEN:
            said = f"accepted in run {key.run}"
            self._settle(lead, State.ALREADY_ACCEPTED, Reason.SENT_BEFORE, said)
        else:
            said = f"the vendor said in run {key.run} that it has this lead"
            self._settle(lead, State.DUPLICATE, Reason.EXISTS_AT_VENDOR, said)

    def _sort_own(self, lead: LeadRow, part: int, key: Key) -> None:
        if key.state == State.UNKNOWN and key.row == lead.row:
            self._take(lead, part, key)  # a person said --resend-unknown
        else:
            said = f"the same lead as row {key.row}"
            self._settle(lead, State.DUPLICATE, Reason.DUPLICATE_IN_FILE, said)

    def _is_too_late(self, lead: LeadRow, *, in_doubt: bool) -> bool:
        expiry = lead.values[self._expiry] if self._expiry is not None else ""
        if lead.scheduled and lead.scheduled <= self._past:
            reason, said = Reason.TIME_PAST, f"ScheduledTime {lead.scheduled} has passed"
        elif expiry and expiry <= self._past:
            reason, said = Reason.EXPIRY_PAST, f"ExpiryDate {expiry} has passed"
        else:
            return False
        if in_doubt:  # it may be in from the first try: nobody is told that it was never sent
            said += ": it can't be sent again, and whether it is in is still not known"
            self._settle(lead, State.UNKNOWN, Reason.NO_ANSWER, said)
        else:
            self._settle(lead, State.INVALID, reason, f"{said} since the file was read")
        return True

    def _take(self, lead: LeadRow, part: int, key: Key | None = None) -> None:
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
        self.settled.append(
            SettledRow(lead.row, lead.phone, lead.name, state, reason, message, lead.remark)
        )
