"""What a person is told of an answer beside what became of the rows, to the letter."""

import json

import pytest

from ozodial.answers import KEY_OR_CAMPAIGN, NO_CAMPAIGN, NO_ENTRY, NO_SUCH_CALL, OTHER_TOKEN
from ozodial.body import LONGEST_TEXT, read_body
from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE, Access
from ozodial.interpret import (
    NEITHER,
    NO_LINE,
    REDIRECTED,
    UNREADABLE,
    Decision,
    Verdict,
    interpret,
    interpret_delete,
)
from ozodial.models import LeadRow, Outcome, Reason, State
from ozodial.replies import Lost, NotSent, Reply
from tests.batches import (
    BASIC,
    BEARER,
    TOKEN,
    batch,
    bulk_item,
    bulk_items,
    reply,
    scheduled_item,
    scheduled_items,
)

THREE = batch(3)
ONE = THREE[:1]
TAKEN, DND = "Data updated successfully", "PhoneNumber Added is a DND Number"
ON_DND = "the number is on the do-not-disturb register"
MAP_FILE = "the data are refused, or don't match the campaign's map file"


# --- whole requests ---


@pytest.mark.parametrize(
    ("status", "decision", "explanation"),
    [
        (299, Decision.ROWS, None),
        (300, Decision.STOP, REDIRECTED),
        (399, Decision.STOP, REDIRECTED),
        (400, Decision.STOP, None),
        (401, Decision.STOP, NO_ENTRY),
        (403, Decision.STOP, NO_ENTRY),
        (404, Decision.STOP, NO_SUCH_CALL),
        (405, Decision.STOP, NO_SUCH_CALL),
        (499, Decision.STOP, None),
        (500, Decision.ROWS, None),
        (429, Decision.RETRY, None),
        (503, Decision.RETRY, None),
    ],
)
def test_a_status_is_explained(status: int, decision: Decision, explanation: str | None) -> None:
    for verdict in (
        interpret(BULK_ADD_V1, THREE, Reply(status, b"<html>"), BASIC),
        interpret_delete(THREE, Reply(status, b"<html>"), BASIC, asked_before=False),
    ):
        told = (verdict.decision, verdict.message, verdict.explanation)
        assert told == (decision, f"HTTP {status}", explanation)


def test_a_dead_token_is_told_by_its_status() -> None:
    verdict = interpret(SCHEDULE, THREE, Reply(401, b"<html>"), BEARER)
    assert (verdict.decision, verdict.message) == (Decision.TOKEN, "HTTP 401")


def test_a_body_without_news_says_that_there_is_no_line() -> None:
    bodies: list[object] = [{}, {"status": "success"}, [], [{}, {}], [1]]
    for body in bodies:
        verdict = interpret(SCHEDULE, ONE, reply(body), BEARER)
        assert verdict.outcomes == (Outcome(2, State.UNKNOWN, Reason.NO_ROW_ANSWER, NO_LINE),)
        assert verdict.message == NO_LINE


def test_the_vendors_words_come_before_the_status() -> None:
    answer = reply({"message": "we are closed"}, 503)
    assert interpret(SCHEDULE, THREE, answer, BEARER).message == "we are closed"


def test_what_cannot_be_read_says_so() -> None:
    verdict = interpret(SCHEDULE, ONE, Reply(200, b"<html>"), BEARER)
    told = Outcome(2, State.UNKNOWN, Reason.ANSWER_UNREADABLE, UNREADABLE)
    assert (verdict.outcomes, verdict.message) == ((told,), UNREADABLE)


def test_no_answer_tells_why_without_a_secret() -> None:
    def uploaded(answer: NotSent | Lost) -> Verdict:
        return interpret(SCHEDULE, ONE, answer, BEARER)

    def deleted(answer: NotSent | Lost) -> Verdict:
        return interpret_delete(ONE, answer, BEARER, asked_before=False)

    for read in (uploaded, deleted):
        verdict = read(NotSent(f"no way to {TOKEN}"))
        assert verdict.outcomes == (Outcome(2, State.READY),)
        assert (verdict.decision, verdict.arrived) == (Decision.RETRY, False)
        assert verdict.message == "no way to [redacted]"
        verdict = read(Lost(f"cut at {TOKEN}"))
        assert verdict.arrived
        assert verdict.message == "cut at [redacted]"
        assert verdict.outcomes == (
            Outcome(2, State.UNKNOWN, Reason.NO_ANSWER, "cut at [redacted]"),
        )


