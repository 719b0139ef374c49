"""Every answer text of the vendor's pages as data: what it means and what to tell a person.

Texts compare without regard to case, spacing and a final full stop. A pattern is a regular
expression on that folded text. Unknown texts are not here on purpose: `interpret` shows them word
for word and treats them as proving nothing.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ozodial.models import Reason


class Means(StrEnum):
    """What a text says about a request, or about one row."""

    TAKEN = "taken"
    EXISTS = "exists"
    ROW_REFUSED = "row_refused"
    BUSY = "busy"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    STOP = "stop"
    DATA = "data"
    QUEUED = "queued"
    REMOVED = "removed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Known:
    """One documented text. `reason` is for rows, `explanation` for a person, `source` the page.

    `failing`: it counts only beside a status that says failure, since the text itself is cut off
    in the sources and the pattern is wider than it.
    """

    pattern: str
    means: Means
    source: str
    reason: Reason = Reason.REFUSED_BY_VENDOR
    explanation: str = ""
    failing: bool = False


KEY_OR_CAMPAIGN = "the API key or the campaign is wrong; the vendor gives one text for both"
KEY_OR_USER = "the user name or the API key is wrong; the vendor gives one text for both"
NO_CAMPAIGN = "the campaign's name is missing or wrong"
KEY_OR_MODE = (
    "the user name or the API key is wrong, or the account is on the other authentication mode "
    "(OZODIAL_AUTH, or auth in the profile); the vendor gives one text for all"
)
NO_TOKEN = "the account is on token mode: OZODIAL_AUTH=token"  # noqa: S105 - a sentence
OTHER_TOKEN = (
    "the token's hour is over, or another program got one for this account, "  # noqa: S105
    "which ends all others"
)
NO_ENTRY = "the server refuses the user name, the API key, or this machine's address"
NO_SUCH_CALL = "the server has no such call; check --base-url, and the paths in the profile"
OTHER_CALL = "that is what another of the vendor's calls says; check the paths in the profile"

SCHEDULE_PAGE = "Scheduled Campaign Data"
BULK_PAGE = "Add campaign bulk data"
FACTS = "API facts"

KNOWN: tuple[Known, ...] = (
    # rows
    Known(r"data updated successfully", Means.TAKEN, SCHEDULE_PAGE),
    Known(r"successfully updated(, [a-z]+ was started)?", Means.TAKEN, BULK_PAGE),
    Known(r"number already exists?", Means.EXISTS, FACTS, Reason.EXISTS_AT_VENDOR),
    Known(
        r"phonenumber added is a dnd number",
        Means.ROW_REFUSED,
        BULK_PAGE,
        Reason.DND,
        "the number is on the do-not-disturb register",
    ),
    Known(r"phone ?number is empty!?", Means.ROW_REFUSED, BULK_PAGE, Reason.PHONE_MISSING),
    # whole requests, to be tried again
    Known(r"already one process is running.*", Means.BUSY, FACTS),
    Known(r"max limit exceeded", Means.BUSY, FACTS),
    Known(r"request limit exhausted", Means.BUSY, FACTS),
    # the token
    Known(r"token expired", Means.TOKEN, FACTS, explanation=OTHER_TOKEN),
    Known(r"invalid token", Means.TOKEN, FACTS, explanation=OTHER_TOKEN),
    Known(r"token should not be null or empty", Means.TOKEN, FACTS, explanation=NO_TOKEN),
    # account, key, campaign
    Known(r"no user found", Means.STOP, BULK_PAGE, explanation=KEY_OR_CAMPAIGN),
    Known(
        r"api_?key or campaign_?name is invalid or not found",
        Means.STOP,
        SCHEDULE_PAGE,
        explanation=KEY_OR_CAMPAIGN,
    ),
    Known(r"invalid username or api_?key", Means.STOP, FACTS, explanation=KEY_OR_USER),
    Known(r"missing username or api_?key", Means.STOP, FACTS, explanation=KEY_OR_MODE),
    Known(r"invalid user details", Means.STOP, FACTS, explanation=KEY_OR_MODE),
    Known(r"api_?key should not be empty", Means.STOP, FACTS, explanation="the API key is empty"),
    Known(r"username is null", Means.STOP, FACTS, explanation="the user name is empty"),
    Known(
        r"username should not be null or empty",
        Means.STOP,
        FACTS,
        explanation="the user name is empty",
    ),
    Known(r"authentication failed", Means.STOP, FACTS, explanation=KEY_OR_USER),
    Known(r"invalid json pass valid json", Means.STOP, FACTS, explanation=OTHER_CALL),
    Known(r"no data found", Means.STOP, FACTS, explanation=OTHER_CALL, failing=True),
    Known(r"mandatory parameter row_?id is missing", Means.STOP, FACTS, explanation=OTHER_CALL),
    Known(
        r".*\b(inbound|outbound)\b.*",
        Means.STOP,
        FACTS,
        explanation="leads can only be added to an outbound campaign",
        failing=True,
    ),
    Known(r"please provide campaign details", Means.STOP, FACTS, explanation=NO_CAMPAIGN),
    Known(r"campaign not found", Means.STOP, FACTS, explanation=NO_CAMPAIGN),
    Known(r"passed campaign are invalid", Means.STOP, FACTS, explanation=NO_CAMPAIGN),
    Known(r"no record found", Means.STOP, FACTS, explanation=NO_CAMPAIGN, failing=True),
    Known(
        r"all parameters are mandatory",
        Means.STOP,
        FACTS,
        explanation="the vendor misses the user name or the campaign",
    ),
    Known(
        r"mandatory parameter scheduledtime is (missing )?in bulkdata map",
        Means.STOP,
        SCHEDULE_PAGE,
        explanation="the vendor misses the ScheduledTime column",
    ),
    # the data of a whole batch
    Known(
        r"scheduledtime exceeds (?P<days>\d+) days limit at index (?P<index>\d+)",
        Means.DATA,
        SCHEDULE_PAGE,
        Reason.TIME_BEYOND_30_DAYS,
    ),
    Known(r"wrong date format", Means.DATA, SCHEDULE_PAGE, Reason.DATE_UNREADABLE),
    Known(r"invalid date format.*", Means.DATA, SCHEDULE_PAGE, Reason.DATE_UNREADABLE),
    Known(r"priority, supports only numeric.*", Means.DATA, BULK_PAGE, Reason.PRIORITY_INVALID),
    Known(r"expirydate, supports the following.*", Means.DATA, BULK_PAGE, Reason.DATE_UNREADABLE),
    Known(
        r"please provide valid data",
        Means.DATA,
        FACTS,
        explanation="the data are refused, or don't match the campaign's map file",
    ),
    # V4
    Known(r"queued successfully", Means.QUEUED, FACTS),
)

DELETED_WHAT = "what `undo` asks for is incomplete; report this as a bug"

OF_DELETES: tuple[Known, ...] = (
    # the pages print no success text of the two calls that `undo` makes, only that of a third
    Known(r"(data )?(deleted|removed) successfully", Means.REMOVED, FACTS),
    Known(r"successfully (deleted|removed)", Means.REMOVED, FACTS),
    Known(r"no data found", Means.ABSENT, FACTS, Reason.NOT_AT_VENDOR),
    Known(r"mandatory parameter row_?id is missing", Means.STOP, FACTS, explanation=DELETED_WHAT),
    Known(
        r"phone ?numbers should not be null (are|or) empty",
        Means.STOP,
        FACTS,
        explanation=DELETED_WHAT,
    ),
    Known(
        r"campaign should not be null (are|or) empty", Means.STOP, FACTS, explanation=NO_CAMPAIGN
    ),
    Known(r"passed campaign are invalid", Means.STOP, FACTS, explanation=NO_CAMPAIGN),
)
"""What a call that deletes says, where that differs from what an upload is told."""

OF_CALLBACKS: tuple[Known, ...] = (
    Known(r"(file|data) (successfully uploaded|uploaded successfully)", Means.TAKEN, FACTS),
)
"""What V4's callback says of its whole transaction."""

