"""What became of something that came in, in words, and who vouches for a kept config."""

import sqlalchemy as sa
from alembic import op

from tocsin.adapters.ledger.migrations.portable import TEXT

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Arrivals have words for whoever waits for them, kept configs codes of who vouches for them."""
    op.add_column("arrivals", sa.Column("words", TEXT))
    op.add_column("configs", sa.Column("mac", TEXT))
    op.add_column("configs", sa.Column("seal", TEXT))
