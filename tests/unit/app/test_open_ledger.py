"""What ends a start: a ledger that is not ours to use, in one line and untouched (rule 64)."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.adapters.ledger.sqlite.lock import Lock
from tocsin.app.lifecycle.startup import StartError
from tocsin.app.wiring.ledgers import open_store

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A sound ledger of this process, whose folder others may pass."""
    path = tmp_path / "var" / "tocsin.db"
    path.parent.mkdir()
    for folder in path.parents:
        if "pytest" in folder.name or folder == tmp_path:
            folder.chmod(0o755)
    return path


async def made(path: Path) -> None:
    """It was used."""
    async with AsyncExitStack() as closing_:
        open_store(path, T0, closing_)


@contextmanager
def nobody() -> Iterator[None]:
    """Be another user for a while."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


async def refused(path: Path) -> str:
    """The one line by which a start ends."""
    async with AsyncExitStack() as closing_:
        with pytest.raises(StartError) as raised:
            open_store(path, T0, closing_)
    (line,) = raised.value.reasons
    assert "\n" not in line
    assert str(path) in line
    return line


def stand(folder: Path) -> dict[str, tuple[int, int]]:
    """What is in a folder."""
    return {file.name: (file.stat().st_size, file.stat().st_mtime_ns) for file in folder.iterdir()}


@as_root
@pytest.mark.parametrize(("mode", "owner"), [(0o700, 0), (0o755, 0), (0o700, 1)])
async def test_the_folder_of_another_user(ledger: Path, mode: int, owner: int) -> None:
    """Rule 64: whoever installs it must give the rights; nobody goes on beside it with a ledger of their own."""
    await made(ledger)
    ledger.parent.chmod(mode)
    os.chown(ledger.parent, owner, owner)
    before = stand(ledger.parent)
    with nobody():
        line = await refused(ledger)
    assert "cannot be opened" in line
    assert stand(ledger.parent) == before


@as_root
async def test_the_file_of_another_user(ledger: Path) -> None:
    """Rule 64: also where the folder is ours."""
    await made(ledger)
    os.chown(ledger.parent, NOBODY, NOBODY)
    (ledger.parent / "tocsin.db.lock").unlink()
    with nobody():
        await refused(ledger)


async def test_a_ledger_of_a_newer_tocsin(ledger: Path) -> None:
    """Rule 64: an older one would not know what it reads; it says what to do."""
    await made(ledger)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer tocsin (schema 9999); update tocsin" in await refused(ledger)


async def test_a_folder_in_its_place(ledger: Path) -> None:
    """Rule 64: nothing is guessed."""
    ledger.mkdir()  # noqa: ASYNC240 - a test
    await refused(ledger)
    assert ledger.is_dir()  # noqa: ASYNC240 - a test


async def test_another_daemon(ledger: Path) -> None:
    """Rule 43: the second one names the first, and its machine where it is another (a ledger on a shared disk)."""
    lock = Lock(ledger)
    async with AsyncExitStack() as closing_:
        with pytest.raises(StartError, match=rf"works on this ledger \(pid {os.getpid()}\); stop it first"):
            open_store(ledger, T0, closing_)
        ledger.with_name("tocsin.db.lock").write_text("77\npager2\n")
        with pytest.raises(StartError, match=r"works on this ledger \(pid 77 on pager2\)"):
            open_store(ledger, T0, closing_)
    lock.release()