_Compiled = tuple[tuple[re.Pattern[str], Known], ...]


def _compiled(table: tuple[Known, ...]) -> _Compiled:
    return tuple((re.compile(known.pattern), known) for known in table)


_COMPILED = _compiled(KNOWN)
_DELETES = _compiled(OF_DELETES)
_CALLBACKS = _compiled(OF_CALLBACKS)

SUCCESS_WORDS = frozenset({"success", "true", "ok"})
FAILURE_WORDS = frozenset({"error", "failure", "fail", "failed", "false"})


def fold(text: str) -> str:
    """A text as it is compared: lower case, single spaces, no full stop at its end."""
    return " ".join(text.lower().split()).rstrip(". ")


@lru_cache(maxsize=256)
def look_up(text: str) -> tuple[Known, re.Match[str]] | None:
    """The documented meaning of a text, if it has one."""
    return _find(_COMPILED, text)


def look_up_delete(text: str) -> Known | None:
    """What a text means as the answer to a call that deletes."""
    found = _find(_DELETES, text) or _find(_COMPILED, text)
    return found[0] if found is not None else None


def look_up_callback(text: str) -> Known | None:
    """What a text means in V4's callback."""
    found = _find(_CALLBACKS, text)
    return found[0] if found is not None else None


def _find(table: _Compiled, text: str) -> tuple[Known, re.Match[str]] | None:
    folded = fold(text)
    for pattern, known in table:
        if match := pattern.fullmatch(folded):
            return known, match
    return None
