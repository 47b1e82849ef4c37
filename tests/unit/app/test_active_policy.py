"""Which policy counts for a process that asks the ledger, while the daemon goes on with the last good config."""

from pathlib import Path

import pytest
from tocsin.app.configuration.active_policy import FRESH, ActivePolicy
from tocsin.ports.ledger.trouble import LedgerError

from tests.builders.instants import MINUTE, T0
from tests.fakes.bounded_work import JUDGE
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.fakes.pager import CONFIG, SETTINGS

FILES = {"all.yaml": CONFIG.encode(), "tocsin.yaml": SETTINGS.encode()}
RENAMED = FILES | {"all.yaml": CONFIG.replace("Ana Souza", "Ana de Souza").encode()}


class Process:
    """A ledger and a process that asks it."""

    def __init__(self, folder: Path) -> None:
        self.ledger, self.clock = MemoryLedger(), StillClock()
        self.active = ActivePolicy(lambda: self.ledger, folder, {}, self.clock, JUDGE)

    async def name(self) -> str:
        """What ana is called by the policy in force."""
        return (await self.active.policy()).people["ana"].name


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path)


async def test_before_the_daemon_ran_there_is_none(process: Process) -> None:
    """No config was in force yet: that is said, and asked again at once."""
    with pytest.raises(LedgerError, match="no config was in force yet"):
        await process.active.policy()
    await process.ledger.record_config("r1", FILES, T0)
    assert await process.name() == "Ana Souza"


async def test_the_ledgers_config_counts_not_the_disks(process: Process, tmp_path: Path) -> None:
    """What stands in the folder, good or broken, is not in force before the daemon took it."""
    (tmp_path / "all.yaml").write_text("people: [broken")
    await process.ledger.record_config("r1", FILES, T0)
    policy = await process.active.policy()
    assert (policy.people["ana"].name, policy.revision) == ("Ana Souza", "r1")


async def test_a_new_config_counts_within_seconds(process: Process) -> None:
    """The answer is kept for a moment; then the newest counts, and goes on counting."""
    await process.ledger.record_config("r1", FILES, T0)
    assert await process.name() == "Ana Souza"
    await process.ledger.record_config("r2", RENAMED, T0 + MINUTE)
    assert await process.name() == "Ana Souza"
    process.clock.go(FRESH)
    assert await process.name() == "Ana de Souza"
    assert await process.name() == "Ana de Souza"


async def test_a_config_that_came_back_is_read_again(process: Process) -> None:
    """The same revision in force since another instant is another config: its files may have been changed by hand."""
    await process.ledger.record_config("r1", FILES, T0)
    first = await process.active.policy()
    process.clock.go(FRESH)
    assert await process.active.policy() is first
    await process.ledger.record_config("r1", RENAMED, T0 + MINUTE)
    process.clock.go(FRESH)
    assert await process.name() == "Ana de Souza"


async def test_the_ledger_is_asked_once_in_a_while(process: Process) -> None:
    """A site with many visitors asks the ledger once each few seconds, not for each of them."""
    await process.ledger.record_config("r1", FILES, T0)
    for _ in range(3):
        await process.active.policy()
        process.clock.go(FRESH)
    await process.active.policy()
    await process.ledger.record_config("r2", RENAMED, T0 + MINUTE)
    process.clock.go(FRESH / 2)
    assert await process.name() == "Ana Souza"


async def test_a_config_that_cannot_be_read_here_is_said(process: Process) -> None:
    """An older program may not know a newer config's keys: it says so instead of going by half of it."""
    await process.ledger.record_config("r1", FILES | {"more.yaml": b"news: {}\n"}, T0)
    with pytest.raises(LedgerError, match=r"cannot be read here: .*more\.yaml"):
        await process.active.policy()


async def test_a_clock_put_back_keeps_no_old_config(process: Process) -> None:
    """Rule 60: the newest counts at once, not only when the clock has caught up."""
    await process.ledger.record_config("r1", FILES, T0)
    assert await process.name() == "Ana Souza"
    await process.ledger.record_config("r2", RENAMED, T0 + MINUTE)
    process.clock.go(-60 * MINUTE)
    assert await process.name() == "Ana de Souza"


async def test_what_was_in_force_stays_known_while_the_ledger_is_away(process: Process) -> None:
    """Who must go on without the ledger goes by what it said last, however long ago."""
    assert process.active.last_known is None
    await process.ledger.record_config("r1", FILES, T0)
    policy = await process.active.policy()
    process.ledger.trouble = "away"
    process.clock.go(60 * MINUTE)
    with pytest.raises(LedgerError):
        await process.active.policy()
    assert process.active.last_known is policy
