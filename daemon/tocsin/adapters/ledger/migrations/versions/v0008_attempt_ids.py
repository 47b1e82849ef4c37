"""Attempts are named by the process that makes them, and the facts of each incident count."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import STRING, create_partial_index

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """What was an attempt's number stays as its place in the order, and is its id in the form of one; the facts of each
    incident are counted in the order in which they were recorded.
    """
    op.drop_index("attempts_bundled", "attempts")
    op.execute("ALTER TABLE attempts RENAME COLUMN id TO sequence")
    op.add_column("attempts", sa.Column("id", STRING, nullable=False, server_default=""))
    op.execute(
        "UPDATE attempts SET id = '00000000-0000-0000-0000-' || "
        "substr('00000000000' || sequence, length(sequence || ''))"
    )
    op.create_index("attempts_id", "attempts", ["id"], unique=True)
    create_partial_index("attempts_bundled", "attempts", ["bundle", "sequence"], sa.text("bundle != ''"))
    op.add_column("facts", sa.Column("sequence", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE facts SET sequence = counted.sequence FROM "
        "(SELECT id, row_number() OVER (PARTITION BY incident ORDER BY id) AS sequence FROM facts) AS counted "
        "WHERE facts.id = counted.id"
    )
    op.drop_index("facts_of_incident", "facts")
    op.create_index("facts_of_incident", "facts", ["incident", "sequence"], unique=True)
