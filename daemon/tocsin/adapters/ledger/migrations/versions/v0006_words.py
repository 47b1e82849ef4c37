"""Which language words are in, and whom a short link is for."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import STRING, TEXT

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Words name their language, what was written before is English; make the table of short links."""
    op.add_column("contents", sa.Column("language", TEXT, nullable=False, server_default="en"))
    op.create_table(
        "answer_links",
        sa.Column("digest", STRING, primary_key=True),
        sa.Column("incident", STRING, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("person", STRING, nullable=False),
    )
