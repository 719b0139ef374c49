"""Answers -> decisions and outcomes: the pages' strings as data, what each says of every row."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE, Access, Endpoint
from ozodial.interpret import Decision, Verdict, interpret
from ozodial.models import LeadRow, Outcome, Reason, State
from ozodial.replies import Lost, NotSent, Reply
from tests.batches import (
    BASIC,
    BEARER,
    KEY,
    TOKEN,
    Fields,
    batch,
    bulk_item,
    bulk_items,
    lead,
    reply,
    scheduled_item,
    scheduled_items,
)
from tests.vendor_words import (
    NOBODY_KNOWS,
    OF_NO_UPLOAD,
    QUEUED,
    REFUSED,
    REQUEST_TEXTS,
    ROW_TEXTS,
    Text,
    Told,
)

THREE = batch(3)
TAKEN, BULK_TAKEN = "Data updated successfully", "SuccessFully Updated"
DND = "PhoneNumber Added is a DND Number"
A, Q, R, D, U, READY = (
    State.ACCEPTED,
    State.QUEUED,
    State.REJECTED,
    State.DUPLICATE,
    State.UNKNOWN,
    State.READY,
)


def read(
    answer: Reply | NotSent | Lost,
    leads: Sequence[LeadRow] = THREE,
    endpoint: Endpoint = SCHEDULE,
) -> Verdict:
    return interpret(endpoint, leads, answer, BEARER if endpoint is SCHEDULE else BASIC)


def states(verdict: Verdict) -> list[State]:
    return [outcome.state for outcome in verdict.outcomes]


def told(verdict: Verdict) -> Told:
    """Decision and state, where all rows have the same state."""
    (state,) = set(states(verdict))
    return Told(verdict.decision, state)


# --- every text of the pages ---


@pytest.mark.parametrize("endpoint", [SCHEDULE, BULK_ADD_V1, BULK_ADD_V4], ids=lambda e: e.name)
@pytest.mark.parametrize(
    "text", REQUEST_TEXTS + ROW_TEXTS, ids=[text.id for text in REQUEST_TEXTS + ROW_TEXTS]
)
def test_every_text_of_the_pages(text: Text, endpoint: Endpoint) -> None:
    body = {"status": text.status, "message": text.text}
    for leads, expected in ((THREE, text.three), (THREE[:1], text.alone)):
        verdict = read(reply(body), leads, endpoint)
        assert told(verdict) == expected
        assert verdict.message == text.text
        for outcome in verdict.outcomes:
            assert outcome.message == (None if outcome.state is READY else text.text)
            if outcome.state is R:
                assert outcome.reason is text.reason


@pytest.mark.parametrize("text", REQUEST_TEXTS, ids=[text.id for text in REQUEST_TEXTS])
@pytest.mark.parametrize("http", [200, 400, 401, 404, 429, 500, 503])
def test_a_known_text_counts_whatever_the_http_status(text: Text, http: int) -> None:
    verdict = read(reply({"status": text.status, "message": text.text}, http))
    assert told(verdict) == text.three


@pytest.mark.parametrize(
    "body",
    [
        {"STATUS": "ERROR", "MESSAGE": "NO USER FOUND"},
        {"Status": "Failure", "Message": "No User Found."},
        {"status": "false", "msg": "no user found"},
        {"status": False, "error": "no user found"},
        {"status": "success", "message": "no user found"},
        {"message": "no user found"},
        {"message": ["no user found"]},
        {"message": {"message": "no user found"}},
        {"message": '{"status": "failure", "message": "no user found"}'},
        {"message": '["no user found"]'},
        [{"status": "failure", "message": "no user found"}],
        '{"status": "failure", "message": "no user found"}',
    ],
    ids=json.dumps,
)
def test_a_text_is_found_in_every_dialect(body: object) -> None:
    verdict = read(reply(body))
    assert told(verdict) == REFUSED
    assert verdict.explanation is not None
    assert "key or the campaign" in verdict.explanation


@pytest.mark.parametrize("status", ["error", "failure", "success", "false", "", None])
@pytest.mark.parametrize("text", OF_NO_UPLOAD)
def test_unknown_texts_prove_nothing_and_are_shown_word_for_word(
    text: str, status: str | None
) -> None:
    for leads in (THREE, THREE[:1]):
        verdict = read(reply({"status": status, "message": text}), leads)
        assert told(verdict) == NOBODY_KNOWS
        assert {outcome.message for outcome in verdict.outcomes} == {text}


def test_a_text_that_is_cut_off_in_the_sources_needs_a_failing_status() -> None:
    text = "This is an inbound campaign"
    assert told(read(reply({"status": "failure", "message": text}))) == REFUSED
    assert told(read(reply({"status": "success", "message": text}))) == NOBODY_KNOWS
    assert told(read(reply({"message": text}))) == NOBODY_KNOWS


# --- the pages' rows ---


class Case(NamedTuple):
    """An answer to three rows, and what it says of them."""

    name: str
    endpoint: Endpoint
    body: object
    states: list[State]
    reason: Reason | None = None


SCHEDULED, BULK = scheduled_items(THREE), bulk_items(THREE)


def phoned(form: str) -> list[Fields]:
    return [
        item | {"PhoneNumber": form.format(lead.phone)}
        for item, lead in zip(BULK, THREE, strict=True)
    ]


def second(**fields: object) -> list[Fields]:
    """The schedule page's answer, its second row changed."""
    return [item | (fields if place == 1 else {}) for place, item in enumerate(SCHEDULED)]


