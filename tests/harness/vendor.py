"""A simulated vendor in a process of its own: no kill of a command ever touches its memory.

Run as a program it serves: `python -m tests.harness.vendor PACE_SCALE`.
"""

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import httpx

from .forking import ROOT, Job, forkery, pipes


class Vendor:
    """Starts the simulator, looks into its memory, and tells it how to misbehave.

    `pace_scale` divides the vendor's paces: at 300 its 30 s are 0.1 s.
    """

    def __init__(self, pace_scale: float = 300, *faults: str) -> None:
        theirs, (self._stdin, stdout, unused) = pipes()
        job = Job("tests.harness.vendor", [str(pace_scale)], str(ROOT), dict(os.environ))
        self._process = forkery().start(job, (*theirs[:2], 2))
        for stream in (*theirs, unused):
            os.close(stream)
        with os.fdopen(stdout) as said:
            self.url = said.readline().strip()
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
        self.misbehave(*faults)

    def __enter__(self) -> "Vendor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        os.close(self._stdin)

    def look(self, what: str) -> list[dict[str, Any]]:
        """Its memory: leads, requests, tokens or violations."""
        answer = self._http.get(f"/sandbox/{what}").raise_for_status()
        records: list[dict[str, Any]] = answer.json()[what]
        return records

    def leads(self) -> "Counter[tuple[str, str, str]]":
        """How often it took each lead: (campaign, phone, ScheduledTime)."""
        return Counter(
            (lead["campaign"], lead["phone"], lead["fields"].get("ScheduledTime", ""))
            for lead in self.look("leads")
        )

    def misbehave(self, *faults: str) -> None:
        """These faults from now on, and no others."""
        self._http.delete("/sandbox/faults").raise_for_status()
        self._http.post("/sandbox/faults", json={"faults": list(faults)}).raise_for_status()

    def reset(self, *faults: str) -> None:
        """Forget everything."""
        self._http.post("/sandbox/reset").raise_for_status()
        self.misbehave(*faults)


def main(arguments: Sequence[str]) -> int:
    from ozodial.sandbox import Sandbox
    from ozodial.sandbox_memory import SandboxConfig
    from ozodial.sandbox_server import serve

    sandbox = Sandbox(SandboxConfig(pace_scale=float(arguments[0])))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(sandbox, on_ready=lambda url: print(url, flush=True))  # noqa: T201 - its only output
    return 0


def _end_with_parent() -> None:
    """Whatever ends the harness closes our stdin: nobody is left behind."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
