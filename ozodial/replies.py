"""What comes of one request: a whole answer, proof that nothing went out, or neither.

The shapes alone: `client` makes them, the interpretation reads them.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer. `unread` says why its body was not read to the end, if so.

    `date` is the server's own clock, where it tells it.
    """

    status: int
    body: bytes
    retry_after: float | None = None
    unread: str = ""
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proof that the server got nothing (design section 4, rule 3)."""

    message: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left, or may have, and no whole answer came back."""

    message: str


Answer = Reply | NotSent | Lost
