"""Called: how a Markdown page calls people and roles: by the config's names, else by what was written."""

from tocsin.domain.policy import RESPONDER, Policy
from tocsin.text.markdown import inline


def person_called(policy: Policy, person: str) -> str:
    """A person's name, or the address or id that the config does not know (any more)."""
    known = policy.people.get(person)
    return inline(known.name if known else person)


def role_called(policy: Policy, role: str) -> str:
    """A role's title."""
    if role == RESPONDER:
        return "responder"
    return inline(policy.roles[role].title if role in policy.roles else role)
