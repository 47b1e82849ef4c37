"""Advice on a sound config: what would surprise somebody at 3 a.m. Warnings only; they refuse nothing.

It is given at each load, so it is cheap; what looks at the time to come, or at the whole policy, is for `tocsin check`
alone (`coverage_advice`, `unused_advice`). Must not repeat what `references` refuses.
"""

from collections.abc import Iterator
from datetime import timedelta

from tocsin.domain.people import Channel, FirstUpdate, Unsubscribing
from tocsin.domain.policy import COMMANDER, COMMUNICATIONS, RESPONDER, SCRIBE, TECHNICAL_LEAD, Level, Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.config.chain_advice import advise_on_chains, people_named, turns_in
from tocsin.formats.config.fragments import Fragments
from tocsin.text import contacts
from tocsin.text.decoding import TOP, problem
from tocsin.text.names import as_name
from tocsin.text.times import brief
from tocsin.text.yaml import KeyPath

SPECIAL = {
    COMMANDER: "nobody is asked to finish reviews as Commander",
    TECHNICAL_LEAD: "nobody is asked to verify health after resolution but the last resort",
    COMMUNICATIONS: "nobody is reminded of updates that are due",
    SCRIBE: "nobody is asked to finish reviews as Scribe",
}

SHORTEST = timedelta(minutes=1)
"""Nobody reads and answers a page, or wants an update, in less."""
LISTED_MAX = 6
"""The most members that are named."""


def advise(fragments: Fragments, policy: Policy, label: str) -> list[Problem]:
    """Every warning about a sound config; `label` is the folder's name, for what stands nowhere."""
    return [
        *_special(fragments, label),
        *advise_on_chains(fragments, policy),
        *_people(fragments),
        *_phones(fragments, policy),
        *_groups(fragments),
        *_overrides(fragments, policy),
        *_reviews(fragments, policy),
        *_haste(fragments),
    ]


def _special(fragments: Fragments, label: str) -> Iterator[Problem]:
    """Roles with a meaning of their own that the config lacks."""
    first = next(iter(fragments.roles.values()), None)
    for role, consequence in SPECIAL.items():
        if role not in fragments.roles:
            message = f"there is no role {role}: {consequence}"
            if first:
                yield first.document.problem(
                    first.path[:1], "special-role-missing", message, key=True, level=ProblemLevel.WARNING
                )
            else:
                yield problem(label, TOP, "special-role-missing", message, ProblemLevel.WARNING)


def _groups(fragments: Fragments) -> Iterator[Problem]:
    """Internal groups whose readers seem to be let go by a click, or seem to hear later than at once."""
    for entry in fragments.stakeholders.values():
        if entry.model and not entry.model.external and entry.model.first is not FirstUpdate.AT_ONCE:
            message = (
                f"{as_name(entry.name)} is no external group: it hears at once; write external: true, or leave this out"
            )
            yield entry.problem(("first",), "first-internal", message, level=ProblemLevel.WARNING)
        if entry.model and not entry.model.external and entry.model.unsubscribe is Unsubscribing.ONE_CLICK:
            message = (
                f"{as_name(entry.name)} is no external group: a click takes no insider off, operators are told;"
                " write external: true, or leave this out"
            )
            yield entry.problem(("unsubscribe",), "one-click-internal", message, level=ProblemLevel.WARNING)


def _people(fragments: Fragments) -> Iterator[Problem]:
    """Numbers that nobody gives out, and ways to be reached that lead nowhere."""
    for entry in fragments.people.values():
        person = entry.model
        if person is None:
            continue
        if person.phone and not contacts.in_use(person.phone):
            message = f'"{person.phone}" is of no range known to be in use; is a digit missing?'
            yield entry.problem(("phone",), "phone-doubtful", message, level=ProblemLevel.WARNING)
        for number, reach in enumerate(person.reach or ()):
            address = getattr(person, reach.via.traits.address_field)
            if not address:
                inside: KeyPath = ("reach", number)
                who = as_name(entry.name)
                message = f"{who} is to be reached by {reach.via}, but has no such address; this entry is not used"
                yield entry.problem(inside, "reach-without-address", message, level=ProblemLevel.WARNING)


