"""What a program without a writer of its own does: each row a commit, on disk (`synchronous=FULL`) before the next."""

import sqlite3
import time
from pathlib import Path


def commits(path: Path, rows: list[tuple[str, str, str, str, str]]) -> float:
    """Commits a second."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, kind, ref, who, body, at, UNIQUE (kind, ref))")
    began = time.perf_counter()
    for row in rows:
        database.execute("INSERT INTO rows (kind, ref, who, body, at) VALUES (?, ?, ?, ?, ?)", row)
    taken = time.perf_counter() - began
    database.close()
    return len(rows) / taken
