"""The whole config as one checked, frozen value: severities, roles, services, people, rotations, groups.

Every part that can cause a message carries its `place` ("severities.yaml:12"), so that the message can name its rule.
References are sound: whoever builds a Policy has checked that each name leads somewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.domain.incident import Incident
from tocsin.domain.people import Channel, Person, StakeholderGroup, Unsubscribing
from tocsin.domain.rotation import Hours, Rotation

ALWAYS = "always"
RESPONDER = "responder"
COMMANDER = "incident_commander"
TECHNICAL_LEAD = "technical_lead"
COMMUNICATIONS = "communications"
SCRIBE = "scribe"


@dataclass(frozen=True, slots=True)
class Who:
    """One name in a chain: a person's id (`part` "person") or a rotation with `part` on_call, next or everyone."""

    name: str
    part: str = "person"
    place: str = ""

    def __str__(self) -> str:
        return self.name if self.part == "person" else f"{self.name}.{self.part}"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a chain: everybody here is paged together."""

    whos: tuple[Who, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class PagePolicy:
    """A severity's `page`: which roles, by which channels, and when the next level is paged."""

    roles: tuple[str, ...]
    via: tuple[Channel, ...]
    acknowledge_within: timedelta
    rounds: int = 1
    hours: str = ALWAYS
    still_there_after: timedelta | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a slowing cadence: for `lasts` (None: from here on) an update each `every`."""

    every: timedelta
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a stream speaks: `spans` (an interval, maybe slowing) or a five-field `cron` in a zone. Neither:
    on declaration and changes only.
    """

    spans: tuple[Span, ...] = ()
    cron: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Stream:
    """One entry of a severity's `updates`: these groups hear on this cadence."""

    to: tuple[str, ...]
    cadence: Cadence
    place: str = ""


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """When the post-incident review is due after resolution, and how often its owners are reminded."""

    within: timedelta
    remind_every: timedelta = timedelta(days=1)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Severity:
    """How bad, and what follows from it. `closing_by_email`: nobody hears the end by SMS whom an email tells it."""

    name: str
    title: str
    meaning: str = ""
    page: PagePolicy | None = None
    updates: tuple[Stream, ...] = ()
    remind_before: timedelta | None = None
    verify_after: timedelta | None = None
    review: ReviewPolicy | None = None
    place: str = ""
    closing_by_email: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """A role in the response, its duties, and the chain that is paged for it, level 0 first."""

    id: str
    title: str
    duties: str = ""
    chain: tuple[Level, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """Something that can break: chains it replaces, responders it adds, stakeholder groups it adds. What a page about
    it names: the `runbook`'s address, `links` as (title, address), and the `bridge` where people meet.
    """

    id: str
    title: str
    roles: tuple[tuple[str, tuple[Level, ...]], ...] = ()
    responders: tuple[Who, ...] = ()
    stakeholders: tuple[str, ...] = ()
    place: str = ""
    runbook: str = ""
    links: tuple[tuple[str, str], ...] = ()
    bridge: str = ""

    def chain(self, role: str) -> tuple[Level, ...] | None:
        """This service's own chain for a role, or None."""
        return next((chain for name, chain in self.roles if name == role), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole of config as code, merged and checked. Dicts are never changed after building
    (`_mailboxes`, which is made of `stakeholders` when first needed, apart).

    `revision` is the git commit or a digest. `since` is when this revision became current for the daemon (UTC);
    a change of config is to open incidents what a change of severity is (rule 8).
    `operators`, `last_resort` and `unreadable_severity` come from tocsin.yaml, and so do `organisation` (who writes),
    `reply_to` (the mailbox that answers to mails go to) and `bridge` (where people meet); each may be empty.
    """

    severities: dict[str, Severity]
    roles: dict[str, Role]
    people: dict[str, Person]
    rotations: dict[str, Rotation]
    services: dict[str, Service]
    stakeholders: dict[str, StakeholderGroup]
    hours: dict[str, Hours]
    operators: tuple[str, ...]
    last_resort: tuple[str, ...]
    unreadable_severity: str
    revision: str = ""
    since: datetime | None = None
    places: dict[str, str] = field(default_factory=dict)
    organisation: str = ""
    reply_to: str = ""
    bridge: str = ""
    _mailboxes: dict[str, list[tuple[StakeholderGroup, str]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def severity(self, name: str) -> Severity:
        """The severity of that name; one the config does not have counts as `unreadable_severity` (rule 8)."""
        return self.severities.get(name) or self.severities[self.unreadable_severity]

    def severity_rank(self, name: str) -> int:
        """How bad a severity is among those of the config, which lists the worst first: 0 is the worst."""
        return list(self.severities).index(self.severity(name).name)

    def incident_rank(self, incident: Incident) -> int:
        """How urgent an incident is beside others, 0 the most: by its severity, and of one severity what a person
        declared before what alerts did (rule 46).
        """
        return 2 * self.severity_rank(incident.severity) + incident.declared_by_alerts

    @property
    def mildest_rank(self) -> int:
        """The rank of what is milder than any incident can be."""
        return 2 * len(self.severities)

    def role_title(self, role: str) -> str:
        """A role's title; its id where the config does not have it (any more), as for a service's responders."""
        return self.roles[role].title if role in self.roles else role

    def person_name(self, person: str | None) -> str:
        """A person's name; what was given where the config does not have them (a plain address, somebody who left);
        empty for nobody.
        """
        known = self.people.get(person or "")
        return known.name if known else person or ""

    def reader_name(self, reader: str, group: str | None) -> str:
        """A person's name; of a plain address the title of the group that it is told with, or stands in; else empty."""
        if reader in self.people:
            return self.people[reader].name
        if group:
            return self.group_title(group)
        known = self.group_of(reader)
        return known.title if known else ""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that people and groups read, each once, in the order of their codes."""
        groups = {group.language for group in self.stakeholders.values()}
        return tuple(sorted(groups.union(person.language for person in self.people.values())))

    def group_of(self, address: str) -> StakeholderGroup | None:
        """The first group that has this plain address: a closing names none."""
        return next((group for group, _ in self._listings(address)), None)

    def plain_address(self, address: str) -> str:
        """It as the first group that has it writes it now, in whatever case it was given; empty: none has it."""
        return next((written for _, written in self._listings(address)), "")

    def _listings(self, address: str) -> list[tuple[StakeholderGroup, str]]:
        """The groups that have this plain address, each with how it writes it. Asked for each of thousands of readers,
        it goes through all their addresses once.
        """
        if not self._mailboxes:
            mailboxes: dict[str, list[tuple[StakeholderGroup, str]]] = {}
            for group in self.stakeholders.values():
                for email in group.emails:
                    mailboxes.setdefault(email.casefold(), []).append((group, email))
            self._mailboxes.update(mailboxes)
        return self._mailboxes.get(address.casefold(), [])

    def unsubscribed(self, address: str) -> bool:
        """Whether a plain address has unsubscribed from what outsiders are told."""
        wanted, groups = address.casefold(), self.stakeholders.values()
        return any(wanted == email.casefold() for group in groups for email in group.unsubscribed)

    def is_insider(self, address: str) -> bool:
        """Whether an internal group names this plain address: then it is told as an insider."""
        return any(not group.external for group, _ in self._listings(address))

    def lets_go(self, reader: str) -> bool:
        """Whether a click of this reader takes effect: not of an insider, who is told all the same."""
        groups = self.stakeholders.values()
        return any(group.lets_go(reader) for group in groups) and not self.is_insider(reader)

    def lets_go_from(self, group: str, reader: str) -> bool:
        """The same of one whom this group names, without looking through its addresses: an update has thousands."""
        known = self.stakeholders.get(group)
        if known is None or not known.external or known.unsubscribe is not Unsubscribing.ONE_CLICK:
            return False
        return reader not in self.people and not self.is_insider(reader)

    def group_title(self, group: str) -> str:
        """A stakeholder group's title; its id where the config does not have it (any more)."""
        return self.stakeholders[group].title if group in self.stakeholders else group

    def service_titles(self, services: Iterable[str]) -> tuple[str, ...]:
        """The titles of those services that the config has."""
        return tuple(self.services[name].title for name in services if name in self.services)

    def place_of_last_resort(self) -> str:
        """Where `last_resort` is written, as file:line."""
        return self.places.get("last_resort", "tocsin.yaml")
