"""Which key seals stored credentials, and which gateways have it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The one with the largest number seals.
    op.create_table(
        "vault_keys",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("settled", sa.Double),
    )
    op.create_table(
        "vault_holders",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("keys", sa.Text, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
