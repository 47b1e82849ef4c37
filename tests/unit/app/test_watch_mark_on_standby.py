"""The mark that a folder is watched, where the clock is a database's (P3, R60)."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

from tocsin.adapters.server_clock import ServerClock
from tocsin.app.intake.changes import Changes
from tocsin.app.intake.intake import Intake
from tocsin.app.intake.watch import Watch
from tocsin.app.state.notices import Notices
from tocsin.ports.folder import Listed

from tests.builders.active_config import active_config
from tests.builders.policies import small_policy
from tests.fakes.folder import FakeFolder
from tests.fakes.loop import VirtualClock, run_virtually

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Unheard:
    """FolderNews that nobody wants."""

    async def take(
        self, changes: Changes, files: Mapping[str, Listed], now: datetime
    ) -> Mapping[str, AbstractSet[str]]:
        return {}

    async def recorded(self, incident: str) -> None:
        """Nothing is known."""

    def take_pruned(self) -> Sequence[str]:
        return ()

    async def pruned(self, incident: str) -> None:
        """It was not."""

    async def run(self) -> None:
        await asyncio.Event().wait()


def test_a_clock_that_is_set_back_leaves_the_folder_watched() -> None:
    """P3, rule 60: a machine whose own clock is ahead stands by, and hears the database's only then."""

    async def story(_: VirtualClock) -> None:
        loop, folder = asyncio.get_running_loop(), FakeFolder()
        own = (START + timedelta(minutes=10)).timestamp()
        clock = ServerClock(loop.time, lambda: own + loop.time())
        parts = clock, active_config(small_policy()), Notices(clock), folder, Intake({})
        watch = Watch(*parts, Unheard(), shares=True)
        running = asyncio.create_task(watch.run())
        await asyncio.sleep(1)
        assert folder.renewed == 1
        clock.set(START, loop.time())
        for _ in range(12):
            watch.attest()
            await asyncio.sleep(5)
        assert folder.renewed > 5
        await asyncio.sleep(60)
        renewed = folder.renewed
        await asyncio.sleep(60)
        assert folder.renewed == renewed, "it is not healthy any more"
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    run_virtually(story)
