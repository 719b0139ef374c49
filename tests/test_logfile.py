"""The log file of a cron line: all that happened, no secret, no full phone number."""

import errno
import logging
import re
import stat
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from ozodial import logfile
from ozodial.errors import UsageError
from ozodial.events import NoticeEvent, RowEvent
from ozodial.logfile import LogFile, scrubbed
from ozodial.models import State
from ozodial.sandbox_server import ServerHandle
from tests.command import Desk, sheet

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \d+ (INFO|WARNING|ERROR) \S.*")
FULL = re.compile(r"\d{8,}")


class Full(TextIOWrapper):
    """A file on a disk that is full."""

    def __init__(self) -> None:
        super().__init__(BytesIO())

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def logged(desk: Desk, name: str = "cron.log") -> list[str]:
    lines = (desk.home / name).read_text(encoding="utf-8").splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    return [line.split(" ", 2)[2] for line in lines]


def test_a_quiet_run_is_written_down(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(250) + "98765432,Asha Nobody\n")
    done = desk.run("bulk-add", file, "--quiet", "--log-file", "cron.log")
    assert (done.code, done.out) == (4, "")
    counts, reasons, following = done.err.splitlines()
    assert "250 accepted, 1 invalid" in counts
    assert reasons == "reasons: 1 phone_invalid"
    assert following == "next: ozodial runs export 1 problems.csv --only invalid"
    lines = logged(desk)
    assert lines[0].startswith("INFO run 1: bulk-add v1 to campaign Diwali, file leads.csv: 251")
    assert "WARNING row 252: 98xxxx32: invalid: phone_invalid" in lines
    assert sum("rows answered in" in line for line in lines) == 2
    assert "250 accepted, 1 invalid" in lines[-1]
    assert lines[-1].startswith("ERROR run 1: 251 rows")
    text = "\n".join(lines)
    assert not FULL.search(text)
    assert "Asha" not in text
    assert stat.S_IMODE((desk.home / "cron.log").stat().st_mode) == 0o600


def test_verbose_has_every_row_masked_and_a_second_run_is_added(desk: Desk) -> None:
    desk.write("config.toml", '[profiles.default]\nlog_file = "cron.log"\n')
    file = desk.write("leads.csv", sheet(2))
    for _ in range(2):
        done = desk.run("bulk-add", file, "-v", OZODIAL_CONFIG="config.toml")
        assert done.code == 0
    lines = logged(desk)
    assert "INFO row 2: 98xxxxxx00: accepted: SuccessFully Updated" in lines
    assert sum(line.startswith("INFO run 1: 2 rows: 2 accepted") for line in lines) == 2


def test_rows_without_the_remark_that_quotes_their_cells(desk: Desk) -> None:
    text = "Mobile,Name\n9800100001 / 9800100002,Asha\n9800100003 ext 5,Uma\n"
    leads, log = desk.write("leads.csv", text), desk.home / "run.log"
    done = desk.run("bulk-add", leads, "--log-file", log, "-vv")
    told = [line for line in done.err.splitlines() if line.startswith("row ")]
    assert told == [
        "row 2: 98xxxxxx01: accepted: SuccessFully Updated",
        "row 3: 98xxxxxx03: accepted: SuccessFully Updated",
    ]
    kept = log.read_text(encoding="utf-8").splitlines()
    assert [line for line in told if any(each.endswith(line) for each in kept)] == told


