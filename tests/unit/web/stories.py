"""Incidents to look at: an open one in the thick of it, others beside it, one that is over; on the shipped config."""

import copy
from dataclasses import replace
from datetime import timedelta

from tocsin.adapters.files.config_snapshot import snapshot
from tocsin.domain.facts import Answer, Answered, Fact, Seen
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.ports.ledger import Ledger

from tests.fakes.ledger import MemoryLedger, Pages
from tests.unit.lives import CONFIG, T0, happen, on_duty, pass_time, seen

MINUTE = timedelta(minutes=1)
TOKEN = "open-sesame-0123456789"
KEY = "a-key-that-signs-links"
WEB = {"web": {"token": TOKEN, "signing_key": [KEY]}, "public_url": "https://pager.example.com"}
"""Settings of a site with links and a token."""
BEARER = {"Authorization": f"Bearer {TOKEN}"}

CARD = Incident(
    "card",
    "Card payments fail at checkout",
    "sev1",
    summary="INTERNAL-SUMMARY The provider answers 502 to every second charge.",
    impact="About half of all card payments fail.",
    services=("checkout",),
    declared_by="INTERNAL-DECLARER",
)
FIRST = UpdateEntry("INTERNAL-ONE Disk full on the primary.", "We found the cause and are fixing it.", None, "chen")
SECOND = UpdateEntry("INTERNAL-TWO Failover done.", "Most payments work again.", None, "chen")
THIRD = UpdateEntry("INTERNAL-THREE Only for us.")
SEARCH = Incident("search", "INTERNAL Search is slow", "sev3", services=("website",))
DRILL = Incident("practice", "INTERNAL Fire drill", "sev1", drill=True)
_LIVED: list[Pages] = []
MAIL = Incident("mail", "Mail is delayed", "sev1", resolution="INTERNAL-RESOLUTION Relay restarted.")


async def config_known(ledger: Ledger) -> None:
    """The shipped config came into force."""
    files, problems = snapshot(CONFIG, "config")
    assert not problems
    await ledger.record_config("r1", files, T0 - MINUTE)


async def card_payments(ledger: Ledger, until: int = 71) -> None:
    """Paged, one role passed on, one never taken; two changes of status; minutes after T0."""
    await seen(ledger, CARD)
    identified = replace(CARD, status=Status.IDENTIFIED, updates=(FIRST,), eta=T0 + 90 * MINUTE)
    monitoring = replace(identified, status=Status.MONITORING, updates=(FIRST, SECOND))
    facts: list[Fact] = [
        Answered(T0 + 2 * MINUTE, on_duty("commanders"), Answer.OK),
        Answered(T0 + 4 * MINUTE, "dee", Answer.OK),
        Answered(T0 + 7 * MINUTE, on_duty("engineers"), Answer.PASS),
        Seen(T0 + 20 * MINUTE, identified, "e"),
        Seen(T0 + 48 * MINUTE, monitoring, "f"),
        Seen(T0 + 60 * MINUTE, replace(monitoring, updates=(FIRST, SECOND, THIRD)), "g"),
    ]
    for fact in facts:
        await pass_time(ledger, "card", fact.at)
        await happen(ledger, "card", fact)
    await pass_time(ledger, "card", T0 + until * MINUTE)


async def lived() -> Pages:
    """A ledger with all of them, 71 minutes after T0. It is made once; everybody gets a copy."""
    if not _LIVED:
        ledger = MemoryLedger()
        await config_known(ledger)
        await card_payments(ledger)
        await others(ledger)
        _LIVED.append(ledger.pages)
    return copy.deepcopy(_LIVED[0])


async def others(ledger: Ledger) -> None:
    """One that outsiders hear nothing of, a drill, and one that is over."""
    await seen(ledger, SEARCH, T0 + 30 * MINUTE)
    await seen(ledger, DRILL, T0 + 31 * MINUTE)
    await seen(ledger, replace(MAIL, resolution=""), T0 - 600 * MINUTE)
    await pass_time(ledger, "mail", T0 - 560 * MINUTE)
    await happen(ledger, "mail", Seen(T0 - 560 * MINUTE, replace(MAIL, status=Status.RESOLVED), "r"))
    await pass_time(ledger, "mail", T0 + 71 * MINUTE)
