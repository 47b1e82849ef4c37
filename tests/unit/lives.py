"""Incidents that lived: facts and messages as the daemon records them, made by the real plan on the shipped config."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tocsin.app.configuration.load import load
from tocsin.domain.delivery import Accepted, Content, Letter, Outcome
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.on_call.resolve import on_call
from tocsin.planning.plan import plan
from tocsin.ports.ledger import Ledger

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
CONFIG = Path(__file__).parents[2] / "config"


@cache
def shipped_policy() -> Policy:
    """The shipped config."""
    policy = load(CONFIG, T0, {}).policy
    assert policy is not None
    return policy


async def happen(ledger: Ledger, incident: str, fact: Fact, outcome: Outcome | None = None) -> None:
    """A fact, and all that the plan makes of it at its instant; each message is tried once."""
    history = fold_facts([*await ledger.facts(incident), fact])
    assert history.incident is not None
    made = plan(history.incident, shipped_policy(), history, fact.at)
    letters = [Letter(due.notification, Content("words", "subject")) for due in made.due]
    await ledger.record(incident, [fact, *made.facts], letters, made.suppressed)
    for letter in letters:
        each = letter.notification
        attempt = await ledger.begin_attempt(each.key, each.via, each.to, fact.at)
        await ledger.end_attempt(attempt, outcome or Accepted("1"), fact.at)
        await ledger.settle(each.key, "accepted", fact.at)


async def pass_time(ledger: Ledger, incident: str, to: datetime) -> None:
    """Whatever falls due on its own until an instant."""
    while True:
        facts = await ledger.facts(incident)
        history = fold_facts(facts)
        if history.incident is None:
            return
        look = plan(history.incident, shipped_policy(), history, max(each.at for each in facts)).next_look
        if look is None or look > to:
            return
        made = plan(history.incident, shipped_policy(), history, look)
        if not made.facts:
            return
        letters = [Letter(due.notification, Content("words", "subject")) for due in made.due]
        await ledger.record(incident, made.facts, letters, made.suppressed)
        for each in (letter.notification for letter in letters):
            attempt = await ledger.begin_attempt(each.key, each.via, each.to, look)
            await ledger.end_attempt(attempt, Accepted("1"), look)
            await ledger.settle(each.key, "accepted", look)


async def seen(ledger: Ledger, incident: Incident, at: datetime = T0, digest: str = "d") -> None:
    """The daemon sees a version."""
    await happen(ledger, incident.id, Seen(at, incident, digest))


def on_duty(rotation: str, at: datetime = T0) -> str:
    """Who is on call in a rotation of the shipped config."""
    person = on_call(shipped_policy().rotations[rotation], at)
    assert person is not None
    return person
