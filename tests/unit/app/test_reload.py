"""The config in force while the daemon runs, on real files and virtual time."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tocsin.adapters.files.fingerprint import fingerprint
from tocsin.app.configuration.load import load
from tocsin.app.delivery.transports import Transports
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.watch import Watch
from tocsin.app.lifecycle.reload import ConfigReader, Reload
from tocsin.app.lifecycle.startup import load_at_start
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem

from tests.fakes.folder import FakeFolder
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually
from tests.fakes.pager import CONFIG, SETTINGS
from tests.fakes.transport import MemoryTransport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    return tmp_path / "config"


class CountingTemplates:
    """A port Templates that counts how often it was fitted to a config."""

    def __init__(self) -> None:
        self.loads: list[Path] = []

    def load(self, folder: Path) -> tuple[Problem, ...]:
        self.loads.append(folder)
        return ()


def live(folder: Path, meanwhile: Callable[[], object], seconds: float = 10) -> tuple[str, list[OperatorNotice], int]:
    """What is in force some seconds after a start during which something happened: ana's address, what operators
    heard, how often everything was fitted to a config.
    """

    async def life(clock: VirtualClock) -> tuple[str, list[OperatorNotice], int]:
        ledger, notices, templates = MemoryLedger(), Notices(clock), CountingTemplates()
        before = fingerprint((folder,))
        started = await load_at_start(load(folder, clock.now(), {}), ledger, folder, {}, clock.now())
        config = ActiveConfig(started.policy, started.settings)
        reader = ConfigReader(folder, {}, clock, ledger, config, notices, started)
        transports = Transports(started.settings, lambda _settings: {via: MemoryTransport() for via in Channel})
        incidents = Incidents(Agenda())
        watch = Watch(clock, ledger, config, incidents, notices, FakeFolder(), Intake({}))
        reload = Reload(clock, reader, config, transports, templates, watch, incidents, notices, before)
        meanwhile()
        running = asyncio.create_task(reload.run())
        await asyncio.sleep(seconds)
        running.cancel()
        return config.policy.people["ana"].email, list(notices.take()), len(templates.loads)

    outcome: tuple[str, list[OperatorNotice], int] = run_virtually(life)
    return outcome


def test_a_config_written_while_the_daemon_starts_is_not_missed(folder: Path) -> None:
    """What changes after the config was read and before its folder is looked at for the first time counts all the same."""
    moved = CONFIG.replace("ana@example.com", "ana@example.org")
    assert live(folder, lambda: (folder / "all.yaml").write_text(moved)) == ("ana@example.org", [], 1)


def test_templates_written_while_the_daemon_starts_are_not_missed(folder: Path) -> None:
    """The template folder is fitted in again too when a file appears during the start."""
    template = folder.parent / "templates" / "page.email.txt.j2"
    assert live(folder, lambda: template.write_text("Wake up.")) == ("ana@example.com", [], 1)


def test_a_config_that_rests_is_read_once(folder: Path) -> None:
    """Nothing changed, nothing is read again."""
    assert live(folder, lambda: None, 600) == ("ana@example.com", [], 0)


def test_a_refused_config_leaves_the_good_one_in_force(folder: Path) -> None:
    """P8: operators hear the place, and the address of before still counts."""
    email, told, turns = live(folder, lambda: (folder / "all.yaml").write_text(CONFIG.replace("chain:", "chains:")))
    assert (email, turns) == ("ana@example.com", 0)
    assert told
    assert "all.yaml:7:" in told[0].text
