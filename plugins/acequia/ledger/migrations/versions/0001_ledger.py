"""The ledger: entries, which only grow, and what is derived from them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(500), nullable=False, unique=True),
        sa.Column("partner", sa.String(63)),
        sa.Column("feed", sa.String(63)),
        sa.Column("period", sa.String(10)),
        sa.Column("delivery", sa.String(200)),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
    )
    op.create_index("ix_entry_delivery", "entry", ["delivery", "seq"])
    op.create_table(
        "delivery",
        sa.Column("partner", sa.String(63), primary_key=True),
        sa.Column("feed", sa.String(63), primary_key=True),
        sa.Column("period", sa.String(10), primary_key=True),
        sa.Column("version", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(64)),
        sa.Column("reason", sa.Text()),
        sa.Column("who_acts", sa.String(16)),
        sa.Column("what_to_do", sa.Text()),
        sa.Column("made_by", sa.String(64)),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("agreement_version", sa.String(32), nullable=False),
        sa.Column("agreement_sha256", sa.String(64), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows_in", sa.BigInteger()),
        sa.Column("rows_out", sa.BigInteger()),
        sa.Column("set_aside", sa.Text(), nullable=False),
        sa.Column("tables", sa.Text(), nullable=False),
        sa.Column("cells", sa.BigInteger(), nullable=False),
        sa.Column("withheld", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.String(27), nullable=False),
        sa.Column("raw_since", sa.String(27), nullable=False),
        sa.Column("raw_deleted_at", sa.String(27)),
        sa.Column("protected_since", sa.String(27), nullable=False),
        sa.Column("protected_deleted_at", sa.String(27)),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "release",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("partner", sa.String(63), nullable=False),
        sa.Column("table_name", sa.String(63), nullable=False),
        sa.Column("window_label", sa.String(10), nullable=False),
        sa.Column("delivery", sa.String(200), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("cells", sa.BigInteger(), nullable=False),
        sa.Column("withheld", sa.BigInteger(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
    )
    op.create_index("ix_release_table", "release", ["partner", "table_name", "window_label"])
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


# Not a defence against whoever owns the database (the chain and its signatures are), but against slips.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER entry_not_updated BEFORE UPDATE ON entry "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
        "CREATE TRIGGER entry_not_deleted BEFORE DELETE ON entry "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION entry_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        "CREATE TRIGGER entry_not_updated BEFORE UPDATE ON entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION entry_append_only()",
        "CREATE TRIGGER entry_not_deleted BEFORE DELETE OR TRUNCATE ON entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION entry_append_only()",
    ),
}


def downgrade() -> None:
    raise NotImplementedError("the ledger is append-only: restore a backup instead")
