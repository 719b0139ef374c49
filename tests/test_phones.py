"""Phone cells: what is sent, what is refused and why, and the fast path against libphonenumber."""

from random import Random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozodial.errors import UsageError
from ozodial.models import PhoneForm, Reason
from ozodial.phones import Phone, Phones

INDIA = Phones("IN")

EXAMPLES = max(150, settings().max_examples)
"""`--hypothesis-profile long` makes 100,000 of them."""


@pytest.mark.parametrize(
    "cell",
    [
        "9876543210",
        "+919876543210",
        "+91 98765 43210",
        "+91-98765-43210",
        "(+91) 98765 43210",
        "+91 (0)98765 43210",
        "00919876543210",
        "0091-98765-43210",
        "919876543210",
        "09876543210",
        "0 98765-43210",
        " 98765\u00a043210 ",
        "\u200b98765\u200943210\ufeff",
        "\u202a9876543210\u202c",
        "98765\u201143210",
        "'9876543210",
        "9876543210.0",
        "9876543210.00",
        "+919876543210.0",
        "9.876543210E+09",
        "９８７６５４３２１０",
        "९८७६५४३२१०",
        "+९१ ९८७६५ ४३२१०",
        "٩٨٧٦٥٤٣٢١٠",
        "9,876,543,210",
        "98765.43210",
        "Mob: 9876543210",
        "tel:+91-98765-43210",
        "9876543210 (M)",
        "9876543210 - home",
    ],
)
def test_one_indian_mobile_in_many_clothes(cell: str) -> None:
    assert INDIA.read(cell) == Phone("9876543210")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("080-22334455", "8022334455"),
        ("(080) 2233 4455", "8022334455"),
        ("011/23456789", "1123456789"),
        ("+91 40 2345 6789", "4023456789"),
        ("+1 202 555 0143", "+12025550143"),
        ("+971 50 123 4567", "+971501234567"),
        ("00971501234567", "+971501234567"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+39 06 6982 0000", "+390669820000"),
    ],
)
def test_landlines_and_other_countries(cell: str, number: str) -> None:
    assert INDIA.read(cell) == Phone(number)


@pytest.mark.parametrize(
    ("cell", "reason", "says"),
    [
        ("", Reason.PHONE_MISSING, "no phone number"),
        ("  ", Reason.PHONE_MISSING, "no phone number"),
        ("-", Reason.PHONE_MISSING, "no phone number"),
        ("N/A", Reason.PHONE_MISSING, "no phone number"),
        ("9.87654E+09", Reason.PHONE_LOST_DIGITS, "export again"),
        ("9.19877E+11", Reason.PHONE_LOST_DIGITS, "export again"),
        ("9,87654E+09", Reason.PHONE_LOST_DIGITS, "export again"),
        ("9.2e9", Reason.PHONE_LOST_DIGITS, "export again"),
        ("12345", Reason.PHONE_INVALID, "5 digits"),
        ("98765432101", Reason.PHONE_INVALID, "11 digits"),
        ("0987654321.0", Reason.PHONE_INVALID, "10 digits"),
        ("+91 12", Reason.PHONE_INVALID, "no country"),
        ("+098111000", Reason.PHONE_INVALID, "no country"),
        ("not known", Reason.PHONE_INVALID, "no digits"),
        ("98765XXX10", Reason.PHONE_INVALID, "letters"),
        ("1800FLOWERS", Reason.PHONE_INVALID, ""),
        ("9876O43210", Reason.PHONE_INVALID, "letters"),
        ("22334455/66", Reason.PHONE_INVALID, "none of its 2 numbers"),
        ("9" * 300, Reason.PHONE_INVALID, "too long"),
        ("\x1b[31m98", Reason.PHONE_INVALID, r"\x1b"),
        ("1800 123 4567", Reason.PHONE_NOT_DIALLABLE, "toll-free"),
        ("18001234567", Reason.PHONE_NOT_DIALLABLE, "toll-free"),
        ("1860 500 1234", Reason.PHONE_NOT_DIALLABLE, "shared-cost"),
        ("1861 234567890", Reason.PHONE_NOT_DIALLABLE, "premium-rate"),
        ("112", Reason.PHONE_NOT_DIALLABLE, "short code"),
        ("1909", Reason.PHONE_NOT_DIALLABLE, "short code"),
        ("+1 800 555 0199", Reason.PHONE_NOT_DIALLABLE, "toll-free"),
    ],
)
def test_what_is_refused_has_its_own_reason(cell: str, reason: Reason, says: str) -> None:
    phone = INDIA.read(cell)
    assert (phone.number, phone.reason) == ("", reason)
    assert says in phone.message
    assert "\x1b" not in phone.message
    assert len(phone.message) < 250


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("98765 43210 / 011-23456789", "9876543210"),
        ("12345 / 9876543210", "9876543210"),
        ("1800 123 4567, 9876543210", "9876543210"),
        ("9876543210;9123456780", "9876543210"),
        ("9876543210\n9123456780", "9876543210"),
        ("9876543210 9123456780", "9876543210"),
        ("9876543210 or 9123456780", "9876543210"),
        ("080-22334455/66", "8022334455"),
    ],
)
def test_of_several_numbers_the_first_valid_one_is_taken_and_said(cell: str, number: str) -> None:
    phone = INDIA.read(cell)
    assert phone.number == number
    assert "holds 2 numbers" in phone.note


