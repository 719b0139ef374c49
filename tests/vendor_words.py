"""Every answer text of the vendor's pages and of the API facts, sections 2-5, as the tests read it.

Written out from the pages, not imported from the package: a sentence that the program misspells has
to show up. `THREE` and `ALONE` are what the text says about a request of three rows, and of one.
"""

from typing import NamedTuple

from ozodial.answers import Means
from ozodial.interpret import Decision
from ozodial.models import Reason, State

ROWS, RETRY, TOKEN = Decision.ROWS, Decision.RETRY, Decision.TOKEN
STOP, SPLIT = Decision.STOP, Decision.SPLIT


class Told(NamedTuple):
    """What a text leads to: the run's decision, and the state of every row."""

    decision: Decision
    state: State


class Text(NamedTuple):
    """One documented text: its meaning, and what becomes of a request that it answers."""

    text: str
    means: Means
    three: Told
    alone: Told
    reason: Reason | None = None
    status: str = "error"

    @property
    def id(self) -> str:
        """Its beginning, as the name of a test; on one line, or pytest can't find it again."""
        return " ".join(self.text[:40].split())


NOBODY_KNOWS = Told(ROWS, State.UNKNOWN)
REFUSED = Told(STOP, State.READY)
AGAIN = Told(RETRY, State.READY)
NEW_TOKEN = Told(TOKEN, State.READY)
HALVES = Told(SPLIT, State.READY)
GUILTY = Told(ROWS, State.REJECTED)
THERE = Told(ROWS, State.DUPLICATE)


def stop(text: str, status: str = "error") -> Text:
    return Text(text, Means.STOP, REFUSED, REFUSED, None, status)


def data(text: str, reason: Reason, status: str = "error") -> Text:
    return Text(text, Means.DATA, HALVES, GUILTY, reason, status)


def busy(text: str) -> Text:
    return Text(text, Means.BUSY, AGAIN, AGAIN)


def token(text: str) -> Text:
    return Text(text, Means.TOKEN, NEW_TOKEN, NEW_TOKEN, None, "false")


REQUEST_TEXTS = [
    # "Scheduled Campaign Data (Token authentication)"
    stop("api_key or campaign_name is invalid or not found"),
    stop("Mandatory parameter ScheduledTime is in bulkData map"),
    data("Wrong Date format", Reason.DATE_UNREADABLE),
    data(
        "Invalid date format. Please pass date in format yyyy-MM-dd HH:mm:ss or yyyy-MM-dd",
        Reason.DATE_UNREADABLE,
        "Error",
    ),
    # "Add campaign bulk data"
    stop("no user found", "failure"),
    data(
        "Priority, supports only numeric value or the value is not passed properly",
        Reason.PRIORITY_INVALID,
    ),
    data(
        "ExpiryDate, supports the following\nformat only 'YYYY-MM-DD HH:MM:SS",
        Reason.DATE_UNREADABLE,
    ),
    # facts 2: the token
    token("Token Expired"),
    token("Invalid Token"),
    token("Token Should Not be Null or Empty."),
    stop("UserName is null", "false"),
    stop("Invalid userName or apiKey", "false"),
    stop("Username Should Not be Null or Empty.", "false"),
    stop("Invalid User Details", "false"),
    # facts 3: removal of scheduled rows, which no upload is answered with unless its path is wrong
    stop("No data found"),
    stop("Mandatory parameter row_id is missing"),
    # facts 4: bulk, old
    stop("please provide campaign details"),
    busy("Already one process is running please try after some time"),
    data("Please provide valid data", Reason.REFUSED_BY_VENDOR, "failure"),
    # facts 5: V4
    stop("apiKey should not be empty"),
    # facts 6-10, where an upload may meet them
    busy("Max limit exceeded"),
    busy("Request limit exhausted"),
    stop("Authentication failed"),
    stop("Campaign not found"),
    stop("Missing userName or apiKey"),
    stop("Invalid Json Pass Valid Json"),
    stop("All parameters are mandatory"),
    stop("Passed campaign are invalid", "Error"),
    stop("no record found"),
]
"""What the vendor says of a whole request."""

ROW_TEXTS = [
    Text("Data updated successfully", Means.TAKEN, NOBODY_KNOWS, NOBODY_KNOWS, None, "success"),
    Text("SuccessFully Updated", Means.TAKEN, NOBODY_KNOWS, NOBODY_KNOWS, None, "success"),
    Text(
        "SuccessFully Updated, Progressive was started",
        Means.TAKEN,
        NOBODY_KNOWS,
        NOBODY_KNOWS,
        None,
        "success",
    ),
    Text("Phone Number is Empty!", Means.ROW_REFUSED, NOBODY_KNOWS, GUILTY, Reason.PHONE_MISSING),
    Text(
        "PhoneNumber Added is a DND Number",
        Means.ROW_REFUSED,
        NOBODY_KNOWS,
        GUILTY,
        Reason.DND,
        "FAIL",
    ),
    Text(
        "Number Already Exist",
        Means.EXISTS,
        NOBODY_KNOWS,
        THERE,
        Reason.EXISTS_AT_VENDOR,
        "SUCCESS",
    ),
]
"""What it says of one row. Said of many, it proves nothing: nobody knows which rows were taken."""

DELETE_TEXTS = [
    # facts 3: removal of scheduled rows; `alone` is what it says when it was asked before
    Text(
        "No data found",
        Means.ABSENT,
        Told(ROWS, State.READY),
        Told(ROWS, State.REMOVED),
        Reason.NOT_AT_VENDOR,
    ),
    stop("Mandatory parameter row_id is missing"),
    # facts 8: DeleteBulkData
    stop("PhoneNumbers should not be null are empty", "Error"),
    stop("Campaign should not be null are empty", "Error"),
    stop("Passed campaign are invalid", "Error"),
    busy("Max limit exceeded"),
    Text(
        "Deleted Successfully",
        Means.REMOVED,
        Told(ROWS, State.REMOVED),
        Told(ROWS, State.REMOVED),
        status="success",
    ),
    # facts 2: the token
    token("Token Expired"),
    token("Invalid Token"),
    token("Token Should Not be Null or Empty."),
    stop("Username Should Not be Null or Empty.", "false"),
    stop("Invalid User Details", "false"),
    stop("Missing userName or apiKey"),
]
"""What the two calls say that delete."""

CALLBACK_TEXTS = ["File Successfully uploaded.", "Data uploaded successfully"]
"""What a callback says of a whole transaction."""

QUEUED = "queued successfully"

BOTH_CAUSES = [
    "no user found",
    "api_key or campaign_name is invalid or not found",
    "Invalid userName or apiKey",
    "Invalid User Details",
    "Missing userName or apiKey",
]
"""Texts that the vendor uses for two causes: a person is told both."""

OF_NO_UPLOAD = [
    "File Successfully uploaded.",  # V4's callback
    "null",  # getScheduledData with a bad key
    "Deleted Successfully",
    "Unknown Error 17",
    "Lead could not be saved, contact support (E-4711)",
]
"""Texts that mean nothing as an answer to an upload: shown word for word, rows `unknown`."""
