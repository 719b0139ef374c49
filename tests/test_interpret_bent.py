"""True answers, bent at random: no crash, and nothing is said that the answer does not say."""

import copy
import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ozodial.endpoints import BULK_ADD_V1, BULK_ADD_V4, SCHEDULE, Endpoint
from ozodial.interpret import Verdict, interpret
from ozodial.models import LeadRow, State
from ozodial.replies import Reply
from tests.batches import BEARER, Fields, batch, bulk_items, reply, scheduled_items
from tests.vendor_words import QUEUED

DND = "PhoneNumber Added is a DND Number"

WORDS = [
    *("success", "SUCCESS", "error", "FAIL", "false", "", "Data updated successfully"),
    *("SuccessFully Updated", DND, "Number Already Exist", "Phone Number is Empty!"),
    *("no user found", "Token Expired", QUEUED, "Wrong Date format", "Saved?", None, 0, True),
    *([], {}, ["x"], {"a": 1}, 1.5, float("nan"), "\ud800"),
]
KEYS = [
    *("Response", "msg", "message", "status", "Status", "index", "PhoneNumber", "Name"),
    *("ScheduleTime", "rowId", "transactionId", "phonenumber"),
]
PHONES = [
    *("9876543210", "+919876543211", "919876543212", "09876543213", "+14155550123", "", None),
    *("7000000000", 9876543214, "xx"),
]


@st.composite
def bent_items(draw: st.DrawFn, leads: list[LeadRow]) -> list[object]:
    """A true answer's rows: dropped, repeated, reordered, and changed field by field."""
    true = draw(st.sampled_from([scheduled_items(leads), bulk_items(leads)]))
    chosen = draw(st.lists(st.sampled_from(range(len(true))), max_size=2 * len(true)))
    items: list[object] = [copy.deepcopy(true[place]) for place in chosen]
    for _ in range(draw(st.integers(0, 4))):
        if not items:
            break
        item = items[draw(st.integers(0, len(items) - 1))]
        key = draw(st.sampled_from(KEYS))
        assert isinstance(item, dict)
        if draw(st.booleans()):
            item.pop(key, None)
        elif key.lower() == "phonenumber":
            item[key] = draw(st.sampled_from(PHONES))
        elif key == "index":
            item[key] = draw(st.one_of(st.integers(-1, 9), st.sampled_from(["0", "1", "x", None])))
        else:
            item[key] = draw(st.sampled_from(WORDS))
    return items


@st.composite
def bent_answers(draw: st.DrawFn, leads: list[LeadRow]) -> object:
    items = draw(bent_items(leads))
    message = draw(
        st.one_of(
            st.just(items),
            st.just(json.dumps(items)),
            st.just({str(place): item for place, item in enumerate(items)}),
            st.just(items[0] if items else {}),
            st.sampled_from(WORDS),
        )
    )
    body: dict[str, object] = {"message": message}
    if draw(st.booleans()):
        body["status"] = draw(st.sampled_from(WORDS))
    if draw(st.booleans()):
        body["transactionId"] = draw(st.sampled_from(WORDS))
    return draw(st.one_of(st.just(body), st.just(items), st.just([body]), st.just(message)))


def test_the_status_of_a_row_is_none_around_the_rows() -> None:
    taken, failed = scheduled_items(batch(2))
    said = json.dumps([failed | {"status": "FAIL"}, taken])
    assert outer_statuses(said) == []
    assert outer_statuses(json.dumps([{"status": "error"}])) == ["error"]
    assert_evidence(interpret(SCHEDULE, batch(2), reply(said), BEARER), batch(2), said)


@given(st.data(), st.sampled_from([SCHEDULE, BULK_ADD_V1, BULK_ADD_V4]))
def test_bent_answers_say_nothing_that_they_do_not_say(
    data: st.DataObject, endpoint: Endpoint
) -> None:
    leads = batch(data.draw(st.integers(1, 5)))
    body = data.draw(bent_answers(leads))
    status = data.draw(st.sampled_from([200, 200, 200, 400, 500, 503]))
    verdict = interpret(endpoint, leads, reply(body, status), BEARER)
    assert [outcome.row for outcome in verdict.outcomes] == [lead.row for lead in leads]
    assert_evidence(verdict, leads, body)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.integers(100, 599))
def test_any_bytes_are_an_answer(body: bytes, status: int) -> None:
    verdict = interpret(SCHEDULE, batch(3), Reply(status, body), BEARER)
    assert [outcome.row for outcome in verdict.outcomes] == [2, 3, 4]
    assert not {State.ACCEPTED, State.QUEUED} & {outcome.state for outcome in verdict.outcomes}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(WORDS[:12]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=30,
)


@given(json_values)
def test_any_json_is_an_answer(body: object) -> None:
    for endpoint in (SCHEDULE, BULK_ADD_V4):
        verdict = interpret(endpoint, batch(3), reply(body), BEARER)
        assert [outcome.row for outcome in verdict.outcomes] == [2, 3, 4]
        assert_evidence(verdict, batch(3), body)


def assert_evidence(verdict: Verdict, leads: Sequence[LeadRow], body: object) -> None:
    """Whatever is `accepted` or `queued` stands so in the answer, by a plain look at its text."""
    text = json.dumps(body, ensure_ascii=False).lower()
    doubted = any(failing(status) for status in outer_statuses(body))
    for lead_, outcome in zip(leads, verdict.outcomes, strict=True):
        if outcome.state is State.ACCEPTED:
            about = [item for item in objects(body) if is_about(item, lead_, leads)]
            assert any(says_yes(item) for item in about), (outcome, body)
            assert not doubted, (outcome, body)
        elif outcome.state is State.QUEUED:
            assert QUEUED in text
            assert not doubted


def outer_statuses(body: object) -> list[object]:
    """The status beside `message`, in the body itself or in a list of one."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return []
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not isinstance(body, dict):
        return []
    return [value for key, value in body.items() if key.lower() == "status"]


def failing(status: object) -> bool:
    return str(status).strip().lower() in ("error", "fail", "failure", "false")


def objects(value: object) -> list[Fields]:
    """Every object in a value, those in strings of JSON too."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{", '"'):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, dict):
        return [value, *(found for inner in value.values() for found in objects(inner))]
    if isinstance(value, list):
        return [found for inner in value for found in objects(inner)]
    return []


def is_about(item: Fields, lead_: LeadRow, leads: Sequence[LeadRow]) -> bool:
    """By its phone, or, where it has none, by an index that may count from 0 or 1, or its name."""
    phone = next((str(v) for k, v in item.items() if k.lower() == "phonenumber" and v), "")
    digits = "".join(c for c in phone if c.isdecimal())
    if digits:
        return digits.endswith(lead_.phone)
    place = list(leads).index(lead_)
    return str(item.get("index")) in (str(place), str(place + 1)) or item.get("Name") == lead_.name


def says_yes(item: Fields) -> bool:
    """Some word of the item says yes, and none says anything else."""
    words = [
        str(value).strip().lower().rstrip(".")
        for key, value in item.items()
        if key.lower() in ("msg", "message", "status", "response") and value not in (None, "")
    ]
    yes = {"success", "data updated successfully", "successfully updated", "true"}
    return bool(words) and all(word in yes for word in words)
