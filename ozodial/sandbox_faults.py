"""Misbehaviour as data: the text of a fault comes in, which request suffers from it goes out.

It changes no answer and touches no connection: `sandbox_answers` and `sandbox_wire` do.

    FAULT    KIND[=VALUE][@WHEN][/WHERE]
    WHEN     3 | 2-4 | 1,3,5-7    these requests, counted from the start or the last reset
             x2                   the next 2 requests
             25% | 25%:7          a quarter of the requests, by chance (with 7 as the seed)
    WHERE    schedule | bulk-add | v1 | v4 | delete | token | status
             (default: all but token and status)
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ozodial.errors import UsageError
from ozodial.sandbox_phones import PHONE_FORMS


class Stage(StrEnum):
    """When a fault acts: in this order."""

    WAIT = "wait"
    """The request is let in, then worked on late."""
    BEFORE = "before"
    """Instead of all processing: nothing is taken."""
    ANSWER = "answer"
    """Leads are taken; the answer is readable, but odd."""
    WIRE = "wire"
    """Leads are taken; the answer does not arrive whole or readable."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of misbehaviour. `check` raises ValueError for a value that makes no sense."""

    stage: Stage
    about: str
    default: str | None = ""
    check: Callable[[str], object] | None = None


def _positive(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _one_of(*words: str) -> Callable[[str], object]:
    return lambda text: words.index(text)


def _order(text: str) -> object:
    return text == "reverse" or int(text)


def _retry_after(text: str) -> object:
    return text == "" or _positive(text.removeprefix("date+"))


_WAIT, _BEFORE, _ANSWER, _WIRE = Stage.WAIT, Stage.BEFORE, Stage.ANSWER, Stage.WIRE

KINDS: dict[str, Kind] = {
    "latency": Kind(_WAIT, "work on the request only after VALUE seconds", None, _positive),
    "cut-before": Kind(_BEFORE, "cut the connection; nothing is taken"),
    "http": Kind(
        _BEFORE, "http-NNN: that status with a page of HTML; VALUE: Retry-After", "", _retry_after
    ),
    "redirect": Kind(_BEFORE, "307 to VALUE", "https://elsewhere.invalid/"),
    "busy": Kind(_BEFORE, '"Already one process is running…"'),
    "max-limit": Kind(_BEFORE, '"Max limit exceeded"'),
    "token-expired": Kind(_BEFORE, '"Token Expired", and the token is'),
    "token-invalid": Kind(_BEFORE, '"Invalid Token"'),
    "refuse": Kind(_BEFORE, "refuse the request with the text VALUE", None),
    "missing-rows": Kind(_ANSWER, "leave out the first VALUE rows", "1", _count),
    "repeated-rows": Kind(_ANSWER, "say the first VALUE rows twice", "1", _count),
    "foreign-rows": Kind(_ANSWER, "add VALUE rows that nobody sent", "1", _count),
    "reordered-rows": Kind(
        _ANSWER, "reverse the rows, or shuffle them with the seed VALUE", "reverse", _order
    ),
    "phones": Kind(_ANSWER, "echo phones as plus91, 91, 0 or 10", None, _one_of(*PHONE_FORMS)),
    "index": Kind(
        _ANSWER,
        "count from 0, 1, text0 or text1, or none",
        None,
        _one_of("0", "1", "text0", "text1", "none"),
    ),
    "message": Kind(
        _ANSWER, "message as list, object or text", None, _one_of("list", "object", "text")
    ),
    "case": Kind(
        _ANSWER,
        "status words in upper, lower or title case",
        None,
        _one_of("upper", "lower", "title"),
    ),
    "cut-after": Kind(_WIRE, "take the leads, then cut the connection"),
    "cut-middle": Kind(_WIRE, "cut in the middle of the answer"),
    "drip": Kind(_WIRE, "spread the answer over VALUE seconds", "5", _positive),
    "endless": Kind(_WIRE, "a body without an end"),
    "huge": Kind(_WIRE, "VALUE megabytes of JSON", "20", _positive),
    "gzip-bomb": Kind(_WIRE, "VALUE megabytes in a small gzip body", "200", _positive),
    "broken-json": Kind(_WIRE, "JSON that stops in the middle"),
    "empty": Kind(_WIRE, "200 without a body"),
    "body": Kind(_WIRE, "answer VALUE, whatever it is", None),
    "http-after": Kind(
        _WIRE, "http-NNN-after: take the leads, then answer that status with HTML", ""
    ),
}

QUESTION_WORDS = ("token", "status")
"""Calls that bring no leads: they suffer only from faults that name them."""

ENDPOINT_WORDS = ("schedule", "bulk-add", "v1", "v4", "delete", *QUESTION_WORDS)

_GRAMMAR = re.compile(
    r"(?P<kind>[a-z]+(?:-[a-z0-9]+)*)"
    r"(?:=(?P<value>.*?))?"
    r"(?:@(?P<when>x\d+|\d+(?:\.\d+)?%(?::\d+)?|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*))?"
    rf"(?:/(?P<where>{'|'.join(ENDPOINT_WORDS)}))?",
    re.DOTALL,
)
_HTTP = re.compile(r"http-([1-5]\d\d)(-after)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour, told by `parse_fault`.

    `numbers` are ranges of request numbers (none: all), `times` how often at most (None: always),
    `chance` how likely, `where` an endpoint word ("": all but token).
    """

    kind: str
    value: str = ""
    status: int = 0
    numbers: tuple[tuple[int, int], ...] = ()
    times: int | None = None
    chance: float = 1.0
    seed: int = 0
    where: str = ""
    text: str = ""

    @property
    def stage(self) -> Stage:
        """When it acts."""
        return KINDS[self.kind].stage

    def concerns(self, number: int, words: Sequence[str]) -> bool:
        """Whether it is meant for this request, leaving chance and `times` aside."""
        here = self.where in words if self.where else words[0] not in QUESTION_WORDS
        if not here or not self.numbers:
            return here
        return any(first <= number <= last for first, last in self.numbers)


def parse_fault(text: str) -> Fault:
    """A fault from its text (the grammar is in the module's docstring); UsageError on nonsense."""
    match = _GRAMMAR.fullmatch(text.strip())
    if match is None:
        raise _nonsense(text, "it is not KIND[=VALUE][@WHEN][/WHERE]")
    name, status = _kind(match["kind"])
    kind = KINDS.get(name)
    if kind is None:
        raise _nonsense(text, f"the kinds are {', '.join(fault_names())}")
    value = _value(text, kind, match["value"])
    numbers, times, chance, seed = _when(text, match["when"] or "")
    return Fault(
        kind=name,
        value=value,
        status=status,
        numbers=numbers,
        times=times,
        chance=chance,
        seed=seed,
        where=match["where"] or "",
        text=text.strip(),
    )


def fault_names() -> list[str]:
    """The kinds as a person writes them."""
    written = {"http": "http-NNN", "http-after": "http-NNN-after"}
    return [written.get(name, name) for name in KINDS]


def fault_help() -> str:
    """One line a kind, for `ozodial sandbox --help`."""
    return "\n".join(
        f"{name:<16}{kind.about}" for name, kind in zip(fault_names(), KINDS.values(), strict=True)
    )


class FaultPlan:
    """Which faults are told, and which of them each request suffers from."""

    def __init__(self) -> None:
        self._told: list[_Told] = []

    def tell(self, fault: Fault) -> None:
        """Misbehave so from now on."""
        self._told.append(_Told(fault, fault.times, random.Random(fault.seed)))  # noqa: S311 - a rehearsal

    def clear(self) -> None:
        """Behave."""
        self._told.clear()

    @property
    def faults(self) -> list[Fault]:
        """The faults that may still strike."""
        return [told.fault for told in self._told if told.left != 0]

    def choose(self, number: int, words: Sequence[str]) -> list[Fault]:
        """The faults for one request, in the order in which they were told; counts them down."""
        return [told.fault for told in self._told if told.strikes(number, words)]


@dataclass(slots=True)
class _Told:
    fault: Fault
    left: int | None
    dice: random.Random

    def strikes(self, number: int, words: Sequence[str]) -> bool:
        if self.left == 0 or not self.fault.concerns(number, words):
            return False
        if self.fault.chance < 1 and self.dice.random() >= self.fault.chance:
            return False
        if self.left is not None:
            self.left -= 1
        return True


def _kind(word: str) -> tuple[str, int]:
    http = _HTTP.fullmatch(word)
    if http is None:
        return ("" if word in ("http", "http-after") else word), 0
    return f"http{http[2] or ''}", int(http[1])


def _value(text: str, kind: Kind, given: str | None) -> str:
    takes_none = kind.default == "" and kind.check is None
    if given is None:
        if kind.default is None:
            raise _nonsense(text, f"it needs a value: {kind.about}")
        return kind.default
    if takes_none:
        raise _nonsense(text, "it takes no value")
    try:
        if kind.check is not None:
            kind.check(given)
    except ValueError:
        raise _nonsense(text, f'"{given}" is no value for it: {kind.about}') from None
    return given


_When = tuple[tuple[tuple[int, int], ...], int | None, float, int]


def _when(text: str, when: str) -> _When:
    if not when:
        return (), None, 1.0, 0
    if when.startswith("x"):
        return (), int(when[1:]), 1.0, 0
    if "%" in when:
        percent, _, seed = when.partition("%")
        if float(percent) > 100:
            raise _nonsense(text, f"{percent}% is more than always")
        return (), None, float(percent) / 100, int(seed[1:] or 0)
    numbers = []
    for part in when.split(","):
        first, _, last = part.partition("-")
        numbers.append((int(first), int(last or first)))
    if any(not 1 <= first <= last for first, last in numbers):
        raise _nonsense(text, "requests are counted from 1, and ranges go up")
    return tuple(numbers), None, 1.0, 0


def _nonsense(text: str, why: str) -> UsageError:
    return UsageError(f'The fault "{text}" can\'t be used: {why}.', "ozodial sandbox --help")
