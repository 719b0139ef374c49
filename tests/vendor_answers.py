"""Every documented answer, how the simulator is brought to give it, and what a run makes of it.

Whatever a lead or a setting can provoke is told here; for all other texts of `vendor_words` the
simulator has a switch, `--fault "refuse=TEXT"`. `test_vendor_answers` runs each case, and keeps the
table that `python -m tests.vendor_answers` writes from being stale.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ozodial.answers import Means, look_up
from ozodial.endpoints import Access
from ozodial.models import Reason, State
from ozodial.sandbox import Account, SandboxConfig
from tests.clockwork import KEY, OPS
from tests.vendor_words import DELETE_TEXTS, QUEUED, REQUEST_TEXTS, ROW_TEXTS

TABLE = Path(__file__).parent / "VENDOR_ANSWERS.md"
COMMAND = "python -m tests.vendor_answers"

SCHEDULE, V1, V4 = ("schedule", ""), ("bulk-add", "v1"), ("bulk-add", "v4")


@dataclass(frozen=True)
class Case:
    """A run of three leads, the second with a phone that ends in `magic`.

    `means` is what the client has to understand; `state` and `reason` are the second lead's in the
    end, the exit code follows from them. `by` says in words what provokes the answer.
    """

    text: str
    endpoint: tuple[str, str]
    means: Means
    by: str
    state: State = State.READY
    reason: Reason | None = None
    magic: str = ""
    faults: tuple[str, ...] = ()
    campaign: str = "Diwali"
    access: Access = OPS
    auth: str = "token"
    accounts: Mapping[str, Account] = field(default_factory=dict)
    times: int = 1
    unread: bool = False

    @property
    def id(self) -> str:
        words = (*self.endpoint, _slug(self.text)[:36].strip("-"), _slug(self.by)[-24:])
        return "-".join(word.strip("-") for word in words if word)

    @property
    def config(self) -> SandboxConfig:
        return SandboxConfig(accounts=self.accounts)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def row(
    text: str,
    endpoint: tuple[str, str],
    magic: str,
    state: State,
    reason: Reason | None = None,
    means: Means = Means.ROW_REFUSED,
) -> Case:
    """An answer about one lead, provoked by its phone."""
    by = f"a phone that ends in {magic}" if magic else "any good lead"
    return Case(text, endpoint, means, by, state, reason, magic)


def split(text: str, endpoint: tuple[str, str], magic: str, reason: Reason) -> Case:
    """A refusal of the whole batch for one lead, provoked by its phone."""
    by = f"a phone that ends in {magic}"
    return Case(text, endpoint, Means.DATA, by, State.REJECTED, reason, magic)


def campaign(text: str, endpoint: tuple[str, str], name: str) -> Case:
    """A refusal of the campaign."""
    return Case(text, endpoint, Means.STOP, f'the campaign "{name} …"', campaign=f"{name} one")


def key(text: str, endpoint: tuple[str, str], access: Access, by: str, auth: str = "token") -> Case:
    """A refusal of the user or the key."""
    return Case(text, endpoint, Means.STOP, by, access=access, auth=auth)


WRONG_KEY, WRONG_USER = Access("ops", "wrong-key"), Access("wrong-ops", KEY)
DATE = "Invalid date format. Please pass date in format yyyy-MM-dd HH:mm:ss or yyyy-MM-dd"
PRIORITY = "Priority, supports only numeric value or the value is not passed properly"
EXPIRY = "ExpiryDate, supports the following format only 'YYYY-MM-DD HH:MM:SS"
KEY_OR_CAMPAIGN = "api_key or campaign_name is invalid or not found"
NO_PAGES_TEXT = "Lead could not be saved, contact support (E-4711)"
STARTED = "SuccessFully Updated, Progressive was started"

# the schedule page prints two of its answers as what its own documentation tool made of them
TORN = '{"status": "%s", "message": {"0-0": "Success response", "0-1": "\\"status\\": \\"s"}}'

PROVOKED: list[Case] = [
    # "Scheduled Campaign Data (Token authentication)"
    row("Data updated successfully", SCHEDULE, "", State.ACCEPTED, means=Means.TAKEN),
    key(KEY_OR_CAMPAIGN, SCHEDULE, WRONG_KEY, 'a key "wrong…", auth = basic', "basic"),
    campaign(KEY_OR_CAMPAIGN, SCHEDULE, "no such"),
    split("Wrong Date format", SCHEDULE, "55506555", Reason.DATE_UNREADABLE),
    split(
        "ScheduledTime exceeds 30 days limit at index 1",
        SCHEDULE,
        "55507555",
        Reason.TIME_BEYOND_30_DAYS,
    ),
    split(DATE, SCHEDULE, "55508555", Reason.DATE_UNREADABLE),
    *(
        Case(
            f'{{"0-0": "Success response", "0-1": …}} inside "{status}"',
            SCHEDULE,
            Means.QUEUED,  # not looked at: the client reads no text in it
            "the switch body=…",
            State.UNKNOWN,
            Reason.NO_ROW_ANSWER,
            faults=(f"body={TORN % status}",),
            unread=True,
        )
        for status in ("error", "success")
    ),
    # "Add campaign bulk data"
    row("SuccessFully Updated", V1, "", State.ACCEPTED, means=Means.TAKEN),
    key("no user found", V1, WRONG_KEY, 'a key "wrong…"'),
    campaign("no user found", V1, "no such"),
    row("Phone Number is Empty!", V1, "55503555", State.REJECTED, Reason.PHONE_MISSING),
    row("PhoneNumber Added is a DND Number", V1, "55501555", State.REJECTED, Reason.DND),
    split(PRIORITY, V1, "55507555", Reason.PRIORITY_INVALID),
    split(EXPIRY, V1, "55506555", Reason.DATE_UNREADABLE),
    # facts 2
    key("Invalid userName or apiKey", SCHEDULE, WRONG_KEY, 'a key "wrong…"'),
    key("Invalid userName or apiKey", SCHEDULE, WRONG_USER, 'a user name "wrong…"'),
    Case(
        "Token Expired",
        SCHEDULE,
        Means.TOKEN,
        "the switch token-expired",
        State.ACCEPTED,
        faults=("token-expired@1",),
    ),
    Case(
        "Invalid Token",
        SCHEDULE,
        Means.TOKEN,
        "the switch token-invalid",
        State.ACCEPTED,
        faults=("token-invalid@1",),
    ),
    *(
        Case(
            text,
            SCHEDULE,
            Means.TOKEN,
            f"the switch {switch}, again and again",
            faults=(switch,),
            times=2,
        )
        for text, switch in (
            ("Token Expired", "token-expired"),
            ("Invalid Token", "token-invalid"),
        )
    ),
    Case(
        "Token Should Not be Null or Empty.",
        SCHEDULE,
        Means.TOKEN,
        "an account on token mode, auth = basic",
        auth="basic",
        accounts={"ops": Account(KEY, auth="token")},
    ),
    Case(
        "Missing userName or apiKey",
        SCHEDULE,
        Means.STOP,
        "an account on basic mode, auth = token",
        accounts={"ops": Account(KEY, auth="basic")},
    ),
    # facts 3 and 7: rows
    row(
        "Number Already Exist",
        SCHEDULE,
        "55502555",
        State.DUPLICATE,
        Reason.EXISTS_AT_VENDOR,
        Means.EXISTS,
    ),
    Case(
        STARTED,
        V1,
        Means.TAKEN,
        "the switch body=…",
        State.ACCEPTED,
        faults=(
            "body="
            + json.dumps(
                {
                    "message": [
                        {"PhoneNumber": f"98001000{place}", "status": STARTED}
                        for place in ("00", "07", "14")
                    ]
                }
            ),
        ),
    ),
    Case(
        "null",
        SCHEDULE,
        Means.QUEUED,
        "the switch body=…",
        State.UNKNOWN,
        Reason.NO_ROW_ANSWER,
        faults=('body={"status": "success", "message": "null"}',),
        unread=True,
    ),
    # facts 4
    split("Please provide valid data", V1, "55508555", Reason.REFUSED_BY_VENDOR),
    Case(
        "Already one process is running please try after some time",
        V1,
        Means.BUSY,
        "the switch busy",
        State.ACCEPTED,
        faults=("busy@1",),
    ),
    campaign("Campaign is not an outbound campaign", V1, "inbound"),
    # facts 5
    row(QUEUED, V4, "", State.QUEUED, means=Means.QUEUED),
    key("Invalid userName or apiKey", V4, WRONG_KEY, 'a key "wrong…"'),
    campaign("Campaign not found", V4, "no such"),
    Case(
        "File Successfully uploaded.",
        V4,
        Means.QUEUED,
        "the switch body=…",
        State.UNKNOWN,
        Reason.NO_ROW_ANSWER,
        faults=('body={"status": "Success", "message": "File Successfully uploaded."}',),
        unread=True,
    ),
    # facts 6-8
    Case(
        "Max limit exceeded",
        SCHEDULE,
        Means.BUSY,
        "the switch max-limit",
        State.ACCEPTED,
        faults=("max-limit@1",),
    ),
    # what no page has
    row(NO_PAGES_TEXT, SCHEDULE, "55504555", State.REJECTED, Reason.REFUSED_BY_VENDOR),
    row(NO_PAGES_TEXT, V1, "55504555", State.UNKNOWN, Reason.NO_ROW_ANSWER),
    Case(
        "(no line for the lead)",
        SCHEDULE,
        Means.TAKEN,
        "a phone that ends in 55505555",
        State.UNKNOWN,
        Reason.NO_ROW_ANSWER,
        "55505555",
        unread=True,
    ),
]


def by_switch() -> Iterator[Case]:
    """The texts that no lead and no setting of ours can provoke."""
    told = {case.text.casefold() for case in PROVOKED}
    for known in REQUEST_TEXTS + ROW_TEXTS:
        text = " ".join(known.text.split())
        if text.casefold() not in told:
            passing = known.means in (Means.BUSY, Means.TOKEN)
            yield Case(
                text,
                SCHEDULE,
                known.means,
                "the switch refuse=…",
                State.ACCEPTED if passing else known.alone.state,
                known.reason,
                faults=(f"refuse={text}" + "@1" * passing,),
            )


CASES: list[Case] = [*PROVOKED, *by_switch()]

_ACTIONS = {
    Means.TAKEN: "the row is `accepted`",
    Means.QUEUED: "the rows are `queued`",
    Means.EXISTS: "the row is `duplicate`",
    Means.ROW_REFUSED: "the row is `rejected`",
    Means.DATA: "the batch is narrowed down, the guilty row is `rejected`",
    Means.BUSY: "the run waits and sends it again",
    Means.TOKEN: "one new token, then the batch again",
    Means.STOP: "the run stops, exit 6; rows stay `ready`",
}


_REMOVALS = {
    Means.REMOVED: "the rows are `removed`",
    Means.ABSENT: "`removed` where they were asked for before, else they stay as they are",
    Means.STOP: "it stops, exit 6; rows stay as they are",
    Means.BUSY: "it waits and asks again",
}


def action(case: Case) -> str:
    """What a run does, in words."""
    if case.state is State.UNKNOWN:
        return "the row is `unknown`, the words are shown"
    if case.means is Means.TOKEN and case.state is State.READY:
        return "the run stops, exit 6; rows stay `ready`"
    return _ACTIONS[case.means]


def table() -> str:
    """The table as it stands in the file."""
    lines = [
        "# The vendor's answers",
        "",
        f"Written by `{COMMAND}`; `tests/test_vendor_answers.py` runs every line: the real client",
        "against the simulator. A switch is one of `ozodial sandbox --fault`.",
        "",
        "| answer | from | provoked by | what a run does | reason | told besides | test |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        found = look_up(case.text)
        cells = [
            f"`{case.text}`",
            found[0].source if found is not None else "",
            f"{' '.join(case.endpoint).strip()}, {case.by}",
            action(case),
            f"`{case.reason}`" if case.reason else "",
            found[0].explanation if found is not None else "",
            f"`test_answer[{case.id}]`",
        ]
        lines.append(_line(cells))
    return "\n".join([*lines, *_deletes()]) + "\n"


def _deletes() -> Iterator[str]:
    """The same for the calls of `ozodial undo`."""
    yield from (
        "",
        "## Of the calls that delete",
        "",
        "`tests/test_sandbox_deletes.py` has the simulator say each of them,",
        "`tests/test_interpret_deletes.py` reads each.",
        "",
        "| answer | what `undo` does | reason | told besides | test |",
        "|---|---|---|---|---|",
    )
    for text in DELETE_TEXTS:
        did = _REMOVALS.get(text.means) or _ACTIONS[text.means]
        reason = f"`{text.reason}`" if text.reason else ""
        test = f"`test_every_text_of_the_pages[{text.text}]`"
        found = look_up(text.text)
        besides = found[0].explanation if found is not None else ""
        yield _line([f"`{text.text}`", did, reason, besides, test])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
