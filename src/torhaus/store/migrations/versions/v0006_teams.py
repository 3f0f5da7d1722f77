"""Who answers for a service account, and on which servers a team's roles count."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("persons", sa.Column("responsible", sa.Text, nullable=False, server_default=""))
    op.add_column("teams", sa.Column("servers", sa.Text, nullable=False, server_default="[]"))
