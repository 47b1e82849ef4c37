"""Machines with thousands of files of what is over hold up nobody's page (P7, P9)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tocsin.app.hand_ins.feed import HandInFeed
from tocsin.app.hand_ins.file_versions import FileVersions
from tocsin.app.hand_ins.from_memory.sent_elsewhere import SentElsewhere
from tocsin.app.hand_ins.hand_in import FilesGone, FileVersion
from tocsin.app.hand_ins.handed_in import HandedIn
from tocsin.app.hand_ins.machine_folder import HandsIn, MachineFolder
from tocsin.app.hand_ins.own_files import OwnFiles
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.newest_files import NewestFiles
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival
from tocsin.domain.facts import Seen
from tocsin.formats.incident.read import digest
from tocsin.ports.folder import Listed, RememberedFile
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import settings
from tests.builders.policies import paging_policy
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
OVER = b"title: x\nseverity: sev1\nstatus: resolved\n"
OPEN = b"title: x\nseverity: sev1\n"
CONFIG = ActiveConfig(paging_policy(), settings())
MANY = 300


class SlowLedger(MemoryLedger):
    """Each call takes 10 ms, those that come together too. `asked` are the questions. What it refuses it refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.refused: set[str] = set()

    async def _take(self, name: str) -> None:
        self.asked.append(name)
        await asyncio.sleep(0.01)

    async def facts(self, incident: str) -> Any:
        await self._take("facts")
        return await super().facts(incident)

    async def pruned(self, incident: str) -> Any:
        await self._take("pruned")
        return await super().pruned(incident)

    async def file(self, incident: str) -> Any:
        await self._take("file")
        return await super().file(incident)

    async def version_digests(self, *given: Any, **how: Any) -> Any:
        await self._take("digests")
        return await super().version_digests(*given, **how)

    async def record_arrival(self, arrival: Arrival) -> bool:
        await self._take("arrival")
        if any(f'"{incident}"' in arrival.body for incident in self.refused):
            raise LedgerError("refused")
        return await super().record_arrival(arrival)

    async def record_result(self, *given: Any) -> None:
        await self._take("result")
        await super().record_result(*given)


