"""The vendor's answer to `campaignStatus` -> where the campaign stands, or why nobody knows. Pure.

Source: the page "Campaign Status": rows of CampaignID, CampaignName, UserName and Position; the
sample lists many campaigns. What is around the rows is not told, so they are looked for anywhere.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ozodial.answers import Known, Means, look_up
from ozodial.body import read_body
from ozodial.endpoints import Access
from ozodial.replies import Reply

DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """What an answer says of one campaign.

    `position` is the vendor's word (READY, COMPLETED, …), None where it lists no such campaign;
    `others` are campaigns that it lists; `text` is what it says instead, `known` its meaning.
    """

    position: str | None = None
    others: tuple[str, ...] = ()
    text: str | None = None
    known: Known | None = None

    @property
    def wants_token(self) -> bool:
        """Whether the token was refused, and a new one may help."""
        return self.known is not None and self.known.means is Means.TOKEN

    @property
    def refused(self) -> bool:
        """Whether the account, the key or the campaign was refused."""
        return self.known is not None and self.known.means in (Means.TOKEN, Means.STOP)


def read_standing(reply: Reply, campaign: str, access: Access) -> Standing:
    """Read an answer; nothing in it can raise."""
    rows = dict(_campaigns(_parse(reply.body)))
    if rows:
        position = rows.get(campaign)
        clean = None if position is None else access.redact(position)
        return Standing(clean, tuple(access.redact(name) for name in rows if name != campaign))
    said = read_body(reply.body, access.redact)
    text = said.text or reply.unread or None
    found = look_up(text) if text is not None else None
    return Standing(text=text, known=found[0] if found is not None else None)


def _campaigns(value: object, depth: int = DEEPEST) -> Iterator[tuple[str, str]]:
    """(name, position) of every object that has a CampaignName; JSON in strings is read too."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = _parse(value)
    if not depth:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _campaigns(inner, depth - 1)
    elif isinstance(value, Mapping):
        folded = {"".join(filter(str.isalnum, key)).lower(): key for key in value}
        name = value.get(folded.get("campaignname", ""))
        if isinstance(name, str | int) and "position" in folded:
            yield str(name), str(value[folded["position"]] or "")
        else:
            for inner in value.values():
                yield from _campaigns(inner, depth - 1)


def _parse(content: bytes | str) -> object:
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value
