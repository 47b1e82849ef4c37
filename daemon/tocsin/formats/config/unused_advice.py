"""Advice on unused names: what the config declares and nothing in it ever asks for. Warnings only.

Decides what is surely forgotten: services and the severities are named by incident files, so they are never told of.
It needs the whole policy, with the people whom the settings name.
"""

from collections.abc import Iterator

from tocsin.domain.policy import Policy, Who
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.fragments import Fragments
from tocsin.text.names import as_name

_FORGOTTEN = {
    "people": ("person", "{0} is in no chain, rotation, group, `operators` or `last_resort`"),
    "rotations": ("rotation", "no chain and no responders name {0}"),
    "roles": ("role", "no severity pages {0}; only an incident file could ask for it"),
    "stakeholders": ("group", "no severity and no service tells {0}"),
    "hours": ("hours", "no severity's `page` has `hours: {0}`"),
}


def advise_on_unused_names(declared: Fragments, policy: Policy) -> list[Problem]:
    """A warning for each name that nothing asks for, in the order of sections and lines."""
    used = {
        "people": set(_people(policy)),
        "rotations": {who.name for who in _whos(policy) if who.part != "person"},
        "roles": {role for severity in policy.severities.values() if severity.page for role in severity.page.roles},
        "stakeholders": set(_groups(policy)),
        "hours": {severity.page.hours for severity in policy.severities.values() if severity.page},
    }
    return [
        entry.problem(
            (), f"unused-{sort}", f"{words.format(as_name(name))}; use it or remove it", level=ProblemLevel.WARNING
        )
        for section, (sort, words) in _FORGOTTEN.items()
        for name, entry in declared.section(section).items()
        if name not in used[section]
    ]


def _whos(policy: Policy) -> Iterator[Who]:
    """Every name in a chain or among responders."""
    for role in policy.roles.values():
        yield from (who for level in role.chain for who in level.whos)
    for service in policy.services.values():
        yield from (who for _, chain in service.roles for level in chain for who in level.whos)
        yield from service.responders


def _people(policy: Policy) -> Iterator[str]:
    """Everybody whom something names."""
    yield from (*policy.operators, *policy.last_resort)
    yield from (who.name for who in _whos(policy) if who.part == "person")
    for rotation in policy.rotations.values():
        yield from (person for shift in rotation.shifts for person in shift.members)
        yield from (override.person for override in rotation.overrides)
        yield from (event.person for event in rotation.events)
    yield from (person for group in policy.stakeholders.values() for person in group.people)


def _groups(policy: Policy) -> Iterator[str]:
    """Every group that something tells."""
    yield from (group for severity in policy.severities.values() for stream in severity.updates for group in stream.to)
    yield from (group for service in policy.services.values() for group in service.stakeholders)
