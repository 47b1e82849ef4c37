"""Incidents that are a person's business and for which their number has no code: they were asked by email alone, or
while no answers by SMS were taken, or hold a role without having been paged.

Decides which an answer without a code may be about beside those with codes, and when it is too old for that.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.app.state.incidents import Incidents
from tocsin.domain.history import History
from tocsin.planning.history.asked_for import asked_for
from tocsin.ports.ledger.ledger import Ledger

AT_A_TIME = 20
"""Incidents that are looked at before others have their turn: no page waits for this."""
VERIFIED_FOR = timedelta(days=1)
"""How long after the resolution an answer without a code may be to the question whether all is healthy."""


@dataclass(frozen=True, slots=True)
class Codeless:
    """Incidents without a code of this person's. `over`: resolved, and the question whether all is healthy is open.
    `answerable`: it asked, or was theirs, before the answer was sent; a question about health never is, for whoever did
    not name it may not have seen it.
    """

    incident: str
    over: bool
    answerable: bool


def wants_answer(history: History, person: str, now: datetime) -> bool:
    """Whether somebody's answer may be about this incident: it is open, or they were asked whether all is well."""
    if history.incident is None:
        return False
    if history.resolved_at is None:
        return True
    is_asked = person in dict(history.verify_people) and now - history.resolved_at < VERIFIED_FOR
    return is_asked and not history.verified


async def codeless(
    incidents: Incidents,
    ledger: Ledger,
    person: str,
    coded: Collection[str],
    sent_at: datetime,
    now: datetime,
    *,
    begun: bool,
) -> tuple[Codeless, ...]:
    """What somebody is asked for or holds, beside what is `coded`; where there is nothing at all, what they were once
    paged for and may still take. It asked before the answer was sent once a provider had taken a page; with `begun`,
    once the try that it took had begun. Raises LedgerError.
    """
    wanted, others = [], []
    for number, incident in enumerate(incidents.ids(), 1):
        if number % AT_A_TIME == 0:
            await asyncio.sleep(0)
        history = incidents.answered_history(incident)
        if incident in coded or not wants_answer(history, person, now):
            continue
        if history.resolved_at is not None or asked_for(history, person) or _held_since(history, person):
            wanted.append(incident)
        elif _was_paged(history, person):
            others.append(incident)
    found = wanted or ([] if coded else others)
    handed_over = await ledger.pages_handed_over(person, sent_at, begun=begun) if found else frozenset()
    return tuple(
        _codeless(incident, incidents.answered_history(incident), person, handed_over, sent_at) for incident in found
    )


def _codeless(
    incident: str, history: History, person: str, handed_over: frozenset[tuple[str, int]], sent_at: datetime
) -> Codeless:
    over, held_since = history.resolved_at is not None, _held_since(history, person)
    was_held = held_since is not None and held_since <= sent_at
    return Codeless(incident, over, not over and (was_held or (incident, history.episode) in handed_over))


def _held_since(history: History, person: str) -> datetime | None:
    """Since when a role is theirs; of a responder, since they were paged."""
    held = [role.accepted_at for role in history.roles.values() if role.holder == person and role.needed]
    if person in history.responders_answered:
        held += [at for name, at in history.responders if name == person]
    return min((at for at in held if at), default=None)


def _was_paged(history: History, person: str) -> bool:
    return any(role.was_paged(person) for role in history.roles.values()) or person in dict(history.responders)
