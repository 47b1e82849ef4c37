"""What a start recalls, and that none of it is later than now."""

from datetime import timedelta

from tocsin.app.lifecycle.startup import TOLD_FROM, bring_back, recall
from tocsin.app.state.agenda import Agenda
from tocsin.app.state.incidents import Incidents
from tocsin.domain.facts import Seen
from tocsin.domain.incident import Incident, Status
from tocsin.domain.operator_notice import Trouble

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
    assert set(await recall(ledger, incidents, NOW)) == {"db"}
    assert incidents.history("db").started_at == NOW
