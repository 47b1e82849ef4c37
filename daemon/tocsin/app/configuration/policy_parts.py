"""What of a policy an incident of one severity and service depends on, as values that can be compared.

Two policies with equal parts say the same to everybody, so that nothing need be played. Rather too much counts than too
little; places and words for people are left out.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from tocsin.domain.policy import Level, Policy, Service, Severity, Who
from tocsin.domain.rotation import Rotation

WORDS = frozenset({"place", "title", "meaning", "duties", "language", "runbook", "links", "bridge"})
"""Fields that move no message."""
SECTIONS = ("severities", "roles", "people", "rotations", "services", "stakeholders", "hours")

Values = tuple[Any, ...]


class PolicyParts:
    """The parts of one policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._values: dict[tuple[str, str], Values] = {}

    def of(self, severity: str, services: tuple[str, ...]) -> dict[tuple[str, str], Values]:
        """All that an incident of a severity and services depends on while nobody touches it, by section and name."""
        policy = self.policy
        counted = policy.severity(severity)
        affected = [policy.services[name] for name in services if name in policy.services]
        entries = {("severities", counted.name), *(("services", service.id) for service in affected)}
        entries |= set(self._names(counted, affected))
        for section, name in tuple(entries):
            if section == "rotations":
                entries |= {("people", person) for person in _people(policy.rotations[name])}
            elif section == "stakeholders":
                entries |= {("people", person) for person in policy.stakeholders[name].people}
        return {entry: self.values(*entry) for entry in entries} | {("last_resort", ""): policy.last_resort}

    def everything(self) -> dict[tuple[str, str], Values]:
        """All that any incident may depend on."""
        policy = self.policy
        parts = {
            (section, name): self.values(section, name) for section in SECTIONS for name in getattr(policy, section)
        }
        return parts | {("last_resort", ""): (*policy.last_resort, policy.unreadable_severity)}

    def plain(self, service: str) -> bool:
        """Whether a service changes nothing for an incident that names it."""
        known = self.policy.services.get(service)
        return known is None or not (known.roles or known.responders or known.stakeholders)

    def values(self, section: str, name: str) -> Values:
        """One entry as values that can be compared."""
        key = section, name
        if key not in self._values:
            self._values[key] = _values(getattr(self.policy, section)[name])
        return self._values[key]

    def _names(self, severity: Severity, services: list[Service]) -> Iterator[tuple[str, str]]:
        policy, page = self.policy, severity.page
        yield from (("people", person) for person in policy.last_resort)
        for group in [name for stream in severity.updates for name in stream.to]:
            yield "stakeholders", group
        for service in services:
            yield from (("stakeholders", group) for group in service.stakeholders)
            yield from _named(service.responders)
            for _, chain in service.roles:
                yield from _of_chain(chain)
        if page is None:
            return
        if page.hours in policy.hours:
            yield "hours", page.hours
        for role in page.roles:
            yield "roles", role
            yield from _of_chain(policy.roles[role].chain)


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
