"""`ozodial work` and `resume` on several hosts: they share runs, and outlive each other."""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.audit import audit, ledger_rows, query
from tests.harness.files import phones, write_leads
from tests.harness.kills import SCHEDULE, V1
from tests.harness.operator import Command, until
from tests.harness.server import Postgres
from tests.harness.vendor import Vendor

LEASE = 3.0


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that may be stopped without troubling other tests."""
    with Postgres() as server:
        yield server


class Centre:
    """A contact centre with two accounts, each a profile with a key of its own."""

    def __init__(self, folder: Path, place: str, vendor: Vendor) -> None:
        self.folder = folder
        self.place = place
        self.vendor = vendor
        profiles = []
        for name in ("ops", "asha"):
            (folder / f"{name}.key").write_text(f"key-of-{name}")
            (folder / f"{name}.key").chmod(0o600)
            profiles += [
                f"[profiles.{name}]",
                f'user_name = "{name}"',
                f'api_key_file = "{folder / name}.key"',
            ]
        self.config = folder / "config.toml"
        self.config.write_text("\n".join(profiles))

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "OZODIAL_CONFIG": str(self.config),
            "OZODIAL_USER_NAME": "",
            "OZODIAL_API_KEY": "",
        }

    def stage(self, profile: str, words: tuple[str, ...], leads: list[str]) -> None:
        """A run of which nothing could be sent yet."""
        self.vendor.misbehave("http-503")
        file = str(write_leads(self.folder / f"{profile}-{words[0]}.csv", leads))
        command = [words[0], file, *words[1:], "--profile", profile, "--patience", "0"]
        with self.command(command) as staging:
            assert staging.wait() == 7, staging.errors
        Path(file).unlink()  # no other host has it
        self.vendor.misbehave()

    def command(
        self, words: list[str], lease: float | str | None = None, freeze: str = "-", group: int = 0
    ) -> Command:
        """A command on one of the hosts; `group` is the process group that it joins, 0 its own."""
        return Command(
            words,
            self.place,
            self.vendor.url,
            lease=lease,
            freeze=freeze,
            environment=self.environment,
            group=group,
        )


def test_a_worker_takes_what_it_has_credentials_for(
    vendor: Vendor, place: str, tmp_path: Path
) -> None:
    vendor.reset()
    centre = Centre(tmp_path, place, vendor)
    centre.stage("ops", SCHEDULE, phones(250))
    centre.stage("asha", V1, phones(450, first=1_000))
    (tmp_path / "asha.key").unlink()
    with centre.command(["work", "--until-empty", "--pace", "0.1", "-v"]) as worker:
        assert worker.wait() == 0
    assert [line["run"] for line in worker.events("summary")] == [1]
    assert worker.summary["accepted"] == 250
    assert "run 2 is left to others: The key file" in worker.errors

    (tmp_path / "asha.key").write_text("key-of-asha")
    (tmp_path / "asha.key").chmod(0o600)
    with centre.command(["work", "--until-empty", "--pace", "0.1"]) as worker:
        assert worker.wait() == 0
    assert [line["run"] for line in worker.events("summary")] == [2]
    assert vendor.look("violations") == []
    assert audit(place, vendor.leads()) == []


def test_a_key_of_one_account_is_never_used_for_another(
    vendor: Vendor, place: str, tmp_path: Path
) -> None:
    vendor.reset()
    centre = Centre(tmp_path, place, vendor)
    centre.stage("asha", SCHEDULE, phones(50))
    before = len(vendor.look("requests"))
    own = {**centre.environment, "OZODIAL_USER_NAME": "ops", "OZODIAL_API_KEY": "key-of-ops"}
    with Command(["work", "--until-empty", "-v"], place, vendor.url, environment=own) as worker:
        assert worker.wait() == 0
    assert "its account is asha's, not ops's" in worker.errors
    assert len(vendor.look("requests")) == before


def test_a_worker_goes_on_until_it_is_stopped(vendor: Vendor, place: str, tmp_path: Path) -> None:
    vendor.reset()
    centre = Centre(tmp_path, place, vendor)
    with centre.command(["work"]) as worker:
        centre.stage("ops", SCHEDULE, phones(150))
        worker.until(lambda: len(vendor.leads()) == 150)
        centre.stage("asha", SCHEDULE, phones(150, first=1_000))
        vendor.misbehave("latency=0.4")
        worker.until(lambda: len(vendor.leads()) > 150 or _open(vendor))
        worker.signal(signal.SIGINT)
        assert worker.wait() == 130
    # what was in flight ended and was recorded
    assert audit(place, vendor.leads()) == []
    assert {row.state for row in ledger_rows(place)} <= {"accepted", "ready"}


def _open(vendor: Vendor) -> bool:
    return any(request["outcome"] == "open" for request in vendor.look("requests"))


def test_a_person_is_told_which_run_a_line_is_of(
    vendor: Vendor, place: str, tmp_path: Path
) -> None:
    vendor.reset()
    centre = Centre(tmp_path, place, vendor)
    centre.stage("ops", SCHEDULE, phones(50))
    with Command(
        ["work", "--until-empty"],
        place,
        vendor.url,
        environment=centre.environment,
        json_lines=False,
    ) as worker:
        assert worker.wait() == 0
    assert worker.errors.splitlines()[0].startswith("run 1 | run 1 goes on: schedule to campaign")
    assert "run 1 | batch 2 of 2: 50 rows answered" in worker.errors


def test_resume_on_another_host_joins(vendor: Vendor, place: str, tmp_path: Path) -> None:
    vendor.reset()
    centre = Centre(tmp_path, place, vendor)
    centre.stage("ops", SCHEDULE, phones(1_200))
    vendor.misbehave("latency=0.2")
    with (
        centre.command(["resume", "1"], lease=f"{LEASE}@east") as one,
        centre.command(["resume", "1"], lease=f"{LEASE}@west") as two,
    ):
        assert (one.wait(), two.wait()) == (0, 0)
    told = [len(command.events("row")) for command in (one, two)]
    assert sum(told) == 1_200
    assert min(told) > 0
    assert audit(place, vendor.leads()) == []


def test_workers_on_three_hosts_outlive_a_kill_a_freeze_and_a_restart(
    vendor: Vendor, own_server: Postgres, tmp_path: Path
) -> None:
    vendor.reset()
    place = own_server.database()
    centre = Centre(tmp_path, place, vendor)
    centre.stage("ops", SCHEDULE, phones(1_000))
    centre.stage("asha", SCHEDULE, phones(1_000, first=10_000))
    centre.stage("ops", V1, phones(1_000, first=20_000))
    centre.stage("asha", V1, phones(1_000, first=30_000))
    staged = len(vendor.look("requests"))
    vendor.misbehave("latency=0.15")
    words = ["work", "--until-empty", "--pace", "0.1"]
    with ExitStack() as stack:
        workers = []
        for host in ("north", "south", "west"):
            group = 0
            for number in range(2):
                freeze = "claim" if (host, number) == ("south", 0) else "-"
                command = centre.command(words, f"{LEASE}@{host}", freeze, group)
                workers.append(stack.enter_context(command))
                group = group or command.process.pid
        killed, _, frozen, *_ = workers
        assert len({os.getpgid(worker.process.pid) for worker in workers}) == 3
        frozen.until_frozen()
        killed.until(lambda: len(vendor.look("requests")) > staged)
        killed.kill()
        own_server.restart(0.5)
        gone = "SELECT count(*) FROM owners WHERE gone AND host LIKE 'south%'"
        assert until(lambda: query(place, gone) != [(0,)])
        frozen.signal(signal.SIGCONT)
        codes = Counter(worker.wait(120) for worker in workers)

    assert codes.pop(-9) == 1
    assert set(codes) <= {0, 5}, [worker.errors[-1_000:] for worker in workers]
    for worker in workers:
        assert "Traceback" not in worker.errors
    assert vendor.look("violations") == []
    assert set(vendor.leads().values()) == {1}
    assert audit(place, vendor.leads()) == []
    states = Counter(row.state for row in ledger_rows(place))
    assert set(states) <= {"accepted", "unknown"}
    # what one process had in flight when it was killed: a request a run at most
    assert states["unknown"] <= 100 + 100 + 200 + 200
    assert sum(states.values()) == 4_000
