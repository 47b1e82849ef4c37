"""References between entries: every name must lead somewhere, and may not mean two things.

Decides what refuses a config beyond the shape of its entries. Must not know what the entries become (`policy`), nor
what would merely be wiser (the advice modules).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from tocsin.domain.policy import ALWAYS, RESPONDER
from tocsin.domain.problem import Problem
from tocsin.formats.config.fragments import DeclaredEntry, Fragments
from tocsin.formats.schema.fields import Model
from tocsin.planning.on_call.handoffs import handoffs_since
from tocsin.text.scalars import closest
from tocsin.text.yaml import KeyPath

PARTS = ("on_call", "next", "everyone")
EXTERNAL_UNSAID = "external-unsaid"
"""The code of a group with plain addresses that does not say whether they are outsiders'."""

HANDOFFS_MOST = 1_000_000
"""The most turns that are counted through since a rotation's start."""


def check_references(fragments: Fragments, cron_fault: Callable[[str], str | None], at: datetime) -> list[Problem]:
    """Every reference that leads nowhere or clashes, and turns that pass too often until `at` (UTC). `cron_fault` says
    what is wrong with an expression, or None.
    """
    return [
        *_names(fragments),
        *_severities(fragments, cron_fault),
        *_roles(fragments),
        *_people(fragments),
        *_rotations(fragments, cron_fault, at),
        *_services(fragments),
        *_groups(fragments),
    ]


def _unknown(
    entry: DeclaredEntry[Model], inside: KeyPath, word: str, sort: str, known: Iterable[str], *, key: bool = False
) -> Iterator[Problem]:
    """A problem when a word is not among the known names of its sort."""
    known = list(known)
    if word not in known:
        have = closest(word, known) or (f" (there is {', '.join(known[:8])})" if 0 < len(known) <= 8 else "")
        yield entry.problem(inside, f"unknown-{sort}", f'unknown {sort.replace("-", " ")} "{word}"{have}', key=key)


def _who(fragments: Fragments, entry: DeclaredEntry[Model], inside: KeyPath, word: str) -> Iterator[Problem]:
    """A name in a chain or among responders."""
    rotation, dot, part = word.rpartition(".")
    if word in fragments.people:
        return
    if meant := _by_name_or_email(fragments, word):
        yield entry.problem(inside, "unknown-person", f'"{word}" is {meant}; people are named by their id: {meant}')
        return
    if word in fragments.rotations:
        message = f'"{word}" is a rotation; write {", ".join(f"{word}.{part}" for part in PARTS)}'
        yield entry.problem(inside, "unknown-person", message)
    elif not dot:
        known = [*fragments.people, *(f"{name}.{part}" for name in fragments.rotations for part in PARTS)]
        yield entry.problem(inside, "unknown-person", f'unknown person "{word}"{closest(word, known)}')
    elif rotation not in fragments.rotations:
        if rotation in fragments.people:
            message = f'"{rotation}" is a person; write just "{rotation}"'
            yield entry.problem(inside, "unknown-rotation", message)
        else:
            yield from _unknown(entry, inside, rotation, "rotation", fragments.rotations)
    elif part not in PARTS:
        message = f'"{word}": a rotation has {", ".join(PARTS)}{closest(part, PARTS)}'
        yield entry.problem(inside, "unknown-rotation-part", message)


def _by_name_or_email(fragments: Fragments, word: str) -> str:
    """The id of the one person whom the config calls so, in any case; "" if there is none, or several."""
    called = {name: (entry.model.name, entry.model.email) for name, entry in fragments.people.items() if entry.model}
    found = [name for name, words in called.items() if word.lower() in {text.lower() for text in words if text}]
    return found[0] if len(found) == 1 else ""


def _chain(
    fragments: Fragments, entry: DeclaredEntry[Model], inside: KeyPath, chain: list[list[str]]
) -> Iterator[Problem]:
    for number, level in enumerate(chain):
        for place, word in enumerate(level):
            yield from _who(fragments, entry, (*inside, number, place), word)


def _names(fragments: Fragments) -> Iterator[Problem]:
    """Names that would mean two things."""
    if RESPONDER in fragments.roles:
        message = f'"{RESPONDER}" is reserved: it is what a service\'s responders are paged as; name the role otherwise'
        yield fragments.roles[RESPONDER].problem((), "reserved-name", message)
    if ALWAYS in fragments.hours:
        message = f'"{ALWAYS}" is reserved: it means around the clock; name the window otherwise'
        yield fragments.hours[ALWAYS].problem((), "reserved-name", message)
    for name, entry in fragments.rotations.items():
        if name in fragments.people:
            other = fragments.people[name].at()
            message = f'a person and a rotation share the name "{name}" (the person is in {other}); rename one'
            yield entry.problem((), "name-clash", message)


