"""The ledger as a process beside the daemon uses it: not there yet, there, and another one in its place."""

import asyncio
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.adapters.ledger.sqlite.shared import SharedLedger
from tocsin.ports.ledger.trouble import LedgerError

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)


async def _made(path: Path, cause: str) -> None:
    daemon = SqlLedger(FileStore(open_file(path, "now")))
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


async def test_it_is_read_only(tmp_path: Path) -> None:
    """Whatever the process may do to the file, the ledger lets it write nothing."""
    path = tmp_path / "tocsin.db"
    await _made(path, "first")
    shared = SharedLedger(path)
    with pytest.raises(LedgerError, match="readonly"):
        await shared().claim_notice("second", T0, timedelta(0))
    await shared.close()
    assert await SharedLedger(path)().noticed_at("second") is None


async def test_it_is_never_stale(tmp_path: Path) -> None:
    """Before a start, while the daemon works, after its clean end and the next start: each answer is of that moment."""
    path = tmp_path / "tocsin.db"
    await _made(path, "c0")
    shared = SharedLedger(path)
    for number in range(1, 4):
        daemon = SqlLedger(FileStore(open_file(path, "now")))
        await daemon.claim_notice(f"c{number}", T0, timedelta(0))
        assert await shared().noticed_at(f"c{number}") == T0
        await daemon.close()
        assert await shared().noticed_at(f"c{number}") == T0
    await shared.close()


async def test_a_file_that_nobody_had_open(tmp_path: Path) -> None:
    """A copy without the files that SQLite keeps beside it is read as it is, and anew once a daemon has opened it; an
    answer that was begun before that is none.
    """
    path = tmp_path / "tocsin.db"
    await _made(path, "first")
    for beside in path.parent.glob("tocsin.db-*"):
        beside.unlink()
    shared = SharedLedger(path)
    before = shared()
    assert await before.noticed_at("first") == T0
    assert [beside.name for beside in path.parent.glob("tocsin.db-*")] == []
    daemon = SqlLedger(FileStore(open_file(path, "now")))
    await daemon.claim_notice("second", T0, timedelta(0))
    with pytest.raises(LedgerError, match="ask again"):
        await before.noticed_at("second")
    assert await shared().noticed_at("second") == T0
    assert shared() is not before
    await daemon.close()
    await shared.close()


READER = """
import asyncio, os, sys
from pathlib import Path
from tocsin.adapters.ledger.sqlite.shared import SharedLedger

os.setgroups([])
os.setgid(61_002)
os.setuid(61_001)

async def read():
    shared = SharedLedger(Path(sys.argv[1]))
    for line in sys.stdin:
        try:
            print(await shared().noticed_at(line.strip()), flush=True)
        except Exception as fault:
            print(type(fault).__name__, fault, flush=True)

asyncio.run(read())
"""
KILLED = """
import asyncio, os, sys
from datetime import datetime, timedelta
from pathlib import Path
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file

async def write():
    daemon = SqlLedger(FileStore(open_file(Path(sys.argv[1]), "now")))
    await daemon.claim_notice("killed", datetime.fromisoformat(sys.argv[2]), timedelta(0))
    os._exit(9)

asyncio.run(write())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_of_the_group_reads_along() -> None:
    """B2: the web side's own user may read the ledger and its folder, and nothing else: it reads what the daemon has
    just written, after a clean stop, after a kill, after the next start, and in another file in the ledger's place.
    """
    folder = Path(mkdtemp(prefix="tocsin-ledger-", dir="/tmp"))
    os.chown(folder, 0, 61_002)
    folder.chmod(0o2750)
    path = folder / "tocsin.db"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def seen(cause: str) -> str:
        assert reader.stdin is not None
        assert reader.stdout is not None
        print(cause, file=reader.stdin, flush=True)
        return reader.stdout.readline().strip()

    async def start_and_stop(cause: str) -> None:
        daemon = SqlLedger(FileStore(open_file(path, "now")))
        await daemon.claim_notice(cause, T0, timedelta(0))
        assert seen(cause) == str(T0)
        await daemon.close()
        assert seen(cause) == str(T0)

    try:
        assert "no ledger" in seen("c0")
        for number in range(3):
            asyncio.run(start_and_stop(f"c{number}"))
        assert subprocess.run([sys.executable, "-c", KILLED, path, str(T0)], check=False).returncode == 9
        assert seen("killed") == str(T0)
        _set_aside(path)
        asyncio.run(_made(path, "another"))
        assert (seen("another"), seen("killed")) == (str(T0), "None")
    finally:
        reader.kill()
        reader.communicate()
        shutil.rmtree(folder)