@pytest.mark.parametrize("cell", ["080-22334455 ext 5", "080 22334455 x5", "080-22334455 extn. 5"])
def test_an_extension_is_left_out_and_said(cell: str) -> None:
    assert INDIA.read(cell) == Phone("8022334455", "extension 5 was left out")


def test_every_number_of_a_cell_counts_on_a_list() -> None:
    assert INDIA.every("98765 43210 / 011-23456789") == ("9876543210", "1123456789")
    assert INDIA.every("+91 9876543210") == ("9876543210",)
    assert INDIA.every("nobody") == ()


def test_another_home_region_changes_what_is_national() -> None:
    emirates = Phones("ae")
    assert emirates.read("050 123 4567").number == "501234567"
    assert emirates.read("+971 50 123 4567").number == "501234567"
    assert emirates.read("+91 98765 43210").number == "+919876543210"
    assert emirates.read("9876543210").reason is Reason.PHONE_INVALID


def test_a_short_number_of_a_country_that_shares_the_code_is_known() -> None:
    for text in ("310-3189", "1-31-09528"):
        agree(Phones("US"), text)


def test_countries_that_share_a_code_are_home_too() -> None:
    assert Phones("CA").read("+1 202 555 0143").number == "2025550143"


def test_an_unknown_region_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match='no region "XX"'):
        Phones("XX")


