"""The newest versions of files on their way into the ledger."""

import asyncio

from tocsin.app.intake.newest_files import KEPT_TOGETHER, NewestFiles
from tocsin.ports.ledger.ledger import LedgerError

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
