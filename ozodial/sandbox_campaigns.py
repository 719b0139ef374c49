"""`campaignStatus` as the simulator answers it: who asks about which campaign in, its rows out.

Takes no lead and keeps no count. Source: the vendor's "Campaign Status" page: a GET whose body is
JSON, rows of CampaignID, CampaignName, UserName and Position; the sample lists many campaigns.
"""

from ozodial.sandbox_calls import Call, Reader, cell, read_json
from ozodial.sandbox_door import MAGIC_COMPLETED, Accounts, is_magic
from ozodial.sandbox_memory import Payload, Refusal
from ozodial.sandbox_texts import Text

FIRST_CAMPAIGN_ID = 4201


class Campaigns:
    """The campaigns of the accounts that the vendor knows."""

    def __init__(self, accounts: Accounts, reader: Reader) -> None:
        self._accounts = accounts
        self._reader = reader

    def answer(self, call: Call) -> Payload:
        """All campaigns of the account that asks, or the vendor's refusal."""
        body = read_json(call.body)
        campaign = call.seen.campaign = cell(body.get("campaignName"))
        if not cell(body.get("userName")) or not campaign:
            raise Refusal("error", Text.ALL_MANDATORY)
        user = self._reader.caller(call, body)
        if not self._accounts.has_campaign(user, campaign):
            raise Refusal("error", Text.NO_RECORD)
        rows = [
            {
                "CampaignID": str(FIRST_CAMPAIGN_ID + place),
                "CampaignName": name,
                "UserName": user,
                "Position": "COMPLETED" if is_magic(name, MAGIC_COMPLETED) else "READY",
            }
            for place, name in enumerate(self._accounts.campaigns(user) or [campaign])
        ]
        return {"status": "success", "message": rows}
