"""What came in from outside; reply codes and unfinished incidents found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of arrivals, and the indexes of codes and of unfinished incidents."""
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("result", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("arrivals_ref", "arrivals", ["kind", "ref"], unique=True)
    op.create_index("arrivals_of", "arrivals", ["kind", "who", "id"])
    op.create_index("arrivals_unjudged", "arrivals", ["id"], sqlite_where=sa.text("result IS NULL"))
    op.create_index("facts_codes", "facts", ["id"], sqlite_where=sa.text("kind = 'Coded'"))
    op.create_index("incidents_unfinished", "incidents", ["id"], sqlite_where=sa.text("finished = 0"))
