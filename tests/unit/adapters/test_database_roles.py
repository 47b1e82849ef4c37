"""The roles that `grants.sql` makes, on a real server: the daemons' may do everything in its database, the web sides'
and people's may SELECT and leave nothing anywhere.
"""

import subprocess
from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import NullPool, create_engine
from tocsin.adapters import ledger
from tocsin.adapters.ledger.migrations.migrate import migrate
from tocsin.adapters.ledger.postgresql.nodes import read_machines
from tocsin.adapters.ledger.schema.tables import metadata

from tests.fakes.postgres import PASSWORD, Database, Server

GRANTS = next(iter(ledger.__path__)) + "/postgresql/grants.sql"
WRITER, READER = "grants_writer", "grants_reader"
RIGHTS = """
    SELECT tablename, has_table_privilege(tablename, 'SELECT'),
           has_table_privilege(tablename, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(tablename, 'INSERT, UPDATE, REFERENCES')
      FROM pg_tables WHERE schemaname = 'public'
"""
DENIED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)
WRITES = (
    "INSERT INTO notices VALUES ('cause', 'at')",
    "UPDATE notices SET at = ''",
    "DELETE FROM notices",
    "TRUNCATE notices",
    "MERGE INTO notices USING notices AS other ON notices.cause = other.cause WHEN MATCHED THEN DELETE",
    "COPY notices FROM STDIN",
    "DROP TABLE notices",
    "ALTER TABLE notices ADD COLUMN word text",
    "ALTER TABLE notices OWNER TO CURRENT_USER",
    "CREATE INDEX of_mine ON notices (cause)",
    "CREATE TABLE of_mine (id int)",
    "CREATE TEMPORARY TABLE of_mine (id int)",
    "CREATE VIEW of_mine AS SELECT 1",
    "CREATE SCHEMA of_mine",
    "CREATE FUNCTION of_mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SEQUENCE of_mine",
    "CREATE TRIGGER of_mine BEFORE INSERT ON notices EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE ROLE of_mine",
    "CREATE DATABASE of_mine",
    "COMMENT ON TABLE notices IS 'mine'",
    "SELECT nextval('arrivals_id_seq')",
    "SELECT setval('arrivals_id_seq', 9)",
    "SELECT at FROM notices FOR SHARE",
    "SELECT at FROM notices FOR KEY SHARE",
    "BEGIN; LOCK TABLE notices IN ROW EXCLUSIVE MODE",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'mine')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_logical_emit_message(false, 'mine', 'mine')",
    "SELECT pg_notify('mine', 'mine')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_advisory_lock_shared(1, 1)",
    "SELECT pg_try_advisory_xact_lock(1)",
    "SELECT pg_read_file('PG_VERSION')",
    "COPY (SELECT 1) TO '/tmp/of_mine'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
)
"""Whatever could leave something, or keep the daemon waiting by something other than a read."""


