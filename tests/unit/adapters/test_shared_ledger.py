"""The ledger as a process beside the daemon uses it: not there yet, there, and another one in its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.opening import open_file
from tocsin.adapters.ledger.shared import SharedLedger
from tocsin.ports.ledger import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)


async def _made(path: Path, cause: str) -> None:
    daemon = SqlLedger(open_file(path, "now"))
    await daemon.claim_notice(cause, T0, timedelta(0))
    await daemon.close()


def _set_aside(path: Path) -> None:
    path.rename(path.with_name("tocsin.db.damaged"))
    for beside in path.parent.glob("tocsin.db-*"):
        beside.unlink()


def _open_files(folder: Path) -> list[str]:
    """The files of a folder that this process has open."""
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link.startswith(str(folder))]


async def test_it_is_found_once_the_daemon_made_it(tmp_path: Path) -> None:
    """Before there is a ledger every question is trouble, and nothing is made; afterwards it is answered."""
    path = tmp_path / "var" / "tocsin.db"
    shared = SharedLedger(path)
    with pytest.raises(LedgerError, match="no ledger"):
        shared()
    path.parent.mkdir()
    path.touch()
    with pytest.raises(LedgerError, match="empty"):
        shared()
    path.unlink()
    await _made(path, "first")
    assert await shared().noticed_at("first") == T0
    assert shared() is shared()
    await shared.close()


async def test_another_one_in_its_place_is_used(tmp_path: Path) -> None:
    """When the daemon set a damaged ledger aside and made a new one, the new one is asked; the old one is let go."""
    path = tmp_path / "tocsin.db"
    await _made(path, "first")
    shared = SharedLedger(path)
    before = shared()
    assert await before.noticed_at("first") == T0
    _set_aside(path)
    with pytest.raises(LedgerError):
        shared()
    await _made(path, "second")
    after = shared()
    assert after is not before
    assert (await after.noticed_at("first"), await after.noticed_at("second")) == (None, T0)
    assert await before.noticed_at("first") == T0
    await shared.close()
    assert _open_files(tmp_path) == []
