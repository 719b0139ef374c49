"""Opening a ledger: its file, its version, and what is no ledger at all."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from ozodial.database import file_identity, open_engine
from ozodial.errors import LedgerError
from ozodial.ledger import Ledger
from ozodial.schema import VERSION, tables
from tests.book import Book, digest
from tests.conftest import FakeClock

ROOT = Path(__file__).parents[1]
NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pragma(engine_path: Path, name: str) -> object:
    engine = open_engine(str(engine_path))
    with engine.connect() as connection:
        value: object = connection.exec_driver_sql(f"PRAGMA {name}").scalar()
    engine.dispose()
    return value


def test_only_its_owner_may_read_it(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "new" / "folder" / "ledger.db"
    before = os.umask(0)
    try:
        with Book(path, clock).opened() as desk:
            desk.run(["9810000000"])
            assert mode(path.parent) == 0o700
            assert {mode(file) for file in path.parent.iterdir()} == {0o600}
            assert len(list(path.parent.iterdir())) == 3  # with -wal and -shm
    finally:
        os.umask(before)


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    assert pragma(tmp_path / "l.db", "journal_mode") == "wal"
    assert pragma(tmp_path / "l.db", "synchronous") == 2  # FULL


def test_many_at_once_make_it_together(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    errors: list[BaseException] = []

    def make() -> None:
        try:
            open_engine(str(path)).dispose()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT * FROM meta").fetchall() == [("version", str(VERSION))]
    connection.close()


# --- versions ---


def add_colour(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE runs ADD COLUMN colour TEXT")


def break_half_way(connection: Connection) -> None:
    add_colour(connection)
    connection.exec_driver_sql("ALTER TABLE no_such_table ADD COLUMN colour TEXT")


def version(path: Path) -> str:
    connection = sqlite3.connect(path)
    found: str = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0]
    connection.close()
    return found


def columns(path: Path, table: str) -> set[str]:
    connection = sqlite3.connect(path)
    found = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    connection.close()
    return found


def test_an_older_one_is_upgraded_and_a_copy_is_kept(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "ledger.db"
    with Book(path, clock).opened() as desk:
        desk.run(["9810000000", "9810000001"])

    open_engine(str(path), {VERSION: add_colour}, VERSION + 1).dispose()

    copy = tmp_path / f"ledger.db.v{VERSION}"
    assert (version(path), version(copy)) == (str(VERSION + 1), str(VERSION))
    assert "colour" in columns(path, "runs")
    assert "colour" not in columns(copy, "runs")
    assert mode(copy) == 0o600
    for file in (path, copy):
        connection = sqlite3.connect(file)
        assert connection.execute("SELECT count(*) FROM rows").fetchone() == (2,)
        connection.close()


def test_one_of_version_1_has_its_rows_and_learns_to_remove(
    tmp_path: Path, clock: FakeClock
) -> None:
    path = tmp_path / "ledger.db"
    with Book(path, clock).opened() as desk:
        desk.run(["9810000000", "9810000001"])
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE batches DROP COLUMN kind")
    connection.execute("ALTER TABLE batches DROP COLUMN row_ids")
    connection.execute("ALTER TABLE rows DROP COLUMN remark")
    connection.execute("UPDATE rows SET message = 'a remark' WHERE \"row\" = 2")
    connection.execute("UPDATE meta SET value = '1' WHERE name = 'version'")
    connection.execute(
        "INSERT INTO batches (id, run_id, number, owner_id, outcome, rows, claimed_wall) "
        "VALUES (1, 1, 1, 1, 'answered', 2, 0)"
    )
    connection.commit()
    connection.close()

    open_engine(str(path)).dispose()

    assert version(path) == str(VERSION)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT kind, row_ids, rows FROM batches").fetchall() == [
        ("add", None, 2)
    ]
    found = connection.execute('SELECT message, remark FROM rows ORDER BY "row"').fetchall()
    assert found == [(None, "a remark"), (None, None)]
    assert connection.execute("SELECT count(*) FROM rows").fetchone() == (2,)
    connection.close()


def test_of_two_that_upgrade_at_once_the_second_finds_it_done(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_engine(str(path)).dispose()
    threads = [
        threading.Thread(
            target=lambda: open_engine(str(path), {VERSION: add_colour}, VERSION + 1).dispose()
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert version(path) == str(VERSION + 1)
    assert version(tmp_path / f"ledger.db.v{VERSION}") == str(VERSION)


def test_an_upgrade_that_fails_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_engine(str(path)).dispose()
    with pytest.raises(LedgerError, match="no such table"):
        open_engine(str(path), {VERSION: break_half_way}, VERSION + 1)

    assert version(path) == str(VERSION)
    assert "colour" not in columns(path, "runs")
    open_engine(str(path)).dispose()


def test_no_upgrade_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_engine(str(path)).dispose()
    (tmp_path / f"ledger.db.v{VERSION}").mkdir()
    with pytest.raises(LedgerError, match="Is a directory"):
        open_engine(str(path), {VERSION: add_colour}, VERSION + 1)
    assert version(path) == str(VERSION)


@pytest.mark.parametrize("found", ["0", str(VERSION + 1), "999"])
def test_one_of_another_version_is_refused_untouched(tmp_path: Path, found: str) -> None:
    path = tmp_path / "ledger.db"
    open_engine(str(path)).dispose()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE meta SET value = ?", (found,))
    connection.commit()
    connection.close()
    before = digest(path)

    with pytest.raises(LedgerError, match=f"version {found}, this one knows {VERSION}"):
        open_engine(str(path))
    assert digest(path) == before


# --- what is no ledger ---


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"this is a letter, not a database, and it is long enough\n" * 20, "not a database"),
        (b"SQLite format 3\0" + b"\x07" * 4080, "not a database|malformed|corrupt"),
    ],
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=said):
        open_engine(str(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE customers (name TEXT)",
        "CREATE TABLE meta (name TEXT, value TEXT)",
        "CREATE TABLE meta (id INTEGER)",
    ],
)
def test_a_database_of_another_program_is_refused(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="another program"):
        open_engine(str(path))


def test_half_a_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_engine(str(path)).dispose()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM meta")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="another program"):
        open_engine(str(path))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("nonsense://x/y", "can't be used"),
        ("://", "can't be read"),
        ("/proc/no/such/folder/ledger.db", "can't be opened"),
        ("/dev/null/ledger.db", "can't be opened"),
        ("/tmp", "Is a directory"),
    ],
)
def test_a_place_that_can_not_be_is_a_sentence(place: str, said: str) -> None:
    with pytest.raises(LedgerError, match=said) as told:
        open_engine(place)
    assert told.value.exit_code == 6


def test_a_password_in_a_url_is_not_told() -> None:
    with pytest.raises(LedgerError) as told:
        open_engine("nonsense://ops:s3cret@host/ledger")
    assert "s3cret" not in told.value.message


def test_a_url_names_a_file_as_a_path_does(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "ledger.db"
    open_engine(f"sqlite:///{path}").dispose()
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_one_that_may_not_be_written_is_a_sentence() -> None:
    code = (
        "import os, sys\n"
        "from ozodial.database import open_engine\n"
        "from ozodial.errors import LedgerError\n"
        f"os.getuid() == 0 and os.setuid({NOBODY})\n"
        "try:\n    open_engine(sys.argv[1])\n"
        "except LedgerError as error:\n    print(error.message)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        open_engine(str(path)).dispose()
        path.chmod(0o444)
        path.parent.chmod(0o755)
        told = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},  # nobody may write down its coverage
        )
    assert told.stderr == ""
    assert told.stdout == f"The ledger {path} can't be opened: Permission denied.\n"


def test_a_file_that_was_replaced_is_noticed(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(str(path), clock)
    before = file_identity(ledger.engine)
    path.rename(tmp_path / "elsewhere.db")
    assert file_identity(ledger.engine) is None
    path.touch()
    assert file_identity(ledger.engine) != before
    ledger.close()


def test_the_tables_have_no_place_for_a_key() -> None:
    names = {column.name for table in tables.tables.values() for column in table.columns}
    assert not {name for name in names if "api_key" in name or "secret" in name}
