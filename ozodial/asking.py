"""Asks the person at the terminal before many leads are sent; nobody is ever asked without one.

In: a run and its counts. Out: whether to send it. Ctrl-C and TERM end the question as a no.
"""

import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ozodial.confirm import PROMPT, is_asked, is_yes, question
from ozodial.endpoints import Endpoint
from ozodial.models import State
from ozodial.render import Viewer, Viewing
from ozodial.streams import Sink

if TYPE_CHECKING:
    from ozodial.crew import Stop
    from ozodial.staging import Run

_STDIN = 0
_LOOK_UP = 0.2
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Asking:
    """Calling it asks; `above` is how many leads need no question, 0: none ever does."""

    view: Viewing
    viewer: Viewer
    stop: "Stop"
    endpoint: Endpoint
    pace: float
    above: float
    yes: bool
    sandbox: bool
    now: datetime

    @property
    def may_ask(self) -> bool:
        """Whether a run can be large enough to be asked for."""
        return self.view.can_ask and self.above > 0 and not self.yes

    def __call__(self, run: "Run", counts: Mapping[State, int]) -> bool:
        """Whether the run is to be sent."""
        from ozodial.upload import run_event

        ready = counts.get(State.READY, 0)
        if not is_asked(ready, self.above, yes=self.yes, terminal=self.view.can_ask):
            return True
        event = run_event(
            run, self.endpoint, counts, self.pace, sandbox=self.sandbox, continued=False
        )
        self.viewer.hold(["", *question(event, run.options.when, self.now), ""])
        return is_yes(self._answer())

    def _answer(self) -> str | None:
        """A line from the terminal; None at its end, or when the command is to stop."""
        err = Sink(self.view.stderr)
        err.write(PROMPT)
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # a read can't be broken off, and must not hold up the end of the process
        threading.Thread(target=_read, args=(answers,), daemon=True).start()
        while not self.stop.halt.is_set():
            try:
                answer = answers.get(timeout=_LOOK_UP)
            except queue.Empty:
                continue
            if answer is None:
                err.line("")
            return answer
        err.line("")
        return None


def _read(answers: "queue.SimpleQueue[str | None]") -> None:
    try:
        line = os.read(_STDIN, _LONGEST)
    except OSError:
        line = b""
    answers.put(line.decode("utf-8", "replace") if line else None)
