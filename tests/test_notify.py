"""The message at the end of a command, taken by a real HTTP server on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet

Message = dict[str, str]


class Inbox(ThreadingHTTPServer):
    """Takes JSON messages; answers `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages: list[Message] = []
        self.status = 200

    @property
    def url(self) -> str:
        """As apprise names it."""
        return f"json://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(content))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_one_message_at_the_end_with_the_counts(desk: Desk, inbox: Inbox) -> None:
    file = desk.write("leads.csv", sheet(250))
    done = desk.run("bulk-add", file, "--quiet", "--notify", inbox.url)
    assert (done.code, done.out, done.err) == (0, "", "")
    (message,) = inbox.messages
    assert message["title"] == "ozodial: Diwali: 250 of 250 leads are in"
    assert message["type"] == "success"
    assert "file leads.csv" in message["message"]
    assert "250 accepted" in message["message"]


def test_problems_come_with_the_next_command_and_without_leads(desk: Desk, inbox: Inbox) -> None:
    file = desk.write("leads.csv", sheet(2) + "98001,Asha Nobody\n")
    twice = (*("--notify", inbox.url), *("--notify", inbox.url))
    assert desk.run("bulk-add", file, *twice, "--notify-on", "problems").code == 4
    first, second = inbox.messages
    assert first == second
    assert first["title"] == "ozodial: Diwali: 2 of 3 leads are in (exit 4)"
    assert first["type"] == "warning"
    assert "next: ozodial runs export 1 problems.csv --only invalid" in first["message"]
    assert "98001" not in first["message"]
    assert "Asha" not in first["message"]


def test_on_problems_a_good_run_and_an_idle_one_are_silent(desk: Desk, inbox: Inbox) -> None:
    desk.write(
        "config.toml",
        f'[profiles.default]\nnotify = ["{inbox.url}"]\nnotify_on = "problems"\n',
    )
    config = {"OZODIAL_CONFIG": "config.toml"}
    file = desk.write("leads.csv", sheet(2))
    assert desk.run("bulk-add", file, **config).code == 0
    assert desk.run("resume", "--notify-on", "always", **config).code == 0  # nothing to do
    assert desk.run("bulk-add", file, "--dry-run", "--notify-on", "always", **config).code == 0
    assert inbox.messages == []
    assert desk.run("bulk-add", "gone.csv", "--campaign", "Holi", **config).code == 3
    (message,) = inbox.messages
    assert message["title"] == "ozodial: nothing was sent (exit 3)"
    assert "gone.csv" in message["message"]


def test_a_stopped_run_tells_how_it_goes_on(desk: Desk, inbox: Inbox, vendor: ServerHandle) -> None:
    vendor.stop()
    file = desk.write("leads.csv", sheet(2))
    words = ("--patience", "0", "--quiet", "--notify", inbox.url)
    assert desk.run("bulk-add", file, *words).code == 7
    (message,) = inbox.messages
    assert message["title"] == "ozodial: Diwali: 0 of 2 leads are in (exit 7)"
    assert "next: ozodial resume 1" in message["message"]


@pytest.mark.parametrize(
    "url", ["json://user:sesame@127.0.0.1:1", "no-such-service://sesame", "sesame", ""]
)
def test_a_message_that_cannot_be_sent_is_a_warning(
    desk: Desk, vendor: ServerHandle, url: str
) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(2)), "--notify", url, "--json")
    assert (done.code, done.summary["accepted"]) == (0, 2)
    assert done.err.count("warning: notification 1") == 1
    assert url == "sesame" or "sesame" not in done.err + done.out
    assert "Traceback" not in done.err


def test_a_service_that_says_no_is_a_warning_and_the_others_are_told(
    desk: Desk, inbox: Inbox
) -> None:
    inbox.status = 500
    words = ("--notify", "json://127.0.0.1:1", "--notify", inbox.url, "--quiet")
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(2)), *words)
    assert done.code == 0
    assert len(inbox.messages) == 1
    assert done.err.count("was not taken") == 2


def test_a_wrong_word_is_usage(desk: Desk) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(1)), "--notify-on", "never")
    assert done.code == 2
    assert "--notify-on always" in done.err


def test_a_missing_package_is_a_warning(desk: Desk, vendor: ServerHandle) -> None:
    hidden = desk.home / "hidden" / "apprise"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not here')\n")
    file = desk.write("leads.csv", sheet(2))
    done = desk.run("bulk-add", file, "--notify", "json://x", PYTHONPATH=str(hidden.parent))
    assert (done.code, len(vendor.sandbox.leads)) == (0, 2)
    assert "pip install 'ozodial[notify]'" in done.err
