"""Calls the simulator as the vendor's pages say, without any of our own request code."""

import json
from collections.abc import Sequence
from types import TracebackType

import httpx

from ozodial.sandbox_server import ServerHandle

TOKEN = "/ca_apis/CAToken/generateToken"
SCHEDULE = "/ca_apis/CampaignScheduledData"
STATUS = "/ca_apis/campaignStatus"
BULK_V1 = "/cloudAgentRestAPI/index.php/AddCampaignBulkData/addBulkData/format/json"
BULK_V4 = "/cloudAgentRestAPI/index.php/AddCampaignBulkDataV4/addBulkData/format/json"

SOON = "2026-11-23 10:00:00"
"""A day after a FakeClock's noon."""

Rows = Sequence[Sequence[object]]


class Caller:
    """One account's calls; keyword arguments replace or (None) leave out parts of the body."""

    def __init__(self, server: ServerHandle) -> None:
        self.sandbox = server.sandbox
        self.http = httpx.Client(
            base_url=server.url, timeout=5, verify=False, trust_env=False, follow_redirects=False
        )
        self._token = ""

    def __enter__(self) -> "Caller":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def token(self, key: str = "a-key", **body: object) -> httpx.Response:
        return self.http.post(TOKEN, headers={"apiKey": key}, json={"userName": "ops", **body})

    def bearer(self) -> dict[str, str]:
        """The header with this caller's one token."""
        self._token = self._token or self.token().json()["token"]
        return {"Authorization": f"Bearer {self._token}"}

    def schedule(
        self,
        rows: Rows = (("9876543210", SOON),),
        columns: Sequence[str] = ("PhoneNumber", "ScheduledTime"),
        headers: dict[str, str] | None = None,
        **body: object,
    ) -> httpx.Response:
        return self.http.post(
            SCHEDULE,
            headers=self.bearer() if headers is None else headers,
            content=json.dumps(
                _without_none(
                    {
                        "userName": "ops",
                        "campaignName": "Diwali",
                        "checkDuplicate": True,
                        "bulkData": {"map": list(columns), "data": [list(row) for row in rows]},
                        **body,
                    }
                )
            ),
        )

    def status(self, campaign: str | None = "Diwali") -> httpx.Response:
        body = _without_none({"userName": "ops", "campaignName": campaign})
        return self.http.request("GET", STATUS, headers={"apiKey": "a-key"}, json=body)

    def bulk_v1(
        self,
        rows: Rows = (("9876543210", "Asha"),),
        columns: Sequence[str] = ("PhoneNumber", "Name"),
        **form: object,
    ) -> httpx.Response:
        parts = {"api_key": "a-key", "campaign_name": "Diwali", "bulkData": _bulk(columns, rows)}
        return self.http.post(BULK_V1, data=_without_none({**parts, **form}))

    def bulk_v4(
        self,
        rows: Rows = (("9876543210", "Asha"),),
        columns: Sequence[str] = ("PhoneNumber", "Name"),
        **form: object,
    ) -> httpx.Response:
        parts = {
            "apiKey": "a-key",
            "userName": "ops",
            "campaignName": "Diwali",
            "checkDuplicate": "false",
            "bulkData": _bulk(columns, rows),
        }
        return self.http.post(BULK_V4, data=_without_none({**parts, **form}))


def _bulk(columns: Sequence[str], rows: Rows) -> str:
    return json.dumps({"map": list(columns), "data": [list(row) for row in rows]})


def _without_none(parts: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in parts.items() if value is not None}
