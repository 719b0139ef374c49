"""A ledger on a server that several hosts share: restarts, frozen writers, clocks that differ."""

import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from ozodial.claims import BatchResult
from ozodial.client import Client
from ozodial.crew import Stop, Wire
from ozodial.database import open_engine
from ozodial.endpoints import Access, endpoint
from ozodial.errors import ExitCode, LedgerAwayError, LedgerError, LedgerFullError
from ozodial.events import Event, SummaryEvent
from ozodial.ledger import Ledger
from ozodial.models import Outcome, State
from ozodial.postgres import DatabaseClock
from ozodial.slots import Slots, answered
from ozodial.upload import send
from tests.book import KEY, Book
from tests.conftest import FakeClock
from tests.harness import model
from tests.harness.audit import audit, ledger_rows, query
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1
from tests.harness.operator import Command, until
from tests.harness.server import Postgres
from tests.harness.vendor import Vendor

README = Path(__file__).parents[1] / "README.md"
PHONES = [f"98100000{i:02}" for i in range(20)]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that may be stopped without troubling other tests."""
    with Postgres() as server:
        yield server


def test_the_model_holds(postgres: Postgres) -> None:
    assert model.run(5, 15, model.on(postgres)) > 50


def test_a_crowd(vendor: Vendor, url: str, tmp_path: Path) -> None:
    vendor.reset("latency=0.02")
    one = str(write_leads(tmp_path / "one.csv", phones(600)))
    two = str(write_leads(tmp_path / "two.csv", phones(600, first=300)))
    commands = [
        ["bulk-add", one, *V1[1:]],
        ["bulk-add", one, *V1[1:]],
        ["bulk-add", two, *V1[1:]],
        ["schedule", one, *SCHEDULE[1:], "--parallel", "4"],
        ["schedule", two, *SCHEDULE[1:]],
    ]
    with ExitStack() as stack:
        running = [stack.enter_context(Command(words, url, vendor.url)) for words in commands]
        assert [command.wait() for command in running] == [0] * 5
    assert vendor.look("violations") == []
    assert len(vendor.look("tokens")) == 1
    assert len(vendor.leads()) == 2 * 900
    assert audit(url, vendor.leads()) == []


# --- the server goes and comes back ---


@pytest.mark.parametrize("down", [0.0, 1.5])
def test_a_server_that_is_restarted_in_mid_run(
    vendor: Vendor, own_server: Postgres, tmp_path: Path, down: float
) -> None:
    """Also when it is away for longer than the lease: nobody could renew meanwhile."""
    vendor.reset("latency=0.1")
    url = own_server.database()
    words = ["schedule", str(write_leads(tmp_path / "a.csv", phones(2_000))), *SCHEDULE[1:]]
    with (
        Command([*words, "--parallel", "2"], url, vendor.url, lease=1.0) as one,
        Command(words, url, vendor.url, lease=1.0) as two,
    ):
        assert one.await_event("run")
        assert two.await_event("run")
        for seen in (2, 6):
            one.until(lambda seen=seen: len(vendor.look("requests")) >= seen)  # type: ignore[misc]
            own_server.restart(down)
        assert (one.wait(), two.wait()) == (0, 0)
        assert "Traceback" not in one.errors + two.errors
    assert set(vendor.leads().values()) == {1}
    assert len(vendor.leads()) == 2_000
    told = Counter(line["row"] for command in (one, two) for line in command.events("row"))
    assert set(told.values()) == {1}  # every outcome was told, once
    assert len(told) == 2_000
    assert audit(url, vendor.leads()) == []


def test_a_server_that_stays_away(vendor: Vendor, own_server: Postgres, tmp_path: Path) -> None:
    vendor.reset("latency=0.3")
    url = own_server.database()
    file = str(write_leads(tmp_path / "a.csv", phones(500)))
    words = ["schedule", file, *SCHEDULE[1:]]
    with Command([*words, "--patience", "1"], url, vendor.url) as command:
        command.until(lambda: len(vendor.look("requests")) == 2)
        own_server.stop()
        assert command.wait() == 7
    (error,) = command.events("error")
    assert error["message"].startswith("The ledger's server can't be reached: ")
    assert error["hint"] == "ozodial resume 1"
    assert "the ledger's server" in str(command.events("wait")).lower()
    assert "Traceback" not in command.errors

    own_server.start()
    with Command(["resume", "1"], url, vendor.url) as again:
        assert again.wait() == 5
    # the request in flight was answered, and nobody could write it down
    assert (again.summary["accepted"], again.summary["unknown"]) == (400, 100)
    assert audit(url, vendor.leads()) == []


def test_ctrl_c_while_the_server_is_away(
    vendor: Vendor, own_server: Postgres, tmp_path: Path
) -> None:
    vendor.reset()
    url = own_server.database()
    words = ["bulk-add", str(write_leads(tmp_path / "a.csv", phones(900))), "--pace", "0.4"]
    with Command(words, url, vendor.url) as command:
        assert command.await_event("wait")
        own_server.stop()
        while command.events("wait")[-1]["why"] != "retry":
            assert command.await_event("wait", len(command.events("wait")) + 1)
        command.signal(signal.SIGINT)
        assert command.wait() == 130


class Mending(FakeClock):
    """Whoever waits finds the server back afterwards."""

    server: Postgres | None = None

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        server, self.server = self.server, None
        if server is not None:
            server.start()
        return super().wait(seconds, stop)


@pytest.mark.parametrize("wants_the_end", [False, True])
def test_a_server_that_goes_when_the_last_worker_has_ended(
    vendor: Vendor, own_server: Postgres, *, wants_the_end: bool
) -> None:
    vendor.reset()
    clock, stop = Mending(), Stop()

    class Breaking(threading.Event):
        def set(self) -> None:
            if not self.is_set():
                own_server.stop()
                clock.server = own_server
            super().set()

    with Book(own_server.database(), clock).opened() as desk:
        run = desk.run(PHONES, scheduled="2026-11-23 10:00:00")
        stop.halt = Breaking()
        with Client(vendor.url, 5.0, environment=False) as client:
            wire = Wire(client, Access("ops", "k-3141592653"), "token", 0.0, 5.0, 60.0)
            told: list[Event] = []
            if wants_the_end:
                stop.exit_code = ExitCode.INTERRUPTED
                with pytest.raises(LedgerAwayError):
                    told += send(run, desk.ledger, endpoint("schedule", "v1"), wire, stop)
                clock.wait(0.0, threading.Event())
                return
            told += send(run, desk.ledger, endpoint("schedule", "v1"), wire, stop)
        end = told[-1]
        assert isinstance(end, SummaryEvent)
        assert (end.exit_code, end.counts[State.ACCEPTED]) == (ExitCode.OK, len(PHONES))
    assert set(vendor.leads().values()) == {1}


def test_a_server_that_is_not_there(own_server: Postgres) -> None:
    url = own_server.database()
    own_server.stop()
    with pytest.raises(LedgerError, match="can't be used") as told:
        open_engine(url)
    assert "psql" in str(told.value.hint)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_that_got_no_answer(
    url: str, postgres: Postgres, clock: FakeClock, when: str
) -> None:
    """Its mark tells whether it was: what was not is done again, what was is not."""
    with Book(url, clock).opened() as desk:
        run = desk.run(PHONES)
        engine = desk.ledger.engine
        cut: list[int] = []

        def commit(connection: sa.Connection) -> None:
            if not cut:
                driver = connection.connection.driver_connection
                assert driver is not None
                cut.append(driver.info.backend_pid)
                if when == "after":
                    driver.commit()
                postgres.query(f"SELECT pg_terminate_backend({cut[0]}, 5000)")

        sa.event.listen(engine, "commit", commit)
        claim = desk.claim(run, 8)
        sa.event.remove(engine, "commit", commit)
        assert cut
        assert [lead.row for lead in claim.rows] == list(range(2, 10))
        assert desk.states(run) == {"sending": 8, "ready": 12}
        assert desk.all("SELECT number FROM batches") == [(1,)]
        desk.record(run, claim, State.ACCEPTED)
        assert desk.states(run) == {"accepted": 8, "ready": 12}


def test_nobody_keeps_a_transaction_open(
    vendor: Vendor, url: str, postgres: Postgres, tmp_path: Path
) -> None:
    vendor.reset("latency=0.5")
    words = ["bulk-add", str(write_leads(tmp_path / "a.csv", phones(500))), "--pace", "0.5"]
    states: Counter[str] = Counter()
    with Command(words, url, vendor.url) as command:
        command.until(lambda: len(vendor.look("requests")) == 1)
        while command.process.poll() is None:
            seen = "SELECT state, now() - xact_start > interval '0.3 s' FROM pg_stat_activity"
            states.update(
                state if not long else f"{state} for long"
                for state, long in postgres.query(f"{seen} WHERE application_name = 'ozodial'")
            )
        assert command.wait() == 0
    assert states["idle"] > 10
    assert not [state for state in states if "for long" in state]


def test_a_writer_that_is_frozen_in_a_transaction_is_cut_off(
    url: str, postgres: Postgres, clock: FakeClock
) -> None:
    with Book(url, clock).opened() as desk, Book(url, clock).opened() as other:
        run = desk.run(PHONES)
        found = desk.all("SHOW idle_in_transaction_session_timeout")
        assert found == [("15s",)]
        with suppress(LedgerAwayError), desk.ledger.write() as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            postgres.query(f"SELECT pg_terminate_backend({pid}, 5000)")  # what the time-out does
            assert len(other.claim(run, 4).rows) == 4
            connection.exec_driver_sql("SELECT 1")
            raise AssertionError("it went on")


# --- side by side ---


def test_accounts_and_campaigns_do_not_wait_for_each_other(url: str, clock: FakeClock) -> None:
    with Book(url, clock).opened() as desk, Book(url, clock).opened() as other:
        run, second = desk.run(PHONES), desk.run(PHONES, campaign="Holi")
        with desk.ledger.write(f"target {run.target_id}"):
            assert len(other.claim(second).rows) == 20
            Slots(other.ledger).take(KEY, 0, 60)
            Slots(other.ledger).begin_renewal("asha@host", None)
            thread = threading.Thread(target=lambda: other.claim(run))
            thread.start()
            assert until(lambda: bool(waiting(desk.ledger)))
        thread.join()
        assert other.states(run) == {"sending": 20}


def waiting(ledger: Ledger) -> list[object]:
    with ledger.read() as connection:
        found = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return list(connection.exec_driver_sql(found))


def test_a_turn_is_taken_by_one(url: str, clock: FakeClock) -> None:
    """The slot's first row is written by all at once, and its turn is one process's."""
    with ExitStack() as stack:
        desks = [stack.enter_context(Book(url, clock).opened()) for _ in range(6)]
        gate, taken = threading.Barrier(6), []

        def take(number: int) -> None:
            gate.wait()
            if Slots(desks[number].ledger).take(KEY, 30, 60).wait == 0:
                taken.append(number)

        threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == 1


# --- clocks ---


def test_hosts_whose_clocks_differ_by_days(url: str) -> None:
    early = FakeClock(wall=1_000_000.0, mono=10.0)
    late = FakeClock(wall=4_000_000_000.0, mono=9_999_999.0)
    with (
        closing(Ledger.open(url, early)) as one,
        closing(Ledger.open(url, late)) as two,
        one.lease(),
        two.lease(),
    ):
        two.reap()
        one.reap()
        assert query(url, "SELECT count(*) FROM owners WHERE gone") == [(0,)]
        assert Slots(one).take(KEY, 30, 60).wait == 0
        answer(one)
        wait = Slots(two).take(KEY, 30, 60)
        assert wait.why == "pace"
        assert 25 < wait.wait <= 30


def answer(ledger: Ledger) -> None:
    at = ledger.clock.instant()
    with ledger.write("") as connection:
        answered(connection, KEY, at, 0.0, ledger.owner)


def test_the_database_s_time_is_never_taken_for_later_than_it_is(url: str) -> None:
    """What is sampled is past; what is reckoned on is at most a round trip ahead."""
    engine = open_engine(url)
    clock = DatabaseClock(FakeClock())
    with engine.connect() as connection:
        before = clock.sample(connection).wall
        reckoned = clock.instant().wall
        after = clock.sample(connection).wall
    engine.dispose()
    assert before <= reckoned
    assert before <= after


# --- what a person meets ---


def test_any_usual_name_of_the_server_will_do(postgres: Postgres) -> None:
    url = postgres.database().replace("postgresql+psycopg:", "postgres:")
    engine = open_engine(url)
    assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_another_driver_is_refused() -> None:
    with pytest.raises(LedgerError, match="pg8000") as told:
        open_engine("postgresql+pg8000://ops:s3cret@host/ledger")
    assert "s3cret" not in told.value.message


def test_a_database_that_can_not_keep_names_is_refused(postgres: Postgres) -> None:
    made = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    postgres.query(f"CREATE DATABASE latin OWNER ozodial {made}")
    with pytest.raises(LedgerError, match="LATIN1"):
        open_engine(postgres.url.replace("/ozodial?", "/latin?"))


def test_a_role_that_may_only_change_rows_is_enough(postgres: Postgres, clock: FakeClock) -> None:
    """The README's grants, word for word but for the schema's and the role's names."""
    url = postgres.database()
    open_engine(url).dispose()
    schema = url.rpartition("%3D")[2]
    postgres.query(f"CREATE ROLE host_of_{schema} LOGIN")
    grants = re.findall(r"^GRANT (?:USAGE|SELECT)[^\n]*;$", README.read_text(), re.MULTILINE)
    assert len(grants) == 3
    for grant in grants:
        own = grant.replace("SCHEMA public", f"SCHEMA {schema}")
        postgres.query(own.replace("ozodial_host", f"host_of_{schema}"), "ozodial")
    with Book(url.replace("//ozodial@", f"//host_of_{schema}@"), clock).opened() as desk:
        run = desk.run(PHONES)
        Slots(desk.ledger).take(KEY, 30, 60)
        Slots(desk.ledger).begin_renewal("ops@host", None)
        desk.send(run)
        assert desk.states(run) == {"accepted": 20}
        with pytest.raises(LedgerFullError, match="denied"):
            forbidden(desk.ledger)


def forbidden(ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.exec_driver_sql("TRUNCATE rows")


def test_rows_come_out_as_they_went_in(url: str, clock: FakeClock) -> None:
    """COPY has its own marks for what is nothing, and for tabs and backslashes."""
    with Book(url, clock).opened() as desk:
        run = desk.run(["9810000000", "\\N", "a\tb\\c\nd", "नमस्ते 😀", "no\0thing"])
        assert [row.lead[1] for row in ledger_rows(url)] == [
            "9810000000",
            "\\N",
            "a\tb\\c\nd",
            "नमस्ते 😀",
            "no\ufffdthing",  # PostgreSQL has no such character
        ]
        assert desk.all("SELECT DISTINCT reason, batch_id, part FROM rows") == [(None, None, 0)]
        claim = desk.claim(run)
        assert len(claim.rows) == 5
        said = [Outcome(lead.row, State.REJECTED, None, "said\0so") for lead in claim.rows]
        result = BatchResult("answered", 1.0, clock.instant(), "said\0so")
        assert len(desk.of(run).record(claim, said, result, KEY)) == 5
        assert desk.messages(run) == {"said\ufffdso": 5}
