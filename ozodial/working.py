"""`ozodial work`: takes part in every run of the ledger that it has the credentials for.

Each run is sent by a thread with a lease of its own, as a `resume` of it would be, so that accounts
don't wait for each other and one run's trouble ends no other. What ended in trouble is left alone
for a while, or for good where another try would only do harm.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO, cast

from ozodial import settings as config
from ozodial.commands import access_of_run, take_part
from ozodial.errors import ExitCode, OzodialError
from ozodial.events import ErrorEvent, NoticeEvent
from ozodial.opening import Given, guarded, open_ledger, open_place
from ozodial.render import Viewer, Viewing, open_viewer
from ozodial.signals import catch_signals

if TYPE_CHECKING:
    from ozodial.crew import Stop
    from ozodial.ledger import Ledger
    from ozodial.staging import Run

LOOK_SECONDS = 1.0
"""How often to look for runs to take part in."""

REST_SECONDS = 60.0
"""How long a run is left alone that was stopped by the network or the API."""

WORST_FIRST = (
    *(ExitCode.BUG, ExitCode.UNKNOWN_ROWS, ExitCode.STOPPED),
    *(ExitCode.REFUSED, ExitCode.PROBLEM_ROWS, ExitCode.OK),
)


def work(given: Given, *, until_empty: bool) -> ExitCode:
    """Send what any run has ready, until told to stop, or until there is nothing left."""
    given = replace(given, view=replace(given.view, live=False))
    return guarded(given.view, lambda viewer: _work(given, viewer, until_empty))


def _work(given: Given, viewer: Viewer, until_empty: bool) -> ExitCode:
    settings = config.load(given.flags, given.profile)
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings, sandbox=False))
        stop = stack.enter_context(catch_signals())
        ledger.outage.halt = stop.halt
        crew = _Crew(given, settings, viewer)
        stop.wake = lambda: crew.ask(stop)
        try:
            while not stop.halt.is_set():
                crew.join_runs(ledger)
                if until_empty and not crew.at_work:
                    break
                stop.halt.wait(LOOK_SECONDS)
            if stop.halt.is_set():
                crew.ask(stop)  # those, too, that began after the signal
        except BaseException:
            crew.ask(stop)
            raise
        finally:
            crew.wait()
        if crew.idle and stop.exit_code is None:
            viewer.show(NoticeEvent("no run has rows that are ready to be sent"))
        return stop.exit_code or crew.worst()


class _Crew:
    """The runs that this process takes part in, a thread each."""

    def __init__(self, given: Given, settings: config.Settings, viewer: Viewer) -> None:
        self._given = given
        self._settings = settings
        self._viewer = viewer
        self._lines = threading.Lock()
        self._threads: dict[int, threading.Thread] = {}
        self._stops: dict[int, Stop] = {}
        self._codes: dict[int, ExitCode] = {}
        self._rests_until: dict[int, float] = {}
        self._bugs: list[BaseException] = []
        self._asking = threading.Lock()
        self._asked: dict[int, int] = {}

    @property
    def idle(self) -> bool:
        """Whether it never had anything to do."""
        return not self._threads

    @property
    def at_work(self) -> bool:
        """Whether any run is being sent."""
        return any(thread.is_alive() for thread in self._threads.values())

    def join_runs(self, ledger: "Ledger") -> None:
        """Begin with every run that has rows ready, that is ours and that does not rest."""
        from ozodial.crew import Stop
        from ozodial.staging import Staging

        staging = Staging(ledger)
        ledger.reap()
        for run_id in staging.all_ready():
            thread = self._threads.get(run_id)
            if thread is not None and thread.is_alive():
                continue
            if time.monotonic() < self._rests_until.get(run_id, 0.0):
                continue
            said = _why_not(staging.run(run_id), self._given)
            if said is not None:
                self._rests_until[run_id] = float("inf")
                self._viewer.show(NoticeEvent(f"run {run_id} is left to others: {said}"))
                continue
            self._stops[run_id] = Stop()
            self._asked.pop(run_id, None)
            name = f"run {run_id}"
            thread = threading.Thread(target=self._take, args=(run_id,), name=name, daemon=True)
            self._threads[run_id] = thread
            thread.start()
        if self._bugs:
            raise self._bugs[0]

    def ask(self, stop: "Stop") -> None:
        """Pass on that the process is to stop; to each run as often as it was told to."""
        code = stop.exit_code or ExitCode.TERMINATED
        with self._asking:
            for run_id, each in list(self._stops.items()):
                for _ in range(self._asked.get(run_id, 0), 2 if stop.at_once else 1):
                    self._asked[run_id] = self._asked.get(run_id, 0) + 1
                    each.ask(code)

    def wait(self) -> None:
        """Until every run's requests in flight are recorded."""
        for thread in self._threads.values():
            thread.join()

    def worst(self) -> ExitCode:
        """The exit code that says most of all runs'."""
        if self._bugs:
            raise self._bugs[0]
        found = set(self._codes.values()) | {ExitCode.OK}
        return next(code for code in WORST_FIRST if code in found)

    def _take(self, run_id: int) -> None:
        from ozodial.staging import Staging

        stop = self._stops[run_id]
        with open_viewer(self._view(run_id)) as viewer:
            try:
                with open_ledger(self._settings, sandbox=False) as ledger, ledger.lease():
                    run = Staging(ledger).run(run_id)
                    code = take_part(run, self._given, ledger, viewer, stop)
            except OzodialError as error:
                viewer.show(ErrorEvent(error.message, error.hint))
                code = error.exit_code
            except BaseException as error:  # the main thread raises it
                self._bugs.append(error)
                return
        self._codes[run_id] = code
        self._rests_until[run_id] = time.monotonic() + _rest(code)

    def _view(self, run_id: int) -> Viewing:
        view = self._given.view
        prefix = "" if view.json else f"run {run_id} | "
        streams: Mapping[str, Any] = {
            name: cast(TextIO, _Lines(stream, self._lines, prefix)) if stream else None
            for name, stream in (("stdout", view.stdout), ("stderr", view.stderr))
        }
        return replace(view, **streams)


def _why_not(run: "Run", given: Given) -> str | None:
    """Why this process can't take part in a run: its account is another, or it has no key."""
    try:
        settings = config.load(given.flags, given.profile or run.options.profile)
        name = settings.text("user_name")
        if name not in (None, run.options.user_name):
            return f"its account is {run.options.user_name}'s, not {name}'s"
        with open_place(given, settings, run) as place:
            access_of_run(settings, run, place, run.resume_command)
    except OzodialError as error:
        return error.message.rstrip(".")
    return None


def _rest(code: ExitCode) -> float:
    """Seconds; a sick or refusing vendor is a person's business."""
    if code in (ExitCode.OK, ExitCode.PROBLEM_ROWS):
        return 0.0
    return REST_SECONDS if code is ExitCode.STOPPED else float("inf")


class _Lines:
    """A stream that several runs write to, whole lines at a time."""

    def __init__(self, stream: TextIO, lock: threading.Lock, prefix: str) -> None:
        self._stream = stream
        self._lock = lock
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """The text, with the run's number before each line."""
        with self._lock:
            lines = text.splitlines(keepends=True)
            return self._stream.write("".join(f"{self._prefix}{line}" for line in lines))

    def flush(self) -> None:
        """As the stream does."""
        with self._lock:
            self._stream.flush()
