"""The vendor's answer to a batch -> one decision, and one outcome for each row. Pure.

Success is never inferred from HTTP 200, nor from a `"status": "success"` around the rows: a row is
`accepted` only by an item of the answer that is about that row and says so. A row without an answer
of its own is `unknown`. The rules are design section 4, rule 3; the texts are in `answers`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from ozodial.answers import (
    FAILURE_WORDS,
    NO_ENTRY,
    NO_SUCH_CALL,
    SUCCESS_WORDS,
    Known,
    Means,
    fold,
    look_up,
    look_up_delete,
)
from ozodial.body import LONGEST_TEXT, Said, read_body
from ozodial.endpoints import Access, Endpoint
from ozodial.matching import Item, match
from ozodial.models import LeadRow, Outcome, Reason, State
from ozodial.replies import Lost, NotSent, Reply


class Decision(StrEnum):
    """What the run does next; the value is the batch's outcome as shown, where one is."""

    ROWS = "rows"  # each row has its outcome
    RETRY = "retry"  # nothing arrived, or nothing was taken: wait and send again
    TOKEN = "token"  # noqa: S105 - a new token, once
    STOP = "stop"  # account, key or campaign refused
    SPLIT = "split"  # some row of the batch is bad: send its halves by themselves


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with an outcome for every row of the batch, and the vendor's words."""

    decision: Decision
    outcomes: tuple[Outcome, ...]
    message: str | None = None
    explanation: str | None = None
    transaction_id: str | None = None
    arrived: bool = True
    refused_alone: bool = False  # a refusal of the whole batch, whose only row is guilty
    row_ids: Mapping[int, int] = field(default_factory=dict)  # row -> the vendor's number of it


def interpret(
    endpoint: Endpoint, leads: Sequence[LeadRow], answer: Reply | NotSent | Lost, access: Access
) -> Verdict:
    """Read one answer, or its absence. `access` is what the request was made with."""
    if isinstance(answer, NotSent):
        return _whole(Decision.RETRY, leads, access.redact(answer.message), arrived=False)
    if isinstance(answer, Lost):
        return _unknown(leads, Reason.NO_ANSWER, access.redact(answer.message))
    said = read_body(answer.body, access.redact)
    if said.items:
        return _rows(leads, said)
    if said.text is not None and (verdict := _known_text(endpoint, leads, said, said.text)):
        return verdict
    return _by_status(leads, answer, said, with_token=access.token is not None)


def interpret_delete(
    leads: Sequence[LeadRow],
    answer: Reply | NotSent | Lost,
    access: Access,
    *,
    asked_before: bool,
) -> Verdict:
    """Read the answer to a request that deletes; `ready` in an outcome means: as it was before.

    The vendor gives one text for all of it. `asked_before`: an earlier request for the same leads
    got no answer, so that "No data found" now tells what became of it.
    """
    if isinstance(answer, NotSent):
        return _whole(Decision.RETRY, leads, access.redact(answer.message), arrived=False)
    if isinstance(answer, Lost):
        return _unknown(leads, Reason.NO_ANSWER, access.redact(answer.message))
    said = read_body(answer.body, access.redact)
    known = look_up_delete(said.text) if said.text is not None else None
    if known is not None and known.failing and not said.failing:
        known = None
    plain_success = said.succeeding and said.text is None and not said.items
    if plain_success or (known is not None and known.means is Means.REMOVED and not said.failing):
        return _deleted(leads, said.text)
    if known is not None and known.means is Means.ABSENT:
        return _deleted(leads, said.text) if asked_before else _absent(leads, known, said.text)
    if known is not None and known.means in _DECISIONS:
        explanation = known.explanation or None
        return _whole(_DECISIONS[known.means], leads, said.text or "", explanation)
    return _by_status(leads, answer, said, with_token=access.token is not None)


def _deleted(leads: Sequence[LeadRow], text: str | None) -> Verdict:
    outcomes = tuple(Outcome(lead.row, State.REMOVED, None, text) for lead in leads)
    return Verdict(Decision.ROWS, outcomes, text)


