"""One message at the end of a command, to whatever service a URL names; by `apprise`, an extra.

Listens to the events of a command and sends when it is over: counts, what went wrong, the next
command; no leads. A message that can't be sent is a warning and changes nothing. The URLs may hold
passwords, so they are never shown.
"""

import logging
from collections.abc import Sequence

from ozodial.errors import ExitCode
from ozodial.events import ErrorEvent, Event, RunEvent, SummaryEvent
from ozodial.logfile import scrubbed
from ozodial.models import State
from ozodial.plain import run_lines
from ozodial.words import clipped, harmless, plural, summary_line

ALWAYS, PROBLEMS = "always", "problems"
"""When to send: after each run, or only if it did not end with exit code 0."""

_IN = (State.ACCEPTED, State.QUEUED, State.ALREADY_ACCEPTED)


class Notifier:
    """Collects what a command tells, and sends it."""

    def __init__(self, urls: Sequence[str], on: str) -> None:
        self._urls = urls
        self._on = on
        self._run: RunEvent | None = None
        self._errors: list[ErrorEvent] = []
        self._summary: SummaryEvent | None = None

    def show(self, event: Event) -> None:
        """Keep what belongs into the message."""
        if isinstance(event, RunEvent):
            self._run = event
        elif isinstance(event, ErrorEvent):
            self._errors.append(event)
        elif isinstance(event, SummaryEvent):
            self._summary = event

    def send(self, code: ExitCode) -> list[str]:
        """Send the message if it is wanted; a sentence for each service that did not take it."""
        dry = self._run is not None and self._run.dry
        over = self._summary is not None or bool(self._errors)
        if not self._urls or not over or dry or (self._on == PROBLEMS and code is ExitCode.OK):
            return []
        try:
            return self._deliver(code)
        except Exception as fault:  # whatever a service's module does, the leads are where they are
            return [f"the notification failed ({type(fault).__name__})"]

    def title(self, code: ExitCode) -> str:
        """`ozodial: Diwali: 438 of 450 leads are in`, and the exit code if it is not 0."""
        said = "nothing was sent"
        if self._summary is not None:
            done = sum(self._summary.counts.get(state, 0) for state in _IN)
            said = f"{done} of {plural(self._summary.rows, 'lead')} are in"
        if self._run is not None:
            said = f"{clipped(self._run.campaign)}: {said}"
        return f"ozodial: {said}" + (f" (exit {int(code)})" if code else "")

    def body(self) -> str:
        """What ran, the counts, what went wrong, the next command to type."""
        lines = run_lines(self._run)[:1] if self._run is not None else []
        hints = [self._summary.hint] if self._summary is not None else []
        if self._summary is not None:
            lines.append(summary_line(self._summary))
        for error in self._errors:
            lines.append(f"error: {clipped(error.message)}")
            hints.insert(0, error.hint)
        lines += [f"next: {clipped(hint)}" for hint in dict.fromkeys(hints) if hint][:1]
        return scrubbed("\n".join(lines))

    def _deliver(self, code: ExitCode) -> list[str]:
        try:
            import apprise
        except ImportError:
            said = "no notification was sent, the package that sends them is missing"
            return [f"{said}: pip install 'ozodial[notify]'"]
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it may show a URL
        kind = apprise.NotifyType.WARNING if code else apprise.NotifyType.SUCCESS
        failed = []
        for number, url in enumerate(self._urls, 1):
            service = apprise.Apprise()
            which = f"notification {number} ({harmless(url.partition(':')[0][:20])}:…)"
            if not service.add(url):
                failed.append(f"{which} was not sent: apprise knows no such URL")
            elif not service.notify(title=self.title(code), body=self.body(), notify_type=kind):
                failed.append(f"{which} was not taken; look at its URL and the network")
        return failed
