"""In which zone and language somebody reads. People have their own; a plain address has its group's."""

from tocsin.domain.notification import Notification
from tocsin.domain.people import Person, StakeholderGroup
from tocsin.domain.policy import Policy


def zone_of(notification: Notification, policy: Policy) -> str:
    """The reader's IANA zone."""
    reader = _reader(notification, policy)
    return reader.timezone if reader else "UTC"


def language_of(notification: Notification, policy: Policy) -> str:
    """The reader's language."""
    reader = _reader(notification, policy)
    return reader.language if reader else "en"


def _reader(notification: Notification, policy: Policy) -> Person | StakeholderGroup | None:
    """Who has the zone and the language: a closing message to a plain address names no group, so it is looked for."""
    person = policy.people.get(notification.to)
    if person is not None:
        return person
    if notification.group:
        return policy.stakeholders.get(notification.group)
    return policy.group_of(notification.to)
