"""Holders: who stands for a role when somebody must be written to about it (rule 26 and its corners)."""

from tocsin.domain.people import Person
from tocsin.planning.draft import Draft
from tocsin.planning.reach import open_channels


def holder(draft: Draft, role: str) -> Person | None:
    """Who accepted the role, else who is assigned, else who was paged first for it and did not pass.

    Whoever left the config or has no channel left is no holder; nor has a role that the config lacks any.
    """
    if role not in draft.policy.roles:
        return None
    known = draft.history.roles.get(role)
    candidates = [known.holder if known else None, draft.incident.assigned(role)]
    if known:
        candidates += [name for name, _ in known.asked if name not in known.passed]
    people = (draft.person(name) for name in candidates if name)
    return next((person for person in people if person and open_channels(person, draft.history)), None)
