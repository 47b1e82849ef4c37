"""A fresh ledger's tables by the statements that the scripts of the schema came to, instead of by the scripts each time:
they take 50 ms, and the tests open some four hundred fresh files.
"""

import importlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine

Migrate = Callable[[Connection, str | None], None]


@contextmanager
def scripts_run_once() -> Iterator[None]:
    """From now on the scripts are run once, for the first empty file; what is brought up to date from an older schema,
    and PostgreSQL, goes through them each time.
    """
    module = importlib.import_module("tocsin.adapters.ledger.migrations.migrate")
    scripts: Migrate = module.migrate
    statements = cache(lambda: _statements(scripts))

    def migrate(connection: Connection, schema: str | None) -> None:
        if schema is not None or connection.dialect.name != "sqlite":
            scripts(connection, schema)
            return
        file = connection.connection.driver_connection
        assert isinstance(file, sqlite3.Connection)
        for statement in statements():
            file.execute(statement)
        term = str(uuid4())  # what is drawn for each ledger
        file.execute("UPDATE term SET id = ?", [term])
        file.execute("UPDATE lease SET term = ?", [term])
        file.execute("UPDATE installation SET id = ?", [str(uuid4())])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "migrate", migrate)
        yield


def _statements(scripts: Migrate) -> tuple[str, ...]:
    """What makes an empty file one of the newest schema, as the scripts make it."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        scripts(connection, None)
        file = connection.connection.driver_connection
        assert isinstance(file, sqlite3.Connection)
        made = tuple(file.iterdump())[1:-1]  # a transaction of its own
    engine.dispose()
    return made
