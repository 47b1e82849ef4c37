"""What is left of incidents that were pruned, and the ways by which what belongs to one is found."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import STRING, TEXT

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table of pruned incidents; words and links are found by who uses them."""
    op.create_table(
        "pruned",
        sa.Column("incident", STRING, primary_key=True),
        sa.Column("closed_at", STRING, nullable=False),
        sa.Column("digests", TEXT, nullable=False),
    )
    op.create_index("notifications_content", "notifications", ["content"])
    op.create_index("bundles_content", "bundles", ["content"])
    op.create_index("answer_links_incident", "answer_links", ["incident"])