def oracle(text: str, region: str) -> str | None:
    """What the library alone makes of a number: as it is sent, or None."""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    if parsed.country_code == phonenumbers.country_code_for_region(region):
        return phonenumbers.national_significant_number(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


PREFIXES = {
    "IN": ["", "+91", "91", "0", "0091", "+91 0", "910", "00", "091"],
    "US": ["", "+1", "1", "011", "0111", "+", "01"],
    "AE": ["", "+971", "971", "0", "00971", "+971 0", "00"],
    "SG": ["", "+65", "65", "0", "00165", "001"],
    "GB": ["", "+44", "44", "0", "0044", "+44 0"],
}


def numbers(region: str) -> st.SearchStrategy[str]:
    """Digits around the lengths of a region's numbers, behind a prefix, grouped by some mark."""
    return st.builds(
        lambda prefix, digits, mark, cut: f"{prefix}{mark}{digits[:cut]}{mark}{digits[cut:]}",
        st.sampled_from(PREFIXES[region]),
        st.text("0123456789", min_size=7, max_size=11),
        st.sampled_from(["", " ", "-"]),
        st.integers(0, 11),
    )


MORE = [""] * 100
"""So many cells that one pattern reads them all."""


def agree(phones: Phones, text: str) -> None:
    """Our reading is the library's, save what no dialer should call; the fast path always is."""
    fast, phone, theirs = phones.fast(text), phones.read(text), oracle(text, phones.region)
    assert fast is None or fast == theirs, text
    few = [fast or ""]
    assert phones.fast_many([text]) == few, text
    assert phones.fast_many([text, *MORE]) in ([*few, *MORE], ["", *MORE]), text
    if phone.reason is not Reason.PHONE_NOT_DIALLABLE:
        assert (phone.number or None) == theirs, text


@pytest.mark.parametrize("region", sorted(PREFIXES))
def test_numbers_are_read_as_the_library_reads_them(region: str) -> None:
    phones = Phones(region)

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(numbers(region))
    def agrees(text: str) -> None:
        agree(phones, text)

    agrees()


@pytest.mark.parametrize("region", ["IN", "AE", "US"])
def test_thousands_of_numbers_are_read_as_the_library_reads_them(region: str) -> None:
    phones, chance = Phones(region), Random(region)
    for _ in range(4000):
        prefix, mark = chance.choice(PREFIXES[region]), chance.choice(["", "", " ", "-"])
        digits = str(chance.randrange(10 ** chance.choice([7, 8, 9, 10, 10, 10, 11])))
        agree(phones, f"{prefix}{mark}{digits[:5]}{mark}{digits[5:]}")


@pytest.mark.parametrize("region", ["IN", "US", "AE"])
def test_the_fast_path_takes_the_librarys_own_examples(region: str) -> None:
    phones = Phones(region)
    code = phonenumbers.country_code_for_region(region)
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        assert example is not None
        national = phonenumbers.national_significant_number(example)
        assert phones.fast(national) == phones.fast(f"+{code} {national}") == national


@pytest.mark.parametrize("code", ["1", "44", "971", "65", "61", "7", "39", "54", "880", "977"])
def test_numbers_from_abroad_are_those_of_the_library(code: str) -> None:
    chance = Random(code)
    for _ in range(200):
        agree(INDIA, f"+{code}{chance.randrange(10 ** chance.randint(7, 11))}")


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_code_before_a_number_without_a_plus_is_read_as_the_library_does(region: str) -> None:
    phones, chance = Phones(region), Random(region)
    code = str(phonenumbers.country_code_for_region(region))
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    known = [str(example.national_number) for example in examples if example is not None]
    for _ in range(60):
        number = chance.choice(known or ["123456789"])
        cut = chance.randint(1, len(number))
        text = code + number[:cut] + "".join(chance.choices("0123456789", k=len(number) - cut))
        fast, theirs = phones.fast(text), oracle(text, region)
        assert fast is None or fast == theirs, text
        assert phones.fast_many([text, *MORE])[0] in ("", theirs), text


def test_in_germany_the_code_may_begin_a_number_too() -> None:
    for form, number in ((PhoneForm.NATIONAL, "3012345678"), (PhoneForm.E164, "+493012345678")):
        phones = Phones("DE", form)
        for some in (["493012345678"], ["493012345678", *MORE]):
            assert phones.fast_many(some)[0] in ("", number)
        assert phones.read("493012345678").number == number


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_many_cells_at_once_are_read_as_each_by_itself(region: str) -> None:
    phones, chance = Phones(region), Random(region)
    code = str(phonenumbers.country_code_for_region(region))
    prefixes = ["", "", "+" + code, code, "00" + code, "0", "1", "8", "+91", "'", "\u200b"]
    texts = [
        f"{chance.choice(prefixes)}{chance.choice(['', ' ', '-', '(', chr(160)])}"
        f"{chance.randrange(10 ** chance.randint(4, 11))}"
        for _ in range(300)
    ]
    for text, number in zip(texts, phones.fast_many(texts), strict=True):
        assert number in ("", phones.fast(text)), text
        assert number or region != "IN" or not phones.fast(text), text


def test_a_decimal_comma_is_excels_too() -> None:
    assert INDIA.read("9876543210,0") == INDIA.read("9876543210.0") == INDIA.read("9876543210")
    assert "holds 2 numbers" in INDIA.read("9876543210,0987").note


@pytest.mark.parametrize("mark", ["\n", "\r", "\u2028", "\x0b", "\x85"])
def test_a_break_inside_a_cell_moves_no_number_to_another_row(mark: str) -> None:
    texts = ["9876543210", f"9876543211{mark}9876543212", "9876543213"]
    assert INDIA.fast_many(texts) == ["9876543210", "", "9876543213"]
    found = INDIA.fast_many([*texts, *MORE])
    assert found[:3] in (["9876543210", "", "9876543213"], ["", "", ""])
    assert len(found) == 3 + len(MORE)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_no_text_breaks_the_reading(text: str) -> None:
    phone = INDIA.read(text)
    assert bool(phone.number) != bool(phone.reason)
