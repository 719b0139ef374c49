"""The vendor's two calls that delete, as data: where they are, what they allow, how one is written.

Sources: the reference pages of DeleteBulkData (100 numbers a request, 2 requests a minute, the next
is refused until the present one is done, deletes whatever the lead's status) and of
DeleteScheduledData (`rowId`: one id, a comma list, or a range), as collected in the API facts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ozodial.endpoints import SCHEDULE, Access, HttpRequest


@dataclass(frozen=True, slots=True)
class DeleteCall:
    """One of the two calls. `pace` as an endpoint's; `by_row_id`: by the vendor's own numbers."""

    name: str
    path: str
    per_request: int
    pace: float
    by_row_id: bool = False

    def estimated_seconds(self, requests: int, pace: float) -> float:
        """How long `requests` take: the waits between them and half a second for each."""
        return max(0, requests - 1) * pace + 0.5 * requests

    def write(
        self, access: Access, campaign: str, phones: Sequence[str], row_ids: Sequence[int]
    ) -> HttpRequest:
        """The request that deletes these leads, by number or by the vendor's row ids."""
        body: dict[str, object] = {"userName": access.user_name}
        if self.by_row_id:
            body["rowId"] = spelled(row_ids)
        else:
            body |= {"phoneNumber": list(phones), "campaignName": [campaign]}
        auth = (
            {"Authorization": f"Bearer {access.token}"}
            if access.token
            else {"apiKey": access.api_key}
        )
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        headers = {"Content-Type": "application/json", **auth}
        return HttpRequest("DELETE", self.path, headers, content.encode("utf-8", "replace"))


DELETE_BULK = DeleteCall("DeleteBulkData", "/ca_apis/DeleteBulkData", 100, 30.0)
DELETE_SCHEDULED = DeleteCall(
    # no limit is published: as many as one request of `schedule` brings in
    "DeleteScheduledData",
    "/ca_apis/DeleteScheduledData",
    SCHEDULE.rows_per_request,
    0.0,
    by_row_id=True,
)

DELETE_CALLS = (DELETE_BULK, DELETE_SCHEDULED)


def delete_call(command: str) -> DeleteCall:
    """The call that takes back what a command put in."""
    return DELETE_SCHEDULED if command == SCHEDULE.command else DELETE_BULK


def spelled(row_ids: Sequence[int]) -> str:
    """`3-10` where no id is left out, `3,5,9` otherwise: a range must not hit anyone else's row."""
    ids = sorted(set(row_ids))
    if len(ids) > 1 and ids[-1] - ids[0] == len(ids) - 1:
        return f"{ids[0]}-{ids[-1]}"
    return ",".join(map(str, ids))
