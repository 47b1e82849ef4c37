"""What one person is asked for about one incident, what is true now, and what an answer would change (rules 15, 16, 19
and 27).

That is decided by the planning's own rules, so that nothing is shown that the daemon would not do; an answer that
changes nothing is not recorded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tocsin.app.incidents.histories import recorded_history
from tocsin.domain.facts import Answer, Answered, Fact, ReviewAsked
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.policy import RESPONDER
from tocsin.planning.history.answers import apply_ok, apply_pass
from tocsin.ports.ledger.recorded import IncidentFacts

AGAIN_AFTER = timedelta(minutes=1)
"""A holder's `ok` restarts the count of rule 19; one so soon after the last is a button pressed twice."""


class RoleState(StrEnum):
    """Where a person stands towards a role."""

    OPEN = "open"
    HELD = "held"
    TAKEN = "taken"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class RoleOption:
    """A role that the person is asked for or holds. `holder` is who holds it and `since` when they accepted it;
    an OPEN one with a holder waits to be handed over. Role "" is a file that cannot be read (rule 32).
    """

    role: str
    state: RoleState
    holder: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What one person is asked for. `takes`, `passes` and `confirms` are the answers that would change something;
    `still_there` asks a holder to confirm; `verify` is whether they were asked if all is healthy, `healthy` whether
    somebody has said so; `review` whether they were asked to finish the review.
    """

    incident: Incident
    history: History
    person: str
    roles: tuple[RoleOption, ...]
    takes: bool
    passes: bool
    confirms: bool
    still_there: bool
    verify: bool
    healthy: bool
    review: bool

    @property
    def holds(self) -> bool:
        """Whether they hold a role."""
        return any(option.state is RoleState.HELD and option.role != RESPONDER for option in self.roles)

    @property
    def urges(self) -> bool:
        """Whether somebody waits for their answer."""
        return self.still_there or any(option.state is RoleState.OPEN for option in self.roles)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The roles that they were paged for or had in this episode, and that are not needed any more (rule 18)."""
        roles = self.history.roles.values()
        return tuple(role.role for role in roles if role.was_paged(self.person) and not role.needed)

    @property
    def anything(self) -> bool:
        """Whether they were ever asked for anything in this episode."""
        return bool(self.roles) or self.verify or self.review


async def options_for(ledger: IncidentFacts, incident: str, person: str, now: datetime) -> AnswerOptions | None:
    """How things stand for one person; None for an incident that the ledger does not know. Raises LedgerError."""
    facts, history = await recorded_history(ledger, incident)
    return options_of(facts, history, person, now) if history.incident else None


def options_of(facts: Sequence[Fact], history: History, person: str, now: datetime) -> AnswerOptions:
    """How things stand for one person in an incident that is known, by what is recorded of it."""
    current = history.incident
    assert current is not None, "an incident is known once it was seen"
    at = _at(history, person, now)
    after_ok, after_pass = apply_ok(history, person, at, at), apply_pass(history, person, at)
    ok_matters = _changed_by_ok(after_ok) != _changed_by_ok(history)
    resolved = history.resolved_at is not None
    return AnswerOptions(
        incident=current,
        history=history,
        person=person,
        roles=(*_role_options(current, history, person), *_responder_option(history, facts, person)),
        takes=ok_matters and not resolved,
        passes=_changed_by_pass(after_pass) != _changed_by_pass(history),
        confirms=ok_matters and resolved,
        still_there=any(role.holder == person and role.still_asked_at for role in history.roles.values()),
        verify=resolved and person in dict(history.verify_people),
        healthy=history.verified or bool(current.verified_by),
        review=resolved and _was_asked_for_review(facts, history, person),
    )


def _was_asked_for_review(facts: Sequence[Fact], history: History, person: str) -> bool:
    """Whether a request for the review went to them since the incident was resolved."""
    asked = (fact for fact in facts if isinstance(fact, ReviewAsked) and person in fact.people)
    return any(history.resolved_at is not None and fact.at >= history.resolved_at for fact in asked)


def answer_fact(options: AnswerOptions, answer: Answer, now: datetime, ref: str) -> Answered | None:
    """What is to be recorded of an answer; None: it changes nothing."""
    if not _is_worth_recording(options, answer, now):
        return None
    return Answered(_at(options.history, options.person, now), options.person, answer, ref)


def _is_worth_recording(options: AnswerOptions, answer: Answer, now: datetime) -> bool:
    if answer is Answer.PASS:
        return options.passes
    if options.takes or options.confirms:
        return True
    own_roles = [role for role in options.history.roles.values() if role.holder == options.person]
    last = max((at for role in own_roles for at in (role.accepted_at, role.answered_at) if at), default=now)
    return options.history.resolved_at is None and now - last >= AGAIN_AFTER


def _at(history: History, person: str, now: datetime) -> datetime:
    """When an answer counts: now, but not before the page that it answers, whatever the clocks say."""
    paged_at = [at for role in history.roles.values() for name, at in role.first_pages if name == person]
    others = (*history.responders, *history.verify_people)
    return max([now, *paged_at, *(at for name, at in others if name == person)])


def _changed_by_ok(history: History) -> tuple[object, ...]:
    """What an `ok` may change."""
    roles = {name: (role.holder, role.still_asked_at) for name, role in history.roles.items()}
    return roles, history.responders_answered, history.unreadable_ended, history.verified


def _changed_by_pass(history: History) -> tuple[object, ...]:
    """What a `pass` may change."""
    return {name: (role.holder, role.declining) for name, role in history.roles.items()}, history.responders_passed


def _role_options(incident: Incident, history: History, person: str) -> Iterator[RoleOption]:
    """The roles that concern the person."""
    for role in history.roles.values():
        option = _role_option(incident, history, role, person)
        if option:
            yield option


def _responder_option(history: History, facts: Sequence[Fact], person: str) -> Iterator[RoleOption]:
    """Whether the person responds. Of an `ok` and a `pass` the later one is what they mean."""
    if person not in dict(history.responders):
        return
    answers = (fact.answer for fact in reversed(facts) if isinstance(fact, Answered) and fact.person == person)
    passed, answered = person in history.responders_passed, person in history.responders_answered
    if passed and (not answered or next(answers, None) is Answer.PASS):
        yield RoleOption(RESPONDER, RoleState.PASSED)
    else:
        yield RoleOption(RESPONDER, RoleState.HELD if answered else RoleState.OPEN)


def _role_option(incident: Incident, history: History, role: RoleHistory, person: str) -> RoleOption | None:
    if role.holder == person:
        return RoleOption(role.role, RoleState.HELD, person, role.accepted_at)
    if not role.was_paged(person) and incident.assigned(role.role) != person:
        return None
    if incident.unreadable:
        open_ = RoleState.PASSED if person in role.declining else RoleState.OPEN
        return RoleOption("", RoleState.TAKEN if history.unreadable_ended else open_)
    if not role.needed:
        return None
    is_handed_over = role.handover is not None and role.handover.person == person
    if person in role.declining and not is_handed_over:
        return RoleOption(role.role, RoleState.PASSED, role.holder, role.accepted_at)
    state = RoleState.OPEN if role.holder is None or is_handed_over else RoleState.TAKEN
    return RoleOption(role.role, state, role.holder, role.accepted_at)
