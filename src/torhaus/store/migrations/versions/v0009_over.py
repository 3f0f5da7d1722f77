"""What is over is found by its time, to be cleaned away."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("credentials_expires", "credentials", ["expires"])
    op.create_index("families_expires", "families", ["expires"])
