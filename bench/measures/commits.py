"""Commits of the ledger itself, in this process: sixteen tasks that each wait for theirs, beside one row a commit.

The row is that of an SMS that came in: 0.5 KB with a unique key, written by one statement.
"""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.domain.arrival import Arrival, ArrivalKind

from bench.figures import Figure, Found
from bench.peers import rows
from bench.rounds import Scale, in_turn
from bench.world import folder

TASKS = 16
BODY = "It is the database again, as on Monday. " * 12
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def commits(scale: Scale) -> Found:
    """Three sides in turn: rows alone, the ledger with one task, the ledger with sixteen."""
    count = scale.of(4000, 200)
    with folder() as base:
        paths = (base / f"{number}.db" for number in range(10_000))

        def theirs() -> float:
            row = ("sms", "+14155550100", BODY, NOON.isoformat())
            return rows.commits(next(paths), [(row[0], f"SM{number}", *row[1:]) for number in range(count // 4)])

        def alone() -> float:
            return asyncio.run(_ledger(next(paths), 1, count // 4))

        def ours() -> float:
            return asyncio.run(_ledger(next(paths), TASKS, count))

        direct, one, many = in_turn(scale.rounds, theirs, alone, ours)
    peer = "sqlite3, one row a commit, synchronous=FULL"
    return Found([Figure("commits", many, peer, direct), Figure("commits-alone", one, peer, direct)])


async def _ledger(path: Path, tasks: int, count: int) -> float:
    ledger = SqlLedger(FileStore(open_file(path, "bench")))
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await ledger.record_arrival(Arrival(ArrivalKind.SMS, f"SM{number}", "+14155550100", BODY, NOON))

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(tasks)))
    taken = time.perf_counter() - began
    await ledger.close()
    return count / taken
