"""What somebody is asked for besides answering: by when to answer and who is asked then, to write the next update, to
finish the review. That is what the plan does, so that nobody is promised what it would not keep.

Must not know how it is shown, nor what was said to outsiders.
"""

from dataclasses import dataclass
from datetime import datetime

from tocsin.app.replies.answer_options import AnswerOptions, RoleState
from tocsin.domain.policy import COMMUNICATIONS, Policy
from tocsin.planning.current_state import CurrentState, NextPages, next_pages


@dataclass(frozen=True, slots=True)
class UpdateDuty:
    """Whoever has Communications, or is asked to, writes the updates: when the next one is promised, if one is, and
    whether the time by which it was to be fixed has passed.
    """

    next_at: datetime | None
    eta_passed: bool


@dataclass(frozen=True, slots=True)
class ReviewDuty:
    """The review's draft, as messages call it, and by when it is to be finished."""

    file: str
    due_at: datetime | None


def next_asked(options: AnswerOptions, policy: Policy, now: datetime) -> NextPages | None:
    """Whom the plan pages next, and when, for what this person is asked for and has not answered; None: nobody, or
    nothing is asked.
    """
    asked = [option.role for option in options.roles if option.state is RoleState.OPEN]
    if not asked or options.history.resolved_at is not None:
        return None
    roles = tuple(role for role in asked if role)
    return next_pages(options.incident, policy, options.history, roles, now)


def update_duty(options: AnswerOptions, state: CurrentState, now: datetime) -> UpdateDuty | None:
    """What the holder of Communications owes the readers (rule 24); None for everybody else, and once it is over."""
    incident = options.incident
    writers = [role.person for role in state.roles if role.role == COMMUNICATIONS]
    if options.person not in writers or options.history.resolved_at is not None or incident.unreadable:
        return None
    return UpdateDuty(state.next_update_at, incident.eta is not None and incident.eta <= now)


def review_duty(options: AnswerOptions, policy: Policy) -> ReviewDuty | None:
    """What whoever was asked to finish the review has to do (rule 27); None for everybody else, and once it is done."""
    resolved_at, incident = options.history.resolved_at, options.incident
    if not options.review or resolved_at is None or incident.review:
        return None
    severity = policy.severity(incident.severity)
    due_at = resolved_at + severity.review.within if severity.review else None
    return ReviewDuty(f"reviews/{incident.id}.md", due_at)
