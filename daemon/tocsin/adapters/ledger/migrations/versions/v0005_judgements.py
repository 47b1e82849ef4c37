"""What became of something that came in, in words, and who vouches for a kept config."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Arrivals have words for whoever waits for them, kept configs codes of who vouches for them."""
    op.add_column("arrivals", sa.Column("words", sa.Text))
    op.add_column("configs", sa.Column("mac", sa.Text))
    op.add_column("configs", sa.Column("seal", sa.Text))
