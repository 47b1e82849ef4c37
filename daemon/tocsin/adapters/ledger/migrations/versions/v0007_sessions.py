"""Who is signed in."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import STRING

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table of sessions."""
    op.create_table(
        "sessions",
        sa.Column("digest", STRING, primary_key=True),
        sa.Column("person", STRING, nullable=False),
        sa.Column("began_at", STRING, nullable=False),
    )
