"""What people call our fields: header synonyms as data, and how a header is compared.

In: a header's text. Out: its key (letters and digits alone, whatever the case) or the field that it
usually means. A word that means two things ("Contact", "Status", "Date") is not here: what is
missing can be named with `--map`, what is guessed wrong dials the wrong people.
"""

import unicodedata
from collections.abc import Iterable, Mapping

from ozodial.models import Field

OURS = "ozodial_"
"""Columns of an earlier export of ours begin like this."""

_LONGEST = 100
"""A longer cell is no header, and would take long to compare."""

_SYNONYMS: Mapping[Field, tuple[str, ...]] = {
    Field.PHONE: (
        "phone number, phone, phone no, phone num, phone 1, ph, ph no, ph number",
        "mobile, mobile no, mobile number, mobile num, mobile phone, mobile phone number, mobile 1",
        "mob, mob no, mob number, cell, cell no, cell number, cell phone, cell phone number",
        "contact no, contact number, contact num, contact phone, contact mobile, contact mobile no",
        "telephone, telephone no, telephone number, tel, tel no, tel number, msisdn, rmn",
        "customer phone, customer phone no, customer phone number, customer mobile",
        "customer mobile no, customer mobile number, customer contact no, customer contact number",
        "lead phone, lead phone number, lead mobile, lead mobile number, calling number",
        "primary phone, primary phone number, primary mobile, primary mobile number",
        "registered mobile, registered mobile no, registered mobile number, dial number",
        "number to dial, number to call, borrower mobile, borrower mobile no",
        "borrower mobile number, borrower phone, borrower phone number",
        "contact mobile number, contact phone number, phone mobile, phone home mobile, cellphone",
        "work phone number, your phone number, what is your phone number, lead contact number",
        "student mobile no, student mobile number, patient mobile no, patient mobile number",
        "mobile no of customer, mobile number of customer, customer phone mobile",
        "फोन, फोन नंबर, फोन नम्बर, फ़ोन, फ़ोन नंबर, फ़ोन नम्बर, दूरभाष, मोबाइल, मोबाइल नंबर, मोबाइल नम्बर",
        "मोबाईल नंबर, संपर्क नंबर, सम्पर्क नंबर, मो नंबर, मोबाइल न, मो न, फोन न, फ़ोन न, मोबाइल संख्या",
        "फोन संख्या, फ़ोन संख्या, दूरभाष संख्या, दूरभाष नंबर, ग्राहक मोबाइल नंबर, ग्राहक का मोबाइल नंबर",
    ),
    Field.NAME: (
        "name, full name, customer name, cust name, customer full name, client name, lead name",
        "contact name, contact person, contact person name, contact full name, person name",
        "name of customer, name of the customer, name of client, name of lead, prospect name",
        "applicant name, student name, patient name, borrower name, subscriber name, member name",
        "your name, what is your name, what is your full name, lead full name",
        "नाम, पूरा नाम, ग्राहक का नाम, ग्राहक नाम, आपका नाम, आवेदक का नाम, व्यक्ति का नाम",
    ),
    Field.PRIORITY: (
        "priority, prio, lead priority, call priority, dial priority, dialing priority",
        "priority level, प्राथमिकता, वरीयता",
    ),
    Field.EXPIRY: (
        "expiry date, expiry, expiry time, expiry date time, expires, expires on, expires at",
        "expiration, expiration date, exp date, date of expiry, lead expiry, lead expiry date",
        "valid till, valid until, valid upto, valid up to, valid to, offer valid till",
        "समाप्ति तिथि, अंतिम तिथि, समाप्ति दिनांक, वैधता तिथि",
    ),
    Field.SCHEDULED: (
        "scheduled time, schedule time, scheduled, schedule, scheduled at, scheduled on",
        "scheduled date time, schedule date time, scheduled for, scheduled call time",
        "call time, call at, call on, call date time, call date and time, time to call",
        "callback time, call back time, callback date time, call back date time",
        "callback date and time, follow up time, follow up date time, next call time",
        "next follow up time, next follow up date time, next follow up date and time, dial time",
        "dial at, calling time, scheduled date and time, schedule date and time, call schedule",
        "call scheduled time, call schedule time, preferred call time, preferred time to call",
        "कॉल का समय, कॉल समय, कॉल करने का समय, निर्धारित समय",
    ),
    Field.AGENT: ("agent id, agent, agent code, assigned agent, assigned agent id, एजेंट, एजेंट आईडी",),
    Field.SKILL: ("skill, skills, skill name, skill set, skill group, कौशल",),
}

_SECOND_PHONES = (
    "whatsapp, whatsapp no, whatsapp number, whatsapp phone, whatsapp phone number",
    "whatsapp mobile, whatsapp mobile no, whatsapp mobile number, whatsapp contact",
    "whatsapp contact no, whatsapp contact number, व्हाट्सएप नंबर, व्हाट्सऐप नंबर, वाट्सएप नंबर",
)
"""A phone for certain, but seldom the one to call where another stands beside it."""

_FIRST_NAMES = (
    "first name, firstname, given name, customer first name, lead first name, contact first name",
    "प्रथम नाम, पहला नाम",
)
_LAST_NAMES = (
    "last name, lastname, surname, family name, customer last name, lead last name",
    "contact last name, उपनाम, अंतिम नाम, कुलनाम",
)


def key(header: str) -> str:
    """A header without case, spaces and punctuation; "" for a column of our own exports.

    Letters of all scripts stay, with their vowel signs.
    """
    if header.isascii():
        text = header.lower()
        return "" if text.strip().startswith(OURS) else "".join(filter(str.isalnum, text))
    text = unicodedata.normalize("NFKC", header).casefold()
    if text.strip().startswith(OURS):
        return ""
    return "".join(char for char in text if char.isalnum() or unicodedata.category(char)[0] == "M")


def _keys(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(key(word) for line in lines for word in line.split(","))


_FIELD_OF: Mapping[str, Field] = {
    word: field for field, lines in _SYNONYMS.items() for word in _keys(lines)
}
_SECOND_PHONE_KEYS = _keys(_SECOND_PHONES)
_FIRST_NAME_KEYS = _keys(_FIRST_NAMES)
_LAST_NAME_KEYS = _keys(_LAST_NAMES)


def usual_field(header: str) -> Field | None:
    """The field that a header usually means."""
    return _FIELD_OF.get(key(header)) if len(header) <= _LONGEST else None


def is_second_phone(header: str) -> bool:
    """Whether a header means a phone that is taken only where there is no other."""
    return len(header) <= _LONGEST and key(header) in _SECOND_PHONE_KEYS


def is_first_name(header: str) -> bool:
    """Whether a header means a first name, as CRMs keep it apart."""
    return len(header) <= _LONGEST and key(header) in _FIRST_NAME_KEYS


def is_last_name(header: str) -> bool:
    """Whether a header means a last name."""
    return len(header) <= _LONGEST and key(header) in _LAST_NAME_KEYS