class NotingMemory:
    """The memory of a folder."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def note(self, files: Sequence[RememberedFile]) -> str:
        self.noted += [file.incident for file in files]
        return ""


async def archive(ledger: SlowLedger, files: dict[str, bytes]) -> None:
    """Incidents that are over, as these files say."""
    for name, data in files.items():
        intake = Intake({}, "incidents")
        changes = intake.observe([Listed(f"{name}.yaml", data, digest(data))], AT, CONFIG.policy)
        await ledger.record(name, [Seen(AT, changes.versions[0].incident, digest(data))], (), ())


async def newly_watched(hands_in: HandsIn, clock: VirtualClock, files: dict[str, bytes]) -> tuple[MachineFolder, Any]:
    """What becomes of a folder of which the machine remembers nothing."""
    memory: Any = NotingMemory()
    folder = MachineFolder("b", {}, memory, None, hands_in, Notices(clock), lambda _: None, CONFIG)
    listing = [Listed(f"{name}.yaml", data, digest(data)) for name, data in files.items()]
    changes = Intake({}, "incidents").observe(listing, clock.now(), CONFIG.policy)
    assert len(changes.versions) == len(files)
    await folder.take(changes, {listed.name: listed for listed in listing}, clock.now())
    return folder, memory


def leader(clock: VirtualClock, ledger: SlowLedger) -> tuple[FileVersions, Incidents]:
    """Its judgement, and what it knows: what the ledger has is over."""
    incidents = Incidents(Agenda())
    incidents.archive(OLD)
    return FileVersions(clock, ledger, CONFIG, incidents, Notices(clock), NewestFiles(ledger)), incidents


OLD = {f"i{number}": OVER + b"summary: %d\n" % number for number in range(MANY)}


def test_a_machine_that_is_new_says_only_what_the_ledger_lacks() -> None:
    """P9: of what is over everything is asked at once and the rest is handed in, after what is open; all is remembered."""

    async def main(clock: VirtualClock) -> None:
        ledger = SlowLedger()
        await archive(ledger, OLD)
        ledger.asked.clear()
        handed_in = HandedIn(clock, ledger)
        running = asyncio.create_task(handed_in.run())
        files = OLD | {"i7": OVER + b"summary: another\n", "i8": OPEN, "zz": OPEN, "a": OVER}
        folder, memory = await newly_watched(handed_in, clock, files)
        await asyncio.sleep(0.1)
        running.cancel()
        arrivals = [arrival for _, arrival in await ledger.unjudged_hand_ins() if isinstance(arrival, Arrival)]
        assert [arrival.body.split('"')[3] for arrival in arrivals] == ["i8", "zz", "a", "i7"]
        assert ledger.asked.count("digests") == 1
        await folder.note()
        assert set(memory.noted) == set(files)

    run_virtually(main)


def test_the_leader_asks_once_about_what_is_over_in_its_folder() -> None:
    """P9: what is open there is judged first; what nobody else knows of and is over is judged beside."""

    async def main(clock: VirtualClock) -> None:
        ledger, loop = SlowLedger(), asyncio.get_running_loop()
        await archive(ledger, OLD)
        ledger.asked.clear()
        versions, incidents = leader(clock, ledger)
        own = OwnFiles(clock, ledger, versions, incidents)
        began = loop.time()
        unknown = {f"new{number}": OVER for number in range(MANY)}
        folder, memory = await newly_watched(own, clock, OLD | unknown | {"zz": OPEN})
        assert loop.time() - began < 0.1
        assert incidents.is_known("zz")
        running = asyncio.create_task(own.run())
        await asyncio.sleep(1.5)
        began = loop.time()
        await own.give(FileVersion("b", f"new{MANY - 1}", "x.yaml", OPEN, OVER, (digest(OVER),)))
        assert loop.time() - began < 0.1, "after what waited of the same incident, and of that alone"
        assert incidents.versions(f"new{MANY - 1}")[-1][0] == digest(OPEN)
        await asyncio.sleep(10)
        running.cancel()
        assert set(unknown) <= set(incidents.ids())
        assert ledger.asked.count("facts") == 1, "of the edit"
        assert ledger.asked.count("digests") == 1
        await folder.note()
        assert set(memory.noted) == set(OLD)

    run_virtually(main)


def test_what_is_over_and_was_said_is_judged_many_at_a_time() -> None:
    """P9: a machine that handed in its whole archive puts off what it declares next by no second."""

    async def main(clock: VirtualClock) -> None:
        ledger, loop = SlowLedger(), asyncio.get_running_loop()
        await archive(ledger, OLD)
        versions, incidents = leader(clock, ledger)
        handed_in, notices = HandedIn(clock, ledger), Notices(clock)
        for name, data in OLD.items():
            await handed_in.give(FileVersion("b", name, f"{name}.yaml", data))
        await handed_in.give(FileVersion("b", "zz", "zz.yaml", OPEN))
        began = loop.time()
        running = asyncio.create_task(handed_in.run())
        await asyncio.sleep(0.2)
        running.cancel()
        elsewhere: Any = SentElsewhere(clock, ledger, None, None, incidents)
        feed = HandInFeed(ledger, versions, elsewhere, notices, set(), lambda: None)
        await feed.look()
        assert loop.time() - began < 0.5
        assert incidents.is_known("zz")
        assert incidents.ids() == ("zz",)
        assert "facts" not in ledger.asked

    run_virtually(main)


def test_what_is_written_together_keeps_its_order_and_what_is_refused_holds_up_nothing_else() -> None:
    """P9: of one incident nothing overtakes what came before; that a file is gone is safe once it is written, too."""

    async def main(clock: VirtualClock) -> None:
        ledger = SlowLedger()
        handed_in = HandedIn(clock, ledger)
        ledger.refused = {"pay"}
        for name, data in (("pay", OPEN), ("net", OPEN), ("pay", OVER), ("net", OVER)):
            await handed_in.give(FileVersion("b", name, f"{name}.yaml", data))
        await handed_in.give(FilesGone("b", ("web",), never_read=True))
        running = asyncio.create_task(handed_in.run())
        await asyncio.sleep(3)
        assert handed_in.safe(["pay", "net", "web", "db"]) == {"net", "db"}
        ledger.refused = set()
        await asyncio.sleep(3)
        running.cancel()
        assert handed_in.safe(["pay", "net", "web"]) == {"pay", "net", "web"}
        arrivals = [arrival for _, arrival in await ledger.unjudged_hand_ins() if isinstance(arrival, Arrival)]
        names = [arrival.body.split('"')[3] for arrival in arrivals]
        assert names == ["net", "net", "pay", "pay", "web"]
        for first, second in ((arrivals[0], arrivals[1]), (arrivals[2], arrivals[3])):
            assert len(first.body) < len(second.body)

    run_virtually(main)
