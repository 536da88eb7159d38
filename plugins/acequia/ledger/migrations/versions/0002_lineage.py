"""Lineage: OpenLineage events and what is read out of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "ol_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("event_key", sa.String(64), nullable=False, unique=True),
        sa.Column("event_time", sa.String(32), nullable=False),
        sa.Column("event_type", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("job", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("filed", sa.Boolean(), nullable=False),
        sa.Column("sent", sa.SmallInteger(), nullable=False),
    )
    op.create_index("ix_ol_event_filed", "ol_event", ["filed"])
    op.create_index("ix_ol_event_sent", "ol_event", ["sent"])
    op.create_table(
        "ol_run",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("job", sa.String(200), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("parent_run_id", sa.String(36)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("delivery", sa.String(200), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("agreement_version", sa.String(32), nullable=False),
        sa.Column("agreement_sha256", sa.String(64), nullable=False),
        sa.Column("ended_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_ol_run_delivery", "ol_run", ["delivery", "step"])
    op.create_index("ix_ol_run_seen", "ol_run", ["seen"])
    op.create_table(
        "ol_io",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("direction", sa.String(3), primary_key=True),
        sa.Column("dataset", sa.String(1200), primary_key=True),
        sa.Column("version", sa.String(300), primary_key=True),
    )
    op.create_index("ix_ol_io_dataset", "ol_io", ["dataset", "version", "direction"])
    op.create_table(
        "ol_check",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("dataset", sa.String(1200), nullable=False),
        sa.Column("version", sa.String(300), nullable=False),
        sa.Column("assertion", sa.String(200), nullable=False),
        sa.Column("column_name", sa.String(128)),
        sa.Column("passed", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "ol_column",
        sa.Column("run_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("out_dataset", sa.String(1200), nullable=False),
        sa.Column("out_column", sa.String(128)),
        sa.Column("in_dataset", sa.String(1200), nullable=False),
        sa.Column("in_column", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("masking", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text()),
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is append-only: restore a backup instead")
