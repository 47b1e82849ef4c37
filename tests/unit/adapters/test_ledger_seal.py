"""The ledger's own seal on what it keeps of configs."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_existing, open_file

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


async def kept_at(path: Path) -> None:
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record_config("r1", {"all.yaml": b"people: {}"}, NOW)
    await ledger.close()


async def sealed(path: Path) -> bool:
    """As a command of the daemon's user reads it."""
    opened = open_existing(path)
    assert opened
    ledger = SqlLedger(FileStore(opened))
    try:
        config = await ledger.last_good_config()
        assert config
        return config.sealed
    finally:
        await ledger.close()


async def test_what_the_daemon_keeps_is_sealed(tmp_path: Path) -> None:
    """By a key that is its own user's alone, and stays the same."""
    path = tmp_path / "tocsin.db"
    await kept_at(path)
    key = tmp_path / "tocsin.db.key"
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)
    before = key.read_bytes()
    await SqlLedger(FileStore(open_file(path, "now"))).close()
    assert key.read_bytes() == before
    assert await sealed(path)


def run(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as ledger:
        ledger.execute(statement)


FORGED = "INSERT INTO configs (revision, since, files{}) SELECT '{}', since, {}{} FROM configs WHERE id = 1"
CHANGES: dict[str, Callable[[Path], object]] = {
    "a row without a seal": lambda path: run(path, FORGED.format("", "r1", "files", "")),
    "a seal of another revision": lambda path: run(path, FORGED.format(", seal", "r2", "files", ", seal")),
    "a seal that is none": lambda path: run(path, "UPDATE configs SET seal = 'x'"),
    "no key": lambda path: path.with_name("tocsin.db.key").unlink(),
    "another key": lambda path: path.with_name("tocsin.db.key").write_bytes(b"x" * 32),
    "a short key": lambda path: path.with_name("tocsin.db.key").write_bytes(b"x"),
    "a key open to others": lambda path: path.with_name("tocsin.db.key").chmod(0o640),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_others_wrote_is_not(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Another row or revision, and a key that is lost, exchanged or open, vouch for nothing."""
    path = tmp_path / "tocsin.db"
    await kept_at(path)
    assert await sealed(path)
    change(path)
    assert not await sealed(path)


async def test_other_files_under_its_seal(tmp_path: Path) -> None:
    """The seal is of these very bytes."""
    path = tmp_path / "tocsin.db"
    await kept_at(path)
    ledger = SqlLedger(FileStore(open_file(path, "now")))
    await ledger.record_config("r1", {"all.yaml": b"people: {eve: {}}"}, NOW)
    await ledger.close()
    run(path, "UPDATE configs SET seal = (SELECT seal FROM configs WHERE id = 1) WHERE id = 2")
    assert not await sealed(path)
