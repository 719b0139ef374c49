"""How a row is mended: one table, from the fixed word of its reason to a sentence for a person.

In: a row's state and reason. Out: what to do about it in the spreadsheet or at the vendor; nothing
for rows that need nothing. Files, the report and screens take their words from here.
"""

from collections.abc import Mapping

from ozodial.models import Reason, State

_ASK = "Ask the vendor if it is in; if not: ozodial resume RUN --resend-unknown."

FIXES: Mapping[Reason, str] = {
    Reason.PHONE_MISSING: "Fill in a phone number, or delete the row.",
    Reason.PHONE_INVALID: "Correct the number: as dialled at home, or + and country code.",
    Reason.PHONE_LOST_DIGITS: "Format the column as text and type the whole number again.",
    Reason.PHONE_NOT_DIALLABLE: "Give a number that can be called: a mobile or a landline.",
    Reason.SEVERAL_PHONES: "Leave one number in the cell; put each other one into its own row.",
    Reason.TIME_MISSING: "Fill in when to call, or give --at WHEN for all rows without a time.",
    Reason.TIME_PAST: "Write a time that is still to come.",
    Reason.TIME_BEYOND_30_DAYS: "Write a time within the next 30 days.",
    Reason.DATE_UNREADABLE: "Write the date as 2026-01-31 10:00.",
    Reason.EXPIRY_BEFORE_SCHEDULE: "Let the lead expire after its scheduled time.",
    Reason.EXPIRY_PAST: "Write an expiry that is still to come, or leave the cell empty.",
    Reason.PRIORITY_INVALID: "Write a whole number from 1 to 99, or leave the cell empty.",
    Reason.ROW_TOO_LONG: "Shorten the longest cells of the row.",
    Reason.ROW_UNREADABLE: "Look at the row's quotes and delimiters, and type it again.",
    Reason.FORMULA_WITHOUT_VALUE: "Open and save the workbook in Excel, or paste as values.",
    Reason.CELL_ERROR: "Repair the formula, or type the value itself.",
    Reason.TIME_OUTSIDE_HOURS: "Write a time within the calling hours, or give --outside shift.",
    Reason.NAME_UNCLEAN: "Type the name again as plain text.",
    Reason.DUPLICATE_IN_FILE: "Nothing to do: the lead stands earlier in the file.",
    Reason.ON_SUPPRESSION_LIST: "Nothing to do: it is on a list of phones never to send.",
    Reason.SENT_BEFORE: "Nothing to do: it went in earlier (--resend sends it again).",
    Reason.EXISTS_AFTER_RESEND: "Nothing to do: the vendor has it, most likely from the first try.",
    Reason.EXISTS_AT_VENDOR: "Nothing to do: the vendor has it (--no-check-duplicate overrules).",
    Reason.DND: "Take it out: the number is on the do-not-disturb register.",
    Reason.REFUSED_BY_VENDOR: "Correct what the message names, then send the file again.",
    Reason.NO_ANSWER: _ASK,
    Reason.NO_ROW_ANSWER: _ASK,
    Reason.ANSWER_UNREADABLE: _ASK,
    Reason.OWNER_GONE: _ASK,
    Reason.UNKNOWN_ELSEWHERE: "Settle it in the run that the message names.",
    Reason.IN_ANOTHER_RUN: "Nothing to do: another run put the number in, too, so it stays.",
    Reason.NO_ROW_ID: "Delete it in CloudAgent: without its rowId nobody else can.",
    Reason.NOT_AT_VENDOR: "Look in CloudAgent: it may have been dialled or deleted there.",
    Reason.REMOVED_ELSEWHERE: "Send the file again, if the lead is wanted after all.",
    Reason.CANCELLED: "Nothing to do, or send the file again.",
}
"""Every reason there is."""

_BY_STATE: Mapping[State, str] = {
    State.REJECTED: FIXES[Reason.REFUSED_BY_VENDOR],
    State.UNKNOWN: FIXES[Reason.NO_ANSWER],
    State.READY: "Nothing to do: ozodial resume sends it.",
}
"""For a reason that is the vendor's own, or none."""


def fix_for(state: str, reason: str | None) -> str:
    """The sentence for a row, empty where there is nothing to say."""
    try:
        return FIXES[Reason(reason or "")]
    except ValueError:
        return _BY_STATE.get(State(state), "")
