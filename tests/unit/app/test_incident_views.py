"""Which incidents the web lists: all that are open, and for a week those that are over."""

from dataclasses import replace
from datetime import timedelta

from tocsin.app.incidents.incident_views import OPEN_MOST, RECENT, listing
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.incident import Incident, Status

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, on_duty, pass_time, see
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


async def test_the_list_names_who_holds_and_what_nobody_holds() -> None:
    """A role that somebody accepted is not said to be nobody's."""
    ledger = MemoryLedger()
    await see(ledger, CARD)
    lead = on_duty("engineers")
    await happen(ledger, "card", Answered(T0 + MINUTE, lead, Answer.OK))
    (row,) = (await listing(ledger, shipped_policy(), T0 + MINUTE)).open
    assert row.holders == (shipped_policy().people[lead].name,)
    assert "Technical Lead" not in row.nobody
    assert row.nobody


async def test_more_open_ones_than_are_listed_are_counted() -> None:
    """The worst are listed; how many more there are is said."""
    ledger = MemoryLedger()
    for number in range(OPEN_MOST + 2):
        await see(ledger, replace(CARD, id=f"i{number}", severity="sev4"))
    await see(ledger, CARD, T0 + MINUTE)
    found = await listing(ledger, shipped_policy(), T0 + MINUTE)
    assert (len(found.open), found.more, found.open[0].incident.id) == (OPEN_MOST, 3, "card")
