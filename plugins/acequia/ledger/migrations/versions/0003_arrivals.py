"""Deliveries: when they were sent, how often they came, who signed them, and whether they were withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sa.Column("sent_at", sa.String(27), nullable=False, server_default=""),
        sa.Column("arrival", sa.String(64), nullable=False, server_default=""),
        sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_repeat_at", sa.String(27)),
        sa.Column("withdrawn_at", sa.String(27)),
        sa.Column("signed_by", sa.String(200)),
    ):
        op.add_column("delivery", column)
    # The entries until now say nothing of a source's clock: a delivery was sent when its entry says it was received.
    op.execute("UPDATE delivery SET sent_at = received_at")


def downgrade() -> None:
    raise NotImplementedError("the ledger is append-only: restore a backup instead")
