"""People, what they prove themselves with, how they sign in, and credentials for servers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _provisioned()
    _stops()
    _credentials()
    _families()
    _sign_in()
    _clients()
    _servers()


def _people() -> None:
    op.create_table(
        "persons",
        sa.Column("email", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("servers", sa.Text, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("left_at", sa.Double),
    )
    op.create_table(
        "teams",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_table(
        "memberships",
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("email", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, primary_key=True),
    )


def _provisioned() -> None:
    op.create_table(
        "provisioned",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_index("provisioned_name", "provisioned", ["source", "kind", "name"], unique=True)
    op.create_table(
        "invitations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("servers", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("access_ends", sa.Double),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("decided_at", sa.Double),
        sa.Column("delivery", sa.Text, nullable=False),
    )


def _stops() -> None:
    op.create_table(
        "stops",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("lifted_at", sa.Double),
        sa.Column("lifted_by", sa.Text),
    )
    # One number that grows with every change other processes must hear of.
    op.create_table(
        "revisions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("audience", sa.Text),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("used", sa.Double),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("ended_by", sa.Text),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("credentials_email", "credentials", ["email"])
    op.create_index("credentials_family", "credentials", ["family"])
    op.create_index("credentials_revision", "credentials", ["revision"])


def _families() -> None:
    # What a person has agreed to, or began in a browser: ending it ends all that came of it.
    op.create_table(
        "families",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("audience", sa.Text),
        sa.Column("issuer", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("provider_session", sa.Text),
        sa.Column("parent", sa.Text),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("used", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("ended_by", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("families_email", "families", ["email"])
    op.create_index("families_subject", "families", ["issuer", "subject"])
    op.create_table(
        "refreshes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("used", sa.Double),
        sa.Column("successor", sa.LargeBinary),
    )
    op.create_index("refreshes_family", "refreshes", ["family"])


def _sign_in() -> None:
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("linked", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
    op.create_index("identities_email", "identities", ["email"])
    op.create_table(
        "passwords",
        sa.Column("email", sa.Text, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("second_factor", sa.LargeBinary),
        sa.Column("last_step", sa.BigInteger),
        sa.Column("recovery", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    # A sign-in under way: made when the browser leaves, used once when it comes back.
    op.create_table(
        "departures",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("browser", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    # Ids that may come once: assertions, tokens of back-channel logout, one-time codes.
    op.create_table(
        "seen",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("expires", sa.Double, nullable=False),
    )


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("used", sa.Double),
        sa.Column("ip", sa.Text, nullable=False),
    )
    op.create_table(
        "codes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("used", sa.Double),
    )


def _servers() -> None:
    op.create_table(
        "vault",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("rotated", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("used", sa.Double),
        sa.Column("trouble", sa.Text, nullable=False),
    )
    op.create_index("vault_server", "vault", ["server", "email", "state"])
