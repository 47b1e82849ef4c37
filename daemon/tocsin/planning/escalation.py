"""Which step of a role's ladder comes next, when, and whom it reaches (rules 6 to 9, 11, 14, 16, 18).

A ladder is the chain (after the person assigned, if any), climbed `rounds` times, and then the last resort. Here it is
decided who is asked; `paging` makes messages of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.domain.facts import StepFired
from tocsin.domain.history import FiredStep, RoleHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.policy import Level, PagePolicy, Who
from tocsin.planning.draft import Draft
from tocsin.planning.on_call.hours import open_time_after
from tocsin.planning.on_call.resolve import can_mean, resolve
from tocsin.planning.reach import reachable

LAST_RESORT_EVERY = timedelta(minutes=15)
"""How often the last resort is paged at the most while the ledger is away."""
LOOKS_FOR_LEDGER = timedelta(seconds=2)
"""How soon a step that waits for the ledger is looked at again."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One person to be paged for one role; `paging` merges those of one person and instant (rule 12)."""

    person: str
    role: str
    at: datetime
    reason: Reason
    rule: str
    level: int | None = None
    round: int | None = None


def deciding_service(draft: Draft, role: str) -> str:
    """The first of the incident's services that names the role decides its chain; "" for the role's own (rule 10)."""
    services = (draft.policy.services.get(name) for name in draft.incident.services)
    return next((service.id for service in services if service and service.chain(role) is not None), "")


def ladder_levels(draft: Draft, role: RoleHistory) -> tuple[Level, ...]:
    """The levels of a ladder, level 0 first: the person assigned, if any, then the chain under the current config."""
    service = draft.policy.services.get(role.service)
    chain = service.chain(role.role) if service else None
    if chain is None:
        known = draft.policy.roles.get(role.role)
        chain = known.chain if known else ()
    if role.first is None:
        return chain
    return (Level((Who(role.first),), draft.place_of(role.role)), *chain)


def fire_due_step(draft: Draft, role: RoleHistory) -> list[PageRequest]:
    """Fire the role's next step if it is due: the first one that reaches somebody, or the last resort (rule 6)."""
    page = draft.page
    if page is None or not role.needed or role.holder is not None:
        return []
    at = draft.open_instant(_due(draft, role, page))
    if at is None or waits_for_ledger(draft, role):
        return []
    levels = ladder_levels(draft, role)
    rounds = _rounds(draft, role, page)
    position = _next_position(draft, role, len(levels), rounds)
    while position is not None:
        number, level = position
        people = _people_of_level(draft, role, level, levels[level], at)
        if people:
            reason = _reason(role, number, level)
            draft.record(StepFired(at, role.role, number, level, people))
            return [PageRequest(name, role.role, at, reason, levels[level].place, level, number) for name in people]
        why, detail = _why_nobody(draft, role, number, level, levels[level], at)
        draft.suppress(Kind.PAGE, why, at, "", detail, levels[level].place)
        position = _position_after(FiredStep(at, number, level, ()), len(levels), rounds)
    return _fire_last_resort(draft, role, at)


def waits_for_ledger(draft: Draft, role: RoleHistory) -> bool:
    """Whether a step that is due waits for a ledger that is away: somebody was asked before, or held the role, and may
    have answered elsewhere. A pass is known here (rule 54).
    """
    asked_before = role.step is not None or role.reason is Reason.ESCALATED
    return asked_before and not role.declined and may_be_answered_elsewhere(draft)


def may_be_answered_elsewhere(draft: Draft) -> bool:
    """Whether the ledger is newly away. What waits for it is looked at again soon (rule 54)."""
    if draft.steps_wait:
        draft.look_at(draft.now + LOOKS_FOR_LEDGER)
    return draft.steps_wait


def people_at_level_zero(draft: Draft, role: RoleHistory, at: datetime) -> tuple[str, ...]:
    """Whom level 0 of a ladder names at that instant, reachable or not."""
    levels = ladder_levels(draft, role)
    return people_named(draft, levels[0].whos, at) if levels else ()


def people_named(draft: Draft, whos: Iterable[Who], at: datetime) -> tuple[str, ...]:
    """The people these names mean at that instant, each once."""
    return tuple(dict.fromkeys(person for who in whos for person in resolve(who, draft.policy, at)))


def last_resort_people(draft: Draft, without: frozenset[str]) -> tuple[str, ...]:
    """The last resort's people that can be reached, but for those `without`, unless nobody would remain (rule 16)."""
    everyone = tuple(name for name in draft.policy.last_resort if reachable(draft, name))
    return tuple(name for name in everyone if name not in without) or everyone


def _fire_last_resort(draft: Draft, role: RoleHistory, at: datetime) -> list[PageRequest]:
    people = last_resort_people(draft, without=role.passed | role.left_out)
    rule = draft.policy.place_of_last_resort()
    draft.record(StepFired(at, role.role, None, None, people))
    if not people:
        draft.suppress(Kind.PAGE, Why.NO_CHANNEL, at, "", f"{role.role}: the last resort reaches nobody", rule)
    return [PageRequest(name, role.role, at, Reason.LAST_RESORT, rule) for name in people]