def second_bulk(**fields: object) -> list[Fields]:
    return [item | (fields if place == 1 else {}) for place, item in enumerate(BULK)]


CASES = [
    # how message may look
    Case("the page's list", SCHEDULE, {"message": SCHEDULED, "status": "success"}, [A, A, A]),
    Case("a list without a status", BULK_ADD_V1, {"message": BULK}, [A, A, A]),
    Case("a bare list", BULK_ADD_V1, BULK, [A, A, A]),
    Case("a string of JSON", BULK_ADD_V1, {"message": json.dumps(BULK)}, [A, A, A]),
    Case("all of it a string of JSON", BULK_ADD_V1, json.dumps({"message": BULK}), [A, A, A]),
    Case(
        "an object with numbers as keys",
        BULK_ADD_V1,
        {"message": {str(place): item for place, item in enumerate(BULK)}},
        [A, A, A],
    ),
    Case("one object", BULK_ADD_V1, {"message": BULK[1]}, [U, A, U], Reason.NO_ROW_ANSWER),
    Case("the row without an array", BULK_ADD_V1, BULK[1], [U, A, U], Reason.NO_ROW_ANSWER),
    Case("rows of V4", BULK_ADD_V4, {"status": "success", "message": BULK}, [A, A, A]),
    Case("an empty list", SCHEDULE, {"message": [], "status": "success"}, [U, U, U]),
    Case("rows that are no objects", SCHEDULE, {"message": [1, "x", None]}, [U, U, U]),
    Case(
        "the page's own misprint",
        SCHEDULE,
        {"status": "success", "message": {"0-0": "Success response", "0-1": ""}},
        [U, U, U],
        Reason.NO_ROW_ANSWER,
    ),
    # status words
    *(
        Case(f"the word {word!r}", SCHEDULE, {"message": second(Response=word)}, [A, A, A])
        for word in ("success", "SUCCESS", "Success", "", None, True, "true")
    ),
    *(
        Case(
            f"the word {word!r} with a text that nobody knows",
            SCHEDULE,
            {"message": second(Response=word, msg="Agent not found")},
            [A, R, A],
            Reason.REFUSED_BY_VENDOR,
        )
        for word in ("error", "Error", "ERROR", "failure", "FAIL", "false", False)
    ),
    Case("no text, only success", SCHEDULE, {"message": second(msg=None)}, [A, A, A]),
    Case(
        "no text, only error",
        SCHEDULE,
        {"message": second(msg="", Response="error")},
        [A, R, A],
        Reason.REFUSED_BY_VENDOR,
    ),
    Case("no word at all", SCHEDULE, {"message": second(msg="", Response="")}, [A, U, A]),
    Case("a text that nobody knows", SCHEDULE, {"message": second(msg="Saved?")}, [A, U, A]),
    Case(
        "a taken row may start the campaign",
        BULK_ADD_V1,
        {"message": second_bulk(status="SuccessFully Updated, Progressive was started")},
        [A, A, A],
    ),
    # failures hidden inside success
    Case(
        "an empty phone inside success",
        SCHEDULE,
        {"status": "success", "message": second(msg="Phone Number is Empty!")},
        [A, R, A],
        Reason.PHONE_MISSING,
    ),
    Case(
        "DND inside success",
        SCHEDULE,
        {"status": "success", "message": second(Response="FAIL", msg=DND)},
        [A, R, A],
        Reason.DND,
    ),
    Case(
        "DND as the bulk page prints it",
        BULK_ADD_V1,
        {"message": second_bulk(status="FAIL", message=DND)},
        [A, R, A],
        Reason.DND,
    ),
    Case(
        "an empty phone as the bulk page prints it",
        BULK_ADD_V1,
        {"message": [BULK[0], BULK[2], {"Name": "Lead 1", "Status": "Phone Number is Empty!"}]},
        [A, U, A],
        Reason.NO_ROW_ANSWER,
    ),
    Case(
        "a whole-request text said of a row",
        SCHEDULE,
        {"message": second(Response="error", msg="Wrong Date format")},
        [A, R, A],
        Reason.DATE_UNREADABLE,
    ),
    Case(
        "it is there already",
        SCHEDULE,
        {"message": second(Response="SUCCESS", msg="Number Already Exist")},
        [A, D, A],
        Reason.EXISTS_AT_VENDOR,
    ),
    Case(
        "it is there already, as a failure",
        SCHEDULE,
        {"message": second(Response="FAIL", msg="number already exists.")},
        [A, D, A],
        Reason.EXISTS_AT_VENDOR,
    ),
    # contradictions
    Case("taken, and an error", SCHEDULE, {"message": second(Response="error")}, [A, U, A]),
    Case(
        "taken under one spelling of status, refused under the other",
        BULK_ADD_V1,
        {"message": second_bulk(Status="Phone Number is Empty!")},
        [A, U, A],
        Reason.NO_ROW_ANSWER,
    ),
    Case(
        "yes and no",
        SCHEDULE,
        {"message": second(msg="", Response="success", status="error")},
        [A, U, A],
    ),
    Case("taken inside a refusal", SCHEDULE, {"status": "error", "message": SCHEDULED}, [U, U, U]),
    Case(
        "refused inside a refusal",
        SCHEDULE,
        {"status": "Error", "message": second(Response="FAIL", msg=DND)},
        [U, R, U],
    ),
    Case(
        "one item says yes and another no",
        SCHEDULE,
        {"message": [*SCHEDULED, SCHEDULED[1] | {"Response": "FAIL", "msg": DND}]},
        [A, U, A],
    ),
    # which row an item is about
    Case("fewer rows", SCHEDULE, {"message": SCHEDULED[:2]}, [A, A, U], Reason.NO_ROW_ANSWER),
    Case("the first left out", SCHEDULE, {"message": SCHEDULED[1:]}, [U, A, A]),
    Case("more rows", BULK_ADD_V1, {"message": [*BULK, bulk_item(lead(9, "70000"))]}, [A, A, A]),
    Case("repeated rows", SCHEDULE, {"message": SCHEDULED * 2}, [A, A, A]),
    Case(
        "taken, then there already",
        SCHEDULE,
        {"message": [*SCHEDULED, SCHEDULED[0] | {"msg": "Number Already Exist"}]},
        [A, A, A],
    ),
    Case("another order", SCHEDULE, {"message": SCHEDULED[::-1]}, [A, A, A]),
    Case(
        "another order, one refused",
        SCHEDULE,
        {"message": second(Response="FAIL", msg=DND)[::-1]},
        [A, R, A],
        Reason.DND,
    ),
    Case("phones as +91…", BULK_ADD_V1, {"message": phoned("+91{}")}, [A, A, A]),
    Case("phones as 91…", BULK_ADD_V1, {"message": phoned("91{}")}, [A, A, A]),
    Case("phones as 0…", BULK_ADD_V1, {"message": phoned("0{}")}, [A, A, A]),
    Case("phones as %2B91…", BULK_ADD_V1, {"message": phoned("%2B91{}")}, [A, A, A]),
    Case(
        "phones as numbers",
        BULK_ADD_V1,
        {"message": [item | {"PhoneNumber": int(THREE[i].phone)} for i, item in enumerate(BULK)]},
        [A, A, A],
    ),
    Case(
        "phones as floats",
        BULK_ADD_V1,
        {"message": [item | {"PhoneNumber": float(THREE[i].phone)} for i, item in enumerate(BULK)]},
        [A, A, A],
    ),
    Case("masked phones", BULK_ADD_V1, {"message": phoned("+91xxxx8")}, [U, U, U]),
    Case("somebody else's rows", BULK_ADD_V1, {"message": bulk_items(batch(6)[3:])}, [U, U, U]),
    # V4
    Case(
        "queued",
        BULK_ADD_V4,
        {"transactionId": "t-1", "status": "success", "message": QUEUED},
        [Q, Q, Q],
    ),
    Case(
        "queued, no transaction", BULK_ADD_V4, {"status": "SUCCESS", "message": QUEUED}, [Q, Q, Q]
    ),
    Case("queued, no status", BULK_ADD_V4, {"transactionId": 7, "message": QUEUED}, [Q, Q, Q]),
    Case("queued, neither", BULK_ADD_V4, {"message": QUEUED}, [U, U, U]),
    Case(
        "queued inside a refusal",
        BULK_ADD_V4,
        {"transactionId": "t-1", "status": "error", "message": QUEUED},
        [U, U, U],
    ),
    Case("success alone", BULK_ADD_V4, {"transactionId": "t-1", "status": "success"}, [U, U, U]),
    Case("queued elsewhere", BULK_ADD_V1, {"status": "success", "message": QUEUED}, [U, U, U]),
    Case("queued elsewhere", SCHEDULE, {"transactionId": "1", "message": QUEUED}, [U, U, U]),
]


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.endpoint.name}: {case.name}" for case in CASES]
)
def test_rows(case: Case) -> None:
    verdict = read(reply(case.body), THREE, case.endpoint)
    assert verdict.decision is Decision.ROWS
    assert states(verdict) == case.states
    assert [outcome.row for outcome in verdict.outcomes] == [2, 3, 4]
    if case.reason is not None:
        (reason,) = {outcome.reason for outcome in verdict.outcomes} - {None}
        assert reason is case.reason
    for outcome in verdict.outcomes:
        assert bool(outcome.message)
        assert (outcome.reason is None) == (outcome.state in (A, Q))


