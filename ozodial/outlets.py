"""Who else is told of a command beside its screen: a log file, and a message when it is over.

`told` is `guarded` with both around it. Neither changes what the command does, or its exit code.
"""

from collections.abc import Callable
from dataclasses import replace

from ozodial import settings as config
from ozodial.errors import ExitCode, OzodialError
from ozodial.events import ErrorEvent
from ozodial.logfile import LogFile
from ozodial.notify import ALWAYS, PROBLEMS, Notifier
from ozodial.opening import Given, guarded
from ozodial.outfile import at_home
from ozodial.render import Viewer, show_warning


def told(given: Given, work: Callable[[Viewer], ExitCode]) -> ExitCode:
    """Run a command with its viewer, its log file and its notifications."""

    def warn(text: str) -> None:
        show_warning(given.view.stderr, text)

    try:
        settings = _settings(given)
        notifier = _notifier(given, settings)
        log = _log_file(given, settings, warn)
    except OzodialError as error:
        refused = error
        return guarded(given.view, lambda _viewer: _raise(refused))
    code = ExitCode.BUG
    try:
        code = guarded(replace(given.view, listeners=(*log, notifier)), work)
    except Exception as fault:  # the message must go out all the same
        notifier.show(ErrorEvent(f"this is a bug in ozodial ({type(fault).__name__})"))
        raise
    finally:
        for each in log:
            each.close()
        for failure in notifier.send(code):
            warn(failure)
    return code


def _settings(given: Given) -> config.Settings:
    """The settings; without the config file where that is what is wrong, as the command tells."""
    try:
        return config.load(given.flags, given.profile)
    except OzodialError:
        return config.load(given.flags, None, with_file=False)


def _notifier(given: Given, settings: config.Settings) -> Notifier:
    on = settings.choice("notify_on", (ALWAYS, PROBLEMS))
    return Notifier(given.notify or settings.notify, on)


def _log_file(
    given: Given, settings: config.Settings, warn: Callable[[str], None]
) -> tuple[LogFile, ...]:
    path = settings.text("log_file")
    if path is None:
        return ()
    return (LogFile(at_home(path), given.view.verbosity, warn),)


def _raise(error: OzodialError) -> ExitCode:
    raise error