def _severities(fragments: Fragments, cron_fault: Callable[[str], str | None]) -> Iterator[Problem]:
    for entry in fragments.severities.values():
        if entry.model is None:
            continue
        page = entry.model.page
        for number, role in enumerate(page.roles if page else ()):
            yield from _unknown(entry, ("page", "roles", number), role, "role", fragments.roles)
        if page and page.hours != ALWAYS:
            yield from _unknown(entry, ("page", "hours"), page.hours, "hours", [ALWAYS, *fragments.hours])
        stream_of: dict[str, int] = {}
        for number, stream in enumerate(entry.model.updates):
            for place, group in enumerate(stream.to):
                inside = ("updates", number, "to", place)
                yield from _unknown(entry, inside, group, "stakeholder-group", fragments.stakeholders)
                if stream_of.setdefault(group, number) != number:
                    message = (
                        f'"{group}" already stands in update stream {stream_of[group] + 1} of {entry.name}; keep one'
                    )
                    yield entry.problem(inside, "group-twice", message)
            if stream.cron and (fault := cron_fault(stream.cron)):
                yield entry.problem(("updates", number, "cron"), "wrong-cron", fault)


def _roles(fragments: Fragments) -> Iterator[Problem]:
    for entry in fragments.roles.values():
        if entry.model:
            yield from _chain(fragments, entry, ("chain",), entry.model.chain)


def _people(fragments: Fragments) -> Iterator[Problem]:
    """A phone number says who answers, so it may belong to one person only."""
    owners: dict[str, DeclaredEntry[Model]] = {}
    for entry in fragments.people.values():
        if entry.model and entry.model.phone:
            owner = owners.setdefault(entry.model.phone, entry)
            if owner is not entry:
                message = (
                    f'{entry.name} and {owner.name} ({owner.at("phone")}) share the phone number "{entry.model.phone}"'
                )
                yield entry.problem(("phone",), "shared-phone", f"{message}; answers could not be told apart")


def _rotations(fragments: Fragments, cron_fault: Callable[[str], str | None], at: datetime) -> Iterator[Problem]:
    for entry in fragments.rotations.values():
        if entry.model is None:
            continue
        for number, shift in enumerate(entry.model.shifts or ()):
            for place, member in enumerate(shift.members):
                yield from _unknown(entry, ("shifts", number, "members", place), member, "person", fragments.people)
            if fault := cron_fault(shift.handoff):
                yield entry.problem(("shifts", number, "handoff"), "wrong-cron", fault)
            elif (count := handoffs_since(shift.handoff, shift.starts, at)) > HANDOFFS_MOST:
                why = (
                    f"the turn has passed about {count:,} times since `starts`, over {HANDOFFS_MOST:,} are not counted"
                )
                advice = "write a later `starts`, or a rarer `handoff`"
                yield entry.problem(("shifts", number, "handoff"), "too-many-handoffs", f"{why}; {advice}")
        for number, override in enumerate(entry.model.overrides):
            inside = ("overrides", number)
            yield from _unknown(entry, (*inside, "person"), override.person, "person", fragments.people)
            if override.instead_of:
                yield from _unknown(entry, (*inside, "instead_of"), override.instead_of, "person", fragments.people)


def _services(fragments: Fragments) -> Iterator[Problem]:
    for entry in fragments.services.values():
        if entry.model is None:
            continue
        for role, chain in entry.model.roles.items():
            yield from _unknown(entry, ("roles", role), role, "role", fragments.roles, key=True)
            yield from _chain(fragments, entry, ("roles", role), chain)
        for number, word in enumerate(entry.model.responders or ()):
            yield from _who(fragments, entry, ("responders", number), word)
        for number, group in enumerate(entry.model.stakeholders or ()):
            yield from _unknown(entry, ("stakeholders", number), group, "stakeholder-group", fragments.stakeholders)


def _groups(fragments: Fragments) -> Iterator[Problem]:
    for entry in fragments.stakeholders.values():
        if entry.model is None:
            continue
        for number, person in enumerate(entry.model.people):
            yield from _unknown(entry, ("people", number), person, "person", fragments.people)
        if entry.model.emails and "external" not in entry.model.model_fields_set:
            message = (
                f"{entry.name} names plain addresses; say who reads them: write external: true for outsiders, who hear "
                "public words only, or external: false for your own people"
            )
            yield entry.problem(("emails",), EXTERNAL_UNSAID, message, key=True)