def _absent(leads: Sequence[LeadRow], known: Known, text: str | None) -> Verdict:
    outcomes = tuple(Outcome(lead.row, State.READY, known.reason, text) for lead in leads)
    return Verdict(Decision.ROWS, outcomes, text)


# --- whole requests ---

_DECISIONS = {
    Means.BUSY: Decision.RETRY,
    Means.TOKEN: Decision.TOKEN,
    Means.STOP: Decision.STOP,
}


def _known_text(
    endpoint: Endpoint, leads: Sequence[LeadRow], said: Said, text: str
) -> Verdict | None:
    found = look_up(text)
    if found is None or (found[0].failing and not said.failing):
        return None
    known, matched = found
    if known.means is Means.QUEUED and endpoint.queues and _is_taken(said):
        return _queued(leads, said, text)
    if known.means is Means.DATA:
        index = matched.groupdict().get("index")
        return _data_refusal(leads, known, text, int(index) if index is not None else None)
    if known.means in (Means.ROW_REFUSED, Means.EXISTS) and len(leads) == 1:
        return _alone(leads[0], known, text)
    if known.means in _DECISIONS:
        return _whole(_DECISIONS[known.means], leads, text, known.explanation or None)
    # a text about one row, said of many: nobody knows which rows were taken
    return _unknown(leads, Reason.NO_ROW_ANSWER, text)


def _is_taken(said: Said) -> bool:
    return said.succeeding or (not said.statuses and said.transaction_id is not None)


def _queued(leads: Sequence[LeadRow], said: Said, text: str) -> Verdict:
    outcomes = tuple(Outcome(lead.row, State.QUEUED, None, text) for lead in leads)
    return Verdict(Decision.ROWS, outcomes, text, transaction_id=said.transaction_id)


def _alone(lead: LeadRow, known: Known, text: str) -> Verdict:
    """A text about one row, said of a request that has only that one."""
    refused = known.means is Means.ROW_REFUSED
    state = State.REJECTED if refused else State.DUPLICATE
    outcome = Outcome(lead.row, state, known.reason, text)
    explanation = known.explanation or None
    return Verdict(Decision.ROWS, (outcome,), text, explanation, refused_alone=refused)


def _data_refusal(leads: Sequence[LeadRow], known: Known, text: str, index: int | None) -> Verdict:
    guilty: int | None = leads[0].row if len(leads) == 1 else None
    if guilty is None and index is not None:
        guilty = _guilty(leads, index)
    if guilty is None:
        return _whole(Decision.SPLIT, leads, text, known.explanation or None)
    outcomes = tuple(
        Outcome(lead.row, State.REJECTED, known.reason, text)
        if lead.row == guilty
        else Outcome(lead.row, State.READY)
        for lead in leads
    )
    alone = len(leads) == 1
    return Verdict(Decision.ROWS, outcomes, text, known.explanation or None, refused_alone=alone)


def _guilty(leads: Sequence[LeadRow], index: int) -> int | None:
    """The row at an index that counts from 0 or from 1: of the two, the later time is it.

    None where neither has the latest time of the batch, so that it is not certain which it is.
    """
    candidates = [leads[i] for i in (index, index - 1) if 0 <= i < len(leads)]
    latest = max(lead.scheduled for lead in leads)
    return next((lead.row for lead in candidates if lead.scheduled == latest), None)


def _by_status(leads: Sequence[LeadRow], reply: Reply, said: Said, *, with_token: bool) -> Verdict:
    """What the HTTP status proves, where the body says nothing that we know."""
    message = said.text or f"HTTP {reply.status}"
    if reply.status in (429, 503):
        return _whole(Decision.RETRY, leads, message)
    if reply.status == 401 and with_token:
        return _whole(Decision.TOKEN, leads, message)
    if 300 <= reply.status < 500:
        explanation = REDIRECTED if reply.status < 400 else _EXPLAINED.get(reply.status)
        return _whole(Decision.STOP, leads, message, explanation)
    if said.readable:
        return _unknown(leads, Reason.NO_ROW_ANSWER, said.text or NO_LINE)
    message = reply.unread or (message if reply.status != 200 else UNREADABLE)
    return _unknown(leads, Reason.ANSWER_UNREADABLE, message)


