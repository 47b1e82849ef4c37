"""In which zone and language somebody reads, and what a role is called there. People have a zone and a language of
their own; a plain address has its group's.
"""

from tocsin.domain.notification import Notification
from tocsin.domain.people import Person, StakeholderGroup
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.wording.language.language import Language


def zone_of(notification: Notification, policy: Policy) -> str:
    """The reader's IANA zone."""
    reader = _reader(notification, policy)
    return reader.timezone if reader else "UTC"


def language_of(notification: Notification, policy: Policy) -> str:
    """The reader's language."""
    reader = _reader(notification, policy)
    return reader.language if reader else "en"


def role_title(role: str, policy: Policy, language: Language) -> str:
    """A role's title as the config has it; that of a service's responders, which no config names, in the language."""
    return language.say("responder") if role == RESPONDER else policy.role_title(role)


def _reader(notification: Notification, policy: Policy) -> Person | StakeholderGroup | None:
    """Who has the zone and the language: a closing message to a plain address names no group, so it is looked for."""
    person = policy.people.get(notification.to)
    if person is not None:
        return person
    if notification.group:
        return policy.stakeholders.get(notification.group)
    return policy.group_of(notification.to)