@pytest.mark.parametrize(
    ("text", "leads", "explanation"),
    [
        ("no user found", THREE, KEY_OR_CAMPAIGN),
        ("Token Expired", THREE, OTHER_TOKEN),
        ("Max limit exceeded", THREE, None),
        ("Please provide valid data", THREE, MAP_FILE),
        ("Please provide valid data", ONE, MAP_FILE),
        ("Wrong Date format", THREE, None),
        ("Wrong Date format", ONE, None),
        (DND, ONE, ON_DND),
        (DND, THREE, None),
        ("Number Already Exist", ONE, None),
    ],
)
def test_a_known_text_is_explained(
    text: str, leads: list[LeadRow], explanation: str | None
) -> None:
    verdict = interpret(SCHEDULE, leads, reply({"status": "error", "message": text}), BEARER)
    assert (verdict.message, verdict.explanation) == (text, explanation)
    assert verdict.arrived


def test_a_row_that_is_refused_alone_is_told_from_one_that_is_there_already() -> None:
    for text, state, alone in (
        (DND, State.REJECTED, True),
        ("Wrong Date format", State.REJECTED, True),
        ("Number Already Exist", State.DUPLICATE, False),
    ):
        verdict = interpret(SCHEDULE, ONE, reply({"status": "error", "message": text}), BEARER)
        assert (verdict.outcomes[0][:2], verdict.refused_alone) == ((2, state), alone)


def test_a_taken_batch_of_v4_is_told_in_the_vendors_words() -> None:
    body = {"status": "success", "transactionId": "t-1", "message": "Queued Successfully"}
    verdict = interpret(BULK_ADD_V4, ONE, reply(body), BASIC)
    assert verdict.outcomes == (Outcome(2, State.QUEUED, None, "Queued Successfully"),)
    assert (verdict.message, verdict.transaction_id) == ("Queued Successfully", "t-1")


# --- deletes ---


@pytest.mark.parametrize(
    ("text", "asked_before", "state", "reason"),
    [
        ("Deleted Successfully", False, State.REMOVED, None),
        ("No data found", True, State.REMOVED, None),
        ("No data found", False, State.READY, Reason.NOT_AT_VENDOR),
    ],
)
def test_what_was_removed_is_told_in_the_vendors_words(
    text: str, asked_before: bool, state: State, reason: Reason | None
) -> None:
    answer = reply({"status": "success", "message": text})
    verdict = interpret_delete(ONE, answer, BEARER, asked_before=asked_before)
    assert verdict.outcomes == (Outcome(2, state, reason, text),)
    assert (verdict.decision, verdict.message) == (Decision.ROWS, text)


@pytest.mark.parametrize(
    ("text", "decision", "explanation"),
    [
        ("Passed campaign are invalid", Decision.STOP, NO_CAMPAIGN),
        ("Max limit exceeded", Decision.RETRY, None),
        ("Token Expired", Decision.TOKEN, OTHER_TOKEN),
    ],
)
def test_a_refused_delete_is_explained(
    text: str, decision: Decision, explanation: str | None
) -> None:
    answer = reply({"status": "error", "message": text})
    verdict = interpret_delete(ONE, answer, BEARER, asked_before=False)
    assert verdict.outcomes == (Outcome(2, State.READY),)
    told = (verdict.decision, verdict.message, verdict.explanation)
    assert told == (decision, text, explanation)


def test_a_delete_with_a_dead_token_asks_for_a_new_one() -> None:
    for access, decision in ((BEARER, Decision.TOKEN), (BASIC, Decision.STOP)):
        verdict = interpret_delete(ONE, Reply(401, b""), access, asked_before=False)
        assert verdict.decision is decision


def test_absent_counts_only_where_no_status_contradicts() -> None:
    wide = reply({"status": "success", "message": "kept in the outbound campaign"})
    assert interpret_delete(ONE, wide, BEARER, asked_before=False).decision is Decision.ROWS
    said = reply({"status": "error", "message": "kept in the outbound campaign"})
    assert interpret_delete(ONE, said, BEARER, asked_before=False).decision is Decision.STOP


# --- rows ---


def of_second(**fields: object) -> Outcome:
    """What is told of a row whose item has these fields, between two that were taken."""
    items = [
        item | (fields if place == 1 else {}) for place, item in enumerate(scheduled_items(THREE))
    ]
    return interpret(SCHEDULE, THREE, reply({"message": items}), BEARER).outcomes[1]