def _people_of_level(draft: Draft, role: RoleHistory, number: int, level: Level, at: datetime) -> tuple[str, ...]:
    """Whom a level reaches now: on-call is resolved when the step fires (rule 8)."""
    out = role.passed | role.left_out
    if role.first is not None and number > 0:
        out |= {role.first}
    names = people_named(draft, level.whos, at)
    return tuple(name for name in names if name not in out and reachable(draft, name))


def _why_nobody(draft: Draft, role: RoleHistory, number: int, level: int, step: Level, at: datetime) -> tuple[Why, str]:
    """Why a step pages nobody: whoever can be reached there was asked before (rules 11, 16 and 19), or nobody can."""
    where = f"{role.role}: level {level} of round {number}"
    if any(reachable(draft, name) for name in people_named(draft, step.whos, at)):
        return Why.ASKED_BEFORE, f"{where}: everybody there was asked before, and has passed or not answered"
    return Why.NOBODY_ON_CALL, f"{where} reaches nobody"


def everybody_left(draft: Draft, people: tuple[str, ...]) -> bool:
    """Whether all of these people who were asked have left the config, so that nobody of them can answer (rule 67)."""
    return bool(people) and all(draft.person(name) is None for name in people)


def everybody_replaced(draft: Draft, people: tuple[str, ...], whos: Iterable[Who]) -> bool:
    """Whether none of these people who were asked is anybody whom these names can mean now, whoever's turn it is: they
    have left the config, or others stand in their place (rule 67).
    """
    return bool(people) and not any(can_mean(who, draft.policy, people) for who in whos)


def _step_is_void(draft: Draft, role: RoleHistory, step: FiredStep) -> bool:
    """Whether a step fires anew at once, because nobody of it is left who has not passed (rules 16, 67)."""
    waited_for = tuple(person for person in step.people if person not in role.declining)
    if step.level is None:
        return everybody_left(draft, waited_for)
    levels = ladder_levels(draft, role)
    return everybody_replaced(draft, waited_for, [who for level in levels for who in level.whos])


def _next_position(draft: Draft, role: RoleHistory, levels: int, rounds: int) -> tuple[int, int] | None:
    """The (round, level) that fires next: after the last step, or once more that of a step of which nobody is left,
    with whom the chain names now (rule 67); a shorter chain fires its last level. None for the last resort.
    """
    step = role.step
    if step is not None and step.round is not None and step.level is not None and _step_is_void(draft, role, step):
        return (step.round, min(step.level, levels - 1)) if levels else None
    return _position_after(step, levels, rounds)


def _position_after(step: FiredStep | None, levels: int, rounds: int) -> tuple[int, int] | None:
    """The (round, level) after a step; None for the last resort, where a ladder stays once it is there."""
    if step is None:
        return (1, 0) if levels else None
    if step.round is None or step.level is None:
        return None
    number, level = (step.round, step.level + 1) if step.level + 1 < levels else (step.round + 1, 0)
    return (number, level) if number <= rounds and levels else None


def _rounds(draft: Draft, role: RoleHistory, page: PagePolicy) -> int:
    """How often the chain is climbed: from memory the round under way is the last (R54)."""
    if not draft.from_memory:
        return page.rounds
    return min(role.step.round or 1, page.rounds) if role.step else 1


def _reason(role: RoleHistory, number: int, level: int) -> Reason:
    """A page's reason goes by the position of its step (rule 7), except for the first after a pass (rule 16)."""
    if role.declined:
        return Reason.DECLINED
    if number > 1:
        return Reason.REPEATED
    return Reason.ESCALATED if level else role.reason


def _due(draft: Draft, role: RoleHistory, page: PagePolicy) -> datetime:
    """When the next step is due: at once, or `acknowledge_within` of open time after the last one that somebody can
    answer.
    """
    if role.next_now_at is not None:
        return role.next_now_at
    if role.step is None:
        assert role.opened_at is not None
        return role.opened_at
    return step_ends_at(draft, role, role.step, page)


def step_ends_at(draft: Draft, role: RoleHistory, step: FiredStep, page: PagePolicy) -> datetime:
    """When those who were asked last have had their time: a window later, or at once if nobody of them is left
    (rule 67). From memory the last resort has longer (R54).
    """
    if _step_is_void(draft, role, step):
        return draft.now
    if draft.from_memory and step.level is None:
        page = replace(page, acknowledge_within=max(page.acknowledge_within, LAST_RESORT_EVERY))
    return window_after(draft, step.at, page)


def window_after(draft: Draft, last_at: datetime, page: PagePolicy) -> datetime:
    """`acknowledge_within` of open time after the last page. `Draft.open_instant` makes it "at once" where a change of
    severity or config made it past.
    """
    return open_time_after(draft.hours, last_at, page.acknowledge_within)
