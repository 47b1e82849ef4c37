"""How a machine begins that shares a ledger on a server: by its own settings, whatever else is wrong with its config."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.jinja.sandbox import Codes
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.opening import open_server
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.adapters.server_clock import ServerClock
from tocsin.adapters.systemd import Systemd
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.load import read_files, read_tree
from tocsin.app.lifecycle.folders import ConfigOnDisk
from tocsin.app.lifecycle.startup import StartError
from tocsin.app.wiring.build import standby_parts
from tocsin.app.wiring.folders import StandbyFolders
from tocsin.app.wiring.server import LedgerOnServer
from tocsin.ports.bounded_work import Overrun, OverrunCause
from tocsin.text.decoding import TOP, problem

from tests.builders.loading import load
from tests.builders.postgres_ledger import make_tables, take_lead
from tests.fakes.bounded_work import JUDGE, SameProcess
from tests.fakes.pager import CONFIG, SETTINGS
from tests.fakes.postgres import Database, Server

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
OWN = f"{SETTINGS}node: attic\nincidents: ../alarms\nweb: {{inbox: ../state/inbox}}\n"
FAULT = "people: [broken"


@pytest.fixture
def base(postgres_server: Server) -> Iterator[Database]:
    with postgres_server.database(make_tables) as database:
        yield database


class Config:
    """A machine's config folder."""

    def __init__(self, place: Path, base: Database) -> None:
        self.folder, self._address = place / "config", base.url(password=None)
        self.alarms = place / "alarms"
        self.folder.mkdir()
        self.alarms.mkdir()
        self.write(CONFIG, OWN)

    def write(self, config: str, settings: str) -> None:
        """What stands there."""
        (self.folder / "all.yaml").write_text(config)
        (self.folder / "tocsin.yaml").write_text(f"{settings}ledger: {self._address}\n")

    async def kept_by(self, base: Database) -> None:
        """The ledger has it as the last good one."""
        store = ServerStore(open_server(ServerAddress(base.url())))
        await store.lead(await take_lead(base.url()))
        await SqlLedger(store).record_config("r1", {"all.yaml": CONFIG.encode()}, NOW, "", {})
        await store.close()

    @asynccontextmanager
    async def started(self) -> AsyncIterator[tuple[LedgerOnServer, ConfigOnDisk, ServerClock]]:
        """A daemon that is about to stand by."""
        clock, environ = ServerClock(), {"TOCSIN_LEDGER": "correct horse:battery/st@ple"}
        on_disk = ConfigOnDisk(self.folder, environ, clock, DiskThreads("config folder"), JUDGE)
        await on_disk.read()
        async with AsyncExitStack() as closing:
            place, manager, stop = await on_disk.ledger(DiskThreads("folders")), Systemd({}), asyncio.Event()
            parts = partial(standby_parts, on_disk, clock, JUDGE, Codes())
            here = await LedgerOnServer.open(place, clock, on_disk, manager, parts, stop, closing)
            assert here is not None
            yield here, on_disk, clock


@pytest.fixture
def config(tmp_path: Path, base: Database) -> Config:
    return Config(tmp_path, base)


async def test_a_refused_fragment_moves_no_folder(config: Config, base: Database) -> None:
    """Rule 43, P9: a machine whose fragments are refused stands by under its own name, with what it remembers, and
    watches its folder of incidents, never that of its config.
    """
    await config.kept_by(base)
    config.write(FAULT, OWN)
    (config.alarms / "db.yaml").write_text("title: Down\nseverity: sev1\n")
    async with config.started() as (here, on_disk, clock):
        assert (here.this.name, here.this.folder) == ("attic", str(config.alarms))
        assert here.journal.path == config.alarms.with_name("state") / "journal"
        running = asyncio.create_task(StandbyFolders("attic", clock, here.ledger, on_disk).run())
        while not (arrivals := base.run("SELECT body::json->>'file' FROM arrivals")):
            assert not running.done()
            await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait({running})
    assert arrivals == [("db.yaml",)]
    assert not (config.folder / ".tocsin-watched").exists()


async def test_its_own_settings_must_be_good(config: Config, base: Database) -> None:
    """Rule 43, P9: tocsin.yaml is kept nowhere, so one that cannot be read ends the start with its problems, and so does
    one by which no config that is kept can be used, before the machine stands by.
    """
    await config.kept_by(base)
    config.write(CONFIG, "operators: [olga\n")
    with pytest.raises(StartError, match=r"tocsin\.yaml"):
        async with config.started():
            pass
    config.write(CONFIG, OWN.replace("operators: [olga]", "operators: [nobody]"))
    with pytest.raises(StartError, match="nobody"):
        async with config.started():
            pass


def test_what_is_a_machines_own(tmp_path: Path) -> None:
    """Its settings are known also where the rest cannot be used, and never guessed where tocsin.yaml cannot be read."""
    (tmp_path / "all.yaml").write_text(FAULT)
    (tmp_path / "tocsin.yaml").write_text(OWN)
    reading = load(tmp_path, NOW, {})
    assert reading.settings is None
    assert reading.own is not None
    assert reading.own.node == "attic"
    all_of_it = {
        "OPERATORS": "olga",
        "LAST_RESORT": "olga",
        "EMAIL__SENDER": "a@example.com",
        "SMS__SENDER": "+15005550006",
    }
    environ = {f"TOCSIN_{name}": value for name, value in all_of_it.items()}
    files = {"all.yaml": FAULT.encode()}
    assert read_tree(files, tmp_path, NOW, environ).own is not None
    unread = problem("tocsin.yaml", TOP, "unreadable-file", "it cannot be read")
    assert read_tree(files, tmp_path, NOW, environ, problems=[unread]).own is None
    late = ConfigJudge(SameProcess(Overrun(OverrunCause.MACHINE, "took too long")))
    own = asyncio.run(late.config(read_files(tmp_path), tmp_path, NOW, {})).own
    assert own is not None
    assert own.node == "attic"
