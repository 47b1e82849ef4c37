"""Statements on their way to the driver: compiled once, and handed over as they are.

The transactions of a letter are small, and in such ones SQLAlchemy's own way to the driver costs more than SQLite does.
What a fault is stays SQLAlchemy's to say. Must not know what is written.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

from tocsin.adapters.ledger.schema.tolerant import TolerantInsert

COMPILED_MAX = 64
"""Statements kept compiled."""

Row = dict[str, Any]


def insert_if_new(connection: Connection, statement: TolerantInsert, rows: Sequence[Row]) -> list[bool]:
    """Insert rows whose keys differ and may be known; whether each was new. Where all are, one round trip says so."""
    if len(rows) > 1:
        run(connection, "SAVEPOINT none_is_known")  # SQLAlchemy would compile its own anew each time
        if run_each(connection, statement, rows) == len(rows):
            run(connection, "RELEASE SAVEPOINT none_is_known")
            return [True] * len(rows)
        run(connection, "ROLLBACK TO SAVEPOINT none_is_known")
    return [run_each(connection, statement, [row]) == 1 for row in rows]


def run_each(connection: Connection, statement: Insert | Update, rows: Sequence[Row]) -> int:
    """Run a statement for each row; how many rows it wrote. All have the same keys."""
    if not rows:
        return 0
    compiled = _compiled(statement, tuple(rows[0]), connection.dialect)
    names = compiled.positiontup
    if names is None:
        return connection.exec_driver_sql(compiled.string, list(rows)).rowcount
    values = [tuple([row[name] for name in names]) for row in rows]
    try:
        return _sqlite(connection).executemany(compiled.string, values).rowcount
    except sqlite3.Error as fault:
        raise _as_sqlalchemy_says(connection, compiled.string, fault) from fault


def ask(connection: Connection, compiled: SQLCompiler, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a question finds, given all its values by their names."""
    names = compiled.positiontup
    if names is None:
        return [tuple(row) for row in connection.exec_driver_sql(compiled.string, dict(values))]
    try:
        return _sqlite(connection).execute(compiled.string, [values[name] for name in names]).fetchall()
    except sqlite3.Error as fault:
        raise _as_sqlalchemy_says(connection, compiled.string, fault) from fault


def run(connection: Connection, text: str) -> None:
    """Run what is plain text, such as BEGIN."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(text)
        return
    try:
        _sqlite(connection).execute(text)
    except sqlite3.Error as fault:
        raise _as_sqlalchemy_says(connection, text, fault) from fault


def _sqlite(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection. Whoever meets a fault here gives the connection up, or rolls back."""
    sqlite: object = connection.connection.dbapi_connection
    assert isinstance(sqlite, sqlite3.Connection)
    return sqlite


def _as_sqlalchemy_says(connection: Connection, statement: str, fault: sqlite3.Error) -> Exception:
    """The fault of SQLAlchemy that stands for this one of the driver's. A connection that is closed is given up, as
    SQLAlchemy does: who asks it next gets another one.
    """
    driver_fault: Any = fault
    closed = connection.dialect.is_disconnect(driver_fault, connection.connection, None)
    if closed:
        connection.invalidate(fault)
    return DBAPIError.instance(statement, None, fault, sqlite3.Error, connection_invalidated=closed)


@lru_cache(COMPILED_MAX)
def _compiled(statement: Insert | Update, keys: tuple[str, ...], dialect: Dialect) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect, column_keys=list(keys), for_executemany=True)
    assert isinstance(compiled, SQLCompiler)
    return compiled
