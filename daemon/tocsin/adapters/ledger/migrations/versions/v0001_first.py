"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first version."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.Column("file", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("data", sa.LargeBinary),
    )
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("incident", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("facts_of_incident", "facts", ["incident", "id"])
    op.create_index("facts_answers", "facts", ["id"], sqlite_where=sa.text("kind = 'Answered'"))
    op.create_table(
        "contents",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
    )
    _messages()
    op.create_table(
        "configs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("since", sa.String, nullable=False),
        sa.Column("files", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notices", sa.Column("cause", sa.String, primary_key=True), sa.Column("at", sa.String, nullable=False)
    )


def _messages() -> None:
    """Notifications and the tries to send them."""
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("incident", sa.String, nullable=False, index=True),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("to", sa.String, nullable=False),
        sa.Column("via", sa.String, nullable=False),
        sa.Column("roles", sa.String, nullable=False),
        sa.Column("level", sa.Integer),
        sa.Column("round", sa.Integer),
        sa.Column("group", sa.String),
        sa.Column("external", sa.Boolean, nullable=False),
        sa.Column("next_update_at", sa.String),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("content", sa.String, sa.ForeignKey("contents.digest")),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("settled_at", sa.String),
        sa.Column("detail", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("notifications_pending", "notifications", ["id"], sqlite_where=sa.text("state = 'pending'"))
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String, nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("via", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("started_at", sa.String, nullable=False),
        sa.Column("outcome", sa.String),
        sa.Column("ended_at", sa.String),
        sa.Column("possible_duplicate", sa.String, nullable=False),
        sa.Column("receipt", sa.String),
        sa.Column("receipt_at", sa.String),
        sqlite_autoincrement=True,
    )
