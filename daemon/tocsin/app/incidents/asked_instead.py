"""Whether somebody else is asked after a pass (rule 16), by the plan itself: whoever was paged beside that person, or
whoever the plan asks at once.

Must not know messages, nor what is written down: it looks ahead, at this instant only.
"""

from datetime import datetime

from tocsin.domain.history import History
from tocsin.domain.policy import Policy
from tocsin.planning.plan import plan

STEPS_MOST = 32
"""Steps that reach nobody and so take no time, before it is taken that nobody is asked."""


def others_asked(history: History, policy: Policy, person: str, now: datetime) -> bool:
    """Whether anybody else is asked for something that this person was paged for, once they have passed."""
    incident = history.incident
    if incident is None:
        return False
    for _step in range(STEPS_MOST):
        if _any_asked(history, person):
            return True
        if not any(role.next_now_at is not None for role in history.roles.values()):
            return False
        planned = plan(incident, policy, history, now)
        if not planned.facts:
            return False
        history = planned.history
    return False


def asked_beside(history: History, person: str) -> tuple[str, ...]:
    """Who else is asked now for something that this person was paged for."""
    waiting = [role for role in history.roles.values() if role.wanted and role.holder is None and role.step]
    names = [
        name
        for role in waiting
        if role.was_paged(person) and role.next_now_at is None
        for name in (role.step.people if role.step else ())
        if name not in role.declining
    ]
    return tuple(dict.fromkeys(name for name in names if name != person))


def _any_asked(history: History, person: str) -> bool:
    for role in history.roles.values():
        waits = role.wanted and not history.unreadable_ended and role.holder is None and role.was_paged(person)
        if waits and role.step is not None and set(role.step.people) - role.declining - {person}:
            return True
    if not any(name == person for name, _ in history.responders):
        return False
    settled = history.responders_answered | history.responders_passed | {name for name, _ in history.lost}
    return any(name not in settled | {person} for name, _ in history.responders)
