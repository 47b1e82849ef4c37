"""Advice on a sound config: what would surprise somebody at 3 a.m. Warnings only; they refuse nothing.

Must not repeat what `references.py` refuses, nor prove who is reached when (that needs the plan).
"""

from collections.abc import Iterator

from daemon.documents import contacts
from daemon.documents.fragments import Fragments
from daemon.documents.source import TOP, problem
from daemon.documents.yaml import Path
from daemon.domain.people import Channel
from daemon.domain.policy import COMMANDER, COMMUNICATIONS, SCRIBE, TECHNICAL_LEAD, Level, Policy
from daemon.domain.problem import Problem, ProblemLevel

SPECIAL = {
    COMMANDER: "nobody is asked to finish reviews as Commander",
    TECHNICAL_LEAD: "nobody is asked to verify health after resolution but the last resort",
    COMMUNICATIONS: "nobody is reminded of updates that are due",
    SCRIBE: "nobody is asked to finish reviews as Scribe",
}


def advise(fragments: Fragments, policy: Policy, label: str) -> list[Problem]:
    """Every warning about a sound config; `label` is the folder's name, for what stands nowhere."""
    return [*_special(fragments, label), *_chains(fragments), *_people(fragments), *_phones(fragments, policy)]


def _special(fragments: Fragments, label: str) -> Iterator[Problem]:
    """Roles with a meaning of their own that the config lacks."""
    first = next(iter(fragments.roles.values()), None)
    for role, consequence in SPECIAL.items():
        if role not in fragments.roles:
            found = f"there is no role {role}: {consequence}"
            if first:
                yield first.document.problem(
                    first.path[:1], "special-role-missing", found, key=True, level=ProblemLevel.WARNING
                )
            else:
                yield problem(label, TOP, "special-role-missing", found, ProblemLevel.WARNING)


def _chains(fragments: Fragments) -> Iterator[Problem]:
    """Chains that hang on one person."""
    for entry in fragments.roles.values():
        chain = entry.model.chain if entry.model else []
        words = {word for level in chain for word in level}
        if len(words) == 1 and words <= fragments.people.keys():
            found = f"the chain of {entry.name} is one person; while they sleep only the last resort is left"
            yield entry.problem(("chain",), "chain-of-one", found, key=True, level=ProblemLevel.WARNING)


def _people(fragments: Fragments) -> Iterator[Problem]:
    """Numbers that nobody gives out, and ways to be reached that lead nowhere."""
    for entry in fragments.people.values():
        person = entry.model
        if person is None:
            continue
        if person.phone and not contacts.in_use(person.phone):
            found = f'"{person.phone}" is of no range known to be in use; is a digit missing?'
            yield entry.problem(("phone",), "phone-doubtful", found, level=ProblemLevel.WARNING)
        for number, reach in enumerate(person.reach or ()):
            address = person.phone if reach.via is Channel.SMS else person.email
            if not address:
                inside: Path = ("reach", number)
                found = f"{entry.name} is to be reached by {reach.via}, but has no such address; this entry is not used"
                yield entry.problem(inside, "reach-without-address", found, level=ProblemLevel.WARNING)


def _phones(fragments: Fragments, policy: Policy) -> Iterator[Problem]:
    """People who are paged by SMS somewhere, but have no phone."""
    by_sms = {
        role
        for severity in policy.severities.values()
        if severity.page and Channel.SMS in severity.page.via
        for role in severity.page.roles
    }
    paged: dict[str, str] = {}
    for role in policy.roles.values():
        if role.id in by_sms:
            for person in _named(policy, role.chain):
                paged.setdefault(person, role.id)
    for service in policy.services.values():
        for role_id, chain in service.roles:
            if role_id in by_sms:
                for person in _named(policy, chain):
                    paged.setdefault(person, role_id)
    for person, role_id in paged.items():
        if not policy.people[person].phone:
            found = f"{person} may be paged by sms as {role_id}, but has no phone; email alone is used"
            yield fragments.people[person].problem((), "no-phone", found, level=ProblemLevel.WARNING)


def _named(policy: Policy, chain: tuple[Level, ...]) -> Iterator[str]:
    """Everybody whom a chain may ever name."""
    for level in chain:
        for who in level.whos:
            if who.part == "person":
                yield who.name
            else:
                rotation = policy.rotations[who.name]
                yield from (member for shift in rotation.shifts for member in shift.members)
                yield from (event.person for event in rotation.events)
