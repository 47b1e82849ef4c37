"""A database that belongs to another installation is told, once (P7)."""

import asyncio
from pathlib import Path

from structlog.testing import capture_logs
from tocsin.adapters.ledger.journal.journal import Journal
from tocsin.app.leadership.installation import InstallationWatch
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import Trouble

from tests.fakes.clock import StillClock
from tests.fakes.leadership import MemoryLeadership, SharedLeadership


class Machine:
    """A machine that keeps things in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices = Notices(StillClock())

    async def leads(self, database: MemoryLeadership) -> list[tuple[Trouble, str]]:
        """What operators hear when it begins to lead with this database."""
        assert await InstallationWatch(database, await Journal.open(self.folder), self.notices).look()
        return [(notice.trouble, notice.text) for notice in self.notices.take()]


def database() -> MemoryLeadership:
    return MemoryLeadership(SharedLeadership(StillClock()))


async def test_another_database_is_told_once(tmp_path: Path) -> None:
    """The first one is remembered without a word, also when the folder has to be made; a change is told, and is then what
    is remembered.
    """
    machine, one, other = Machine(tmp_path / "var"), database(), database()
    assert await machine.leads(one) == []
    assert await machine.leads(one) == []
    ((trouble, text),) = await machine.leads(other)
    assert trouble is Trouble.LEDGER_ANOTHER
    assert f"it was {await one.installation()}, and is {await other.installation()}" in text
    assert await machine.leads(other) == []


async def test_a_standby_says_so_in_its_log(tmp_path: Path) -> None:
    """It remembers the first; of another it says so each time it stands by, and leaves it to who leads to tell it."""
    one, other, journal = database(), database(), await Journal.open(tmp_path)
    with capture_logs() as log:
        for place in (one, one, other, other):
            assert await InstallationWatch(place, journal).look()
    assert [line["event"] for line in log] == ["standby trouble", "standby trouble"]
    assert f"it was {await one.installation()}, and is {await other.installation()}; if that is" in log[0]["trouble"]
    assert (await Journal.open(tmp_path)).known() == await one.installation()


async def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """What cannot be remembered, or read, counts as not there."""
    (tmp_path / "var").write_text("a file in the folder's place")
    machine = Machine(tmp_path / "var")
    assert await machine.leads(database()) == []
    assert await machine.leads(database()) == []
    (tmp_path / "var").unlink()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "journal").write_bytes(b"\xff\xfe" * 1000)
    assert await machine.leads(database()) == []


async def test_a_database_that_is_away_is_asked_again(tmp_path: Path) -> None:
    """Nothing is remembered, and nothing told, of what did not answer."""
    place = database()
    place.cut = True
    notices = Notices(StillClock())
    watch = InstallationWatch(place, await Journal.open(tmp_path), notices)
    assert not await watch.look()
    assert not (tmp_path / "journal").exists()
    place.cut = False
    running = asyncio.create_task(watch.run())
    for _ in range(200):
        if (tmp_path / "journal").exists():
            break
        await asyncio.sleep(0.01)
    running.cancel()
    assert (await Journal.open(tmp_path)).known() == await place.installation()
    assert notices.take() == ()
