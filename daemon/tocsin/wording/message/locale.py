"""Reader: in which zone and language somebody reads. People have their own; a plain address has its group's."""

from tocsin.domain.notification import Notification
from tocsin.domain.people import Person, StakeholderGroup
from tocsin.domain.policy import Policy


def zone_of(each: Notification, policy: Policy) -> str:
    """The reader's IANA zone."""
    known = _reader(each, policy)
    return known.timezone if known else "UTC"


def language_of(each: Notification, policy: Policy) -> str:
    """The reader's language."""
    known = _reader(each, policy)
    return known.language if known else "en"


def _reader(each: Notification, policy: Policy) -> Person | StakeholderGroup | None:
    """Who has the zone and the language: a closing message to a plain address names no group, so it is looked for."""
    person = policy.people.get(each.to)
    if person is not None:
        return person
    if each.group:
        return policy.stakeholders.get(each.group)
    address = each.to.casefold()
    groups = policy.stakeholders.values()
    return next((group for group in groups if any(email.casefold() == address for email in group.emails)), None)
