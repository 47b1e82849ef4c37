"""Words that other processes leave for the operators."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import COUNT, STRING, TEXT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of reports."""
    op.create_table(
        "reports",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("at", STRING, nullable=False),
        sa.Column("cause", STRING, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
