"""Advice on chains: those that hang on one person, and levels that page nobody new. Warnings only.

It looks at names, never at the time: when a chain reaches nobody is said by `coverage_advice`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tocsin.domain.policy import Level, Policy, Who
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.domain.rotation import Rotation
from tocsin.formats.config.fragments import DeclaredEntry, Fragments
from tocsin.text.names import as_name
from tocsin.text.yaml import KeyPath

_PARTS = ("on_call", "next")
LISTED_MAX = 4
"""The most chains that are named."""

_Placed = tuple[DeclaredEntry[Any], KeyPath, str, tuple[Level, ...]]
"""A chain with the entry and the path that hold it, and what people call it."""


def advise_on_chains(fragments: Fragments, policy: Policy) -> Iterator[Problem]:
    """Every warning about the chains of roles and services; chains that hang on one rotation of one are one cause."""
    alone: dict[str, list[_Placed]] = {}
    for placed in _chains(fragments, policy):
        whos = [who for level in placed[3] for who in level.whos]
        people = {person for who in whos for person in _turns_of(policy, who)}
        rotation = next((who.name for who in whos if who.part != "person"), None)
        if len(people) > 1:
            yield from _levels(placed, policy)
        elif rotation is None:
            message = f"the chain of {placed[2]} is one person; while they sleep only the last resort is left"
            yield placed[0].problem(placed[1], "chain-of-one", message, key=True, level=ProblemLevel.WARNING)
        elif people:
            alone.setdefault(rotation, []).append(placed)
    for name, chains in alone.items():
        yield _alone(fragments, policy.rotations[name], [called for _, _, called, _ in chains])


def people_named(policy: Policy, chain: Iterable[Level]) -> Iterator[str]:
    """Everybody whom a chain may ever name."""
    for level in chain:
        for who in level.whos:
            if who.part == "person":
                yield who.name
            else:
                rotation = policy.rotations[who.name]
                yield from turns_in(rotation)
                if who.part == "on_call":
                    yield from (override.person for override in rotation.overrides)


def turns_in(rotation: Rotation) -> tuple[str, ...]:
    """Everybody who has turns in a rotation, overrides apart."""
    members = (member for shift in rotation.shifts for member in shift.members)
    return tuple(dict.fromkeys((*members, *(event.person for event in rotation.events))))


def _chains(fragments: Fragments, policy: Policy) -> Iterator[_Placed]:
    for role in policy.roles.values():
        yield fragments.roles[role.id], ("chain",), role.id, role.chain
    for service in policy.services.values():
        for role_id, chain in service.roles:
            yield fragments.services[service.id], ("roles", role_id), f"{role_id} of {service.id}", chain


def _turns_of(policy: Policy, who: Who) -> tuple[str, ...]:
    return (who.name,) if who.part == "person" else turns_in(policy.rotations[who.name])


def _alone(fragments: Fragments, rotation: Rotation, chains: list[str]) -> Problem:
    """One person is the only one of a rotation, and chains have nobody else."""
    more = f" and {len(chains) - LISTED_MAX} more" if len(chains) > LISTED_MAX else ""
    message = (
        f"{as_name(turns_in(rotation)[0])} is alone in {rotation.id}, and the chain of "
        f"{', '.join(chains[:LISTED_MAX])}{more} has nobody else; while they sleep only the last resort is left"
    )
    inside: KeyPath = ("calendar",) if rotation.calendar else ("shifts", 0, "members")
    return fragments.rotations[rotation.id].problem(inside, "chain-of-one", message, level=ProblemLevel.WARNING)


def _levels(placed: _Placed, policy: Policy) -> Iterator[Problem]:
    """Levels that never page anybody, or only people whom one level before pages already: escalating to them adds
    nobody, it repeats (that is what `rounds` are for).
    """
    entry, inside, called, chain = placed
    earlier_levels: list[set[str]] = []
    for number, level in enumerate(chain):
        words = {str(who) for who in level.whos}
        whole = words | {f"{who.name}.{part}" for who in level.whos if who.part == "everyone" for part in _PARTS}
        before = next((earlier for earlier, known in enumerate(earlier_levels) if words <= known), None)
        earlier_levels.append(whole)
        if before is not None and len(chain) > 1:
            message = f"level {number} of {called} pages nobody whom level {before} does not page; name somebody else"
            yield entry.problem((*inside, number), "level-repeats", message, level=ProblemLevel.WARNING)
        alone = [
            who.name for who in level.whos if who.part == "next" and len(turns_in(policy.rotations[who.name])) == 1
        ]
        if alone and len(alone) == len(level.whos):
            message = f"level {number} of {called} never pages anybody: {alone[0]} has one member, so nobody is next"
            yield entry.problem((*inside, number), "level-of-nobody", message, level=ProblemLevel.WARNING)
