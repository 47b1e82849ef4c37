"""What a start recalls, and that none of it is later than now."""

import asyncio
import gc
import weakref
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from tocsin.app.lifecycle import startup
from tocsin.app.lifecycle.startup import TOLD_FROM, Started, bring_back, let_go_of_life, made_to_stay, recall
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.app.wiring.build import tell_troubles
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.problem import Problem, ProblemLevel

from tests.builders.active_config import settings
from tests.builders.policies import small_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger

NOW = StillClock().now()
HOUR = timedelta(hours=1)
DOWN = Incident("db", "Down", "sev1", Status.INVESTIGATING)


async def test_operators_hear_once_that_the_clock_was_ahead() -> None:
    """Rule 59: how far, and what to do; the next start finds nothing more to tell."""
    ledger = MemoryLedger()
    await ledger.record("db", [Seen(NOW + HOUR, DOWN)], (), ())
    notice = await bring_back(ledger, NOW)
    assert notice
    assert notice.trouble is Trouble.CLOCK_WAS_AHEAD
    assert "up to 1h ahead" in notice.text
    assert await bring_back(ledger, NOW) is None


async def test_a_few_seconds_are_no_news() -> None:
    """Rule 59: the process before may have been that far ahead of the clock; they count as now all the same."""
    ledger = MemoryLedger()
    await ledger.record("db", [Seen(NOW + TOLD_FROM, DOWN)], (), ())
    assert await bring_back(ledger, NOW) is None
    assert await ledger.facts("db") == (Seen(NOW, DOWN),)


async def test_a_ledger_that_cannot_be_written_silences_nobody() -> None:
    """Rule 59: what lies ahead is recalled as now, although the ledger keeps it as it is."""
    ledger = MemoryLedger()
    await ledger.record("db", [Seen(NOW + HOUR, DOWN)], (), ())
    ledger.trouble = "no space left on device"
    assert await bring_back(ledger, NOW) is None
    ledger.trouble = ""
    incidents = Incidents(Agenda())
    assert set((await recall(ledger, incidents, NOW)).known) == {"db"}
    assert incidents.history("db").started_at == NOW


async def test_what_runs_beside_a_long_recalling_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service manager hears that the daemon lives meanwhile, and the log says how far it is."""
    monkeypatch.setattr(startup, "SAYS_EVERY", 0.0)
    ledger = MemoryLedger()
    for number in range(startup.AT_ONCE + 1):
        await ledger.record(f"db{number}", [Seen(NOW, replace(DOWN, id=f"db{number}"))], (), ())
    turns: list[int] = []
    beside = asyncio.create_task(_count(turns))
    with capture_logs() as lines:
        assert len((await recall(ledger, Incidents(Agenda()), NOW)).known) == startup.AT_ONCE + 1
    beside.cancel()
    assert len(turns) >= 2
    assert lines[-1] == {
        "event": "recalling", "log_level": "info", "recalled": startup.AT_ONCE, "of": startup.AT_ONCE + 1
    }  # fmt: skip


async def _count(turns: list[int]) -> None:
    while True:
        turns.append(len(turns))
        await asyncio.sleep(0)


def test_the_collector_leaves_alone_what_is_made_to_stay() -> None:
    """It rests while that grows, and never looks through it later; what a life that is over has left goes."""
    try:
        with made_to_stay():
            assert not gc.isenabled()
            kept = weakref.ref(holder := Kept())
            holder.circle = holder
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        del holder
        gc.collect()
        assert kept() is not None
        let_go_of_life()
        assert kept() is None
    finally:
        gc.unfreeze()


class Kept:
    circle: object


def test_a_config_that_cannot_be_read_at_a_start_is_not_told_to_be_good_again() -> None:
    """Rules 39, 73: whether what was refused before is good nobody knows then."""
    notices = Notices(StillClock())
    unread = Problem("config", 1, 1, ProblemLevel.ERROR, "no-config", "there is no config folder config")
    tell_troubles(notices, Started(small_policy(), settings(), "d", unread=(unread,)), None)
    assert notices.take_recovered() == ()
    tell_troubles(notices, Started(small_policy(), settings(), "d"), None)
    assert Trouble.CONFIG_REFUSED in [recovery.trouble for recovery in notices.take_recovered()]