def _phones(fragments: Fragments, policy: Policy) -> Iterator[Problem]:
    """People who are paged by SMS somewhere, but have no phone."""
    pages = [page for severity in policy.severities.values() if (page := severity.page) and Channel.SMS in page.via]
    by_sms = {role for page in pages for role in page.roles}
    paged: dict[str, str] = {}
    for role in policy.roles.values():
        if role.id in by_sms:
            for person in people_named(policy, role.chain):
                paged.setdefault(person, role.id)
    for service in policy.services.values():
        chains = [(role_id, chain) for role_id, chain in service.roles if role_id in by_sms]
        if pages and service.responders:
            chains.append((RESPONDER, (Level(service.responders),)))
        for role_id, chain in chains:
            for person in people_named(policy, chain):
                paged.setdefault(person, role_id)
    for person, role_id in paged.items():
        if not policy.people[person].phone:
            message = f"{as_name(person)} may be paged by sms as {role_id}, but has no phone; email alone is used"
            yield fragments.people[person].problem((), "no-phone", message, level=ProblemLevel.WARNING)


def _overrides(fragments: Fragments, policy: Policy) -> Iterator[Problem]:
    """Overrides for or by somebody who never has a turn in the rotation."""
    for rotation in policy.rotations.values():
        members = turns_in(rotation)
        if not members:  # a calendar that is over; that is told already
            continue
        for number, override in enumerate(rotation.overrides):
            entry = fragments.rotations[rotation.id]
            among = f" ({', '.join(members)})" if len(members) <= LISTED_MAX else ""
            if override.person not in members:
                inside: KeyPath = ("overrides", number, "person")
                message = (
                    f"{as_name(override.person)} is no member of {rotation.id}{among}; is this override meant for them?"
                )
                yield entry.problem(inside, "override-outsider", message, level=ProblemLevel.WARNING)
            if override.instead_of and override.instead_of not in members:
                inside = ("overrides", number, "instead_of")
                who = as_name(override.instead_of)
                message = f"{who} never has a turn in {rotation.id}{among}; this override changes nothing"
                yield entry.problem(inside, "override-without-turn", message, level=ProblemLevel.WARNING)


def _reviews(fragments: Fragments, policy: Policy) -> Iterator[Problem]:
    """Reviews that nobody owns: neither Scribe nor Commander is ever paged, so none has a holder (rules 26, 27)."""
    for severity in policy.severities.values():
        roles = severity.page.roles if severity.page else ()
        if severity.review and not {COMMANDER, SCRIBE} & set(roles):
            message = (
                f"nobody owns the review of {severity.name}: it pages neither {COMMANDER} nor {SCRIBE}, so the last "
                "resort is asked to finish it; add one to `page.roles`"
            )
            yield fragments.severities[severity.name].problem(
                ("review",), "review-without-owner", message, key=True, level=ProblemLevel.WARNING
            )


def _haste(fragments: Fragments) -> Iterator[Problem]:
    """Spans in which nobody can answer or wants to read: seconds, where minutes are meant."""
    for entry in fragments.severities.values():
        page, streams = entry.model.page if entry.model else None, entry.model.updates if entry.model else []
        if page and page.acknowledge_within < SHORTEST:
            message = (
                f"{brief(page.acknowledge_within)} is too short to read a page and answer: the next level is woken "
                "before anybody can; write 5m, or 2m at the least"
            )
            path: KeyPath = ("page", "acknowledge_within")
            yield entry.problem(path, "hasty-page", message, level=ProblemLevel.WARNING)
        for number, stream in enumerate(streams):
            quickest = min((span.every for span in stream.every or ()), default=SHORTEST)
            if quickest < SHORTEST:
                message = f"an update each {brief(quickest)} is more than anybody reads; write 30m, or 5m at the least"
                yield entry.problem(("updates", number, "every"), "hasty-updates", message, level=ProblemLevel.WARNING)
