"""The real command in a process: `python -m tests.harness.launch LEASE FREEZE ARGUMENT…`.

LEASE is in seconds: one of 30 s would make a test wait for 30 s; `1@west` also makes this process
one of another host, whose processes nobody here can look at. FREEZE names a moment in which the
process stops itself (SIGSTOP), once: `turn` (it has the turn and no batch yet), `claim` (its batch
is claimed and not sent yet) or `answer` (answered, not recorded yet); `-` for never. What runs is
the real code.
"""

import signal
import sys
from collections.abc import Callable
from typing import Any

from ozodial import ledger
from ozodial.claims import Claims
from ozodial.cli import main
from ozodial.client import Client
from ozodial.pacing import Pacer

MOMENTS: dict[str, tuple[type, str]] = {
    "turn": (Pacer, "await_turn"),
    "claim": (Claims, "claim"),
    "answer": (Client, "send"),
}


def freeze_once_after(owner: type, name: str) -> None:
    """Stop this process after the first call of a method, until somebody sends SIGCONT."""
    work: Callable[..., Any] = getattr(owner, name)
    todo = [True]

    def working(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it is given
        result = work(*arguments, **named)
        if todo:
            todo.clear()
            signal.raise_signal(signal.SIGSTOP)  # to this thread, so that it goes no step further
        return result

    setattr(owner, name, working)


if __name__ == "__main__":
    lease, _, host = sys.argv[1].partition("@")
    ledger.LEASE_SECONDS = float(lease)
    if host:
        vars(ledger)["this_host"] = lambda: host
    if sys.argv[2] != "-":
        freeze_once_after(*MOMENTS[sys.argv[2]])
    sys.argv[1:] = sys.argv[3:]
    main()
