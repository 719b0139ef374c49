"""The mapping file: read with every mistake named, written so that it gives the same leads."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.errors import UsageError
from ozodial.layout import Layout
from ozodial.mapfile import load_layout, save_layout, written
from ozodial.models import Columns, DateOrder, Field, PhoneForm
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk

WHOLE = """
sheet = "Leads"
encoding = "latin-1"
delimiter = "tab"
date_order = "mdy"
default_time = "3:30 pm"
phone_format = "e164"
strict = true
extra = ["City", "Loan Id"]

[columns]
phonenumber = "Mobile No."
Name = ["First Name", "Last Name"]

[constants]
Priority = 5
ExpiryDate = 2099-12-31
AgentId = "a7"
"""


@pytest.fixture
def load(tmp_path: Path) -> "Load":
    return Load(tmp_path / "map.toml")


class Load:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, text: str) -> Layout:
        self.path.write_text(text, encoding="utf-8")
        return load_layout(str(self.path))

    def fails(self, text: str) -> UsageError:
        with pytest.raises(UsageError) as caught:
            self(text)
        assert "map.toml" in caught.value.message
        return caught.value


def test_the_whole_recipe_is_read(load: Load) -> None:
    assert load(WHOLE) == Layout(
        columns={Field.PHONE: "Mobile No.", Field.NAME: "First Name"},
        last_name="Last Name",
        constants={Field.PRIORITY: "5", Field.EXPIRY: "2099-12-31", Field.AGENT: "a7"},
        extra=("City", "Loan Id"),
        sheet="Leads",
        sheet_by_file=True,
        encoding="iso8859-1",
        delimiter="\t",
        date_order=DateOrder.MDY,
        default_time="15:30:00",
        phone_form=PhoneForm.E164,
        strict=True,
    )


def test_an_empty_file_says_nothing(load: Load) -> None:
    assert load("") == Layout()


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("colums = {}", 'no key "colums"', "did you mean columns?"),
        ("dateorder = 'dmy'", 'no key "dateorder"', "did you mean date_order?"),
        ("Strict = true", 'no key "Strict"', "did you mean strict?"),
        ("xyz = 1", 'no key "xyz"', "known: columns, constants"),
        ("[columns]\nPriorty = 'x'", 'no key "Priorty" under [columns]', "did you mean Priority?"),
        ("[constants]\nSkil = 'x'", 'no key "Skil" under [constants]', "did you mean skill?"),
        ("[constants]\nPriority = 100", "from 1 to 99", ""),
        ("[constants]\nPriority = true", "a text or a whole number", ""),
        ("[constants]\nPhoneNumber = '9'", "same for all rows", ""),
        ("[constants]\nScheduledTime = '9'", "no constant", "--at"),
        ("[constants]\nExpiryDate = 'soon'", "not a date", "2026-12-31"),
        ("[columns]\nName = 'a'\n[constants]\nName = 'b'", "Name stands under [columns] and", ""),
        ("[columns]\nName = 'a'\nLeadName = 'b'", "stands twice", ""),
        ("[columns]\nName = ['a', 'b', 'c']", "must be a header", ""),
        ("[columns]\nSkill = ['a', 'b']", "must be a header", ""),
        ("[columns]\nSkill = 5", "must be a header", ""),
        ("columns = 5", "must be a table", ""),
        ("extra = 'City'", "must be a list", "extra ="),
        ("strict = 1", "true or false", ""),
        ("sheet = 1", "must be a text", ""),
        ("encoding = 'utf-9'", 'no encoding "utf-9"', "utf-8"),
        ("encoding = 'base64'", 'no encoding "base64"', "utf-8"),
        ("delimiter = ',,'", "not one character", ";"),
        ("date_order = 'dym'", "one of dmy, mdy, ymd", ""),
        ("phone_format = 'x'", "one of national, e164, digits", ""),
        ("default_time = '25:00'", "not a time", "10:00"),
        ("default_time = 'noon'", "not a time", "10:00"),
        ("a = = b", "is not TOML", ""),
    ],
)
def test_every_mistake_is_named(load: Load, text: str, says: str, hint: str) -> None:
    error = load.fails(text)
    assert says in error.message
    assert hint in (error.hint or "")


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_layout(str(tmp_path / "none.toml"))
    assert "--save-map" in (caught.value.hint or "")


HEADERS = st.lists(
    st.text(min_size=1, max_size=12).filter(lambda text: text.strip()), min_size=3, max_size=5
)


@given(HEADERS)
def test_what_is_written_is_read_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, header: list[str]
) -> None:
    from ozodial.mapping import _places
    from ozodial.shown import one_line

    path = tmp_path_factory.mktemp("map") / "map.toml"
    columns = Columns(tuple(header), 1, ((Field.PHONE, 1), (Field.NAME, 0)), (("x", 2),))
    text = written(Layout(delimiter=";", strict=True), columns, "My \"sheet'")
    path.write_text(text, encoding="utf-8", errors="replace")
    layout = load_layout(str(path))
    assert (layout.delimiter, layout.strict, layout.sheet) == (";", True, "My \"sheet'")
    if all(one_line(name).isprintable() for name in header):
        names = tuple(map(one_line, header))
        assert _places(names, layout.columns[Field.PHONE]) == [1]
        assert _places(names, layout.columns[Field.NAME]) == [0]
        assert _places(names, layout.extra[0]) == [2]


def test_a_file_that_stands_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    columns = Columns(("Phone",), 1, ((Field.PHONE, 0),))
    save_layout(path, Layout(), columns, None)
    before = path.read_text()
    with pytest.raises(UsageError, match="exists already"):
        save_layout(path, Layout(strict=True), columns, None)
    assert path.read_text() == before


SHEET = """Given,Family,Ring,On
Asha,Rao,98001 00001 / 98001 00002,12/25/2026
"""


def test_the_command_line_stays_short(desk: Desk, vendor: ServerHandle) -> None:
    leads = desk.write("leads.csv", SHEET)
    made = desk.run(
        "check", leads, "--for", "bulk-add", "--map", "PhoneNumber=Ring", "--save-map", "crm.toml"
    )
    assert made.code == 0, made.err
    saved = (desk.home / "crm.toml").read_text(encoding="utf-8")
    assert 'PhoneNumber = "Ring"' in saved
    saved = saved.replace('phone_format = "national"', 'phone_format = "digits"')
    saved = saved.replace("[constants]\n", "[constants]\nPriority = 5\n")
    (desk.home / "crm.toml").write_text(saved, encoding="utf-8")
    sent = desk.run("bulk-add", leads, "--map-file", "crm.toml", "--json")
    assert sent.code == 0, sent.err
    (lead,) = vendor.sandbox.leads
    assert lead.phone == "919800100001"
    assert lead.fields["Priority"] == "5"
    same = desk.run("bulk-add", leads, "--map-file", "crm.toml", "--json")
    assert same.of("run")[0]["run"] == 1
    (desk.home / "crm.toml").write_text(saved.replace("= 5", "= 6"), encoding="utf-8")
    other = desk.run("bulk-add", leads, "--map-file", "crm.toml", "--json")
    assert other.of("run")[0]["run"] == 2


def test_strict_makes_errors_of_what_was_made_up_for(desk: Desk) -> None:
    desk.write("strict.toml", "strict = true\n")
    leads = desk.write(
        "leads.csv",
        'Mobile,Name\n98001 00001 / 98001 00002,A\n9800100003,"B\nC"\n9800100004 ext 12,D\n',
    )
    easy = desk.run("check", leads, "--for", "bulk-add", "--json")
    assert easy.code == 0
    hard = desk.run("check", leads, "--for", "bulk-add", "--json", "--map-file", "strict.toml")
    assert hard.code == 4
    assert [row["reason"] for row in hard.of("row")] == [
        "several_phones",
        "name_unclean",
        None,
    ]


def test_dates_without_a_time_get_the_default_one(desk: Desk) -> None:
    desk.write("times.toml", 'date_order = "mdy"\ndefault_time = "10:00"\n')
    leads = desk.write(
        "leads.csv", "Mobile,Call Time\n9800100001,12/25/2099\n9800100002,25/12/2099\n"
    )
    found = desk.run("check", leads, "--json", "--map-file", "times.toml")
    assert [row["reason"] for row in found.of("row")] == ["time_beyond_30_days", "date_unreadable"]
    assert "month first" in str(found.of("row")[1]["message"])
    without = desk.run("check", leads, "--json")
    assert [row["reason"] for row in without.of("row")] == ["date_unreadable", "time_missing"]


def test_an_unknown_key_is_wrong_usage(desk: Desk) -> None:
    desk.write("bad.toml", "[columns]\nPhoneNumbr = 'Ring'\n")
    done = desk.run("check", desk.write("leads.csv", SHEET), "--map-file", "bad.toml")
    assert done.code == 2
    assert "did you mean PhoneNumber?" in done.err
