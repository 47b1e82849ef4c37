"""Who leads, where several machines share a ledger: these tables never change their shape (P9)."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import STRING

revision = "0009"
down_revision = "0008"

OFTEN = {
    "fillfactor": 10,
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 200,
    "autovacuum_vacuum_cost_delay": 0,
}
"""For tables of few rows that are written all the time: a new version of a row finds room beside the old one, and what
is dead is cleared away by the count, not by a share of so few.
"""


def upgrade() -> None:
    """Make the rows of term and lease, which are always there, and the tables of machines and of what each writes."""
    first = str(uuid4())
    term = op.create_table(
        "term",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("id", STRING, nullable=False),
        sa.Column("leads_from", STRING, nullable=False),
    )
    op.bulk_insert(term, [{"one": 1, "epoch": 0, "id": first, "leads_from": revision}])
    lease = op.create_table(
        "lease",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("term", STRING, nullable=False),
        sa.Column("node", STRING, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True)),
        postgresql_with=OFTEN,
    )
    op.bulk_insert(lease, [{"one": 1, "term": first, "node": "", "count": 0, "renewed_at": None}])
    installation = op.create_table(
        "installation",
        sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", STRING, nullable=False),
    )
    op.bulk_insert(installation, [{"one": 1, "id": str(uuid4())}])
    op.create_table(
        "writers",
        sa.Column("node", STRING, primary_key=True),
        sa.Column("last_group", sa.BigInteger, nullable=False),
        sa.Column("wrote_at", sa.DateTime(timezone=True), nullable=False),
        postgresql_with=OFTEN,
    )
    op.create_table(
        "nodes",
        sa.Column("name", STRING, primary_key=True),
        sa.Column("folder", STRING, primary_key=True),
        sa.Column("id", STRING, nullable=False),
        sa.Column("state", STRING, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_word", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", STRING, nullable=False),
        sa.Column("config", STRING, nullable=False),
        sa.Column("schema", STRING, nullable=False),
        sa.Column("key", STRING, nullable=False),
        sa.Column("providers_ok", sa.Boolean, nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        postgresql_with=OFTEN,
    )
