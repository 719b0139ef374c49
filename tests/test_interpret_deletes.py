"""Answers to requests that delete: nothing is called removed that the vendor does not say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozodial.interpret import Decision, Verdict, interpret_delete
from ozodial.models import Reason, State
from ozodial.replies import Lost, NotSent, Reply
from tests.batches import BEARER, TOKEN, batch, reply
from tests.vendor_words import DELETE_TEXTS, Text, Told

THREE = batch(3)


def read(answer: Reply | NotSent | Lost, *, asked_before: bool = False) -> Verdict:
    return interpret_delete(THREE, answer, BEARER, asked_before=asked_before)


def told(verdict: Verdict) -> Told:
    (state,) = {outcome.state for outcome in verdict.outcomes}
    return Told(verdict.decision, state)


@pytest.mark.parametrize("text", DELETE_TEXTS, ids=lambda text: text.text)
def test_every_text_of_the_pages(text: Text) -> None:
    body = {"status": text.status, "message": text.text}
    verdict = read(reply(body))
    assert told(verdict) == text.three
    assert verdict.message == text.text
    assert told(read(reply(body), asked_before=True)) == text.alone


@pytest.mark.parametrize("status", ["success", "SUCCESS", "Success", "true"])
@pytest.mark.parametrize("message", [None, "", "deleted successfully.", "DELETED SUCCESSFULLY"])
def test_success_in_any_spelling(status: str, message: str | None) -> None:
    body = {"status": status} if message is None else {"status": status, "message": message}
    assert told(read(reply(body))) == Told(Decision.ROWS, State.REMOVED)


@pytest.mark.parametrize(
    "answer",
    [
        Lost("connection cut"),
        Reply(200, b""),
        Reply(200, b"<html>ok</html>"),
        Reply(500, b"oops"),
        Reply(200, b'{"status": "suc'),
        reply({}),
        reply([]),
        reply("Deleted"),
        reply({"status": "success", "message": "97 of 100 deleted"}),
        reply({"status": "success", "message": "not deleted successfully"}),
        reply({"status": "error", "message": "Deleted Successfully"}),
        reply({"status": ["success", "error"]}),
        reply({"status": "success", "message": "kept in the outbound campaign"}),
        reply({"status": "success", "message": [{"PhoneNumber": "9876543210", "Status": "FAIL"}]}),
        reply({"message": "Data updated successfully", "status": "success"}),
        reply({"message": "Phone Number is Empty!", "status": "success"}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("asked_before", [False, True])
def test_what_proves_nothing_leaves_the_rows_unknown(
    answer: Reply | Lost, asked_before: bool
) -> None:
    verdict = read(answer, asked_before=asked_before)
    assert told(verdict) == Told(Decision.ROWS, State.UNKNOWN)


def test_no_connection_removes_nothing_and_is_tried_again() -> None:
    verdict = read(NotSent("no connection"))
    assert told(verdict) == Told(Decision.RETRY, State.READY)
    assert not verdict.arrived


@pytest.mark.parametrize(
    ("status", "decision"),
    [(429, Decision.RETRY), (503, Decision.RETRY), (401, Decision.TOKEN), (404, Decision.STOP)],
)
def test_a_status_that_refuses_the_whole_request(status: int, decision: Decision) -> None:
    assert told(read(Reply(status, b"<html>"))) == Told(decision, State.READY)


def test_what_is_not_there_says_so() -> None:
    (reason,) = {o.reason for o in read(reply({"message": "No data found"})).outcomes}
    assert reason is Reason.NOT_AT_VENDOR


def test_an_echoed_token_is_redacted() -> None:
    verdict = read(reply({"status": "error", "message": f"strange {TOKEN}"}))
    assert TOKEN not in str(verdict)


WORDS = st.sampled_from(
    [
        *(text.text for text in DELETE_TEXTS),
        *("success", "error", "FAIL", "false", "", "Deleted?", None, 0, 1.5, True, "\ud800"),
        *([], {}, ["success"], {"message": "Deleted Successfully"}),
    ]
)
KEYS = st.sampled_from(["status", "Status", "message", "msg", "x"])
MESSAGES = st.one_of(
    WORDS,
    WORDS.map(json.dumps),
    st.lists(WORDS, max_size=3),
    st.dictionaries(KEYS, WORDS, max_size=3),
)
BODIES = st.one_of(
    MESSAGES,
    st.lists(MESSAGES, max_size=3),
    st.dictionaries(KEYS, MESSAGES, max_size=4),
)


@given(BODIES, st.sampled_from([200, 400, 401, 429, 500]), st.booleans())
def test_bent_answers_never_crash_and_remove_nothing_without_a_word(
    body: object, status: int, asked_before: bool
) -> None:
    verdict = read(Reply(status, json.dumps(body).encode()), asked_before=asked_before)
    assert [outcome.row for outcome in verdict.outcomes] == [2, 3, 4]
    if any(outcome.state is State.REMOVED for outcome in verdict.outcomes):
        said = json.dumps(body).lower()
        assert (
            "deleted successfully" in said
            or "success" in said
            or "true" in said
            or (asked_before and "no data found" in said)
        )
