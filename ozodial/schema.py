"""The ledger's tables, and how a moment stands in them. Opening one is `database`'s."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ozodial.models import Instant

VERSION = 3

tables = sa.MetaData()

meta = sa.Table(
    "meta",
    tables,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


def _instant(name: str) -> list[sa.Column[Any]]:
    """A moment on both clocks: wall, monotonic, and the boot that the monotonic one counts in."""
    return [
        sa.Column(f"{name}_wall", sa.Float),
        sa.Column(f"{name}_mono", sa.Float),
        sa.Column(f"{name}_boot", sa.String(40)),
    ]


owners = sa.Table(
    "owners",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("host", sa.String(200), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started", sa.String(40), nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False, default=False),
    *_instant("renewed"),
)

targets = sa.Table(
    "targets",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.String(400), nullable=False),
    sa.Column("endpoint", sa.String(20), nullable=False),
    sa.Column("campaign", sa.String(400), nullable=False),
    sa.UniqueConstraint("account", "endpoint", "campaign"),
)

runs = sa.Table(
    "runs",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("state", sa.String(12), nullable=False),  # staging, open, cancelled, undoing, undone
    sa.Column("owner_id", sa.Integer, sa.ForeignKey("owners.id")),
    sa.Column("target_id", sa.Integer, sa.ForeignKey("targets.id"), nullable=False, index=True),
    sa.Column("api", sa.String(8), nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("created_wall", sa.Float, nullable=False),
    sa.Column("header", sa.Text, nullable=False),  # JSON: the file's own headers
    sa.Column("columns", sa.Text, nullable=False),  # JSON: names of the values sent
    sa.Column("options", sa.Text, nullable=False),  # JSON: what shapes the sending
    sqlite_autoincrement=True,  # a run's number is never given twice
)

rows = sa.Table(
    "rows",
    tables,
    sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("message", sa.Text),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scheduled", sa.String(19), nullable=False),
    sa.Column("values", sa.Text, nullable=False),  # JSON, in the order of runs.columns
    sa.Column("lead_hash", sa.LargeBinary(16)),
    sa.Column("cells", sa.Text, nullable=False),  # JSON: the row as it stood in the file
    sa.Column("part", sa.Integer, nullable=False, server_default="0"),
    sa.Column("batch_id", sa.Integer),
    sa.Column("remark", sa.Text),  # what is sent otherwise than it stands: never written again
    sa.Index("rows_by_state", "run_id", "state", "row"),
    sqlite_with_rowid=False,
)

deliveries = sa.Table(
    "deliveries",
    tables,
    sa.Column("target_id", sa.Integer, primary_key=True),
    sa.Column("lead_hash", sa.LargeBinary(16), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),  # sending, or a state of `keys.HELD`
    sa.Column("run_id", sa.Integer, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("prior", sa.Text),  # JSON: who had it before, [[state, run, row], …], latest last
    # with rowids: hashes come in no order, and only the index pays for that, once a lead
)

batches = sa.Table(
    "batches",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("owner_id", sa.Integer, sa.ForeignKey("owners.id"), nullable=False),
    sa.Column("outcome", sa.String(12), nullable=False),  # sending, then as in the batch event
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("claimed_wall", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("http_status", sa.Integer),
    sa.Column("transaction_id", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("kind", sa.String(8), nullable=False, server_default="add"),  # add, remove
    sa.Column("row_ids", sa.Text),  # JSON: [[row, the vendor's number of it], …]
    sa.UniqueConstraint("run_id", "number"),
    sa.Index("batches_by_owner", "owner_id", "outcome"),
)

slots = sa.Table(
    "slots",
    tables,
    sa.Column("account", sa.String(400), primary_key=True),
    sa.Column("endpoint", sa.String(20), primary_key=True),
    sa.Column("owner_id", sa.Integer),  # who has a request in flight
    sa.Column("hold_seconds", sa.Float),  # its time-out: what "given up on" means if it dies
    *_instant("taken"),
    *_instant("answered"),
    sa.Column("delay", sa.Float),  # seconds that the vendor asked us to wait, from `delayed`
    *_instant("delayed"),
)

tokens = sa.Table(
    "tokens",
    tables,
    sa.Column("account", sa.String(400), primary_key=True),
    sa.Column("token", sa.Text),
    sa.Column("lifetime", sa.Float),
    *_instant("obtained"),
    sa.Column("owner_id", sa.Integer),  # who is renewing it
)

token_requests = sa.Table(
    "token_requests",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.String(400), nullable=False, index=True),
    *_instant("asked"),
)

for _table in tables.tables.values():
    for _constraint in _table.foreign_key_constraints:
        # as on SQLite nobody checks them: for each of a million rows that would cost more than it
        _constraint.ddl_if(dialect="sqlite")


def add_removal(connection: Connection) -> None:
    """From version 1 to 2: requests that remove, and the vendor's numbers of scheduled rows."""
    connection.exec_driver_sql(
        "ALTER TABLE batches ADD COLUMN kind VARCHAR(8) NOT NULL DEFAULT 'add'"
    )
    connection.exec_driver_sql("ALTER TABLE batches ADD COLUMN row_ids TEXT")


def add_remark(connection: Connection) -> None:
    """From version 2 to 3: remarks stand by themselves, where nothing writes over them."""
    connection.exec_driver_sql("ALTER TABLE rows ADD COLUMN remark TEXT")
    connection.exec_driver_sql(
        "UPDATE rows SET remark = message, message = NULL WHERE state = 'ready'"
    )


def moment(name: str, at: Instant) -> dict[str, float | str]:
    """The three columns of a moment."""
    return {f"{name}_wall": at.wall, f"{name}_mono": at.mono, f"{name}_boot": at.boot}


def instant(row: sa.Row[Any], name: str) -> Instant:
    """A moment out of its three columns."""
    values = row._mapping
    return Instant(values[f"{name}_wall"], values[f"{name}_mono"], values[f"{name}_boot"] or "")
