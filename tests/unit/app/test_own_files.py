"""What the leader judges of its own folder, one after the other, and what of it may be remembered as safe (P9)."""

import asyncio
from typing import Any

from tocsin.app.hand_ins.file_versions import FileVersions
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion
from tocsin.app.hand_ins.own_files import OwnFiles
from tocsin.app.intake.newest_files import NewestFiles
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import settings
from tests.builders.policies import paging_policy
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually


def version(number: int, incident: str = "pay") -> FileVersion:
    """A save."""
    return FileVersion("a", incident, f"{incident}.yaml", b"%d" % number)


class Versions:
    """Judges after a while; while the ledger is away, nothing."""

    def __init__(self) -> None:
        self.away = self.ledger_away = False
        self.stuck: list[FileVersion] = []
        self.takes = 0.0
        self.judged: list[FileVersion | FilesGone] = []

    async def judge(self, version: FileVersion, *, away: bool = False) -> str:
        """`away` or not."""
        return await self.judge_gone(version)

    async def look_for_ledger(self) -> None:
        """It is asked each time."""

    async def judge_gone(self, gone: Any) -> str:
        """The same."""
        if self.away or gone in self.stuck:
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
        assert not files.safe(["pay"])
        judge.away = False
        running = asyncio.create_task(files.run())
        await asyncio.sleep(2)
        assert not files.safe(["pay"]), "it is being judged"
        asyncio.get_running_loop().call_later(0.1, asyncio.ensure_future, files.give(version(3)))
        await asyncio.sleep(30)
        running.cancel()
        pay = [version(0), version(1), FilesGone("a", ("pay",), never_read=True), version(3)]
        assert [one for one in judge.judged if one != version(2, "net")] == pay
        assert len(judge.judged) == 5, "each once"
        assert files.safe(["pay"])
        assert files.safe(["net"])

    run_virtually(main)


def test_what_can_be_judged_waits_for_nothing_else() -> None:
    """P9: nor does a save of another incident."""

    async def main(clock: VirtualClock) -> None:
        judge: Any = Versions()
        files = OwnFiles(clock, MemoryLedger(), judge, Incidents(Agenda()))
        judge.stuck = [version(0)]
        await files.give(version(0))
        await files.give(version(1))
        await files.give(version(2, "net"))
        assert judge.judged == [version(2, "net")]
        judge.stuck = []
        await files.give(version(3))
        assert judge.judged[1:] == [version(0), version(1), version(3)], "in their order"

    run_virtually(main)


class HungLedger(MemoryLedger):
    """Once it hangs no question is answered; how often one was asked then."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = False
        self.asked = 0

    async def _reach(self) -> None:
        if self.hangs:
            self.asked += 1
            await asyncio.sleep(33)
            raise LedgerError("the server does not answer")

    async def facts(self, incident: str) -> Any:
        await self._reach()
        return await super().facts(incident)

    async def pruned(self, incident: str) -> Any:
        await self._reach()
        return await super().pruned(incident)

    async def file(self, incident: str) -> Any:
        await self._reach()
        return await super().file(incident)


def paging(number: int, incident: str, machine: str = "a") -> FileVersion:
    """A save that pages."""
    return FileVersion(machine, incident, f"{incident}.yaml", b"title: x%d\nseverity: sev1\n" % number)


def parts(clock: VirtualClock, ledger: HungLedger) -> tuple[OwnFiles, FileVersions, Incidents]:
    """The leader's judgement."""
    incidents = Incidents(Agenda())
    config = ActiveConfig(paging_policy(), settings())
    versions = FileVersions(clock, ledger, config, incidents, Notices(clock), NewestFiles(ledger))
    return OwnFiles(clock, ledger, versions, incidents), versions, incidents


def test_nothing_waits_for_a_ledger_that_hangs() -> None:
    """Rule 54: what is newly declared counts within 3 s, also while what another machine handed in is asked about; then
    at once, edits as well. Once the ledger answers it is asked again.
    """

    async def main(clock: VirtualClock) -> None:
        ledger = HungLedger()
        files, versions, incidents = parts(clock, ledger)
        loop = asyncio.get_running_loop()
        running = asyncio.create_task(files.run())
        ledger.hangs = True
        began = loop.time()
        feed = asyncio.create_task(versions.judge(paging(0, "elsewhere", "b")))
        await asyncio.sleep(0)
        await files.give(paging(0, "pay"))
        assert [digest for digest, _ in incidents.versions("pay")] == [paging(0, "pay").digest]
        assert loop.time() - began <= 3
        assert isinstance((await asyncio.gather(feed, return_exceptions=True))[0], LedgerError)
        for number in range(1, 20):
            await asyncio.sleep(1.7)
            began = loop.time()
            await files.give(paging(number, "pay"))
            await files.give(paging(0, f"net{number}"))
            assert incidents.versions("pay")[-1][0] == paging(number, "pay").digest
            assert incidents.is_known(f"net{number}")
            assert loop.time() == began
        ledger.hangs = False
        await asyncio.sleep(5)
        ledger.asked, ledger.hangs = 0, True
        await files.give(paging(0, "last"))
        assert ledger.asked == 1
        running.cancel()

    run_virtually(main)


def test_a_file_that_came_back_while_the_ledger_was_away_is_not_gone() -> None:
    """P9: that a file was gone holds back no save of it, and does not end its pages later."""

    async def main(clock: VirtualClock) -> None:
        ledger = HungLedger()
        files, _, incidents = parts(clock, ledger)
        await files.give(FileVersion("a", "pay", "pay.yaml", b"{"))
        running = asyncio.create_task(files.run())
        ledger.hangs = True
        await files.give(FilesGone("a", ("pay", "net"), never_read=True))
        assert not files.safe(["pay"])
        began = asyncio.get_running_loop().time()
        await files.give(FileVersion("a", "pay", "pay.yaml", b"{{"))
        await files.give(paging(0, "net"))
        assert incidents.is_known("net")
        assert asyncio.get_running_loop().time() == began
        ledger.hangs = False
        await asyncio.sleep(60)
        assert [incident.unreadable for _, incident in incidents.versions("pay")] == [True]
        assert not any(type(event).__name__ == "Gone" for event in incidents.state("pay").events)
        running.cancel()

    run_virtually(main)