def test_a_contradiction_is_told_with_both_words() -> None:
    said = of_second(Response="error")
    assert said.message == f"the vendor contradicts itself: {TAKEN} / error"
    said = of_second(msg="", Response="success", status="error")
    assert said.message == "the vendor contradicts itself: error / success"
    assert said.reason is Reason.NO_ROW_ANSWER


def test_two_items_that_contradict_are_told_with_both_words() -> None:
    items = scheduled_items(ONE)
    items.append(items[0] | {"Response": "FAIL", "msg": DND})
    (said,) = interpret(SCHEDULE, ONE, reply({"message": items}), BEARER).outcomes
    assert said.message == f"the vendor contradicts itself: {TAKEN} / {DND}"


def test_a_yes_inside_a_refusal_is_told_as_one() -> None:
    body = {"status": "error", "message": scheduled_items(ONE)}
    (said,) = interpret(SCHEDULE, ONE, reply(body), BEARER).outcomes
    assert said.message == f"the vendor says '{TAKEN}' inside a refusal"
    assert (said.state, said.reason) == (State.UNKNOWN, Reason.NO_ROW_ANSWER)


def test_a_line_without_a_word_is_told_as_one() -> None:
    said = of_second(Response="", msg="")
    assert said == Outcome(3, State.UNKNOWN, Reason.NO_ROW_ANSWER, NEITHER)
    items = scheduled_items(THREE)[:1]
    verdict = interpret(SCHEDULE, THREE, reply({"message": items}), BEARER)
    assert verdict.outcomes[2].message == NO_LINE


def test_the_more_telling_word_is_kept() -> None:
    assert of_second(Response="FAIL", msg="Agent not found").message == "Agent not found"
    assert of_second(Response="FAIL", msg="").message == "FAIL"
    assert of_second(Response="success", msg="").message == "success"
    assert of_second(Response="success", msg="Saved?").message == "Saved?"
    assert of_second(Response="FAIL", msg=DND, message="strange").message == DND


def test_a_refusal_that_we_know_is_told_even_beside_a_yes() -> None:
    said = of_second(Response="success", msg=DND)
    assert (said.state, said.reason, said.message) == (State.REJECTED, Reason.DND, DND)
    assert of_second(Response="FAIL", msg=DND, status="success").reason is Reason.DND


def test_what_was_taken_before_wins_over_what_is_there_already() -> None:
    items = scheduled_items(ONE)
    again = items[0] | {"msg": "Number Already Exist", "Response": "FAIL"}
    for order in ([items[0], again], [again, items[0]]):
        (said,) = interpret(SCHEDULE, ONE, reply({"message": order}), BEARER).outcomes
        assert (said.state, said.message) == (State.ACCEPTED, TAKEN)


def test_the_vendors_numbers_of_rows_are_kept() -> None:
    items = [scheduled_item(lead, index, rowId=100 + index) for index, lead in enumerate(THREE)]
    items[1]["rowId"] = "0107"
    del items[2]["rowId"]
    verdict = interpret(SCHEDULE, THREE, reply({"message": items}), BEARER)
    assert verdict.row_ids == {2: 100, 3: 107}


@pytest.mark.parametrize(
    ("written", "number"),
    [(7, 7), ("7", 7), (7.0, 7), (" 7 ", 7), (0, 0), ("9" * 18, int("9" * 18)), ("9" * 19, None),
     ("٧", None), ("-7", None), ("7a", None), (7.5, None), (None, None), ([7], None)],
)  # fmt: skip
def test_a_number_of_a_row_is_a_whole_number(written: object, number: int | None) -> None:
    body = {"message": [scheduled_item(ONE[0], 0, rowId=written)]}
    verdict = interpret(SCHEDULE, ONE, reply(body), BEARER)
    assert verdict.row_ids == ({2: number} if number is not None else {})


# --- bodies ---


def keep(text: str) -> str:
    return text


def text_of(body: object) -> str | None:
    return read_body(json.dumps(body).encode(), keep).text


def test_a_long_text_is_cut_and_says_so() -> None:
    whole, long = "x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1)
    assert text_of({"message": whole}) == whole
    assert text_of({"message": long}) == "x" * (LONGEST_TEXT - 1) + "…"
    body = {"status": "error", "message": [scheduled_item(ONE[0], 0, msg=whole, Response=None)]}
    (said,) = interpret(SCHEDULE, ONE, reply(body), BEARER).outcomes
    assert said.message == whole


