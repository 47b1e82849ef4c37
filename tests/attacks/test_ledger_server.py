"""A ledger on a server whose disk is full, whose machine stands still, which is taken away and given back."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.app.hand_ins.feed import HandInFeed
from tocsin.app.hand_ins.file_versions import FileVersions
from tocsin.app.hand_ins.from_memory.sent_elsewhere import SentElsewhere
from tocsin.app.hand_ins.hand_in import FileVersion
from tocsin.app.hand_ins.handed_in import HandedIn
from tocsin.app.hand_ins.own_files import OwnFiles
from tocsin.app.intake.newest_files import NewestFiles
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.incident import Incident, Status
from tocsin.formats.incident.read import digest
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import settings
from tests.builders.policies import paging_policy
from tests.builders.postgres_ledger import make_tables, open_leading
from tests.fakes.postgres import Server, postgres

pytestmark = pytest.mark.attack

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
ANSWER = Answered(T0, "ana", Answer.OK)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 96 MB, where somebody who is not root gets at it."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a file system")
    disk = Path(tempfile.mkdtemp(prefix="tocsin-disk-"))
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "tmpfs", disk], check=False)
    if made.returncode:
        disk.rmdir()
        pytest.skip("no file system may be made here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)
    disk.rmdir()


async def soon(ledger: SqlLedger, incident: str, within: float = 20) -> None:
    """Written, once the server takes it again."""
    async with asyncio.timeout(within):
        while True:
            try:
                await ledger.record(incident, [ANSWER], (), ())
            except LedgerError:
                await asyncio.sleep(0.2)
            else:
                return


async def test_its_disk_is_full(small_disk: Path) -> None:
    """What does not fit is told at once and is not there; all that was said to be written is; with room it goes on."""
    with postgres(place=small_disk) as server:
        base = server.make_database(make_tables)
        store = await open_leading(base.url())
        ledger = SqlLedger(store)
        written = []
        await ledger.record("first", [ANSWER], (), ())
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            for _ in range(96):
                try:
                    file.write(os.urandom(1 << 20))
                    file.flush()
                except OSError:
                    break
        with pytest.raises(LedgerError) as refused:  # noqa: PT012 - whichever of these is the first
            for number in range(3000):
                await ledger.keep_file(f"i{number}", "i.yaml", "d", os.urandom(8000))
                written.append(f"i{number}")
        assert str(refused.value)
        assert store.trouble
        filler.unlink()
        if server.is_down:  # without room for its log PostgreSQL ends itself, and waits for a human
            server.start()
        await soon(ledger, "later")
        assert store.trouble == ""
        assert set(written) <= set(await ledger.files())
        assert {incident for (incident,) in base.run("SELECT incident FROM facts")} == {"first", "later"}
        await store.close()


async def test_its_machine_stands_still(postgres_server: Server) -> None:
    """Whoever writes or asks hears within seconds that there is no answer, and it goes on by itself afterwards. What was
    said to be written is there once.
    """
    with postgres_server.database(make_tables) as base:
        store = await open_leading(base.url())
        ledger = SqlLedger(store)
        await ledger.record("before", [ANSWER], (), ())
        await ledger.incidents()
        postgres_server.pause()
        try:
            began = time.monotonic()
            with pytest.raises(LedgerError):
                await ledger.record("meanwhile", [ANSWER], (), ())
            assert time.monotonic() - began < 12
            for _ in range(3):
                began = time.monotonic()
                with pytest.raises(LedgerError):
                    await ledger.record("meanwhile", [ANSWER], (), ())
                assert time.monotonic() - began < 5
        finally:
            postgres_server.go_on()
        await soon(ledger, "after")
        counted = dict(base.run("SELECT incident, count(*) FROM facts GROUP BY incident"))
        assert counted == {"before": 1, "after": 1}
        assert set(await ledger.incidents()) == {"before", "after"}
        await store.close()


async def test_what_is_newly_declared_does_not_wait_for_a_machine_that_stands_still(postgres_server: Server) -> None:
    """Rule 54: it counts within seconds, and what is declared next at once."""
    with postgres_server.database(make_tables) as base:
        store = await open_leading(base.url())
        ledger, clock, incidents = SqlLedger(store), SystemClock(), Incidents(Agenda())
        config = ActiveConfig(paging_policy(), settings())
        versions = FileVersions(clock, ledger, config, incidents, Notices(clock), NewestFiles(ledger))
        files = OwnFiles(clock, ledger, versions, incidents)
        await ledger.incidents()
        running = asyncio.create_task(files.run())
        postgres_server.pause()
        try:
            for number, within in ((0, 4), (1, 1), (2, 1)):
                began = time.monotonic()
                await files.give(FileVersion("a", f"new{number}", f"new{number}.yaml", b"title: x\nseverity: sev1\n"))
                assert time.monotonic() - began < within
                assert incidents.is_known(f"new{number}")
                await asyncio.sleep(2.5)
        finally:
            postgres_server.go_on()
        await asyncio.sleep(5)
        assert not versions.ledger_away
        running.cancel()
        await store.close()


async def test_an_archive_that_is_handed_in_holds_up_nobody(postgres_server: Server) -> None:
    """P9: of a thousand files that say what was said before and one that pages the last counts within seconds."""
    data = b"title: x\nseverity: sev1\nstatus: resolved\nsummary: " + b"word " * 300 + b"\n"
    names = [f"i{number}" for number in range(1000)]
    with postgres_server.database(make_tables) as base:
        store = await open_leading(base.url())
        ledger, clock, incidents = SqlLedger(store), SystemClock(), Incidents(Agenda())
        said = ((name, Incident(name, "x", "sev1", Status.RESOLVED)) for name in names)
        await asyncio.gather(*(ledger.record(name, [Seen(T0, it, digest(data))], (), ()) for name, it in said))
        incidents.archive(names)
        config, notices = ActiveConfig(paging_policy(), settings()), Notices(clock)
        versions = FileVersions(clock, ledger, config, incidents, notices, NewestFiles(ledger))
        elsewhere: Any = SentElsewhere(clock, ledger, None, None, incidents)
        feed = HandInFeed(ledger, versions, elsewhere, notices, set(), lambda: None)
        handed_in = HandedIn(clock, ledger)
        for name in names:
            await handed_in.give(FileVersion("b", name, f"{name}.yaml", data))
        await handed_in.give(FileVersion("b", "new", "new.yaml", b"title: x\nseverity: sev1\n"))
        began = time.monotonic()
        running = asyncio.create_task(handed_in.run())
        while not incidents.is_known("new"):
            await asyncio.sleep(0.1)
            await feed.look()
        assert time.monotonic() - began < 5, "one by one it took ten seconds"
        running.cancel()
        await store.close()
