"""What came in from outside; reply codes and unfinished incidents found quickly."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import COUNT, STRING, TEXT, create_partial_index

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of arrivals, and the indexes of codes and of unfinished incidents."""
    op.create_table(
        "arrivals",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("ref", STRING, nullable=False),
        sa.Column("who", STRING, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("at", STRING, nullable=False),
        sa.Column("result", STRING),
        sqlite_autoincrement=True,
    )
    op.create_index("arrivals_ref", "arrivals", ["kind", "ref"], unique=True)
    op.create_index("arrivals_of", "arrivals", ["kind", "who", "id"])
    create_partial_index("arrivals_unjudged", "arrivals", ["id"], sa.text("result IS NULL"))
    create_partial_index("facts_codes", "facts", ["id"], sa.text("kind = 'Coded'"))
    create_partial_index("incidents_unfinished", "incidents", ["id"], sa.column("finished", sa.Boolean) == sa.false())
