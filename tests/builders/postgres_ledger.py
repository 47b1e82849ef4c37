"""A ledger's tables in a database of the tests' PostgreSQL, and engines on it."""

from sqlalchemy import Engine, NullPool, create_engine
from tocsin.adapters.ledger.migrations.migrate import migrate


def make_engine(url: str, **options: str) -> Engine:
    """An engine whose every connection is its own. `options` are libpq's."""
    address = url.replace("postgresql:", "postgresql+psycopg:", 1)
    return create_engine(address, poolclass=NullPool, connect_args={"prepare_threshold": None, **options})


def make_tables(url: str) -> None:
    """Bring an empty database to the newest schema."""
    engine = make_engine(url)
    with engine.begin() as connection:
        migrate(connection, None)
    engine.dispose()
