"""What can be done to an incident from a page, by what it is called there; which of it a signed link alone may do,
which is offered to whom, and in which order: whoever is woken is to find first what is theirs to do.
"""

from dataclasses import dataclass
from enum import StrEnum

from tocsin.app.replies.answer_options import AnswerOptions
from tocsin.domain.history import History
from tocsin.domain.policy import COMMANDER, COMMUNICATIONS, SCRIBE, TECHNICAL_LEAD


class Act(StrEnum):
    """Something that somebody does; the names stand in addresses."""

    OK = "ok"
    PASS = "pass"  # noqa: S105 - what a person answers, not a secret
    NOTE = "note"
    UPDATE = "update"
    STATUS = "status"
    SEVERITY = "severity"
    ETA = "eta"
    IMPACT = "impact"
    RESOLVE = "resolve"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    ASSIGN = "assign"
    TITLE = "title"
    REVIEWED = "reviewed"

    @property
    def traits(self) -> "ActTraits":
        """What sets it apart."""
        return _TRAITS[self]


@dataclass(frozen=True, slots=True)
class ActTraits:
    """`title` is what its page is called, `offer` what leads to it. `by_link`: a signed link alone may do it. `shown`:
    its page shows at once what it will do, so that one press suffices; else the first press shows it. `when_over`: it
    is done to a resolved incident; None: to any.
    """

    title: str
    offer: str
    by_link: bool = False
    shown: bool = False
    when_over: bool | None = False


_TRAITS = {
    Act.OK: ActTraits("Accept", "Accept", by_link=True, shown=True),
    Act.PASS: ActTraits("Pass", "Pass: I cannot", by_link=True, shown=True),
    Act.NOTE: ActTraits("Note something", "Note something", by_link=True, shown=True, when_over=None),
    Act.UPDATE: ActTraits("Write an update", "Write an update", by_link=True),
    Act.STATUS: ActTraits("Change the status", "Change the status"),
    Act.SEVERITY: ActTraits("Change the severity", "Change the severity", shown=True),
    Act.ETA: ActTraits("When will it be fixed?", "Say when it will be fixed"),
    Act.IMPACT: ActTraits("What is the impact?", "Say what the impact is"),
    Act.RESOLVE: ActTraits("Resolve it", "Resolve it"),
    Act.HEALTHY: ActTraits("Healthy", "Say that all is healthy", by_link=True, shown=True, when_over=True),
    Act.UNHEALTHY: ActTraits("Not healthy", "Not healthy: open it again", by_link=True, shown=True, when_over=True),
    Act.ASSIGN: ActTraits("Give somebody a role", "Give somebody a role"),
    Act.TITLE: ActTraits("The title for outsiders", "Change the title for outsiders"),
    Act.REVIEWED: ActTraits("The review is done", "The review is done", shown=True, when_over=True),
}

FIRST = {
    COMMUNICATIONS: (Act.UPDATE, Act.ETA, Act.IMPACT),
    TECHNICAL_LEAD: (Act.STATUS, Act.ETA, Act.UPDATE),
    COMMANDER: (Act.SEVERITY, Act.ASSIGN, Act.STATUS),
    SCRIBE: (Act.NOTE, Act.UPDATE),
}
"""What whoever holds or is asked for a role does most; the first of these roles that they have decides."""
ALWAYS = (Act.UPDATE, Act.STATUS, Act.ETA, Act.SEVERITY, Act.IMPACT, Act.ASSIGN, Act.NOTE, Act.TITLE, Act.RESOLVE)
OVER = (Act.HEALTHY, Act.UNHEALTHY, Act.REVIEWED, Act.NOTE)
BIG = 3
"""So many are offered large."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An act as a page offers it: its name in the address, and what is read."""

    name: str
    offer: str


@dataclass(frozen=True, slots=True)
class OfferedActs:
    """What somebody can do: `answers` to what they are `asked`, what else is theirs in `big`, and the `others`."""

    asked: str = ""
    answers: tuple[Offer, ...] = ()
    big: tuple[Offer, ...] = ()
    others: tuple[Offer, ...] = ()


def offered(options: AnswerOptions, *, person: str) -> tuple[Act, ...]:
    """What this person can do to an incident, answers apart, theirs first. A file that cannot be read cannot be edited
    from afar.
    """
    history, incident = options.history, options.incident
    if incident.unreadable:
        return ()
    if history.resolved_at is not None:
        return tuple(act for act in OVER if not _is_done(act, options))
    own = next((FIRST[role] for role in FIRST if _has(history, role, person)), ())
    return tuple(dict.fromkeys((*own, *ALWAYS)))


def _is_done(act: Act, options: AnswerOptions) -> bool:
    """Whether nothing is left to do of it."""
    if act is Act.HEALTHY:
        return options.healthy
    return act is Act.REVIEWED and bool(options.incident.review)


def _has(history: History, role: str, person: str) -> bool:
    """Whether they hold it, or are asked for it while nobody does."""
    known = history.roles.get(role)
    if known is None or not known.needed:
        return False
    return known.holder == person or (
        known.holder is None and known.was_paged(person) and person not in known.declining
    )