def test_v4_keeps_the_transaction() -> None:
    body = {"transactionId": "c1f6-77", "status": "success", "message": QUEUED}
    assert read(reply(body), THREE, BULK_ADD_V4).transaction_id == "c1f6-77"
    body["transactionId"] = 8812  # type: ignore[assignment]
    assert read(reply(body), THREE, BULK_ADD_V4).transaction_id == "8812"


def test_the_vendors_own_words_are_kept() -> None:
    outcomes = read(reply({"message": second(Response="FAIL", msg=DND)})).outcomes
    assert [outcome.message for outcome in outcomes] == [TAKEN, DND, TAKEN]
    assert read(reply({"message": BULK}), THREE, BULK_ADD_V1).outcomes[0].message == BULK_TAKEN


# --- data refusals of a whole batch ---


def at(*times: str) -> list[LeadRow]:
    return [lead(2 + i, f"987654321{i}", "", time) for i, time in enumerate(times)]


EARLY, LATE = "2026-11-23 10:00:00", "2026-12-23 10:00:00"


@pytest.mark.parametrize(
    ("times", "index", "guilty"),
    [
        ((EARLY, LATE, EARLY), 1, 3),  # counted from 0
        ((EARLY, LATE, EARLY), 2, 3),  # counted from 1: the row at 2 is not the latest
        ((LATE, EARLY, EARLY), 0, 2),
        ((LATE, EARLY, EARLY), 1, 2),
        ((EARLY, EARLY, LATE), 2, 4),
        ((EARLY, EARLY, LATE), 3, 4),
        ((EARLY, EARLY, EARLY), 1, 3),  # all alike: the pages count from 0
        ((EARLY, LATE, LATE), 2, 4),  # both are too late
    ],
)
def test_a_refusal_with_an_index_rejects_that_row_and_sends_the_rest_again(
    times: tuple[str, ...], index: int, guilty: int
) -> None:
    text = f"ScheduledTime exceeds 30 days limit at index {index}"
    verdict = read(reply({"message": text, "status": "error"}), at(*times))
    assert verdict.decision is Decision.ROWS
    expected = [
        Outcome(row, R, Reason.TIME_BEYOND_30_DAYS, text) if row == guilty else Outcome(row, READY)
        for row in (2, 3, 4)
    ]
    assert list(verdict.outcomes) == expected
    assert not verdict.refused_alone