NO_LINE = "the vendor's answer has no line for this row"
NEITHER = "the vendor's line for this row says neither yes nor no"
UNREADABLE = "the answer is not what the vendor documents"
REDIRECTED = "the server redirects, which is never followed"

_EXPLAINED = {401: NO_ENTRY, 403: NO_ENTRY, 404: NO_SUCH_CALL, 405: NO_SUCH_CALL}


def _whole(
    decision: Decision,
    leads: Sequence[LeadRow],
    message: str,
    explanation: str | None = None,
    *,
    arrived: bool = True,
) -> Verdict:
    ready = tuple(Outcome(lead.row, State.READY) for lead in leads)
    return Verdict(decision, ready, message, explanation, arrived=arrived)


def _unknown(leads: Sequence[LeadRow], reason: Reason, message: str) -> Verdict:
    outcomes = tuple(Outcome(lead.row, State.UNKNOWN, reason, message) for lead in leads)
    return Verdict(Decision.ROWS, outcomes, message)


# --- rows ---

_Read = tuple[State, Reason | None, str]
"""State, reason and message that an item's words bring its row."""


def _rows(leads: Sequence[LeadRow], said: Said) -> Verdict:
    about = match(said.items, leads)
    outcomes = tuple(_outcome(lead.row, about.get(lead.row, []), said.failing) for lead in leads)
    row_ids = {
        row: item.row_id
        for row, items in about.items()
        for item in items
        if item.row_id is not None
    }
    return Verdict(Decision.ROWS, outcomes, row_ids=row_ids)


def _outcome(row: int, items: Sequence[Item], doubted: bool) -> Outcome:
    if not items:
        return Outcome(row, *_unclear(NO_LINE))
    read = [Outcome(row, *_read(item.texts)) for item in items]
    states = {outcome.state for outcome in read}
    outcome = read[0]
    if states == {State.ACCEPTED, State.DUPLICATE}:
        outcome = next(o for o in read if o.state is State.ACCEPTED)
    elif len(states) > 1:
        return Outcome(row, *_contradiction([o.message or "" for o in read]))
    if outcome.state is State.ACCEPTED and doubted:
        return Outcome(row, *_unclear(f"the vendor says {outcome.message!r} inside a refusal"))
    return outcome


@lru_cache(maxsize=256)  # most rows of an answer say the same
def _read(texts: tuple[str, ...]) -> _Read:
    """One item's own words. A text that we know says more than the status word beside it."""
    taken: list[str] = []
    refused: list[tuple[Known, str]] = []
    yes: list[str] = []
    no: list[str] = []
    strange: list[str] = []
    for text in texts:
        found = look_up(text)
        if found is not None and found[0].means in _OF_A_ROW:
            refused.append((found[0], text))
        elif found is not None and found[0].means is Means.TAKEN:
            taken.append(text)
        else:
            word = fold(text)
            (yes if word in SUCCESS_WORDS else no if word in FAILURE_WORDS else strange).append(
                text
            )
    if (taken and (refused or no)) or (yes and no and not refused):
        return _contradiction(texts)
    if refused:
        known, text = refused[0]
        state = State.DUPLICATE if known.means is Means.EXISTS else State.REJECTED
        return state, known.reason, text
    if no:
        return State.REJECTED, Reason.REFUSED_BY_VENDOR, (strange or no)[0]
    if strange or not (taken or yes):
        return _unclear(strange[0] if strange else NEITHER)
    return State.ACCEPTED, None, (taken or yes)[0]


_OF_A_ROW = frozenset({Means.ROW_REFUSED, Means.DATA, Means.EXISTS})


def _contradiction(texts: Sequence[str]) -> _Read:
    return _unclear("the vendor contradicts itself: " + " / ".join(texts))


def _unclear(message: str) -> _Read:
    return State.UNKNOWN, Reason.NO_ROW_ANSWER, message[:LONGEST_TEXT]
