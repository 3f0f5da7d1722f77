"""When the owner of a session last proved who he is."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("families", sa.Column("proved", sa.Double))
