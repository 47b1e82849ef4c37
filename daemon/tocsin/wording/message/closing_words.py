"""What the end of an incident says (rule 25): how long it lasted, what became of it in words for this reader, and
whether there is anything left to do for who was paged; and by when its review is asked for (rule 27).
"""

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Notification
from tocsin.domain.policy import Policy
from tocsin.planning.after_resolving import why_nobody_is_asked
from tocsin.text.cleaning import clean
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import span


def duration(history: History, language: Language) -> str:
    """How long the episode lasted, from when it really began; empty while it is open."""
    if history.began_at is None or history.resolved_at is None:
        return ""
    return span(history.resolved_at - history.began_at, language)


def resolution(incident: Incident, history: History, *, external: bool) -> str:
    """What became of it: the public word for outsiders, the internal one, else the public one, inside. A word about an
    earlier end, which did not hold, says nothing about this one.
    """
    if not incident.resolved:
        return ""
    public = public_word(incident, history)
    inside = "" if incident.resolution == history.resolution_before else incident.resolution
    return clean(public if external else inside or public)


def public_word(incident: Incident, history: History) -> str:
    """What is written for outsiders about the end of this episode."""
    return "" if incident.public_resolution == history.public_resolution_before else incident.public_resolution


@dataclass(frozen=True, slots=True)
class ClosingReader:
    """Who reads a closing: whether they were `paged` in the episode, and whether it is known that `nothing_to_do` is
    left for them.
    """

    paged: bool = False
    nothing_to_do: bool = False


def closing_reader(notification: Notification, incident: Incident, history: History, policy: Policy) -> ClosingReader:
    """Who reads this closing."""
    if notification.external or notification.to not in history.newest_pages:
        return ClosingReader()
    severity = policy.severity(incident.severity)
    asked_later = severity.verify_after is not None or severity.review is not None
    idle = not asked_later or why_nobody_is_asked(incident, history) is not None
    return ClosingReader(
        paged=True, nothing_to_do=idle or not _may_be_asked(notification.to, incident, history, policy)
    )


def _may_be_asked(person: str, incident: Incident, history: History, policy: Policy) -> bool:
    """Whether somebody may still be asked to verify or for the review: as holder of a role (rule 26), or in the last
    resort.
    """
    if person in policy.last_resort or any(name == person for _, name in incident.roles):
        return True
    return any(
        role.holder == person or (role.holder is None and role.was_paged(person) and person not in role.declining)
        for role in history.roles.values()
    )


def review_due_at(incident: Incident, history: History, policy: Policy) -> datetime | None:
    """By when the review should be finished; None where none is asked for."""
    review = policy.severity(incident.severity).review
    return history.resolved_at + review.within if review and history.resolved_at else None
