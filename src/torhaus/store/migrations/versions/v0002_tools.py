"""The pinned catalogue: every tool as it was accepted, and as its server offers it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tools",
        sa.Column("server", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("first_seen", sa.Double, nullable=False),
        sa.Column("accepted_digest", sa.Text),
        sa.Column("accepted", sa.LargeBinary),
        sa.Column("accepted_by", sa.Text),
        sa.Column("accepted_at", sa.Double),
        sa.Column("offered_digest", sa.Text),
        sa.Column("offered", sa.LargeBinary),
        sa.Column("since", sa.Double),
        sa.Column("rejected", sa.Text),
        sa.Column("told", sa.Text),
        sa.Column("gone", sa.Double),
        sa.Column("written", sa.Double, nullable=False),
    )
    op.create_index("tools_written", "tools", ["written"])
