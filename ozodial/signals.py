"""Ctrl-C, TERM and a closed terminal as a request to stop."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ozodial.crew import Stop
from ozodial.errors import ExitCode


@contextmanager
def catch_signals() -> Iterator[Stop]:
    """Ctrl-C and TERM (and a closed terminal) ask the run to stop, instead of breaking it off."""
    stop = Stop()
    codes = {int(signal.SIGINT): ExitCode.INTERRUPTED, int(signal.SIGTERM): ExitCode.TERMINATED}
    if hasattr(signal, "SIGHUP"):  # not on Windows
        codes[int(signal.SIGHUP)] = ExitCode.TERMINATED
    # A handler in Python has to wait for the main thread, which may just have gone to sleep on its
    # queue; what the interpreter writes at once, a thread of our own reads.
    near, far = socket.socketpair()
    far.setblocking(False)

    def listen() -> None:
        while numbers := near.recv(16):
            for number in numbers:
                if number in codes:
                    stop.ask(codes[number])

    listener = threading.Thread(target=listen, name="ozodial-signals", daemon=True)
    before = {number: signal.signal(number, _noted) for number in codes}
    waker = signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
    listener.start()
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(waker)
        for number, handler in before.items():
            signal.signal(number, handler)
        far.close()
        listener.join()
        near.close()


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Whoever listens has been told already."""
