"""The table of the vendor's texts: each is known, in any spelling, and explained to a person."""

from collections.abc import Callable

import pytest

from ozodial.answers import (
    FAILURE_WORDS,
    KNOWN,
    OF_CALLBACKS,
    OF_DELETES,
    SUCCESS_WORDS,
    Means,
    fold,
    look_up,
    look_up_callback,
    look_up_delete,
)
from ozodial.models import Reason
from ozodial.sandbox_texts import Text as SandboxText
from tests.vendor_words import (
    BOTH_CAUSES,
    CALLBACK_TEXTS,
    DELETE_TEXTS,
    OF_NO_UPLOAD,
    QUEUED,
    REQUEST_TEXTS,
    ROW_TEXTS,
    Text,
)

ALL = REQUEST_TEXTS + ROW_TEXTS
TEXTS = [known.text for known in ALL] + [QUEUED, "ScheduledTime exceeds 30 days limit at index 17"]


@pytest.mark.parametrize("known", ALL, ids=[known.text[:40] for known in ALL])
def test_every_documented_text_is_known(known: Text) -> None:
    found = look_up(known.text)
    assert found is not None
    assert found[0].means is known.means
    assert known.reason in (None, found[0].reason)


@pytest.mark.parametrize(
    "spelt",
    [
        str.upper,
        str.lower,
        str.title,
        lambda text: f"  {text}\n",
        lambda text: text.replace(" ", "\n  "),
        lambda text: f"{text}.",
    ],
)
def test_spelling_changes_no_meaning(spelt: Callable[[str], str]) -> None:
    for text in TEXTS:
        plain, other = look_up(text), look_up(spelt(text))
        assert plain is not None
        assert other is not None
        assert other[0] is plain[0]


def test_the_index_is_read() -> None:
    for text in (
        "ScheduledTime exceeds 30 days limit at index 17",
        "scheduledtime exceeds 365 days limit at INDEX 17",
    ):
        found = look_up(text)
        assert found is not None
        assert found[0].reason is Reason.TIME_BEYOND_30_DAYS
        assert found[1]["index"] == "17"


@pytest.mark.parametrize("text", BOTH_CAUSES)
def test_two_causes_are_both_explained(text: str) -> None:
    found = look_up(text)
    assert found is not None
    assert " or the " in found[0].explanation


@pytest.mark.parametrize("text", OF_NO_UPLOAD)
def test_what_no_page_says_is_not_known(text: str) -> None:
    assert look_up(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "SuccessFully Updated, but the agent is not known",
        "Data updated successfully for 3 of 4 rows",
        "not queued successfully",
        "no user found for DND number",
    ],
)
def test_a_known_text_inside_another_is_not_that_text(text: str) -> None:
    assert look_up(text) is None


def test_no_entry_is_dead() -> None:
    used = {id(found[0]) for text in TEXTS if (found := look_up(text))}
    inbound = look_up("Campaign is not an outbound campaign")
    assert inbound is not None
    assert inbound[0].failing
    assert [known.pattern for known in KNOWN if id(known) not in used | {id(inbound[0])}] == []


def test_every_sentence_of_the_simulator_is_known() -> None:
    told = [text.format(days=30, index=3) for text in SandboxText]
    unknown = [
        text
        for text in told
        if not (look_up(text) or look_up_delete(text) or look_up_callback(text))
    ]
    assert unknown == [SandboxText.ROW_STRANGE]


@pytest.mark.parametrize("text", DELETE_TEXTS, ids=lambda text: text.text)
def test_every_text_of_the_calls_that_delete_is_known(text: Text) -> None:
    found = look_up_delete(text.text)
    assert found is not None
    assert found.means is text.means


def test_no_entry_about_deleting_or_calling_back_is_dead() -> None:
    written = [*(text.text for text in DELETE_TEXTS), "Successfully deleted", *CALLBACK_TEXTS]
    used = {id(look_up_delete(text)) for text in written}
    used |= {id(look_up_callback(text)) for text in written}
    assert [known for known in OF_DELETES + OF_CALLBACKS if id(known) not in used] == []


@pytest.mark.parametrize("text", [*CALLBACK_TEXTS, "Not Deleted Successfully", "deleted 3 of 4"])
def test_what_is_not_about_deleting_removes_nothing(text: str) -> None:
    found = look_up_delete(text)
    assert found is None or found.means is not Means.REMOVED


def test_words_are_folded() -> None:
    assert {fold(word) for word in ("success", "SUCCESS", "Success", " success. ")} <= SUCCESS_WORDS
    words = ("error", "Error", "failure", "FAIL", "false", "False", "FAILED")
    assert {fold(word) for word in words} <= FAILURE_WORDS
    assert SUCCESS_WORDS.isdisjoint(FAILURE_WORDS)


def test_only_cut_off_texts_need_a_failing_status() -> None:
    wide = [known for known in KNOWN if known.pattern.startswith(".*")]
    assert all(known.failing and known.means is Means.STOP for known in wide)
