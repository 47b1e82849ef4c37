"""Which language words are in, and whom a short link is for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Words name their language, what was written before is English; make the table of short links."""
    op.add_column("contents", sa.Column("language", sa.Text, nullable=False, server_default="en"))
    op.create_table(
        "answer_links",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("incident", sa.String, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("person", sa.String, nullable=False),
    )