def test_what_can_not_be_stored_is_left_out_of_a_text() -> None:
    assert text_of({"message": " a\0b \ud800"}) == "ab ?"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"message": "a", "msg": "b", "error": "c"}, "a"),
        ({"msg": "b", "error": "c"}, "b"),
        ({"error": "c"}, "c"),
        ({"message": "", "error": "c"}, "c"),
        ({"message": None, "error": "c"}, "c"),
        ({"MESSAGE": "a"}, "a"),
        ({"message": ["a"]}, "a"),
        ({"message": ["a", "b"]}, None),
        ({"message": []}, None),
        ({"message": {"error": {"msg": "deep"}}}, "deep"),
        ({"message": '"quoted"'}, "quoted"),
        ({"message": '  {"msg": "inside"}'}, "inside"),
        ({"message": "{broken"}, "{broken"),
        ({"message": "[]"}, "[]"),
        ({"message": [[["a"]]]}, "a"),
        ({"message": [[[["a"]]]]}, None),
        ({"message": 17}, None),
        ([{"message": "a"}], "a"),
        ('{"message": "a"}', "a"),
        ("a", None),
        (17, None),
    ],
    ids=json.dumps,
)
def test_the_one_text_of_an_answer(body: object, text: str | None) -> None:
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("body", "readable"),
    [({}, True), ([], True), ([1], True), ([[]], True), ("x", False), (7, False), (None, False)],
    ids=json.dumps,
)
def test_an_object_or_a_list_is_readable(body: object, readable: bool) -> None:
    assert read_body(json.dumps(body).encode(), keep).readable is readable


def test_statuses_are_all_that_stand_around_the_rows() -> None:
    said = read_body(
        json.dumps({"status": "Success", "Status": "ERROR", "STATUS": ""}).encode(), keep
    )
    assert said.statuses == {"success", "error"}
    assert said.failing
    assert not said.succeeding
    said = read_body(b'{"status": "SUCCESS."}', keep)
    assert (said.failing, said.succeeding) == (False, True)
    said = read_body(b'{"status": ["success"]}', keep)
    assert (said.failing, said.succeeding) == (False, False)
    assert not read_body(b"{}", keep).succeeding


def test_a_transaction_is_a_text_or_a_number() -> None:
    for written, kept in (
        ("t-1", "t-1"),
        (8.0, "8"),
        (" 8 ", "8"),
        ("", None),
        ([], None),
        (1.5, None),
    ):
        body = json.dumps({"transactionID": written}).encode()
        assert read_body(body, keep).transaction_id == kept


def test_an_item_is_read_whatever_its_spelling() -> None:
    fields = {
        "phone_number": 9876543210.0, "INDEX": "3", "scheduled-time": " 2026-11-23 10:00:00 ",
        "NAME": " Asha ", "Row ID": 5, "Msg": "a", "message": "b", "STATUS": True, "response": [],
    }  # fmt: skip
    (item,) = read_body(json.dumps({"message": [fields]}).encode(), keep).items
    assert item == (
        0, "9876543210", 3, "2026-11-23 10:00:00", "Asha", ("a", "b", "True", "…"), 5,
    )  # fmt: skip


def test_an_item_that_offers_nothing_else() -> None:
    (item,) = read_body(b'{"message": [7, {"response": null}]}', keep).items
    assert item == (1, "", None, "", "", (), None)


@pytest.mark.parametrize("key", ["PhoneNumber", "Response", "index", "rowId", "ScheduleTime"])
def test_one_of_these_keys_makes_an_item(key: str) -> None:
    assert len(read_body(json.dumps([{key: "1"}, {"Name": "x"}]).encode(), keep).items) == 1


@pytest.mark.parametrize(
    ("written", "index"), [("999999999", 999999999), ("9999999999", None), ("x", None), (-1, None)]
)
def test_an_index_is_a_number_of_at_most_nine_digits(written: object, index: int | None) -> None:
    (item,) = read_body(json.dumps([{"index": written}]).encode(), keep).items
    assert item.number == index


def test_an_item_bare_in_the_body_has_a_phone() -> None:
    for body, items in (
        (bulk_item(ONE[0]), 1),
        ({"PhoneNumber": None, "status": "x"}, 0),
        ({"index": 1, "status": "x"}, 0),
    ):
        assert len(read_body(json.dumps(body).encode(), keep).items) == items


def test_a_list_of_one_row_is_a_list() -> None:
    (item,) = read_body(json.dumps(bulk_items(ONE)).encode(), keep).items
    assert item.phone == ONE[0].phone


def test_no_secret_is_in_a_transaction() -> None:
    access = Access("ops", "k-3141592653")
    body = json.dumps({"transactionId": "t k-3141592653"}).encode()
    assert read_body(body, access.redact).transaction_id == "t [redacted]"
