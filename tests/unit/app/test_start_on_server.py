"""How a machine begins that shares a ledger on a server: by its own settings, whatever else is wrong with its config, and
held up for ever by nothing that the server does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import text
from tocsin.adapters.clock import boottime
from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.adapters.jinja.sandbox import Codes
from tocsin.adapters.ledger.ledger import SqlLedger
from tocsin.adapters.ledger.migrations import migrate
from tocsin.adapters.ledger.postgresql import opening, server
from tocsin.adapters.ledger.postgresql.address import ServerAddress
from tocsin.adapters.ledger.postgresql.opening import open_server
from tocsin.adapters.ledger.postgresql.server import ServerStore
from tocsin.adapters.server_clock import ServerClock
from tocsin.adapters.systemd import Systemd
from tocsin.app.configuration.config_judge import ConfigJudge
from tocsin.app.configuration.load import read_files
from tocsin.app.configuration.read_tree import read_tree
from tocsin.app.leadership import lead
from tocsin.app.leadership.away import Away
from tocsin.app.leadership.lead import OPENS_EVERY, Opening
from tocsin.app.leadership.tries_in_vain import TriesInVain
from tocsin.app.lifecycle.folders import ConfigOnDisk
from tocsin.app.lifecycle.startup import StartError
from tocsin.app.wiring.build import kept, standby_parts
from tocsin.app.wiring.folders import StandbyFolders
from tocsin.app.wiring.server import LedgerOnServer, open_ledger
from tocsin.domain.arrival import OptOut
from tocsin.domain.people import Channel
from tocsin.ports.bounded_work import Overrun, OverrunCause
from tocsin.ports.leadership import FencedError, LedgerAwayError
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.decoding import TOP, problem

from tests.builders.loading import load
from tests.builders.postgres_ledger import make_tables, take_lead
from tests.fakes.bounded_work import JUDGE, SameProcess
from tests.fakes.pager import CONFIG, SETTINGS
from tests.fakes.postgres import OWNER, PASSWORD, Database, Server
from tests.fakes.proxy import Proxy

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
OWN = f"{SETTINGS}node: attic\nincidents: ../alarms\nweb: {{inbox: ../state/inbox}}\n"
FAULT = "people: [broken"
SLEEPS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)'"
STOP = OptOut(Channel.SMS, "+14155550101", NOW, "SM1")


class Said:
    """A service manager, and what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def ready(self, status: str) -> None:
        self.said.append(status)

    def reloading(self) -> None:
        self.said.append("reloading")

    def stopping(self) -> None:
        self.said.append("stopping")

    def healthy(self) -> None:
        """It lives."""


class StoodBy:
    """A Leadership that is over at once."""

    async def until_leading(self, stop: asyncio.Event) -> Any:
        """It led."""
        return STOOD_BY


STOOD_BY: Any = object()


def an_opening(address: ServerAddress, manager: Said) -> Opening:
    """How a machine opens that ledger, by a config that can be used."""
    on_disk: Any = SimpleNamespace(usable=AsyncMock())
    ledger: Any = None
    opened = partial(open_ledger, address, DiskThreads("ledger opening"), on_disk, ledger)
    return Opening("attic", opened, manager, boottime, StoodBy())


async def until(holds: Callable[[], object]) -> None:
    """Wait until something is so, a minute at most: what hangs ends then."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


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
        clock, environ = ServerClock(), {"TOCSIN_LEDGER": PASSWORD}
        on_disk = ConfigOnDisk(self.folder, environ, clock, DiskThreads("config folder"), JUDGE)
        await on_disk.read()
        async with AsyncExitStack() as closing:
            place, manager, stop = await on_disk.ledger(DiskThreads("folders")), Systemd({}), asyncio.Event()
            parts = partial(standby_parts, on_disk, clock, JUDGE, Codes())
            here = await LedgerOnServer.open(place, clock, on_disk, manager, parts, stop, closing)
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


async def test_a_server_that_says_nothing_holds_up_no_start(
    base: Database, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: one that takes calls and never answers is away: the machine stands by without it, and ends when told to."""
    monkeypatch.setattr(opening, "LOOKS_WITHIN", 0.3)
    manager, stop = Said(), asyncio.Event()
    with Proxy("127.0.0.1", postgres_server.port) as way:
        way.hold("has_table_privilege")
        opening_it = an_opening(
            ServerAddress(f"postgresql://{OWNER}@127.0.0.1:{way.port}/{base.name}", PASSWORD), manager
        )
        opened = asyncio.create_task(opening_it.until_leading(stop))
        await until(lambda: manager.said)
        assert manager.said == ["standing by without the ledger"]
        monkeypatch.setattr(opening, "LOOKS_WITHIN", 60.0)
        await asyncio.sleep(OPENS_EVERY + 0.2)
        stop.set()
        assert await asyncio.wait_for(opened, 0.5) is None


