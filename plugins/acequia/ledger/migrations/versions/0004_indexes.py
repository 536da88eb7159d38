"""Entries are found by their kind: notices are many, and whoever asks for pauses must not read them all."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_entry_delivery", "entry")
    op.create_index("ix_entry_delivery", "entry", ["delivery", "kind", "seq"])
    op.create_index("ix_entry_kind", "entry", ["kind", "partner", "seq"])


def downgrade() -> None:
    raise NotImplementedError("the ledger is append-only: restore a backup instead")
