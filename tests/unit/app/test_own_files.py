"""What the leader judges of its own folder, one after the other, and what of it may be remembered as safe (P9)."""

import asyncio
from typing import Any

from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion
from tocsin.app.hand_ins.own_files import OwnFiles
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.ports.ledger.ledger import LedgerError

from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually


def version(number: int, incident: str = "pay") -> FileVersion:
    """A save."""
    return FileVersion("a", incident, f"{incident}.yaml", b"%d" % number)


class Versions:
    """Judges after a while; while the ledger is away, nothing."""

    def __init__(self) -> None:
        self.away = False
        self.takes = 0.0
        self.judged: list[FileVersion | FilesGone] = []

    async def judge(self, version: FileVersion, *, away: bool = False) -> str:
        """`away` or not."""
        return await self.judge_gone(version)

    async def judge_gone(self, gone: Any) -> str:
        """The same."""
        if self.away:
            raise LedgerError("away")
        await asyncio.sleep(self.takes)
        self.judged.append(gone)
        return ""


def test_a_newer_save_waits_for_an_older_one_and_nothing_that_waits_is_safe() -> None:
    """P9: saves that came while the ledger was away are judged as they came, also while that goes on."""

    async def main(clock: VirtualClock) -> None:
        judge: Any = Versions()
        files = OwnFiles(clock, MemoryLedger(), judge, Incidents(Agenda()))
        judge.away, judge.takes = True, 2.0
        for hand_in in (version(0), version(1), version(2, "net"), FilesGone("a", ("pay",), never_read=True)):
            await files.give(hand_in)
        assert not files.is_safe("pay")
        judge.away = False
        running = asyncio.create_task(files.run())
        await asyncio.sleep(2)
        assert not files.is_safe("pay"), "it is being judged"
        asyncio.get_running_loop().call_later(0.1, asyncio.ensure_future, files.give(version(3)))
        await asyncio.sleep(30)
        running.cancel()
        pay = [version(0), version(1), FilesGone("a", ("pay",), never_read=True), version(3)]
        assert [one for one in judge.judged if one != version(2, "net")] == pay
        assert len(judge.judged) == 5, "each once"
        assert files.is_safe("pay")
        assert files.is_safe("net")

    run_virtually(main)


def test_what_can_be_judged_waits_for_nothing_else() -> None:
    """P9: nor does a save of another incident."""

    async def main(clock: VirtualClock) -> None:
        judge: Any = Versions()
        files = OwnFiles(clock, MemoryLedger(), judge, Incidents(Agenda()))
        judge.away = True
        await files.give(version(0))
        judge.away = False
        await files.give(version(1))
        await files.give(version(2, "net"))
        assert judge.judged == [version(2, "net")]

    run_virtually(main)
