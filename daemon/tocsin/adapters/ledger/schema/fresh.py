"""The tables of a ledger that is new, made at once instead of by the scripts of all schemas before it.

Those are run by alembic, which takes a quarter of a second to load, and 12 MB for as long as the daemon runs. A test
holds both ways to the same tables, indexes and rows.
"""

from uuid import uuid4

from sqlalchemy import Connection, insert

from tocsin.adapters.ledger.schema import SCHEMA
from tocsin.adapters.ledger.schema import tables as t

_SCHEMA_TABLE = """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
"""Where alembic keeps which script ran last, as it makes it itself."""


def make_tables(connection: Connection) -> None:
    """Make an empty file of SQLite one of the newest schema, in the connection's transaction."""
    t.metadata.create_all(connection, checkfirst=False)
    first = str(uuid4())
    connection.execute(insert(t.term), {"one": 1, "epoch": 0, "id": first, "leads_from": t.LEADS_FROM})
    connection.execute(insert(t.lease), {"one": 1, "term": first, "node": "", "count": 0})
    connection.execute(insert(t.installation), {"one": 1, "id": str(uuid4())})
    connection.exec_driver_sql(_SCHEMA_TABLE)
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (SCHEMA,))
