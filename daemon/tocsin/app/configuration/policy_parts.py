"""What of a policy an incident of one severity and service depends on, as values that can be compared.

Two policies with equal parts say the same to everybody, so that nothing need be played. Rather too much counts than too
little; places and words for people are left out, and of a person's address what it is: that there is one, and who else
has it, is all that a plan asks.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Level, Policy, Service, Severity, Who
from tocsin.domain.rotation import Rotation

WORDS = frozenset({"place", "title", "meaning", "duties", "language", "runbook", "links", "bridge"})
"""Fields that move no message."""
SECTIONS = ("severities", "roles", "people", "rotations", "services", "stakeholders", "hours")

NOT_OF: dict[Kind, dict[type, dict[str, Any]]] = {
    Kind.PAGE: {Severity: {"updates": ()}, Service: {"stakeholders": ()}},
    Kind.UPDATE: {Severity: {"page": None}, Service: {"roles": (), "responders": ()}},
}
"""What of a severity and a service does not matter to pages, and to updates."""

Values = tuple[Any, ...]


class PolicyParts:
    """The parts of one policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._values: dict[tuple[str, str, Kind | None], Values] = {}
        self._alone: dict[tuple[Kind, str], Policy] = {}
        self._holders = _holders(policy)

    def of(self, severity: str, services: tuple[str, ...], kind: Kind | None = None) -> dict[tuple[str, str], Values]:
        """All that an incident of a severity and services depends on while nobody touches it, by section and name; or
        what of it its pages alone do, or its updates (`kind`): while nobody answers neither asks about the other.
        """
        policy = self.policy
        counted = policy.severity(severity)
        affected = [policy.services[name] for name in services if name in policy.services]
        entries = {("severities", counted.name), *(("services", service.id) for service in affected)}
        if kind is not Kind.UPDATE:
            entries |= set(self._of_pages(counted, affected))
        if kind is not Kind.PAGE:
            entries |= set(_of_updates(counted, affected))
        for section, name in tuple(entries):
            if section == "rotations":
                entries |= {("people", person) for person in _people(policy.rotations[name])}
            elif section == "stakeholders":
                entries |= {("people", person) for person in policy.stakeholders[name].people}
        last_resort = {} if kind is Kind.UPDATE else {("last_resort", ""): policy.last_resort}
        return {entry: self.values(*entry, kind) for entry in entries} | last_resort

    def of_kind_alone(self, kind: Kind, severity: str) -> Policy:
        """The same policy, but that an incident of that severity sends pages, or updates, and nothing else."""
        if (kind, severity) not in self._alone:
            policy, of_kind = self.policy, self.policy.severity(severity)
            self._alone[kind, severity] = replace(
                policy,
                severities=policy.severities | {of_kind.name: _only(of_kind, kind)},
                services={name: _only(service, kind) for name, service in policy.services.items()},
            )
        return self._alone[kind, severity]

    def everything(self) -> dict[tuple[str, str], Values]:
        """All that any incident may depend on."""
        policy = self.policy
        parts = {
            (section, name): self.values(section, name) for section in SECTIONS for name in getattr(policy, section)
        }
        return parts | {("last_resort", ""): (*policy.last_resort, policy.unreadable_severity)}

    @cached_property
    def longest_wait(self) -> timedelta:
        """The longest that a channel of anybody waits after a page (`reach`)."""
        waits = (entry.after for person in self.policy.people.values() for entry in person.reach)
        return max(waits, default=timedelta(0))

    def plain(self, service: str, kind: Kind | None = None) -> bool:
        """Whether a service changes nothing for an incident that names it; or not its pages, or its updates."""
        known = self.policy.services.get(service)
        if known is None:
            return True
        pages = kind is not Kind.UPDATE and (known.roles or known.responders)
        return not (pages or (kind is not Kind.PAGE and known.stakeholders))

    def values(self, section: str, name: str, kind: Kind | None = None) -> Values:
        """One entry as values that can be compared; of a severity and a service what matters to that kind."""
        key = section, name, kind
        if key not in self._values:
            value = getattr(self.policy, section)[name]
            if isinstance(value, Person):
                value = self._without_addresses(value)
            elif kind and isinstance(value, Severity | Service):
                value = _only(value, kind)
            self._values[key] = _values(value)
        return self._values[key]

    def _without_addresses(self, person: Person) -> Values:
        """A person with whoever has the same addresses instead of these (equal ones are one reader, rule 28)."""
        holders = tuple(self._holders.get(person.address(via).casefold(), ()) for via in Channel)
        return holders, replace(person, name="", email="", phone="", timezone="")

    def _of_pages(self, severity: Severity, services: list[Service]) -> Iterator[tuple[str, str]]:
        policy, page = self.policy, severity.page
        yield from (("people", person) for person in policy.last_resort)
        for service in services:
            yield from _named(service.responders)
            for _, chain in service.roles:
                yield from _of_chain(chain)
        if page is None:
            return
        if page.hours in policy.hours:
            yield "hours", page.hours
        for role in page.roles:
            if all(service.chain(role) is None for service in services):
                yield "roles", role
                yield from _of_chain(policy.roles[role].chain)


def _of_updates(severity: Severity, services: list[Service]) -> Iterator[tuple[str, str]]:
    yield from (("stakeholders", group) for stream in severity.updates for group in stream.to)
    yield from (("stakeholders", group) for service in services for group in service.stakeholders)


Sending = TypeVar("Sending", bound=Severity | Service)


def _only(entry: Sending, kind: Kind) -> Sending:
    """A severity or service that pages, or updates, and nothing else."""
    return replace(entry, **NOT_OF[kind][type(entry)])


def _holders(policy: Policy) -> dict[str, Values]:
    """The people, and the groups that list it themselves, of each address, whatever its case."""
    holders: dict[str, list[tuple[str, str]]] = {}
    for person in policy.people.values():
        for address in filter(None, map(person.address, Channel)):
            holders.setdefault(address.casefold(), []).append(("people", person.id))
    for group in policy.stakeholders.values():
        for address in group.emails:
            holders.setdefault(address.casefold(), []).append(("stakeholders", group.id))
    return {address: tuple(sorted(who)) for address, who in holders.items()}


def _of_chain(chain: tuple[Level, ...]) -> Iterator[tuple[str, str]]:
    for level in chain:
        yield from _named(level.whos)


def _named(whos: tuple[Who, ...]) -> Iterator[tuple[str, str]]:
    for who in whos:
        yield "people" if who.part == "person" else "rotations", who.name


def _people(rotation: Rotation) -> Iterator[str]:
    for shift in rotation.shifts:
        yield from shift.members
    for override in rotation.overrides:
        yield from filter(None, (override.person, override.instead_of))
    yield from (event.person for event in rotation.events)


def _values(value: Any) -> Any:
    """A value without places and words."""
    if is_dataclass(value):
        return tuple(_values(getattr(value, part.name)) for part in fields(value) if part.name not in WORDS)
    return tuple(_values(item) for item in value) if isinstance(value, tuple) else value
