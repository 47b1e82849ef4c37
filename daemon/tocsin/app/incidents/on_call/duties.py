"""Who is on call now and next, by rotation and by role, for a page. Decides how far it looks ahead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.policy import Policy
from tocsin.domain.rotation import Rotation
from tocsin.planning.on_call.resolve import next_on_call, on_call
from tocsin.planning.on_call.role_chains import FirstPages, NamedPeople, OnCallByRole, of_person, on_call_by_role
from tocsin.planning.on_call.shifts import on_call_spans, on_call_until
from tocsin.text.times import span
from tocsin.wording.report.chart import Tone
from tocsin.wording.report.chart_lanes import severity_tone

SHOWN = timedelta(days=14)
"""How far ahead turns are listed."""
TURNS_MOST = 5
"""The most turns of a rotation that are listed."""


@dataclass(frozen=True, slots=True)
class UpcomingShift:
    """Somebody's turn to come; `end` is None where it is without one."""

    name: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Duty:
    """A rotation: who is on call (nobody in a gap) until when (None: without end), who is next, and the turns to come.
    `zone` is where its handoffs are at home.
    """

    rotation: str
    name: str
    next: str
    until: datetime | None
    zone: str
    turns: tuple[UpcomingShift, ...]


def duties(policy: Policy, now: datetime) -> tuple[Duty, ...]:
    """Every rotation, by name."""
    return tuple(_duty(rotation, policy, now) for _, rotation in sorted(policy.rotations.items()))


def _duty(rotation: Rotation, policy: Policy, now: datetime) -> Duty:
    seen = now + SHOWN
    coming = [turn for turn in on_call_spans(rotation, now, seen) if turn.start > now][:TURNS_MOST]
    return Duty(
        rotation=rotation.id,
        name=policy.person_name(on_call(rotation, now)),
        next=policy.person_name(next_on_call(rotation, now)),
        until=on_call_until(rotation, now),
        zone=rotation.shifts[0].timezone if rotation.shifts else "UTC",
        turns=tuple(
            UpcomingShift(
                policy.person_name(turn.person),
                turn.start,
                turn.end if turn.end < seen else on_call_until(rotation, turn.start),
            )
            for turn in coming
        ),
    )


@dataclass(frozen=True, slots=True)
class PersonOnDuty:
    """Somebody by name, with their number (empty: none)."""

    name: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class NameOnDuty:
    """A name in a chain: whom it means, and what it is ("next in engineers"; empty for a person); until when, and whom
    from then on.
    """

    called: str
    people: tuple[PersonOnDuty, ...]
    until: datetime | None
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChainOnDuty:
    """A chain, level by level; `services`: only for those, else the role's own."""

    services: tuple[str, ...]
    levels: tuple[tuple[NameOnDuty, ...], ...]


@dataclass(frozen=True, slots=True)
class RoleOnDuty:
    """A role, which severities page it, and its chains."""

    id: str
    title: str
    duties: str
    severities: tuple[str, ...]
    chains: tuple[ChainOnDuty, ...]


@dataclass(frozen=True, slots=True)
class SeverityOnDuty:
    """A severity that pages: by what, how soon the next level, how often through the chain; from when on, if not at
    once; and whom first, role by role.
    """

    tag: str
    title: str
    tone: Tone
    via: str
    within: str
    rounds: int
    opens_at: datetime | None
    first: tuple[tuple[str, tuple[PersonOnDuty, ...]], ...]


@dataclass(frozen=True, slots=True)
class DutyByRole:
    """Whom an incident declared now would page. `own` is what the reader would be paged for, as (role, services,
    level); level 0: once nobody of a chain has answered.
    """

    severities: tuple[SeverityOnDuty, ...]
    roles: tuple[RoleOnDuty, ...]
    responders: tuple[tuple[str, tuple[NameOnDuty, ...]], ...]
    last_resort: tuple[PersonOnDuty, ...]
    own: tuple[tuple[str, tuple[str, ...], int], ...]


def duty_by_role(policy: Policy, now: datetime, person: str = "") -> DutyByRole:
    """Whom an incident declared now would page, role by role, for a page that this person reads."""
    by_role = on_call_by_role(policy, now)
    titles = policy.service_titles
    return DutyByRole(
        severities=tuple(_severity(first, policy, now) for first in by_role.severities),
        roles=tuple(
            RoleOnDuty(
                id=role.role,
                title=policy.role_title(role.role),
                duties=policy.roles[role.role].duties,
                severities=tuple(name.upper() for name in role.severities),
                chains=tuple(
                    ChainOnDuty(titles(chain.services), tuple(_named(level.names, policy) for level in chain.levels))
                    for chain in role.chains
                ),
            )
            for role in by_role.roles
        ),
        responders=tuple(
            (policy.services[entry.service].title, _named(entry.names, policy)) for entry in by_role.responders
        ),
        last_resort=tuple(_person(name, policy) for name in by_role.last_resort),
        own=tuple(_own(by_role, policy, person)),
    )


def _own(by_role: OnCallByRole, policy: Policy, person: str) -> Iterator[tuple[str, tuple[str, ...], int]]:
    for chain, level in of_person(by_role, person):
        yield policy.role_title(chain.role), policy.service_titles(chain.services), level
    for entry in by_role.responders:
        if any(person in name.people for name in entry.names):
            yield "Responder", policy.service_titles((entry.service,)), 1
    if person in by_role.last_resort:
        yield "The last resort", (), 0


def _severity(first: FirstPages, policy: Policy, now: datetime) -> SeverityOnDuty:
    severity, page = first.severity, first.page
    return SeverityOnDuty(
        tag=severity.name.upper(),
        title=severity.title,
        tone=severity_tone(severity.name, policy),
        via=" and ".join(via.traits.word for via in page.via),
        within=span(page.acknowledge_within),
        rounds=page.rounds,
        opens_at=first.opens_at if first.opens_at > now else None,
        first=tuple(
            (policy.role_title(role), tuple(_person(name, policy) for name in people)) for role, people in first.first
        ),
    )


def _named(names: tuple[NamedPeople, ...], policy: Policy) -> tuple[NameOnDuty, ...]:
    return tuple(
        NameOnDuty(
            called="" if name.name in policy.people else _called(name.name),
            people=tuple(_person(person, policy) for person in name.people),
            until=name.until,
            then=tuple(policy.person_name(person) for person in name.then),
        )
        for name in names
    )


def _called(name: str) -> str:
    """A rotation's name in a chain, in words: `engineers.next` is "next in engineers"."""
    rotation, _, part = name.rpartition(".")
    return {"on_call": "on call in", "next": "next in", "everyone": "all of"}[part] + f" {rotation}"


def _person(person: str, policy: Policy) -> PersonOnDuty:
    known = policy.people.get(person)
    return PersonOnDuty(policy.person_name(person), known.phone if known else "")
