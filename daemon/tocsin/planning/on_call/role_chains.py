"""Whom an incident would page, role by role: each level of each chain, rotations and plain people alike, with who is
there now and who comes next; and whom each severity would wake first.

Decides what of the config counts for that. It asks no incident: who has answered, passed or has no channel left is the
plan's business (`planning/escalation`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.policy import Level, PagePolicy, Policy, Severity, Who
from tocsin.planning.on_call.hours import opening_from
from tocsin.planning.on_call.resolve import resolve
from tocsin.planning.on_call.shifts import on_call_until


@dataclass(frozen=True, slots=True)
class NamedPeople:
    """A name in a chain as it is written: whom it means now (nobody in a gap), until when (None: for good), and whom
    from then on.
    """

    name: str
    people: tuple[str, ...]
    until: datetime | None = None
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedLevel:
    """The names that are paged together."""

    names: tuple[NamedPeople, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody paged there now, each once."""
        return tuple(dict.fromkeys(person for name in self.names for person in name.people))


@dataclass(frozen=True, slots=True)
class NamedChain:
    """A role's chain: its own, or that of the `services` that have the same one."""

    role: str
    services: tuple[str, ...]
    levels: tuple[NamedLevel, ...]


@dataclass(frozen=True, slots=True)
class RoleChains:
    """A role, the severities that page it, the worst first, and its chains, its own first."""

    role: str
    severities: tuple[str, ...]
    chains: tuple[NamedChain, ...]


@dataclass(frozen=True, slots=True)
class FirstPages:
    """A severity that pages: its `page`, from when on pages may go (now, where they may), and whom its roles page
    first then, where no service says otherwise.
    """

    severity: Severity
    page: PagePolicy
    opens_at: datetime
    first: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Responders:
    """Whom a service has paged besides the roles."""

    service: str
    names: tuple[NamedPeople, ...]


@dataclass(frozen=True, slots=True)
class OnCallByRole:
    """All of it."""

    severities: tuple[FirstPages, ...]
    roles: tuple[RoleChains, ...]
    responders: tuple[Responders, ...]
    last_resort: tuple[str, ...]


def on_call_by_role(policy: Policy, now: datetime) -> OnCallByRole:
    """Whom an incident declared now would page, and who is next."""
    pages = [(severity, severity.page) for severity in policy.severities.values() if severity.page]
    return OnCallByRole(
        severities=tuple(_first_pages(severity, page, policy, now) for severity, page in pages),
        roles=tuple(_role(role, policy, now) for role in policy.roles),
        responders=tuple(
            Responders(service.id, _names(service.responders, policy, now))
            for service in policy.services.values()
            if service.responders
        ),
        last_resort=tuple(name for name in policy.last_resort if name in policy.people),
    )


def of_person(by_role: OnCallByRole, person: str) -> Iterator[tuple[NamedChain, int]]:
    """The chains that page this person now, each with the first level that does, counted from 1. Of a role that no
    severity pages there is none.
    """
    for role in by_role.roles:
        for chain in role.chains if role.severities else ():
            number = next((n for n, level in enumerate(chain.levels, 1) if person in level.people), None)
            if number is not None:
                yield chain, number


def _first_pages(severity: Severity, page: PagePolicy, policy: Policy, now: datetime) -> FirstPages:
    hours = policy.hours.get(page.hours)
    opens_at = opening_from(hours, now) if hours else now
    first = tuple((role, _first_people(policy.roles[role].chain, policy, opens_at)) for role in page.roles)
    return FirstPages(severity, page, opens_at, first)


def _first_people(chain: Iterable[Level], policy: Policy, now: datetime) -> tuple[str, ...]:
    """The people of the first level that reaches anybody (rule 6)."""
    levels = (dict.fromkeys(name for who in level.whos for name in resolve(who, policy, now)) for level in chain)
    return next((tuple(people) for people in levels if people), ())


def _role(role: str, policy: Policy, now: datetime) -> RoleChains:
    severities = tuple(
        name for name, severity in policy.severities.items() if severity.page and role in severity.page.roles
    )
    own = NamedChain(role, (), _levels(policy.roles[role].chain, policy, now))
    services: dict[tuple[NamedLevel, ...], list[str]] = {}
    for service in policy.services.values():
        chain = service.chain(role)
        if chain is not None:
            services.setdefault(_levels(chain, policy, now), []).append(service.id)
    others = (NamedChain(role, tuple(names), levels) for levels, names in services.items())
    return RoleChains(role, severities, (own, *others))


def _levels(chain: Iterable[Level], policy: Policy, now: datetime) -> tuple[NamedLevel, ...]:
    return tuple(NamedLevel(_names(level.whos, policy, now)) for level in chain)


def _names(whos: Iterable[Who], policy: Policy, now: datetime) -> tuple[NamedPeople, ...]:
    return tuple(_named(who, policy, now) for who in whos)


def _named(who: Who, policy: Policy, now: datetime) -> NamedPeople:
    """Whom a name means until its rotation's next change. All of a rotation stay the same until somebody edits it."""
    people, rotation = resolve(who, policy, now), policy.rotations.get(who.name)
    if who.part not in {"on_call", "next"} or rotation is None:
        return NamedPeople(str(who), people)
    until = on_call_until(rotation, now)
    return NamedPeople(str(who), people, until, resolve(who, policy, until) if until else ())
