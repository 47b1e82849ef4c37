"""What the end of an incident says (rule 25): how long it lasted, and what became of it in words for this reader; and
by when its review is asked for (rule 27).
"""

from datetime import datetime

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import span


def duration(history: History, language: Language) -> str:
    """How long the episode lasted, from when it really began; empty while it is open."""
    if history.began_at is None or history.resolved_at is None:
        return ""
    return span(history.resolved_at - history.began_at, language)


def resolution(incident: Incident, *, external: bool) -> str:
    """What became of it: the public word for outsiders, the internal one, else the public one, inside."""
    if not incident.resolved:
        return ""
    return clean(incident.public_resolution if external else incident.resolution or incident.public_resolution)


def review_due_at(incident: Incident, history: History, policy: Policy) -> datetime | None:
    """By when the review should be finished; None where none is asked for."""
    review = policy.severity(incident.severity).review
    return history.resolved_at + review.within if review and history.resolved_at else None
