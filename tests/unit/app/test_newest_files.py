"""The newest versions of files on their way into the ledger."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.sqlite.keeping import FileStore
from tocsin.adapters.ledger.sqlite.opening import open_file
from tocsin.adapters.ledger.writer import Writer
from tocsin.app.engine.scheduler import Scheduler
from tocsin.app.intake.changes import Changes, Version
from tocsin.app.intake.newest_files import KEPT_TOGETHER, NewestFiles
from tocsin.app.intake.one_folder import OneFolder
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.facts import Seen
from tocsin.formats.incident.read import read_incident
from tocsin.ports.folder import Listed
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.active_config import active_config
from tests.builders.policies import small_policy
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually


class RefusingLedger(MemoryLedger):
    """It takes some files never."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        self.written.append(incident)
        if incident.startswith("bad"):
            raise LedgerError("too large")
        await super().keep_file(incident, file, digest, data)


def test_what_the_ledger_never_takes_holds_up_nothing_else() -> None:
    """P9: the others are kept, and once; what waits is still known."""

    async def main(clock: VirtualClock) -> None:
        ledger = RefusingLedger()
        files = NewestFiles(ledger)
        names = [f"bad{number}" for number in range(KEPT_TOGETHER)] + [f"good{number}" for number in range(700)]
        for name in names:
            files.add(name, f"{name}.yaml", "1", b"x")
        running = asyncio.create_task(files.run())
        await asyncio.sleep(60)
        running.cancel()
        assert sorted(await ledger.files()) == sorted(name for name in names if name.startswith("good"))
        assert len([name for name in ledger.written if name.startswith("good")]) == 700
        assert files.waiting("bad7") is not None
        assert files.waiting("good7") is None

    run_virtually(main)


async def test_a_page_does_not_wait_for_the_bytes_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written in the transaction that has what the version led to, not in one between that and its page."""
    groups: list[list[str]] = []
    write = Writer._write_group

    def counted(writer: Writer, group: list[Any]) -> list[Any]:
        groups.append([call.write.__name__ for call in group])
        return write(writer, group)

    monkeypatch.setattr(Writer, "_write_group", counted)
    clock, policy, data = SystemClock(), small_policy(), b"title: x\nseverity: sev1\n"
    ledger = SqlLedger(FileStore(open_file(tmp_path / "tocsin.db", "now")))
    config, incidents = active_config(policy), Incidents(agenda := Agenda())
    news = OneFolder(ledger, config, incidents, Notices(clock), lambda _: None)

    async def look(incident: str) -> datetime | None:
        seen = [event for event in incidents.state(incident).events if isinstance(event, Seen)]
        await ledger.record(incident, seen, (), ())
        return None

    reading = read_incident(data, "pay.yaml", policy, None, "pay.yaml")
    assert reading.incident is not None
    changes = Changes((Version(reading.incident, "1", "pay.yaml"),))
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(part.run()) for part in (news, Scheduler(clock, agenda, look))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await news.take(changes, {"pay.yaml": Listed("pay.yaml", data, "1")}, clock.now())
        await agenda.settled()
        for task in running:
            task.cancel()
    await ledger.close()
    assert sorted(groups[0]) == ["keep_file", "record"]
