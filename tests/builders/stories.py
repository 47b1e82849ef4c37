"""Stories of incidents: what happened, and all that the real plan makes of it with the shipped config, in a ledger as
the daemon records it. Each message is tried once.
"""

import copy
from dataclasses import replace
from datetime import datetime

from tocsin.adapters.files.config_snapshot import snapshot
from tocsin.domain.delivery import Accepted, Content, Letter, Outcome
from tocsin.domain.facts import Answer, Answered, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.plan import Plan
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.on_call.resolve import on_call
from tocsin.planning.plan import plan
from tocsin.ports.ledger.ledger import Ledger

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import SHIPPED_CONFIG, shipped_policy
from tests.fakes.ledger import MemoryLedger, Pages

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
MAIL = Incident("mail", "Mail is delayed", "sev1", resolution="INTERNAL-RESOLUTION Relay restarted.")

_MANY: list[Pages] = []


def on_duty(rotation: str, at: datetime = T0) -> str:
    """Who is on call in a rotation of the shipped config."""
    person = on_call(shipped_policy().rotations[rotation], at)
    assert person is not None
    return person


async def happen(ledger: Ledger, incident: str, fact: Fact, outcome: Outcome | None = None) -> None:
    """A fact, and all that the plan makes of it at its instant."""
    history = fold_facts([*await ledger.facts(incident), fact])
    await _record(ledger, incident, [fact], _plan(history, fact.at), fact.at, outcome)


async def see(ledger: Ledger, incident: Incident, at: datetime = T0, digest: str = "d") -> None:
    """The daemon sees a version."""
    await happen(ledger, incident.id, Seen(at, incident, digest))


async def pass_time(ledger: Ledger, incident: str, to: datetime) -> None:
    """Whatever falls due on its own until an instant."""
    while facts := await ledger.facts(incident):
        history = fold_facts(facts)
        at = _plan(history, max(fact.at for fact in facts)).next_look
        if at is None or at > to:
            return
        planned = _plan(history, at)
        if not planned.facts:
            return
        await _record(ledger, incident, [], planned, at)


def _plan(history: History, at: datetime) -> Plan:
    assert history.incident is not None
    return plan(history.incident, shipped_policy(), history, at)


async def _record(
    ledger: Ledger, incident: str, facts: list[Fact], planned: Plan, at: datetime, outcome: Outcome | None = None
) -> None:
    letters = [Letter(due.notification, Content("words", "subject")) for due in planned.due]
    await ledger.record(incident, [*facts, *planned.facts], letters, planned.suppressed)
    for notification in (letter.notification for letter in letters):
        attempt = await ledger.begin_attempt(notification.key, notification.via, notification.to, at)
        await ledger.end_attempt(attempt, outcome or Accepted("1"), at)
        await ledger.settle(notification.key, "accepted", at)


async def know_config(ledger: Ledger) -> None:
    """The shipped config came into force."""
    files, problems = snapshot(SHIPPED_CONFIG, "config")
    assert not problems
    await ledger.record_config("r1", files, T0 - MINUTE)


async def card_payments(ledger: Ledger, until: int = 71) -> None:
    """Paged, one role passed on, one never taken; two changes of status; minutes after T0."""
    await see(ledger, CARD)
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


async def quieter_incidents(ledger: Ledger) -> None:
    """One that outsiders hear nothing of, a drill, and one that is over."""
    await see(ledger, SEARCH, T0 + 30 * MINUTE)
    await see(ledger, DRILL, T0 + 31 * MINUTE)
    await see(ledger, replace(MAIL, resolution=""), T0 - 600 * MINUTE)
    await pass_time(ledger, "mail", T0 - 560 * MINUTE)
    await happen(ledger, "mail", Seen(T0 - 560 * MINUTE, replace(MAIL, status=Status.RESOLVED), "r"))
    await pass_time(ledger, "mail", T0 + 71 * MINUTE)


async def many_incidents() -> Pages:
    """What a ledger in memory holds with all of them, 71 minutes after T0. It is made once; everybody gets a copy."""
    if not _MANY:
        ledger = MemoryLedger()
        await know_config(ledger)
        await card_payments(ledger)
        await quieter_incidents(ledger)
        _MANY.append(ledger.pages)
    return copy.deepcopy(_MANY[0])