@pytest.mark.parametrize(
    ("times", "index"),
    [((LATE, EARLY, EARLY), 2), ((EARLY, EARLY, LATE), 1), ((EARLY, LATE, EARLY), 99)],
)
def test_an_index_that_can_not_be_right_splits(times: tuple[str, ...], index: int) -> None:
    text = f"ScheduledTime exceeds 30 days limit at index {index}"
    verdict = read(reply({"message": text, "status": "error"}), at(*times))
    assert told(verdict) == Told(Decision.SPLIT, READY)


@pytest.mark.parametrize("index", [0, 1, 7])
def test_a_row_that_is_refused_alone_is_guilty_whatever_the_index(index: int) -> None:
    text = f"ScheduledTime exceeds 30 days limit at index {index}"
    verdict = read(reply({"message": text, "status": "error"}), THREE[:1])
    assert verdict.outcomes == (Outcome(2, R, Reason.TIME_BEYOND_30_DAYS, text),)
    assert verdict.refused_alone


# --- no readable body: what the HTTP status proves ---

HTML = b"<html><head><title>oops</title></head><body>no user found</body></html>"

BY_STATUS = [
    *((status, Told(Decision.RETRY, READY)) for status in (429, 503)),
    *((status, REFUSED) for status in (300, 301, 302, 303, 304, 307, 308)),
    *((status, REFUSED) for status in (400, 403, 404, 405, 408, 413, 415, 422, 451)),
    *((status, NOBODY_KNOWS) for status in (500, 501, 502, 504, 520, 599)),
    *((status, NOBODY_KNOWS) for status in (200, 201, 202, 204, 206)),
]

