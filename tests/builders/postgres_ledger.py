"""A ledger in a database of the tests' PostgreSQL: its tables, engines on it, a store that leads."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, NullPool, create_engine
from tocsin.adapters.ledger.migrations.migrate import migrate
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.lease import PostgresLeadership
from tocsin.adapters.ledger.postgresql.opening import open_server
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.adapters.ledger.schema.tables import metadata
from tocsin.ports.leadership import Node, NodeState, Term


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


def empty_tables(url: str) -> None:
    """Leave no row of what a ledger keeps; who leads stays. Faster than a fresh database."""
    with psycopg.connect(url) as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name not in {"term", "lease", "installation"}:
                connection.execute(f'DELETE FROM "{table.name}"')
        for (sequence,) in connection.execute("SELECT sequencename FROM pg_sequences").fetchall():
            connection.execute(f"ALTER SEQUENCE {sequence} RESTART")


async def take_lead(url: str, name: str = "ana-host") -> Term:
    """A new term, whoever leads."""
    node = Node(str(uuid4()), name, "/srv/incidents", NodeState.STANDING_BY, datetime.now(UTC))
    leadership = PostgresLeadership(make_engine(url))
    term = await leadership.take(await leadership.look(), node)
    await leadership.close()
    assert term is not None
    return term


async def open_leading(url: str) -> ServerStore:
    """A store of a process that has just taken the lead."""
    store = ServerStore(open_server(ServerAddress(url)))
    await store.lead(await take_lead(url))
    return store