async def test_a_start_without_the_database(
    base: Database, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R54: it goes on as a standby without it: after 30 s it pages from memory, until the database answers; then it
    stands by as ever.
    """
    monkeypatch.setattr(lead, "WITHOUT", 0.5)
    stop = asyncio.Event()
    with Proxy("127.0.0.1", postgres_server.port) as way:
        way.cut()
        opening_it = an_opening(
            ServerAddress(f"postgresql://{OWNER}@127.0.0.1:{way.port}/{base.name}", PASSWORD), Said()
        )
        away = await asyncio.wait_for(opening_it.until_leading(stop), 10)
        assert isinstance(away, Away)
        assert not away.holds()
        looking = asyncio.create_task(away.run())
        await asyncio.sleep(1.5)
        assert not away.lost.is_set()
        way.heal()
        await asyncio.wait_for(away.lost.wait(), 10)
        assert not away.lets_from_memory()
        looking.cancel()
        assert await asyncio.wait_for(opening_it.until_leading(stop), 10) is STOOD_BY


async def test_a_config_that_cannot_be_used_once_the_database_is_back() -> None:
    """Rule 43: the daemon ends with its problems, not with a traceback, as it would have ended its start."""
    look = AsyncMock(side_effect=StartError("people.yaml:3:5: error: unknown channel"))
    away = Away(look, TriesInVain(boottime), boottime, 0.0)
    with pytest.raises(StartError, match="unknown channel"):
        async with kept(away):
            await asyncio.wait_for(away.lost.wait(), 5)


async def test_a_server_that_says_nothing_holds_up_no_takeover(
    base: Database, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: it is known within seconds, and whoever gives up waiting lets go of the term at once."""
    term = await take_lead(base.url())
    base.run("UPDATE alembic_version SET version_num = '0001'")
    with Proxy("127.0.0.1", postgres_server.port) as way:
        url = f"postgresql://{OWNER}@127.0.0.1:{way.port}/{base.name}"
        store = ServerStore(open_server(ServerAddress(url, PASSWORD)))
        way.hold("FOR SHARE")
        monkeypatch.setattr(server, "LOOKS_WITHIN", 0.3)
        with pytest.raises(LedgerAwayError, match="did not answer"):
            await store.lead(term)
        way.heal()
        monkeypatch.setattr(server, "bring_up_to_date", lambda link: str(link.execute(text("SELECT pg_sleep(60)"))))
        leading = asyncio.create_task(store.lead(term))
        await until(lambda: base.run(SLEEPS))
        leading.cancel()
        assert (await asyncio.wait({leading}, timeout=0.5))[0]
        await store.close()


async def test_a_migration_whose_daemon_is_gone(base: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """P9: the server gives it up, and with it the term, so that another machine can take the lead."""
    monkeypatch.setattr(opening, "SEEN_GONE", "100ms")
    monkeypatch.setattr(migrate, "migrate", lambda link, _schema: link.execute(text("SELECT pg_sleep(60)")))
    term = await take_lead(base.url())
    base.run("UPDATE alembic_version SET version_num = '0001'")
    store = ServerStore(open_server(ServerAddress(base.url())))
    leading = asyncio.create_task(store.lead(term))
    await until(lambda: base.run(SLEEPS))
    leading.cancel()
    await asyncio.wait({leading})
    await asyncio.wait_for(take_lead(base.url()), 2)
    await store.close()


@pytest.mark.parametrize(
    ("fault", "goes_on"),
    [
        (FencedError("another leads"), True),
        (LedgerAwayError("it is not there"), True),
        (LedgerError("must be owner of table attempts"), False),
    ],
)
async def test_what_does_not_pass_ends_the_start(config: Config, fault: LedgerError, *, goes_on: bool) -> None:
    """P9: what may be over by itself is waited for, standing by; what a human must put right ends the daemon with one
    line, and is not tried for ever while nobody hears of it.
    """
    async with config.started() as (here, _, _):
        if goes_on:
            async with here.leading():
                raise fault
            return
        with pytest.raises(StartError) as raised:
            async with here.leading():
                raise fault
    (line,) = raised.value.reasons
    assert line == f"{here.store.place} lets no machine begin to lead: must be owner of table attempts"


async def test_what_passes(base: Database, postgres_server: Server) -> None:
    """What the ledger's readers and its writer hear of a fault tells whether it may be over by itself."""
    with Proxy("127.0.0.1", postgres_server.port) as way:
        url = f"postgresql://{OWNER}@127.0.0.1:{way.port}/{base.name}"
        store = ServerStore(open_server(ServerAddress(url, PASSWORD)))
        ledger = SqlLedger(store)
        await store.lead(await take_lead(base.url()))
        base.run("ALTER TABLE opt_outs RENAME TO gone")
        for asked in (ledger.opt_outs(), ledger.opt_out(STOP)):
            with pytest.raises(LedgerError, match="opt_outs") as raised:
                await asked
            assert not isinstance(raised.value, LedgerAwayError)
        way.cut()
        for asked in (ledger.opt_outs(), ledger.opt_out(STOP)):
            with pytest.raises(LedgerAwayError):
                await asked
        await store.close()


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
