"""Which provider was tried, what left together in one message, and the addresses that want nothing more."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import COUNT, STRING, create_partial_index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Attempts name their provider, their bundle, and why they were not delivered; make the tables of bundles and of
    addresses that opted out.
    """
    for name in ("provider", "bundle", "receipt_code"):
        op.add_column("attempts", sa.Column(name, STRING, nullable=False, server_default=""))
    op.create_index("attempts_started", "attempts", ["started_at"])
    create_partial_index("attempts_bundled", "attempts", ["bundle", "id"], sa.text("bundle != ''"))
    op.create_table(
        "bundles",
        sa.Column("id", STRING, primary_key=True),
        sa.Column("content", STRING, sa.ForeignKey("contents.digest"), nullable=False),
    )
    op.create_table(
        "opt_outs",
        sa.Column("id", COUNT, primary_key=True, autoincrement=True),
        sa.Column("via", STRING, nullable=False),
        sa.Column("address", STRING, nullable=False),
        sa.Column("at", STRING, nullable=False),
        sa.Column("ref", STRING, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("opt_outs_address", "opt_outs", ["via", "address"], unique=True)