def test_no_key_and_no_token_get_in(desk: Desk, vendor: ServerHandle) -> None:
    file = desk.write("leads.csv", sheet(3))
    words = ("--at", "tomorrow 10:00", "-vv", "--log-file", "cron.log")
    assert desk.run("schedule", file, *words).code == 0
    assert desk.run("bulk-add", file, "--log-file", "cron.log", OZODIAL_API_KEY="wrong-key").code
    text = "\n".join(logged(desk))
    assert "3141592653" not in text
    assert "wrong-key" not in text
    assert not any(token in text for token in vendor.sandbox.tokens)
    assert "next: " in text


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (["no-such.csv"], {}, "no-such.csv"),
        (["leads.csv"], {"OZODIAL_API_KEY": ""}, "No API key"),
        (["leads.csv"], {"OZODIAL_PROFILE": "nobody"}, "There is no profile"),
        (["leads.csv", "--map", "Foo=Name"], {}, "Foo"),
    ],
)
def test_what_goes_wrong_before_the_run_is_written_down_too(
    desk: Desk, words: list[str], settings: dict[str, str], said: str
) -> None:
    desk.write("leads.csv", sheet(1))
    done = desk.run("bulk-add", *words, "--quiet", "--log-file", "cron.log", **settings)
    assert done.code != 0
    assert said in done.err
    assert said in logged(desk)[0]


@pytest.mark.parametrize("name", ["no/such/x.log", "."])
def test_a_log_that_cannot_be_is_said_before_anything_is_sent(
    desk: Desk, vendor: ServerHandle, name: str
) -> None:
    done = desk.run("bulk-add", desk.write("leads.csv", sheet(1)), "--log-file", name)
    assert (done.code, vendor.sandbox.requests) == (2, ())
    assert "next: " in done.err


def test_a_full_disk_is_told_once_and_stops_nothing(desk: Desk, vendor: ServerHandle) -> None:
    full = desk.home / "full.log"
    full.symlink_to("/dev/full")
    refused = desk.run("bulk-add", desk.write("leads.csv", sheet(2)), "--log-file", "full.log")
    assert (refused.code, vendor.sandbox.leads) == (2, ())  # no ordinary file
    told: list[str] = []
    log = LogFile(desk.home / "x.log", 0, told.append)
    stream = log._handler.stream
    log._handler.stream = Full()
    for _ in range(3):
        log.show(NoticeEvent("a fact"))
    log._handler.stream.close()
    log._handler.stream = stream
    log.close()
    assert told == [f"the log file {desk.home / 'x.log'} can't be written any more"]


def test_it_is_rotated_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "BYTES", 2_000)
    log = LogFile(tmp_path / "x.log", 1, lambda _: None)
    for row in range(300):
        log.show(RowEvent(1, row, "9876543210", State.ACCEPTED, None, "ok"))
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["x.log", *(f"x.log.{copy}" for copy in range(1, 6))]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    assert all(path.stat().st_size <= 2_000 for path in tmp_path.iterdir())
    assert logging.getLogger("ozodial").handlers == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("call 9876543210 now", "call 98xxxxxx10 now"),
        ("+91 98765-43210, 022 2345 6789", "+91 xxxxx-xxx10, 02x xxxx xx89"),
        ('"98765 432" is short', '"98xxx x32" is short'),
        ("1234567", "xxxxxxx"),
        ("2026-11-22 10:00:00 and 2026-11-22", "2026-11-22 10:00:00 and 2026-11-22"),
        ("450 rows, 3 requests, 61.5 s; row 123456", "450 rows, 3 requests, 61.5 s; row 123456"),
    ],
)
def test_phones_are_masked_wherever_they_stand(text: str, clean: str) -> None:
    assert scrubbed(text) == clean


def test_a_refused_path_names_the_next_step(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    with pytest.raises(UsageError) as refused:
        LogFile(folder, 0, lambda _: None)
    assert "ozodial.log" in str(refused.value.hint)


def test_notices_without_what_they_quote_of_cells(desk: Desk) -> None:
    text = "Mobile,Name\n9800100001,Zoë & Asha\n9800100002,Uma\nTotal of Radhika,\n"
    leads, log = desk.write("leads.csv", text), desk.home / "run.log"
    done = desk.run("bulk-add", leads, "--api", "v4", "--log-file", log)
    assert done.code == 0
    assert "1 row is sent with a remark: B2: " in done.err
    assert "passed over as no leads: row 4 " in done.err
    lines = logged(desk, "run.log")
    assert "INFO 1 row is sent with a remark" in lines
    assert "INFO passed over as no leads" in lines
    assert not [line for line in lines if "Zo" in line or "Radhika" in line]
