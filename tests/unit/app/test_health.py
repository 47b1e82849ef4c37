"""Whether the daemon is well, and who is told so: the watchdog, the dead man's switch, the ledger's note."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from tocsin.app.leadership.alone import Alone
from tocsin.app.lifecycle.health import FRESH, HEALTHY, Health

from tests.builders.active_config import active_config, settings
from tests.builders.policies import small_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

URL = "https://switch.example.com/ping"


@dataclass
class Mark:
    """A part that was alive then."""

    alive_at: datetime


@dataclass
class Folder(Mark):
    """The part that reads the folder, and how often it heard that all is well."""

    attested: int = 0

    def attest(self) -> None:
        self.attested += 1


@dataclass
class Sending:
    """The part that sends."""

    since: datetime | None = None
    stuck: bool = False

    def undelivered_since(self) -> datetime | None:
        return self.since

    def notice_cannot_leave(self) -> bool:
        return self.stuck


@dataclass
class Watchers:
    """A port ServiceManager and Heartbeat that count."""

    fed: int = 0
    pings: list[str] = field(default_factory=list)
    answer: str = ""

    def ready(self, status: str) -> None: ...
    def reloading(self) -> None: ...
    def stopping(self) -> None: ...

    def healthy(self) -> None:
        self.fed += 1

    async def ping(self, url: str) -> str:
        self.pings.append(url)
        return self.answer


class Ward:
    """A health check of two parts."""

    def __init__(self, **heartbeat: Any) -> None:
        self.clock, self.ledger, self.watchers = StillClock(), MemoryLedger(), Watchers()
        self.parts = {name: Mark(self.clock.now()) for name in ("scheduler", "senders")}
        self.watch = Folder(self.clock.now())
        config = active_config(small_policy(), settings(heartbeat={"url": URL, "every": "60s"} | heartbeat))
        self.sender = Sending()
        self.health = Health(
            self.clock,
            self.watchers,
            self.watchers,
            self.ledger,
            config,
            self.parts,
            self.watch,
            delivering=self.sender,
            lead=Alone(),
        )

    async def check(self, after: timedelta = timedelta(0)) -> bool:
        """Time passes for all parts alike, then it is checked."""
        self.clock.go(after)
        for part in (*self.parts.values(), self.watch):
            part.alive_at = self.clock.now()
        return await self.health.check()


async def test_a_good_pass_is_told_everywhere() -> None:
    """The watchdog is fed, the switch is pinged, the ledger notes it for whoever watches from outside."""
    ward = Ward()
    assert await ward.check()
    assert (ward.watchers.fed, ward.watchers.pings) == (1, [URL])
    assert await ward.ledger.noticed_at(HEALTHY) == ward.clock.now()


@pytest.mark.parametrize("name", ["scheduler", "senders"])
@pytest.mark.parametrize(("late", "well"), [(FRESH, True), (FRESH + timedelta(seconds=1), False)])
async def test_one_part_that_stands_still_is_enough(name: str, late: timedelta, well: bool) -> None:
    """Then nobody hears that all is well: neither watchdog nor switch nor ledger."""
    ward = Ward()
    ward.parts[name].alive_at = ward.clock.now() - late
    assert await ward.health.check() is well
    assert (ward.watchers.fed, len(ward.watchers.pings)) == ((1, 1) if well else (0, 0))
    assert (await ward.ledger.noticed_at(HEALTHY) is not None) is well


async def test_a_ledger_in_trouble_is_no_case_for_a_restart() -> None:
    """It would forget what went out from memory: the watchdog is fed, and the dead man's switch stays away."""
    ward = Ward()
    ward.ledger.trouble = "disk full"
    assert await ward.check()
    assert (ward.watchers.fed, ward.watchers.pings) == (1, [])
    ward.ledger.trouble = ""
    await ward.check(timedelta(seconds=5))
    assert ward.watchers.pings == [URL]


async def test_the_switch_is_pinged_as_often_as_the_config_says() -> None:
    """Checks come every few seconds, pings each minute; a ping that was not heard is not repeated sooner."""
    ward = Ward()
    ward.watchers.answer = "503"
    for _ in range(25):
        await ward.check(timedelta(seconds=5))
    assert len(ward.watchers.pings) == 3


async def test_without_an_address_nobody_is_pinged() -> None:
    """The default."""
    ward = Ward(url=None)
    assert await ward.check()
    assert ward.watchers.pings == []


@pytest.mark.parametrize(("late", "pings"), [(FRESH, 1), (FRESH + timedelta(seconds=1), 0)])
async def test_a_folder_that_hangs_is_no_case_for_a_restart(late: timedelta, pings: int) -> None:
    """Rule 62: the watchdog is fed and the ledger notes it, since a restart would see no more; the dead man's switch
    stays away.
    """
    ward = Ward()
    ward.watch.alive_at = ward.clock.now() - late
    assert await ward.health.check()
    assert (ward.watchers.fed, len(ward.watchers.pings)) == (1, pings)
    assert await ward.ledger.noticed_at(HEALTHY) == ward.clock.now()


async def test_the_folder_may_be_marked_as_watched_after_a_good_check_only() -> None:
    """P3: commands trust the mark."""
    ward = Ward()
    assert await ward.check()
    ward.parts["senders"].alive_at = ward.clock.now() - FRESH - timedelta(seconds=1)
    assert not await ward.health.check()
    assert ward.watch.attested == 1


async def test_the_switch_stays_away_while_nothing_leaves() -> None:
    """Rule 71: a page or a notice that nobody has taken for a minute; the watchdog is fed, a restart would not help."""
    ward = Ward()
    ward.sender.since = ward.clock.now()
    assert await ward.check(timedelta(seconds=59))
    assert ward.watchers.pings == [URL]
    assert await ward.check(timedelta(seconds=61))
    assert await ward.check(timedelta(seconds=61))
    assert (ward.watchers.pings, ward.watchers.fed) == ([URL], 3)
    ward.sender.since = None
    assert await ward.check(timedelta(seconds=5))
    assert ward.watchers.pings == [URL, URL]
