"""Which incidents the web lists: all that are open, and for a week those that are over."""

from dataclasses import replace
from datetime import timedelta

from tocsin.app.incidents.incident_views import RECENT, listing
from tocsin.domain.incident import Incident, Status

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import pass_time, see
from tests.fakes.ledger import MemoryLedger

CARD = Incident("card", "Card payments fail", "sev1")


async def test_what_is_over_is_listed_for_a_week() -> None:
    """To the second, counted from when it was resolved; what is open is listed however old."""
    ledger = MemoryLedger()
    await see(ledger, replace(CARD, id="old"))
    await see(ledger, CARD)
    await see(ledger, replace(CARD, status=Status.RESOLVED), T0 + MINUTE)
    await pass_time(ledger, "card", T0 + timedelta(days=60))
    await ledger.finish("card")
    for now, names in ((T0 + MINUTE + RECENT - timedelta(seconds=1), ["card"]), (T0 + MINUTE + RECENT, [])):
        found = await listing(ledger, shipped_policy(), now)
        assert [row.incident.id for row in found.resolved] == names
        assert [row.incident.id for row in found.open] == ["old"]
