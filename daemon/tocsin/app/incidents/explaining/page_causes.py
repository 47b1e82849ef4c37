"""What asked for somebody in a page: the severity, the level of a chain, and the turn or override that made it them.

Decides by the config as it is; whoever asks makes sure that the page was decided by it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.facts import StepFired
from tocsin.domain.history import RoleHistory
from tocsin.domain.notification import Notification, Reason
from tocsin.domain.policy import RESPONDER, Level, Policy, Severity, Who
from tocsin.planning.on_call.resolve import resolve
from tocsin.planning.on_call.turns import OnCallTurn, turn_at

Stamp = Callable[[datetime], str]
"""An instant as whoever asks reads it: of what happened, or of turns, which have a day and no seconds."""
UNCHAINED = frozenset({Reason.LAST_RESORT, Reason.STILL_THERE, Reason.REACH})
"""Reasons of pages that no chain asked for."""


@dataclass(frozen=True, slots=True)
class PageCause:
    """Why a page named somebody for one role: `level` with its `number` in the chain of `chain_of` ("" the role's own),
    in which `who` meant them.
    """

    role: str
    number: int
    level: Level
    who: Who
    chain_of: str = ""


def causes(
    page: Notification,
    policy: Policy,
    roles: Mapping[str, RoleHistory],
    fired: Iterable[StepFired],
    services: Iterable[str],
) -> Iterator[PageCause]:
    """What asked for the reader of a page, role by role. `fired` are the steps of the ladders, `services` the affected
    ones.
    """
    if page.reason in UNCHAINED:
        return
    levels = {step.role: step.level for step in fired if step.at == page.at and page.to in step.people}
    for role in page.roles:
        if role == RESPONDER:
            yield from _responder(page, policy, services)
        elif role in roles and roles[role].first != page.to:
            chain, chain_of = chain_for(roles[role], policy)
            offset = roles[role].first is not None
            number = levels.get(role, page.level if role == page.roles[0] else None)
            numbers = range(len(chain)) if number is None else [number - offset]
            yield from _in_chain(page, policy, role, chain, chain_of, numbers)


def chain_for(role: RoleHistory, policy: Policy) -> tuple[tuple[Level, ...], str]:
    """The chain that counts for a role, and the service whose own it is ("": the role's)."""
    service = policy.services.get(role.service)
    chain = service.chain(role.role) if service else None
    if service and chain is not None:
        return chain, service.id
    known = policy.roles.get(role.role)
    return (known.chain if known else ()), ""


def cause_text(cause: PageCause, at: datetime, policy: Policy, severity: Severity, turn_stamp: Stamp) -> str:
    """The whole cause: which line of the severity asks for the role, which level names whom, and why that is them."""
    asks = ""
    if severity.page and cause.role in severity.page.roles:
        asks = f"{severity.name} asks for {policy.role_title(cause.role)} ({severity.page.place}); "
    who, place = cause.who, cause.who.place if cause.role == RESPONDER else cause.level.place
    if cause.role == RESPONDER:
        level = f"a responder of {policy.services[cause.chain_of].title}"
    else:
        whose = f"{policy.services[cause.chain_of].title}'s chain for it" if cause.chain_of else "its chain"
        level = f"level {cause.number} of {whose}"
    if who.part == "person":
        return f"{asks}{level} names them ({place})"
    return f"{asks}{level} is {who} ({place}): {meaning(who, at, policy, turn_stamp)}"


def turn_on_call(cause: PageCause, at: datetime, policy: Policy, turn_stamp: Stamp) -> str:
    """The cause in a few words, where whose turn it is decided: `duty.on_call: Bo Lind, turn until … (place)`."""
    if cause.who.part != "on_call":
        return ""
    turn = turn_at(policy.rotations[cause.who.name], at)
    return f"{cause.who}: {turn_text(replace(turn, since=None), policy, turn_stamp)}"


def meaning(who: Who, at: datetime, policy: Policy, turn_stamp: Stamp) -> str:
    """Whom a name of a rotation means at an instant, and why: `Bo Lind, turn from … until … (rotations.yaml:6)`."""
    rotation = policy.rotations[who.name]
    if who.part == "everyone":
        return f"everybody in that rotation ({rotation.place})"
    turn = turn_at(rotation, at)
    if who.part == "on_call":
        return turn_text(turn, policy, turn_stamp)
    people = resolve(who, policy, at)
    name = policy.person_name(people[0]) if people else "nobody"
    return f"{name}, next after {policy.person_name(turn.person) or 'nobody'} ({turn.place})"


def turn_text(turn: OnCallTurn, policy: Policy, turn_stamp: Stamp) -> str:
    """Who is on call, from when to when, and by what."""
    until = f" until {turn_stamp(turn.until)}" if turn.until else ""
    if turn.person is None:
        return f"nobody{until} ({turn.place})"
    name = policy.person_name(turn.person)
    if turn.override:
        stead = f" instead of {policy.person_name(turn.base)}" if turn.base and turn.base != turn.person else ""
        return f"{name}, by an override{stead}{until} ({turn.place})"
    since = f" from {turn_stamp(turn.since)}" if turn.since else ""
    return f"{name}, turn{since}{until} ({turn.place})" if since or until else f"{name}, always ({turn.place})"


def _in_chain(
    page: Notification, policy: Policy, role: str, chain: tuple[Level, ...], chain_of: str, numbers: Iterable[int]
) -> Iterator[PageCause]:
    for number in numbers:
        for who in chain[number].whos if 0 <= number < len(chain) else ():
            if page.to in resolve(who, policy, page.at):
                yield PageCause(role, number, chain[number], who, chain_of)
                return


def _responder(page: Notification, policy: Policy, services: Iterable[str]) -> Iterator[PageCause]:
    for service in (policy.services[name] for name in services if name in policy.services):
        for who in service.responders:
            if page.to in resolve(who, policy, page.at):
                yield PageCause(RESPONDER, 0, Level((who,), service.place), who, service.id)
                return
