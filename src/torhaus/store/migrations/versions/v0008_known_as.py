"""The address by which a source first knew a user."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("provisioned", sa.Column("known_as", sa.Text))