UNREADABLE = [
    HTML,
    b"",
    b" ",
    b"null",
    b"17",
    b'"queued successfully"',
    b'{"message": [{"PhoneNumber": "9876543210", "status": "SuccessFully Upd',
    b"\xff\xfe\x00",
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
@pytest.mark.parametrize(("status", "expected"), BY_STATUS)
def test_an_unreadable_body(status: int, expected: Told, body: bytes) -> None:
    for endpoint in (SCHEDULE, BULK_ADD_V1, BULK_ADD_V4):
        verdict = read(Reply(status, body), THREE, endpoint)
        assert told(verdict) == expected
        assert verdict.arrived
        if expected == NOBODY_KNOWS:
            assert {outcome.reason for outcome in verdict.outcomes} == {Reason.ANSWER_UNREADABLE}
        else:
            assert verdict.message == f"HTTP {status}"


def test_401_means_the_token_where_there_is_one() -> None:
    answer = Reply(401, HTML)
    assert interpret(SCHEDULE, THREE, answer, BEARER).decision is Decision.TOKEN
    assert interpret(SCHEDULE, THREE, answer, BASIC).decision is Decision.STOP
    assert interpret(BULK_ADD_V1, THREE, answer, BASIC).decision is Decision.STOP


def test_a_body_that_was_not_read_says_why() -> None:
    verdict = read(Reply(200, b"", None, "the answer is longer than 32 MB"))
    assert told(verdict) == NOBODY_KNOWS
    assert verdict.outcomes[0].message == "the answer is longer than 32 MB"
    assert told(read(Reply(503, b"", None, "the answer is longer than 32 MB"))).state is READY


def test_no_answer() -> None:
    verdict = read(NotSent("Connection refused"))
    assert told(verdict) == Told(Decision.RETRY, READY)
    assert not verdict.arrived
    verdict = read(Lost("no answer before the time-out"))
    assert told(verdict) == NOBODY_KNOWS
    assert verdict.outcomes[0][2:] == (Reason.NO_ANSWER, "no answer before the time-out")


# --- what is kept of the vendor's words ---


def test_secrets_are_redacted_wherever_the_vendor_echoes_them() -> None:
    echo = f"bad key {KEY}, token {TOKEN}, asked by /x?api_key={KEY}"
    bodies: list[object] = [
        {"status": "error", "message": echo},
        {"status": "success", "transactionId": TOKEN, "message": QUEUED},
        {"message": [scheduled_item(lead, i, msg=echo) for i, lead in enumerate(THREE)]},
        {"message": [bulk_item(lead, status="FAIL", message=echo) for lead in THREE]},
        {"message": json.dumps({"error": echo})},
        {"message": ("x" * 490) + TOKEN},  # not even the half that fits
    ]
    for endpoint in (SCHEDULE, BULK_ADD_V4):
        for body in bodies:
            verdict = interpret(endpoint, THREE, reply(body), BEARER)
            said = repr(verdict)
            assert KEY not in said
            assert TOKEN[:8] not in said
    for answer in (NotSent(echo), Lost(echo)):
        assert KEY not in repr(interpret(SCHEDULE, THREE, answer, BEARER))


def test_a_secret_is_found_in_its_url_form() -> None:
    access = type(BASIC)("ops", "a+key/with=signs")
    answer = reply({"status": "error", "message": "GET /x?k=a%2Bkey%2Fwith%3Dsigns"})
    message = interpret(BULK_ADD_V1, THREE, answer, access).message
    assert message == "GET /x?k=[redacted]"


def test_a_secret_is_found_in_phps_json() -> None:
    access = type(BASIC)("ops", "a/key/with/slashes")
    params = json.dumps({"api_key": access.api_key}).replace("/", "\\/")
    answer = reply({"status": "error", "message": f"refused: {params}"})
    message = interpret(BULK_ADD_V1, THREE, answer, access).message
    assert message == 'refused: {"api_key": "[redacted]"}'


@pytest.mark.parametrize("access", [BASIC, BEARER])
def test_a_token_that_is_not_ours_is_redacted_too(access: Access) -> None:
    other = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJvcHMiLCJleHAiOjF9.c2lnbmF0dXJl-_x"
    answer = reply({"status": "false", "message": f"Token {other} is not the last one."})
    message = interpret(SCHEDULE, THREE, answer, access).message
    assert message == "Token [redacted] is not the last one."


@pytest.mark.parametrize(
    "text", ["\ud800 half a character", "nul \0 inside", "x" * 100_000, '[{"a": "\ud800"}]']
)
def test_words_can_always_be_stored(text: str) -> None:
    for body in (
        {"status": "error", "message": text},
        {"message": [scheduled_item(row, 0, msg=text) for row in THREE]},
        {"transactionId": text, "status": "success", "message": QUEUED},
    ):
        verdict = read(reply(body), THREE, BULK_ADD_V4)
        kept = [verdict.message, verdict.transaction_id, *(o.message for o in verdict.outcomes)]
        for message in kept:
            assert message is None or message.encode("utf-8")
            assert "\0" not in (message or "")
            assert len(message or "") <= 500
