"""The five tables of lineage, beside the ledger's. `ol_event` holds the events; the rest is read out of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from acequia.ledger.models import metadata

RUN, DATASET, VERSION, NAME = String(36), String(1200), String(300), String(200)

# One row per event, in the order in which they came. `sent`: 0 not yet, 1 forwarded, 2 refused by the endpoint.
event = Table(
    "ol_event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("event_key", String(64), nullable=False, unique=True),
    Column("event_time", String(32), nullable=False),
    Column("event_type", String(16), nullable=False),
    Column("run_id", RUN, nullable=False),
    Column("job", NAME, nullable=False),
    Column("body", Text, nullable=False),
    Column("filed", Boolean, nullable=False),
    Column("sent", SmallInteger, nullable=False),
    Index("ix_ol_event_filed", "filed"),
    Index("ix_ol_event_sent", "sent"),
)

# One row per run of a step. `period` is the delivery's, or the published window's; `seen` orders the newest last.
run = Table(
    "ol_run",
    metadata,
    Column("run_id", RUN, primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("job", NAME, nullable=False),
    Column("step", String(16), nullable=False),
    Column("parent_run_id", RUN),
    Column("state", String(16), nullable=False),
    Column("delivery", NAME, nullable=False),
    Column("period", String(10), nullable=False),
    Column("agreement_version", String(32), nullable=False),
    Column("agreement_sha256", String(64), nullable=False),
    Column("ended_at", String(32), nullable=False),
    Index("ix_ol_run_delivery", "delivery", "step"),
    Index("ix_ol_run_seen", "seen"),
)

# One row per dataset version that a run read (`in`) or wrote (`out`).
io = Table(
    "ol_io",
    metadata,
    Column("run_id", RUN, primary_key=True),
    Column("direction", String(3), primary_key=True),
    Column("dataset", DATASET, primary_key=True),
    Column("version", VERSION, primary_key=True),
    Index("ix_ol_io_dataset", "dataset", "version", "direction"),
)

# One row per check of a run, about the dataset version that it read.
check = Table(
    "ol_check",
    metadata,
    Column("run_id", RUN, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("dataset", DATASET, nullable=False),
    Column("version", VERSION, nullable=False),
    Column("assertion", NAME, nullable=False),
    Column("column_name", String(128)),
    Column("passed", Boolean, nullable=False),
)

# One row per way from a column that was read to a column that was written (None: to all of them).
column = Table(
    "ol_column",
    metadata,
    Column("run_id", RUN, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("out_dataset", DATASET, nullable=False),
    Column("out_column", String(128)),
    Column("in_dataset", DATASET, nullable=False),
    Column("in_column", String(128), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("masking", Boolean, nullable=False),
    Column("description", Text),
)
