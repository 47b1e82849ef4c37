"""The scripts on PostgreSQL: they make what the code expects, and texts sort there as they do in SQLite."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.statements import run_each

from tests.builders.postgres_ledger import make_engine, make_tables
from tests.fakes.postgres import Database, Server, postgres

INSTANT = "2026-11-23T10:00:00.000000+00:00"


@pytest.fixture
def migrated(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_tables) as database:
        yield database


def test_the_scripts_make_the_tables(migrated: Database) -> None:
    """What the migrations make is what the code expects, to the last column and index, partial ones too."""
    engine = make_engine(migrated.url())
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []
        made = {
            (table, index["name"], index["dialect_options"].get("postgresql_where") is not None)
            for table in inspect(connection).get_table_names()
            for index in inspect(connection).get_indexes(table)
            if not index.get("duplicates_constraint")
        }
    wanted = {
        (table.name, index.name, index.dialect_options["sqlite"]["where"] is not None)
        for table in t.metadata.tables.values()
        for index in table.indexes
    }
    assert made == wanted


def test_every_text_sorts_by_its_characters(migrated: Database) -> None:
    """Instants and names sort as in SQLite, whatever language the database was made for."""
    texts = migrated.run(
        "SELECT table_name || '.' || column_name, collation_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type IN ('text', 'character varying') AND table_name <> 'alembic_version'"
    )
    assert len(texts) > 50
    assert [name for name, collation in texts if collation != "C"] == []


@pytest.mark.attack
def test_a_database_made_for_a_language_sorts_no_otherwise() -> None:
    """In English `a` stands before `B`, and a hyphen counts for nothing; in the ledger they do not."""
    names = ["B", "a", "é", "_", "a-b", "ab"]
    with postgres(15) as server:
        server.run("CREATE DATABASE english TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'")
        make_tables(server.url("english"))
        engine = make_engine(server.url("english"))
        with engine.begin() as connection:
            rows = [{"digest": name, "person": "ana", "began_at": INSTANT} for name in names]
            run_each(connection, insert(t.sessions), rows)
            digests = connection.execute(select(t.sessions.c.digest).order_by(t.sessions.c.digest)).scalars().all()
            later = connection.execute(select(t.sessions.c.digest).where(t.sessions.c.digest > "a")).scalars().all()
            plain = connection.exec_driver_sql("SELECT 'a' < 'B'").scalar()
        engine.dispose()
    assert (digests, plain) == (sorted(names), True)
    assert sorted(later) == [name for name in sorted(names) if name > "a"]
