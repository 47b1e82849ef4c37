"""What somebody is asked for in an open incident: paged for it, and neither accepted, passed nor stood down since (rule
47). Decides from the history alone; must not know which pages have left yet.
"""

from dataclasses import dataclass

from tocsin.domain.history import History, RoleHistory
from tocsin.domain.policy import RESPONDER


@dataclass(frozen=True, slots=True)
class AskedFor:
    """The roles that wait for an answer of one person, "" for a file that cannot be read (rule 32); and whether, of
    a role that they hold, they were asked if they are still there (rule 19).
    """

    roles: tuple[str, ...] = ()
    still_there: bool = False

    def __bool__(self) -> bool:
        return bool(self.roles or self.still_there)


NOTHING = AskedFor()


def asked_for(history: History, person: str) -> AskedFor:
    """What an `ok` of this person would answer; nothing once the incident is resolved."""
    incident = history.incident
    if incident is None or history.resolved_at is not None:
        return NOTHING
    if incident.unreadable:
        roles_asked = (role for role in history.roles.values() if role.was_paged(person))
        asked = not history.unreadable_ended and any(person not in role.declining for role in roles_asked)
        return AskedFor(("",)) if asked else NOTHING
    roles = [name for name, role in history.roles.items() if _asks(role, person)]
    answered = history.responders_answered | history.responders_passed
    if person not in answered and any(name == person for name, _ in history.responders):
        roles.append(RESPONDER)
    still_there = any(role.holder == person and role.still_asked_at is not None for role in history.roles.values())
    return AskedFor(tuple(roles), still_there)


def is_lost(history: History, person: str) -> bool:
    """Whether somebody's newest page reached nobody, and is not tried again."""
    page = history.newest_pages.get(person)
    waits = any(entry.person == person for entry in history.waiting)
    return page is not None and (person, page.at) in history.lost and not waits


def _asks(role: RoleHistory, person: str) -> bool:
    """Whether a page for this role waits for their answer."""
    if not role.needed or not role.was_paged(person) or person in role.stood_down or role.holder == person:
        return False
    if role.handover is not None and role.handover.person == person:
        return role.handover.asked_at is not None
    return role.holder is None and person not in role.declining
