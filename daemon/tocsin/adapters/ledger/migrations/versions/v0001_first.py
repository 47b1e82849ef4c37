"""The first schema."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import COUNT, STRING, TEXT, create_partial_index

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first version."""
    op.create_table(
        "incidents",
        sa.Column("id", STRING, primary_key=True),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.Column("file", sa.LargeBinary, nullable=False),
        sa.Column("digest", STRING, nullable=False),
        sa.Column("data", sa.LargeBinary),
    )
    op.create_table(
        "facts",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("incident", STRING, nullable=False),
        sa.Column("at", STRING, nullable=False),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("facts_of_incident", "facts", ["incident", "id"])
    create_partial_index("facts_answers", "facts", ["id"], sa.text("kind = 'Answered'"))
    op.create_table(
        "contents",
        sa.Column("digest", STRING, primary_key=True),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("html", TEXT, nullable=False),
    )
    _messages()
    op.create_table(
        "configs",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("revision", STRING, nullable=False),
        sa.Column("since", STRING, nullable=False),
        sa.Column("files", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_table("notices", sa.Column("cause", STRING, primary_key=True), sa.Column("at", STRING, nullable=False))


def _messages() -> None:
    """Notifications and the tries to send them."""
    op.create_table(
        "notifications",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("key", STRING, nullable=False, unique=True),
        sa.Column("incident", STRING, nullable=False, index=True),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("reason", STRING, nullable=False),
        sa.Column("at", STRING, nullable=False),
        sa.Column("to", STRING, nullable=False),
        sa.Column("via", STRING, nullable=False),
        sa.Column("roles", STRING, nullable=False),
        sa.Column("level", sa.Integer),
        sa.Column("round", sa.Integer),
        sa.Column("group", STRING),
        sa.Column("external", sa.Boolean, nullable=False),
        sa.Column("next_update_at", STRING),
        sa.Column("rule", STRING, nullable=False),
        sa.Column("revision", STRING, nullable=False),
        sa.Column("content", STRING, sa.ForeignKey("contents.digest")),
        sa.Column("state", STRING, nullable=False),
        sa.Column("settled_at", STRING),
        sa.Column("detail", STRING, nullable=False),
        sqlite_autoincrement=True,
    )
    create_partial_index("notifications_pending", "notifications", ["id"], sa.text("state = 'pending'"))
    op.create_table(
        "attempts",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("key", STRING, nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("via", STRING, nullable=False),
        sa.Column("address", STRING, nullable=False),
        sa.Column("started_at", STRING, nullable=False),
        sa.Column("outcome", STRING),
        sa.Column("ended_at", STRING),
        sa.Column("possible_duplicate", STRING, nullable=False),
        sa.Column("receipt", STRING),
        sa.Column("receipt_at", STRING),
        sqlite_autoincrement=True,
    )
