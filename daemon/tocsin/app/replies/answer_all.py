"""`ok all` and `pass all`: one answer to everything that is asked of a person (rule 47).

It decides which open incidents are meant: those that ask this person by a page that a provider had before the answer
was sent. What an answer does is `planning.history.answers`' business.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from tocsin.app.incidents.asked_instead import others_asked
from tocsin.app.replies.flips import Flips
from tocsin.app.state.incidents import Incidents
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.planning.history.asked_for import AskedFor, asked_for, is_lost
from tocsin.planning.history.fold import apply_fact

AT_A_TIME = 20
"""Incidents that are looked at before others have their turn: no page waits for this."""


@dataclass(frozen=True, slots=True)
class MeantIncident:
    """An open incident that the answer is about, as it stands before it, and what it asks of the person; of a pass,
    whether somebody else is asked then.
    """

    id: str
    before: History
    asked: AskedFor
    others_asked: bool = False

    @property
    def incident(self) -> Incident:
        """It, as it stands; what is meant is open, and so there is one."""
        assert self.before.incident is not None
        return self.before.incident

    @property
    def title(self) -> str:
        """Its title, or its id."""
        return self.incident.title or self.id

    @property
    def severity(self) -> str:
        """Its severity's name."""
        return self.incident.severity

    @property
    def drill(self) -> bool:
        """Whether it is only practised."""
        return self.incident.drill


@dataclass(frozen=True, slots=True)
class AllMeant:
    """What one answer meets. `meant` are the incidents that it answers, the worst first, drills after what is real;
    `waiting` how many more ask the person by pages that left later, or not yet; `lost` how many by pages that will not
    reach them; `held` in how many they hold a role.
    """

    meant: tuple[MeantIncident, ...]
    waiting: int
    held: int
    lost: int = 0


class CountedInMemory(Protocol):
    """Who has judged answers that the ledger could not take."""

    flips: Flips

    def counted(self, ref: str) -> AllMeant | None:
        """What an answer counted for; None: for nothing."""
        ...


async def meant_by_all(
    incidents: Incidents,
    handed_over: frozenset[tuple[str, int]],
    policy: Policy,
    fact: Answered,
) -> AllMeant:
    """What somebody's answer, which is to be recorded as `fact`, is about, a few incidents at a time. `handed_over`
    are incidents and episodes of which a page to this person had left when the answer was sent.
    """
    person, answer = fact.person, fact.answer
    meant, waiting, held, lost = [], 0, 0, 0
    for number, incident in enumerate(incidents.open_ids(), 1):
        if number % AT_A_TIME == 0:
            await asyncio.sleep(0)
        history = incidents.answered_history(incident)
        held += any(role.holder == person and role.needed for role in history.roles.values())
        asked = asked_for(history, person)
        if not asked.roles and not (asked.still_there and answer is Answer.OK):
            continue
        if (incident, history.episode) in handed_over:
            others = answer is Answer.PASS and others_asked(apply_fact(history, fact), policy, person, fact.at)
            meant.append(MeantIncident(incident, history, asked, others))
        elif is_lost(history, person):
            lost += 1
        else:
            waiting += 1
    meant.sort(key=lambda one: (one.drill, policy.incident_rank(one.incident), _since(one)))
    return AllMeant(tuple(meant), waiting, held, lost)


def _since(one: MeantIncident) -> datetime:
    assert one.before.started_at is not None
    return one.before.started_at


def changes(before: History, after: History) -> bool:
    """Whether an answer led from one to the other; a note that it was in vain is no change."""
    return after not in (before, replace(before, ineffective_acks=after.ineffective_acks))
