"""A ledger's tables in a database of the tests' PostgreSQL, and engines on it."""

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, NullPool, create_engine
from tocsin.adapters.ledger.migrations.migrate import migrate


def make_engine(url: str, **options: str) -> Engine:
    """An engine whose every connection is its own. `options` are libpq's."""

    def connect() -> psycopg.Connection:
        return psycopg.connect(make_conninfo(url, **options), prepare_threshold=None)

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


def make_tables(url: str) -> None:
    """Bring an empty database to the newest schema."""
    engine = make_engine(url)
    with engine.begin() as connection:
        migrate(connection, None)
    engine.dispose()
