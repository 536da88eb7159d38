"""The ledger's tables. `entry` is the record; `delivery` and `release` are derived from it and can be made again.

Times are text in UTC (`2026-11-22T10:00:00.000000Z`): the same bytes in every database, since they are hashed.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

TIME, SHA256 = String(27), String(64)
ID, LABEL, DELIVERY = String(63), String(10), String(200)

# One row per thing that happened. Triggers refuse UPDATE and DELETE; `token` signs `seq` and `hash`.
entry = Table(
    "entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", TIME, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("key", String(500), nullable=False, unique=True),
    Column("partner", ID),
    Column("feed", ID),
    Column("period", LABEL),
    Column("delivery", DELIVERY),
    Column("body", Text, nullable=False),
    Column("prev_hash", SHA256, nullable=False),
    Column("hash", SHA256, nullable=False),
    Column("token", Text, nullable=False),
    # Most entries are of deliveries or notices: other kinds are found without reading those.
    Index("ix_entry_delivery", "delivery", "kind", "seq"),
    Index("ix_entry_kind", "kind", "partner", "seq"),
)

# One row per delivery: what its entries add up to.
delivery = Table(
    "delivery",
    metadata,
    Column("partner", ID, primary_key=True),
    Column("feed", ID, primary_key=True),
    Column("period", LABEL, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content_sha256", SHA256, nullable=False),
    Column("status", String(16), nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("code", String(64)),
    Column("reason", Text),
    Column("who_acts", String(16)),
    Column("what_to_do", Text),
    Column("made_by", SHA256),
    Column("turn", Integer, nullable=False),
    Column("agreement_version", String(32), nullable=False),
    Column("agreement_sha256", SHA256, nullable=False),
    Column("files", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows_in", BigInteger),
    Column("rows_out", BigInteger),
    Column("set_aside", Text, nullable=False),
    Column("tables", Text, nullable=False),
    Column("cells", BigInteger, nullable=False),
    Column("withheld", BigInteger, nullable=False),
    Column("received_at", TIME, nullable=False),
    Column("raw_since", TIME, nullable=False),
    Column("raw_deleted_at", TIME),
    Column("protected_since", TIME, nullable=False),
    Column("protected_deleted_at", TIME),
    Column("sent_at", TIME, nullable=False),
    Column("arrival", SHA256, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("last_repeat_at", TIME),
    Column("withdrawn_at", TIME),
    Column("signed_by", String(200)),
    Column("last_seq", BigInteger, nullable=False),
)

# One row per publication of a table and window. `seq` is its entry.
release = Table(
    "release",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("partner", ID, nullable=False),
    Column("table_name", ID, nullable=False),
    Column("window_label", LABEL, nullable=False),
    Column("delivery", DELIVERY, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("cells", BigInteger, nullable=False),
    Column("withheld", BigInteger, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("snapshot_id", BigInteger, nullable=False),
    Column("content_sha256", SHA256, nullable=False),
    Index("ix_release_table", "partner", "table_name", "window_label"),
)
