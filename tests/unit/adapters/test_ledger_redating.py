"""A ledger of which a row cannot be read follows a clock that was wrong all the same."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.facts import ClockMoved, Closed, Seen
from tocsin.domain.incident import Incident, Status

from tests.builders.instants import T0

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("moves", [True, False])
async def test_a_row_that_cannot_be_read_is_left_alone(tmp_path: Path, moves: bool) -> None:
    """Rules 59, 60, 63: the other incidents are put right; that one is set aside by whoever reads it."""
    path = tmp_path / "tocsin.db"
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    for incident in ("bad", "good"):
        await ledger.record(incident, [Seen(T0, Incident(incident, "x", "s", Status.IDENTIFIED)), Closed(T0)], (), ())
    with sqlite3.connect(path) as rows:
        rows.execute("UPDATE facts SET body = '{}' WHERE incident = 'bad' AND kind = 'Seen'")
    if moves:
        await ledger.move_clock(HOUR, T0 + 2 * HOUR)
        assert (await ledger.facts("good"))[1:] == (Closed(T0 + HOUR), ClockMoved(T0 + 2 * HOUR, HOUR))
    else:
        assert await ledger.bring_back(T0 - HOUR) == HOUR
        assert (await ledger.facts("good"))[1:] == (Closed(T0 - HOUR),)
    await ledger.close()
    with sqlite3.connect(path) as rows:
        assert rows.execute("SELECT body FROM facts WHERE incident = 'bad'").fetchone() == ("{}",)
