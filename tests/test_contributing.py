"""What CONTRIBUTING.md says to add, and where: whoever forgets one of the places is told here."""

from ozodial.database import UPGRADES
from ozodial.endpoints import ENDPOINTS, VERSIONS, Access, Upload, endpoint
from ozodial.fixes import FIXES
from ozodial.headers import usual_field
from ozodial.models import Field, Reason
from ozodial.schema import VERSION
from ozodial.template import GUIDES
from tests.readme import ROOT


def test_an_endpoint_is_one_entry() -> None:
    assert len({entry.name for entry in ENDPOINTS}) == len(ENDPOINTS)
    upload = Upload("Diwali", True, ("PhoneNumber",), (("9876543210",),))
    for entry in ENDPOINTS:
        assert endpoint(entry.command, entry.api) is entry
        request = entry.write(Access("asha", "k-1234567"), upload)
        assert request.path == entry.path
        assert "9876543210" in str(request.content or request.form)
    assert VERSIONS == ("v1", "v4")


def test_a_column_is_a_field_with_synonyms_and_a_guide() -> None:
    assert {guide.field for guide in GUIDES} == set(Field)
    for each in Field:
        assert usual_field(each) is each


def test_a_reason_can_be_mended() -> None:
    assert FIXES.keys() == set(Reason)


def test_every_version_of_the_ledger_leads_to_the_next() -> None:
    assert set(UPGRADES) == set(range(1, VERSION))


def test_the_page_is_one_page() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 66
    for word in ("an endpoint", "a column", "a reason", "a reader", "rooms.svg", "tests.fuzz"):
        assert word in text
