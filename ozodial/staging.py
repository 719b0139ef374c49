"""Runs in the ledger: begun, filled with rows, opened for sending, found again, cancelled.

Rows come in as `StagedRow`s in any number; nothing depends on the file once a run is open. A run
that is still being staged belongs to its owner alone, and is discarded when that owner dies.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.address import SANDBOX
from ozodial.errors import StoppedError, UsageError
from ozodial.lasting import lasting
from ozodial.ledger import Ledger
from ozodial.marking import mark_accepted_before
from ozodial.models import StagedRow, State, Target
from ozodial.schema import batches, rows, runs, targets
from ozodial.writing import TOGETHER, Lot, lots, rows_in, write_rows

CHUNK = 200 * TOGETHER
"""Rows a transaction: whole lots."""

PART = "/"
"""In a fingerprint, before the --limit: what stands before it is that of the whole file."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What shapes the sending of a run, kept with it so that `resume` needs no flags for it.

    `settings` tell a person how the run was made: (name, value, where it came from), no secrets.
    `purged` is when its personal data were removed, in seconds since 1970.
    `when` is the ScheduledTime that leads without one got; `left_out` rows of the file stay out of
    the run by --limit.
    """

    user_name: str
    base_url: str
    timezone: str
    check_duplicate: bool
    resend: bool = False
    profile: str | None = None
    settings: tuple[tuple[str, str, str], ...] = ()
    purged: float | None = None
    when: str | None = None
    left_out: int = 0

    @classmethod
    def read(cls, text: str) -> "RunOptions":
        """Out of the JSON that the ledger keeps."""
        said = json.loads(text)
        settings = tuple((name, value, source) for name, value, source in said.pop("settings", ()))
        return cls(**said, settings=settings)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be staged. `fingerprint` is equal for the same command on the same file."""

    target: Target
    api: str
    file: str
    fingerprint: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    options: RunOptions


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the ledger has it; `created` is seconds since 1970."""

    id: int
    target_id: int
    target: Target
    api: str
    file: str
    state: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    options: RunOptions
    created: float

    @property
    def resume_command(self) -> str:
        """What a person types to go on with this run."""
        sandbox = " --sandbox" if self.target.account.endswith(f"@{SANDBOX}") else ""
        return f"ozodial resume {self.id}{sandbox}"


class Staging:
    """Begins, fills and finds runs in one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @lasting
    def find(self, fingerprint: str) -> tuple[int, bool] | None:
        """The latest run of the same command on the same file: (run, still being staged)."""
        with self._ledger.read() as connection:
            return self._find(connection, fingerprint)

    @lasting
    def part_of_same(self, fingerprint: str) -> Run | None:
        """The latest run of the same command on the same file with another --limit, or none."""
        with self._ledger.read() as connection:
            alike = runs.c.fingerprint.startswith(fingerprint.partition(PART)[0], autoescape=True)
            latest = sa.select(sa.func.max(runs.c.id)).where(alike, runs.c.state == "open")
            found = connection.scalar(latest)
            return _run(connection, found) if found is not None else None

    @lasting
    def begin(self, new: NewRun) -> int | None:
        """Start staging; None if another process was first with the same fingerprint."""
        with self._ledger.write() as connection:
            if self._find(connection, new.fingerprint) is not None:
                return None
            return self._insert(connection, new)

    def add(self, run_id: int, staged: Iterable[StagedRow]) -> Iterator[int]:
        """Stage rows, a transaction for each chunk; yields the number of rows so far."""
        source, done = lots(staged), 0
        while chunk := list(islice(source, CHUNK // TOGETHER)):
            self._add(run_id, chunk)
            done += rows_in(chunk)
            yield done

    @lasting
    def _add(self, run_id: int, chunk: Sequence[Lot]) -> None:
        with self._ledger.write("", hasty=True) as connection:
            self._check_mine(connection, run_id)
            write_rows(connection, run_id, chunk)

    @lasting
    def finish(self, run_id: int, left_out: int = 0) -> None:
        """Open a staged run for sending; leads that went in earlier become `already_accepted`.

        `left_out` rows of its file were not staged.
        """
        with self._ledger.write(f"run {run_id}") as connection:
            self._complete(connection, run_id, left_out)
            opened = runs.update().where(runs.c.id == run_id)
            connection.execute(opened.values(state="open", owner_id=None))

    def preview(self, run_id: int, left_out: int = 0) -> Run:
        """What `finish` would mark, for a look at a run that may be discarded afterwards."""
        with self._ledger.write() as connection:
            self._complete(connection, run_id, left_out)
            return _run(connection, run_id)

    def _complete(self, connection: Connection, run_id: int, left_out: int) -> None:
        self._check_mine(connection, run_id)
        run = _run(connection, run_id)
        if not run.options.resend:
            mark_accepted_before(connection, run.id, run.target_id)
        options = _json(replace(run.options, left_out=left_out))
        connection.execute(runs.update().where(runs.c.id == run_id).values(options=options))

    def discard(self, run_id: int) -> None:
        """Forget a run that was never opened."""
        with self._ledger.write() as connection:
            half = runs.delete().where(runs.c.id == run_id, runs.c.state == "staging")
            if connection.execute(half).rowcount:
                connection.execute(rows.delete().where(rows.c.run_id == run_id))

    @lasting
    def run(self, run_id: int) -> Run:
        """One run; UsageError if there is none of that number."""
        with self._ledger.read() as connection:
            return _run(connection, run_id)

    def latest_ready(self) -> int | None:
        """The latest open run with rows `ready`."""
        return self._latest(runs.c.state == "open", _has(State.READY))

    @lasting
    def all_ready(self) -> list[int]:
        """The open runs with rows `ready`, oldest first."""
        with self._ledger.read(by_keys=True) as connection:
            ready = sa.select(runs.c.id).where(runs.c.state == "open", _has(State.READY))
            return list(connection.scalars(ready.order_by(runs.c.id)))

    def latest_in_flight(self) -> int | None:
        """The latest run that some process is sending, or that was found abandoned just now."""
        reaped = sa.select(batches.c.run_id).where(batches.c.id.in_(self._ledger.reaped))
        abandoned = runs.c.id.in_(reaped)
        return self._latest(runs.c.state == "open", _has(State.SENDING) | abandoned)

    @lasting
    def _latest(self, *such: sa.ColumnElement[bool]) -> int | None:
        with self._ledger.read(by_keys=True) as connection:
            found = connection.scalar(sa.select(sa.func.max(runs.c.id)).where(*such))
            return int(found) if found is not None else None

    @lasting
    def unfinished(self, run_id: int) -> list[tuple[int, str]]:
        """Older runs to the same target that still have rows `ready`: (run, file)."""
        with self._ledger.read(by_keys=True) as connection:
            target = sa.select(runs.c.target_id).where(runs.c.id == run_id).scalar_subquery()
            older = sa.select(runs.c.id, runs.c.file).where(
                runs.c.id < run_id,
                runs.c.target_id == target,
                runs.c.state == "open",
                _has(State.READY),
            )
            return [(found.id, found.file) for found in connection.execute(older)]

    @lasting
    def counts(self, run_id: int) -> dict[State, int]:
        """How many rows of a run are in each state; states without rows are left out."""
        with self._ledger.read() as connection:
            grouped = (
                sa.select(rows.c.state, sa.func.count())
                .where(rows.c.run_id == run_id)
                .group_by(rows.c.state)
            )
            return {State(state): count for state, count in connection.execute(grouped)}

    def cancel(self, run_id: int) -> int:
        """Stop a run for good; the number of rows that stay unsent."""
        with self._ledger.write() as connection:
            run = _run(connection, run_id)
            if run.state != "open":
                raise UsageError(f"Run {run_id} is {run.state}, not open.", "ozodial runs")
            connection.execute(runs.update().where(runs.c.id == run_id).values(state="cancelled"))
            waiting = sa.select(sa.func.count()).where(
                rows.c.run_id == run_id, rows.c.state == State.READY
            )
            return connection.scalar(waiting) or 0

    def _find(self, connection: Connection, fingerprint: str) -> tuple[int, bool] | None:
        latest = (
            sa.select(runs.c.id, runs.c.state)
            .where(
                runs.c.fingerprint == fingerprint,
                runs.c.state.in_(["staging", "open"]),
                ~_has(State.REMOVED),  # what was taken back may be uploaded again
            )
            .order_by(runs.c.id.desc())
            .limit(1)
        )
        found = connection.execute(latest).first()
        return (found.id, found.state == "staging") if found else None

    def _insert(self, connection: Connection, new: NewRun) -> int:
        values: Mapping[str, Any] = {
            "fingerprint": new.fingerprint,
            "state": "staging",
            "owner_id": self._ledger.owner,
            "target_id": _target_id(connection, new.target),
            "api": new.api,
            "file": new.file,
            "created_wall": self._ledger.clock.instant().wall,
            "header": json.dumps(new.header, ensure_ascii=False),
            "columns": json.dumps(new.columns, ensure_ascii=False),
            "options": _json(new.options),
        }
        key = connection.execute(runs.insert().values(values)).inserted_primary_key
        return int(key[0]) if key is not None else 0

    def _check_mine(self, connection: Connection, run_id: int) -> None:
        if not self._ledger.hold(connection) or not connection.scalar(
            sa.select(runs.c.id).where(runs.c.id == run_id)
        ):
            raise StoppedError(
                "This process stood still for so long that its half-staged run was discarded.",
                "run the same command again",
            )


def _json(options: RunOptions) -> str:
    return json.dumps(asdict(options), ensure_ascii=False)


def _run(connection: Connection, run_id: int) -> Run:
    joined = sa.select(runs, targets).join(targets, runs.c.target_id == targets.c.id)
    found = connection.execute(joined.where(runs.c.id == run_id)).first()
    if found is None:
        raise UsageError(f"There is no run {run_id} in this ledger.", "ozodial runs")
    return Run(
        id=found[0],
        target_id=found.target_id,
        target=Target(found.account, found.endpoint, found.campaign),
        api=found.api,
        file=found.file,
        state=found.state,
        header=tuple(json.loads(found.header)),
        columns=tuple(json.loads(found.columns)),
        options=RunOptions.read(found.options),
        created=found.created_wall,
    )


def _target_id(connection: Connection, target: Target) -> int:
    same = (
        (targets.c.account == target.account)
        & (targets.c.endpoint == target.endpoint)
        & (targets.c.campaign == target.campaign)
    )
    found = connection.scalar(sa.select(targets.c.id).where(same))
    if found is not None:
        return int(found)
    added = connection.execute(targets.insert().values(asdict(target)))
    return int(added.inserted_primary_key[0]) if added.inserted_primary_key is not None else 0


def _has(state: State) -> sa.ColumnElement[bool]:
    such = sa.select(rows.c.row).where(rows.c.run_id == runs.c.id, rows.c.state == state)
    return such.exists()
