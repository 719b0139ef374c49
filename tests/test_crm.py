"""Exports of other programs by their header rows: what is matched, what a person is asked."""

from collections.abc import Sequence

import pytest

from ozodial.errors import FileError
from ozodial.headers import is_first_name, is_last_name, is_second_phone, usual_field
from ozodial.mapping import Wanted, locate
from ozodial.models import Chunk, Columns, Field

EXPORTS = {
    "Facebook lead form": (
        "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,"
        "form_name,is_organic,platform,full_name,phone_number,city"
    ),
    "Facebook lead form with questions": (
        "id,created_time,campaign_name,form_name,what_is_your_full_name?,"
        "what_is_your_phone_number?,preferred_time_to_call?"
    ),
    "Google lead form": "Lead ID,Campaign ID,Form ID,Full name,User phone,Phone number,City",
    "Salesforce report": "Lead Owner,First Name,Last Name,Company / Account,Mobile,Email",
    "Salesforce loader": "ID,LASTNAME,FIRSTNAME,MOBILEPHONE,EMAIL,STATUS",
    "Zoho": "Record Id,Lead Owner.id,Lead Owner,First Name,Last Name,Mobile,Lead Source",
    "LeadSquared": "Prospect ID,First Name,Last Name,Email,Phone Number,Lead Stage,Owner",
    "HubSpot": (
        "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Lead Status,"
        "Create Date (Asia/Kolkata)"
    ),
    "Hindi": "क्र.,ग्राहक का नाम,मोबाइल नंबर,शहर",
}
NAMED_IN_TWO = {"Salesforce report", "Salesforce loader", "Zoho", "LeadSquared", "HubSpot"}


def match(header: Sequence[str], wanted: Wanted | None = None) -> Columns:
    lead = ["9000000001" if "hone" in name or "obile" in name else "x" for name in header]
    rows = iter([Chunk([1, 2], [header, lead])])
    wanted = wanted or Wanted()
    return locate(rows, wanted, needs_time=False, has_at=False, file="f.csv")[0]


@pytest.mark.parametrize("program", EXPORTS)
def test_an_export_needs_no_flags(program: str) -> None:
    header = EXPORTS[program].split(",")
    columns = match(header)
    assert columns.matched >= {Field.PHONE, Field.NAME}
    assert (columns.last_name is not None) == (program in NAMED_IN_TWO)
    found = {field: header[index] for field, index in columns.fields}
    assert "ame" in found[Field.NAME] or "AME" in found[Field.NAME] or "नाम" in found[Field.NAME]
    assert "campaign" not in found[Field.NAME]


@pytest.mark.parametrize(
    "header",
    [
        "First Name,Last Name,Phone,Mobile,Email",
        "First Name,Last Name,Phone Number,Mobile Phone Number",
        "Name,Phone Number,Mobile Number",
    ],
)
def test_two_phones_are_for_a_person_to_choose_from(header: str) -> None:
    with pytest.raises(FileError) as caught:
        match(header.split(","))
    assert "2 columns fit PhoneNumber" in caught.value.message
    assert "--map PhoneNumber=" in (caught.value.hint or "")


@pytest.mark.parametrize("header", ["WhatsApp Number", "WhatsApp", "whatsapp_no", "व्हाट्सएप नंबर"])
def test_a_whatsapp_number_is_a_phone_where_there_is_no_other(header: str) -> None:
    assert is_second_phone(header)
    assert usual_field(header) is None
    assert match(("Name", header)).fields == ((Field.PHONE, 1), (Field.NAME, 0))
    assert match((header, "Mobile")).fields == ((Field.PHONE, 1),)


def test_a_contact_may_be_anything_so_it_is_proposed() -> None:
    rows = [Chunk([1, 2], [("Contact", "City"), ("9000000001", "Pune")])]
    with pytest.raises(FileError) as caught:
        locate(iter(rows), Wanted(), needs_time=False, has_at=False, file="f.csv")
    assert '"Contact" (A) look like phones' in caught.value.message
    assert caught.value.hint == '--map PhoneNumber="Contact"'


@pytest.mark.parametrize(
    ("header", "cells", "hint"),
    [
        ("Phone,Mobile", ["", "9000000001"], '--map PhoneNumber="Mobile"'),
        ("Phone,Phone,Mobile", ["9000000001", "", ""], '--map PhoneNumber="Phone#1"'),
        ("Tel 1,Tel 2", ["9000000001 / 9000000002", ""], '--map PhoneNumber="Tel 1"'),
        ("Name:Phone", ["Asha:9000000001"], 'Put delimiter = ":"'),
    ],
)
def test_the_hint_names_what_would_work(header: str, cells: list[str], hint: str) -> None:
    rows = [Chunk([1, 2], [header.split(","), cells])]
    with pytest.raises(FileError) as caught:
        locate(iter(rows), Wanted(), needs_time=False, has_at=False, file="f.csv")
    assert hint in (caught.value.hint or "")


def test_phones_below_no_header_are_proposed_by_their_letter() -> None:
    rows = [Chunk([1, 2], [("Who", ""), ("Asha", "9000000001")])]
    with pytest.raises(FileError, match="column B look like phones"):
        locate(iter(rows), Wanted(), needs_time=False, has_at=False, file="f.csv")


def test_a_whole_name_wins_over_its_parts() -> None:
    columns = match(("First Name", "Last Name", "Full Name", "Mobile"))
    assert dict(columns.fields)[Field.NAME] == 2
    assert columns.last_name is None


def test_one_part_of_a_name_will_do() -> None:
    assert dict(match(("Mobile", "Surname")).fields)[Field.NAME] == 1
    assert dict(match(("Mobile", "First Name")).fields)[Field.NAME] == 1
    assert Field.NAME not in match(("Mobile", "First Name", "First Name")).matched


def test_a_name_that_was_mapped_stands_alone() -> None:
    header = ("First Name", "Last Name", "Mobile")
    assert match(header, Wanted({Field.NAME: "First Name"})).last_name is None
    both = match(header, Wanted({Field.NAME: "Last Name"}, last_name="First Name"))
    assert (dict(both.fields)[Field.NAME], both.last_name) == (1, 0)


def test_a_constant_needs_no_column_and_hides_one() -> None:
    columns = match(("Mobile", "Priority"), Wanted(constants={Field.PRIORITY: "5"}))
    assert columns.fields == ((Field.PHONE, 0),)
    assert columns.sent(False) == ("PhoneNumber", "Priority")


@pytest.mark.parametrize("header", ["First Name", "FIRSTNAME", "first_name", "Given Name"])
def test_first_names(header: str) -> None:
    assert is_first_name(header)


@pytest.mark.parametrize("header", ["Last Name", "LASTNAME", "Surname", "उपनाम"])
def test_last_names(header: str) -> None:
    assert is_last_name(header)
