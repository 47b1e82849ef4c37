"""What operators hear of the ledger's file (rule 64)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tocsin.app.engine.ledger_keeper import BALLAST_EVERY, LedgerKeeper
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import Trouble
from tocsin.ports.ledger.file import FileChange, LedgerStart
from tocsin.ports.ledger.trouble import LedgerError

from tests.fakes.clock import StillClock

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
PATH = Path("/var/lib/tocsin/tocsin.db")


class FakeFile:
    """A port FileKeeper that says what it is told to."""

    def __init__(self) -> None:
        self.replaced: Path | None = None
        self.away = self.trouble = self.mark_trouble = ""
        self.change: FileChange | LedgerError | None = None
        self.held = True
        self.asked = 0
        self.start = LedgerStart()
        self.lets_go = False

    async def trouble_turns(self) -> None:
        """Never."""
        await asyncio.Event().wait()

    async def try_lock(self) -> None:
        """Whoever holds it lets go of it, or not."""
        if not self.lets_go:
            raise LedgerError(self.trouble)
        self.trouble = ""

    async def look_after_file(self, now: datetime) -> FileChange | None:
        """What is next."""
        change, self.change = self.change, None
        if isinstance(change, LedgerError):
            raise change
        return change

    async def hold_ballast(self) -> bool:
        """Whether there is room."""
        self.asked += 1
        return self.held


class Kept:
    """A keeper on a clock that stands still, and what it told."""

    def __init__(self, *, freed: bool = False) -> None:
        self.clock, self.file = StillClock(T0), FakeFile()
        self.file.start = LedgerStart(freed)
        self.notices = Notices(self.clock)
        self.keeper = LedgerKeeper(self.clock, self.file, self.notices, PATH)

    def told(self) -> dict[Trouble, str]:
        """What is new."""
        return {notice.trouble: notice.text for notice in self.notices.take()}


async def test_a_deleted_file_and_one_in_its_place() -> None:
    """Rule 64: each is told with what became of it; while all is well nothing is."""
    kept = Kept()
    await kept.keeper.look()
    assert kept.told() == {}
    kept.file.change = FileChange.DELETED
    await kept.keeper.look()
    assert f"{PATH} was deleted while tocsin ran; it was made anew" in kept.told()[Trouble.LEDGER_REPLACED]
    kept = Kept()
    kept.file.change, kept.file.replaced = FileChange.REPLACED, Path("/aside")
    await kept.keeper.look()
    assert "that one is now /aside, nothing is lost" in kept.told()[Trouble.LEDGER_REPLACED]


async def test_one_that_cannot_be_made_anew() -> None:
    """Rule 64: whoever runs it must not restart it now."""
    kept = Kept()
    kept.file.change = LedgerError("no room")
    await kept.keeper.look()
    text = kept.told()[Trouble.LEDGER_REPLACED]
    assert "(no room)" in text
    assert text.endswith("do not restart tocsin before it is back")


async def test_one_in_memory_whose_disk_is_not_well_yet() -> None:
    """Rules 39, 64: its file is not gone, so nobody is told that it is; why it cannot be used was told at the start."""
    kept = Kept()
    kept.file.away, kept.file.change = "Read-only file system", LedgerError("Read-only file system")
    await kept.keeper.look()
    assert Trouble.LEDGER_REPLACED not in kept.told()


async def test_it_cannot_be_written_and_then_it_can() -> None:
    """Rule 71: operators hear why, once, and that it is over."""
    kept = Kept()
    kept.file.trouble = "disk is full"
    for _look in range(3):
        await kept.keeper.look()
    assert kept.told() == {
        Trouble.LEDGER_UNWRITABLE: "the ledger cannot be written (disk is full); pages go out from memory"
    }
    kept.file.trouble = ""
    await kept.keeper.look()
    assert Trouble.LEDGER_UNWRITABLE in {recovery.trouble for recovery in kept.notices.take_recovered()}


async def test_another_program_holds_it() -> None:
    """Rule 39: the notice names what to look with, and it is tried whether the other has let go of it."""
    kept = Kept()
    kept.file.trouble = "database is locked"
    await kept.keeper.look()
    assert "another program holds it, and `fuser -v tocsin.db` names it" in kept.told()[Trouble.LEDGER_UNWRITABLE]
    kept.file.lets_go = True
    await kept.keeper.look()
    await kept.keeper.look()
    assert Trouble.LEDGER_UNWRITABLE in {recovery.trouble for recovery in kept.notices.take_recovered()}


async def test_the_ballast_is_seen_to_each_minute() -> None:
    """Rule 64: whether there is room is not asked at each look; that there is room again is told."""
    kept = Kept(freed=True)
    kept.file.held = False
    for _look in range(3):
        await kept.keeper.look()
    assert kept.file.asked == 1
    assert Trouble.LEDGER_DISK_FULL not in {recovery.trouble for recovery in kept.notices.take_recovered()}
    kept.file.held = True
    kept.clock.go(BALLAST_EVERY + timedelta(seconds=1))
    await kept.keeper.look()
    assert Trouble.LEDGER_DISK_FULL in {recovery.trouble for recovery in kept.notices.take_recovered()}
