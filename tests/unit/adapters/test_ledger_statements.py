"""Statements on their way to the driver: its faults are SQLAlchemy's, whatever way they went."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.adapters.ledger.statements import run_each

ROW = {"kind": "sms", "ref": "SM1", "who": "+14155550100", "body": "ok", "at": "2026-11-23T12:00:00.000000+00:00"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_file(tmp_path / "tocsin.db", "now").engine
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_row_that_breaks_a_rule_is_an_integrity_error_and_nothing_of_its_transaction_stays(
    connection: Connection,
) -> None:
    """A unique key that is broken in the midst of a transaction takes all of it back, and the connection goes on."""
    with pytest.raises(IntegrityError) as fault, connection.begin():
        run_each(connection, insert(t.arrivals), [ROW, ROW])
    assert isinstance(fault.value.orig, sqlite3.IntegrityError)
    assert "UNIQUE" in str(fault.value.orig)
    with connection.begin():
        assert run_each(connection, insert(t.arrivals), [ROW]) == 1


def test_a_transaction_that_may_not_begin_says_whose_lock_it_was(connection: Connection, tmp_path: Path) -> None:
    """A lock that somebody else holds is the fault of BEGIN, with SQLite's own code; without the lock it begins."""
    other = sqlite3.connect(tmp_path / "tocsin.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sqlite = connection.connection.dbapi_connection
    assert sqlite is not None
    sqlite.execute("PRAGMA busy_timeout=10")
    with pytest.raises(OperationalError) as fault, connection.begin():
        raise AssertionError("it has begun beside another one")
    assert isinstance(fault.value.orig, sqlite3.OperationalError)
    assert fault.value.orig.sqlite_errorcode == sqlite3.SQLITE_BUSY
    other.execute("COMMIT")
    other.close()
    with connection.begin():
        assert run_each(connection, insert(t.arrivals), [ROW]) == 1


def test_a_connection_that_was_closed_is_given_up(connection: Connection) -> None:
    """The fault says that it was, as SQLAlchemy says it, and whoever asks next gets another connection."""
    sqlite = connection.connection.dbapi_connection
    assert sqlite is not None
    sqlite.close()
    with pytest.raises(ProgrammingError) as fault, connection.begin():
        raise AssertionError("it has begun without a connection")
    assert fault.value.connection_invalidated
    with connection.begin():
        assert run_each(connection, insert(t.arrivals), [ROW]) == 1