def _granted(server: Server, administrator: str, database: str) -> "subprocess.CompletedProcess[str]":
    names = [
        f"--set={name}={value}" for name, value in (("database", database), ("writer", WRITER), ("reader", READER))
    ]
    command = [server.programs / "psql", "-X", "--set=ON_ERROR_STOP=1", *names, "-f", GRANTS, administrator]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _fill(database: Database) -> None:
    """Make the ledger as the daemon that leads does."""
    engine = create_engine(database.url(WRITER).replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.begin() as connection:
        migrate(connection, None)
        connection.exec_driver_sql("INSERT INTO notices VALUES ('healthy', 'then')")


@pytest.fixture
def granted(postgres_server: Server) -> Iterator[Database]:
    """A ledger whose database and roles the script has made."""
    database = Database(postgres_server, "grants")
    done = _granted(postgres_server, postgres_server.url(), database.name)
    assert (done.returncode, done.stderr) == (0, "")
    try:
        postgres_server.make_role(WRITER)
        _fill(database)
        postgres_server.run(f"ALTER ROLE {READER} PASSWORD '{PASSWORD}'")
        yield database
    finally:
        postgres_server.drop(database)


def _refused(database: Database, statement: str) -> str:
    """Why a reader who has made its session writable may not; empty: it may."""
    with psycopg.connect(database.url(READER), autocommit=True) as reader:
        reader.execute("SET default_transaction_read_only = off")
        try:
            cursor = reader.cursor()
            if "STDIN" in statement:
                with cursor.copy(statement) as copy:
                    copy.write(b"cause\tat\n")
            else:
                cursor.execute(statement)
        except DENIED as refused:
            return type(refused).__name__
    return ""


def test_a_reader_reads_and_leaves_nothing(granted: Database) -> None:
    """P3, P8: each statement that could write, or lock, is refused by the server, also once the reader has switched off
    that it only reads; and by default it does.
    """
    with psycopg.connect(granted.url(READER)) as reader:
        assert reader.execute("SELECT * FROM notices").fetchall() == [("healthy", "then")]
        rights = reader.execute(RIGHTS).fetchall()
        assert {name for name, *_ in rights} >= {table.name for table in metadata.sorted_tables}
        assert all(held == [True, False] for _, *held in rights)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            reader.execute("CREATE TABLE of_mine (id int)")
    assert [statement for statement in WRITES if not _refused(granted, statement)] == []
    assert granted.run("SELECT * FROM notices") == [("healthy", "then")]


def test_the_script_can_be_given_again(granted: Database, postgres_server: Server) -> None:
    """What is there stays; what somebody gave the reader meanwhile is taken back; nobody else may even connect."""
    granted.run(f"GRANT INSERT ON notices TO {READER}")
    assert not _refused(granted, "INSERT INTO notices VALUES ('first', 'now')")
    again = _granted(postgres_server, postgres_server.url(), granted.name)
    assert (again.returncode, again.stderr) == (0, "")
    assert _refused(granted, "INSERT INTO notices VALUES ('second', 'now')") == "InsufficientPrivilege"
    postgres_server.make_role("somebody")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(granted.url("somebody"))


def test_an_administrator_who_is_no_superuser_can_give_it(postgres_server: Server) -> None:
    """As on a managed service: all but the functions of PostgreSQL's own is taken from the reader, and psql says so."""
    postgres_server.run(f"DROP ROLE IF EXISTS {WRITER}, {READER}")
    postgres_server.make_role("administrator", PASSWORD, "CREATEROLE", "CREATEDB")
    database = Database(postgres_server, "grants")
    try:
        done = _granted(postgres_server, postgres_server.url(role="administrator"), database.name)
        assert done.returncode == 0, done.stderr
        assert "no privileges could be revoked" in done.stderr
        postgres_server.run(f"ALTER ROLE {WRITER} PASSWORD '{PASSWORD}'")
        postgres_server.run(f"ALTER ROLE {READER} PASSWORD '{PASSWORD}'")
        _fill(database)
        theirs = ("lo_", "pg_notify", "pg_logical", "advisory")
        mine = [statement for statement in WRITES if not any(word in statement for word in theirs)]
        assert [statement for statement in mine if not _refused(database, statement)] == []
    finally:
        postgres_server.drop(database)


def test_who_may_see_sessions_sees_the_oldest_transaction(granted: Database) -> None:
    """As of when it began, and only with the right to: the shipped role does without, and sees all of the machines."""
    reading = create_engine(granted.url(READER).replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)

    def oldest() -> datetime | None:
        with reading.begin() as connection:
            return read_machines(connection).oldest_transaction

    with psycopg.connect(granted.url(WRITER)) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        (began,) = old.execute("SELECT now() FROM notices").fetchone() or ()
        assert oldest() is None
        granted.run(f"GRANT pg_read_all_stats TO {READER}")
        try:
            assert oldest() == began
            old.rollback()
            assert (oldest() or began) > began
        finally:
            granted.run(f"REVOKE pg_read_all_stats FROM {READER}")
