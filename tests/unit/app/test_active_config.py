"""The config in force while the daemon runs, on real files and virtual time."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tocsin.adapters.files.fingerprint import fingerprint
from tocsin.app.configuration.load import load
from tocsin.app.lifecycle.active_config import ActiveConfig
from tocsin.app.lifecycle.startup import load_at_start
from tocsin.domain.operator_notice import OperatorNotice

from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually
from tests.fakes.pager import CONFIG, SETTINGS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    return tmp_path / "config"


def live(folder: Path, meanwhile: Callable[[], object], seconds: float = 10) -> tuple[str, list[OperatorNotice], int]:
    """What is in force some seconds after a start during which something happened: ana's address, what operators
    heard, how often a config took over.
    """

    async def life(clock: VirtualClock) -> tuple[str, list[OperatorNotice], int]:
        ledger, told, turns = MemoryLedger(), [], []
        seen = fingerprint((folder,))
        started = await load_at_start(load(folder, clock.now(), {}), ledger, folder, {}, clock.now())
        current = ActiveConfig(folder, {}, clock, ledger, started, seen)
        current.tell, current.changed = told.append, turns.append
        meanwhile()
        running = asyncio.create_task(current.run())
        await asyncio.sleep(seconds)
        running.cancel()
        return current.policy().people["ana"].email, told, len(turns)

    found: tuple[str, list[OperatorNotice], int] = run_virtually(life)
    return found


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
