"""How SQLite goes about what is asked at each start: what is over and done with is not gone through, however much of it
there is.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from tocsin.adapters.ledger.reads.incidents import unfinished
from tocsin.adapters.ledger.reads.messages import unreadable_letters, unsettled
from tocsin.adapters.ledger.redating import bring_back
from tocsin.adapters.ledger.sqlite.opening import OpenedLedger, open_file
from tocsin.adapters.ledger.sqlite.reading.incidents import FileIncidents

GROW = ("facts", "attempts", "notifications", "contents")
"""Tables that hold all that ever was."""


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[OpenedLedger]:
    opened = open_file(tmp_path / "tocsin.db", "now")
    yield opened
    opened.engine.dispose()


def gone_through(path: Path, query: str) -> list[str]:
    """The tables that hold much and are read from one end to the other, by SQLite's own word."""
    connection = sqlite3.connect(path)
    try:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", [None] * query.count("?"))
        steps = [row[3].split() for row in plan]
    finally:
        connection.close()
    return [step[1] for step in steps if step[0] == "SCAN" and step[1] in GROW and "notifications_pending" not in step]


def brought_back(connection: Connection) -> None:
    """As each start does, with nothing that lies ahead of now (rule 59)."""
    bring_back(connection, [datetime(2026, 11, 23, 10, tzinfo=UTC)])


@pytest.mark.parametrize("question", [unfinished, unsettled, unreadable_letters, brought_back])
def test_a_start_goes_through_nothing_that_is_over(
    opened: OpenedLedger, tmp_path: Path, question: Callable[[Connection], Any]
) -> None:
    """It recalls what may still need something; a ledger holds years of the rest."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(opened.engine, "before_cursor_execute", note)
    with opened.engine.connect().execution_options(reading=True) as connection:
        question(connection)
    assert asked
    assert [gone_through(tmp_path / "tocsin.db", query) for query in asked] == [[] for _ in asked]


async def test_nor_does_a_command(opened: OpenedLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tocsin status` asks the same."""
    asked: list[str] = []

    async def note(_reader: FileIncidents, _made: Any, query: str, *_values: Any) -> dict[str, Any]:
        asked.append(query)
        return {}

    monkeypatch.setattr(FileIncidents, "read", note)
    await FileIncidents.unfinished(FileIncidents.__new__(FileIncidents))
    assert [gone_through(tmp_path / "tocsin.db", query) for query in asked] == [[]]
