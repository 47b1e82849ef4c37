"""What the scripts make tables of, on either database.

Texts sort by their characters' numbers everywhere, whatever language a database of PostgreSQL was made for, and its
counts do not end at 2^31.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

STRING = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def create_partial_index(
    name: str, table: str, columns: Sequence[str], where: sa.TextClause | sa.ColumnElement[bool]
) -> None:
    """An index of just the rows that meet a condition."""
    op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)
