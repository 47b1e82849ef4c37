"""A whole ledger of a file goes into an empty database on a server, in one transaction, or nothing of it.

Decides whether the database is empty, and whether what is there afterwards is what was there before. The tables are
made by the same scripts as ever. Who leads, and the machines, are the new database's own.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from tocsin.adapters.ledger.errors import describe
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.opening import in_one_transaction
from tocsin.adapters.ledger.schema import tables as t
from tocsin.ports.ledger.trouble import LedgerError

ROWS_AT_ONCE = 500
OF_THE_DATABASE = (t.term, t.lease, t.installation, t.writers, t.nodes)
"""Tables that say who works on a database, and are not copied; the name of the installation is."""

Tell = Callable[[int, int], None]
"""Hears how many rows are copied, and of how many."""


def fill(address: ServerAddress, source: Engine, tell: Tell) -> Mapping[str, int]:
    """Copy all that a ledger holds; how many rows each table has. Raises LedgerError: then nothing was written."""
    try:
        with source.connect().execution_options(reading=True) as file:
            rows = {table.name: _count(file, table) for table in _copied()}
            with in_one_transaction(address) as server:
                importlib.import_module("tocsin.adapters.ledger.migrations.migrate").migrate(server, None)
                _copy(file, server, sum(rows.values()), tell)
                _compare(server, rows)
    except LedgerError as trouble:
        raise LedgerError(f"{trouble}; nothing was written") from None
    except SQLAlchemyError as fault:
        raise LedgerError(f"{describe(fault)}; nothing was written") from None
    return rows


def _compare(server: Connection, rows: Mapping[str, int]) -> None:
    """Raises LedgerError if a table there has other rows than here."""
    for table in _copied():
        if _count(server, table) != rows[table.name]:
            raise LedgerError(f"{table.name} has other rows there than here")


def _copied() -> Sequence[Table]:
    """In an order in which each finds what it refers to."""
    return [table for table in t.metadata.sorted_tables if table not in OF_THE_DATABASE]


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _copy(file: Connection, server: Connection, total: int, tell: Tell) -> None:
    done = 0
    for table in _copied():
        for rows in _rows(file, table):
            server.execute(insert(table), rows)
            done += len(rows)
            tell(done, total)
        for column in table.primary_key:
            if column.autoincrement is True:
                _count_on(server, table.name, column.name)
    name = file.execute(select(t.installation.c.id)).scalar()
    if name is not None:
        server.execute(update(t.installation).values(id=name))


def _rows(file: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in the order of its keys, some at a time."""
    query = select(table).order_by(*table.primary_key)
    for some in file.execution_options(yield_per=ROWS_AT_ONCE).execute(query).mappings().partitions():
        yield [{name: _storable(value) for name, value in row.items()} for row in some]


def _storable(value: Any) -> Any:
    """The same as a server can keep it: it has no place for a NUL, nor for what is no character."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _count_on(server: Connection, table: str, column: str) -> None:
    """New rows are counted on from those that were copied."""
    newest = text(
        f'SELECT setval(pg_get_serial_sequence(:name, :column), max("{column}")) FROM "{table}" '  # noqa: S608
        f'HAVING max("{column}") IS NOT NULL'
    )
    server.execute(newest, {"name": f'"{table}"', "column": column})
