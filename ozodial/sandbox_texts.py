"""The vendor's own sentences, word for word, as the simulator says them.

Nothing comes in and nothing is decided here. The client keeps a table of its own on purpose: a
sentence that one side misspells has to show up in a test.
"""

from enum import StrEnum


class Text(StrEnum):
    """What the vendor's pages print; [facts]: its other reference pages, [ours]: invented."""

    # generateToken [facts 2]; all with "status": "false"
    USER_NULL = "UserName is null"
    BAD_USER_OR_KEY = "Invalid userName or apiKey"
    # the use of a token [facts 2]; all with "status": "false"
    TOKEN_EXPIRED = "Token Expired"  # noqa: S105
    TOKEN_INVALID = "Invalid Token"  # noqa: S105
    TOKEN_EMPTY = "Token Should Not be Null or Empty."  # noqa: S105
    USER_EMPTY = "Username Should Not be Null or Empty."
    USER_DETAILS = "Invalid User Details"
    # "Scheduled Campaign Data (Token authentication)"
    BAD_KEY_OR_CAMPAIGN = "api_key or campaign_name is invalid or not found"
    NO_SCHEDULED_TIME = "Mandatory parameter ScheduledTime is in bulkData map"
    WRONG_DATE = "Wrong Date format"
    BEYOND_HORIZON = "ScheduledTime exceeds {days} days limit at index {index}"
    BAD_DATE = "Invalid date format. Please pass date in format yyyy-MM-dd HH:mm:ss or yyyy-MM-dd"
    ROW_SCHEDULED = "Data updated successfully"
    MISSING_USER_OR_KEY = "Missing userName or apiKey"  # [facts 9]
    BAD_JSON = "Invalid Json Pass Valid Json"  # [facts 8]
    # "Add campaign bulk data"
    NO_USER = "no user found"
    NO_CAMPAIGN = "please provide campaign details"  # [facts 4]
    BUSY = "Already one process is running please try after some time"  # [facts 4]
    BAD_DATA = "Please provide valid data"  # [facts 4]
    BAD_PRIORITY = "Priority, supports only numeric value or the value is not passed properly"
    BAD_EXPIRY = "ExpiryDate, supports the following format only 'YYYY-MM-DD HH:MM:SS"
    ROW_ADDED = "SuccessFully Updated"
    ROW_NO_PHONE = "Phone Number is Empty!"
    ROW_DND = "PhoneNumber Added is a DND Number"
    ROW_EXISTS = "Number Already Exist"  # [facts 7]
    # V4 [facts 5]
    QUEUED = "queued successfully"
    KEY_EMPTY = "apiKey should not be empty"
    NO_SUCH_CAMPAIGN = "Campaign not found"  # [facts 6]
    # several pages
    MAX_LIMIT = "Max limit exceeded"  # [facts 8, 10]
    # campaignStatus [facts 8]
    ALL_MANDATORY = "All parameters are mandatory"
    NO_RECORD = "no record found"
    # the calls that delete [facts 3, 8]
    NO_DATA = "No data found"
    NO_ROW_ID = "Mandatory parameter row_id is missing"
    NO_NUMBERS = "PhoneNumbers should not be null are empty"
    NO_CAMPAIGNS = "Campaign should not be null are empty"
    BAD_CAMPAIGNS = "Passed campaign are invalid"
    DELETED = "Deleted Successfully"  # [facts 8: of deleteCampaignData; of these two none is seen]
    # V4's callback [facts 5]
    UPLOADED = "File Successfully uploaded."
    # where the facts are cut
    INBOUND = "Campaign is not an outbound campaign"  # [ours]
    BAD_EXPIRY_V4 = "ExpiryDate, supports the following format only 'YYYY-MM-DD'"  # [ours]
    ROW_STRANGE = "Lead could not be saved, contact support (E-4711)"  # [ours]
