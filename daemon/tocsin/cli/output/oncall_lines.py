"""Whom an incident declared at a moment would page, role by role, as `tocsin oncall` prints it below the rotations."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tocsin.domain.policy import Policy
from tocsin.planning.on_call.role_chains import FirstPages, NamedChain, NamedPeople, OnCallByRole, of_person
from tocsin.text.times import brief

Readable = Callable[[datetime], str]


def role_lines(by_role: OnCallByRole, policy: Policy, at: datetime, readable: Readable) -> Iterator[str]:
    """The first pages of each severity, then each chain that some severity pages, then responders and the last resort.
    `readable` writes an instant.
    """
    yield "Whom an incident declared then would page first:"
    for first in by_role.severities:
        yield from _first(first, policy, at, readable)
    for role in by_role.roles:
        for chain in role.chains if role.severities else ():
            yield ""
            yield f"{_title(chain, policy)} ({', '.join(name.upper() for name in role.severities)})"
            for number, level in enumerate(chain.levels, 1):
                yield f"  {number}  {'; '.join(_named(name, policy, readable) for name in level.names)}"
    for entry in by_role.responders:
        yield ""
        yield f"Responders of {policy.services[entry.service].title}"
        yield from (f"     {_named(name, policy, readable)}" for name in entry.names)
    yield ""
    yield f"The last resort: {_people(by_role.last_resort, policy)}"


def person_lines(by_role: OnCallByRole, policy: Policy, person: str) -> Iterator[str]:
    """What one person would be paged for, and when."""
    for chain, level in of_person(by_role, person):
        yield f"{_title(chain, policy)}: {'paged first' if level == 1 else f'paged at level {level} of the chain'}"
    for entry in by_role.responders:
        if any(person in name.people for name in entry.names):
            yield f"Responder of {policy.services[entry.service].title}: paged at once"
    if person in by_role.last_resort:
        yield "The last resort: paged when nobody of a chain answers"


def _first(first: FirstPages, policy: Policy, at: datetime, readable: Readable) -> Iterator[str]:
    page = first.page
    waits = f", from {readable(first.opens_at)} on" if first.opens_at > at else ""
    via = " and ".join(via.traits.word for via in page.via)
    yield f"{first.severity.name.upper()}, by {via}{waits}; the next level after {brief(page.acknowledge_within)}"
    for role, people in first.first:
        yield f"  {policy.role_title(role):<20} {_people(people, policy) or 'nobody: the last resort'}"


def _title(chain: NamedChain, policy: Policy) -> str:
    services = ", ".join(policy.service_titles(chain.services))
    return f"{policy.role_title(chain.role)}{f' for {services}' if services else ''}"


def _named(name: NamedPeople, policy: Policy, readable: Readable) -> str:
    """Who it is; of a rotation its name in the chain, until when, and who comes then."""
    people = _people(name.people, policy) or "nobody (gap)"
    if name.name in policy.people:
        return people
    then = f", then {_people(name.then, policy) or 'nobody'}" if name.until and name.then != name.people else ""
    return f"{people} ({name.name}{f' until {readable(name.until)}' if name.until else ''}{then})"


def _people(people: tuple[str, ...], policy: Policy) -> str:
    return ", ".join(map(policy.person_name, people))
