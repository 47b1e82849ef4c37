"""What has happened to one incident, as the plan asks about it. It is the fold of the incident's facts, so it can be
thrown away and made again; only `planning/history/fold.py` makes one.

Everything here speaks of the current episode (declaration or reopening to resolution), unless it says otherwise.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tocsin.domain.facts import Assessed
from tocsin.domain.incident import Acknowledgment, Incident, UpdateEntry
from tocsin.domain.notification import Reason
from tocsin.domain.people import Channel

NOBODY: frozenset[str] = frozenset()
"""Each empty set takes a fifth of a kilobyte: of all incidents that nobody did anything for it is this one."""
NO_ROLE = ""
"""What stands for a role where the last resort is paged for a file that cannot be read (rule 32)."""


@dataclass(frozen=True, slots=True)
class FiredStep:
    """The newest step of an escalation that fired. `people` are those it reached, `lost` those whose page turned out to
    have reached nobody; no round means the last resort.
    """

    at: datetime
    round: int | None
    level: int | None
    people: tuple[str, ...]
    lost: tuple[str, ...] = ()

    @property
    def last_resort(self) -> bool:
        """Whether the escalation has come to its last resort."""
        return self.round is None


@dataclass(frozen=True, slots=True)
class Handover:
    """A person named for a role that somebody else has accepted: pages asked so far, and the newest one's instant."""

    person: str
    since: datetime
    rounds: int = 0
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PendingStandDowns:
    """Stand-downs still to be decided for a role: why, since when, and who held it before."""

    reason: Reason
    at: datetime
    former: str | None = None


@dataclass(frozen=True, slots=True)
class RoleHistory:
    """One role's escalation and what people answered to it.

    `first_pages` are the people paged for it in this episode, each with the first page's instant, in page order.
    `opened` counts escalations begun. `next_now_at` is the instant of a pass that asks for the next step at once;
    `declined` says that the next page's reason is `declined`. `restart_at`: a name was written on the unaccepted role.
    `stood_down` are those told since their last page for it. `asked_anew` are those who had passed, and whom the newest
    step asked all the same, since nobody else remained (rule 16).
    """

    role: str
    needed: bool = False
    opened: int = 0
    opened_at: datetime | None = None
    reason: Reason = Reason.DECLARED
    service: str = ""
    first: str | None = None
    step: FiredStep | None = None
    first_pages: tuple[tuple[str, datetime], ...] = ()
    passed: frozenset[str] = frozenset()
    asked_anew: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    holder: str | None = None
    accepted_at: datetime | None = None
    answered_at: datetime | None = None
    next_now_at: datetime | None = None
    declined: bool = False
    restart_at: datetime | None = None
    handover: Handover | None = None
    still_asked_at: datetime | None = None
    pending_stand_downs: PendingStandDowns | None = None
    stood_down: frozenset[str] = frozenset()

    @property
    def wanted(self) -> bool:
        """Whether somebody must take it: it is needed, or stands for a file that cannot be read."""
        return self.needed or self.role == NO_ROLE

    @property
    def declining(self) -> frozenset[str]:
        """Who has passed, and was not asked anew since: their answer is not waited for."""
        return self.passed - self.asked_anew if self.asked_anew else self.passed

    def was_paged(self, person: str) -> bool:
        """Whether the person was paged for this role in this episode."""
        return any(name == person for name, _ in self.first_pages)


@dataclass(frozen=True, slots=True)
class ResponderBatch:
    """Responders of services that came together: their newest page, how many rounds went, why they were asked in that
    one, who was in it (`newest`), and in any of them (`people`).
    """

    services: tuple[str, ...]
    at: datetime
    rounds: int
    people: tuple[str, ...]
    reason: Reason
    newest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page, its channels that still wait for their `after` (rule 13), and those by which it went at once."""

    person: str
    at: datetime
    roles: tuple[str, ...]
    level: int | None
    round: int | None
    reason: Reason
    waiting: tuple[tuple[Channel, datetime], ...]
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupHistory:
    """What a stakeholder group was told. `told_version` is the version of the incident its last update spoke of.

    `since` is when it became concerned; `held_since` the first change it has not heard of, `held_next` the first one
    that came too late to go with it (rule 5); `reminded_for` the due instant that was last reminded of; `promised_at`
    when its last update said that the next one comes.
    """

    group: str
    external: bool
    since: datetime
    last_at: datetime
    told_version: Incident
    held_since: datetime | None = None
    held_next: datetime | None = None
    reminded_for: datetime | None = None
    promised_at: datetime | None = None
    updates: int = 1


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """An external group that is concerned since then and has heard nothing yet (rule 56). `reminded_for` is the newest
    end of a span of which Communications was reminded.
    """

    group: str
    since: datetime
    reminded_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReaderHistory:
    """The channels that reached a reader, and whether only public wording may go to them. `told_by` are those by which
    more than pages came.
    """

    channels: tuple[Channel, ...]
    external: bool
    told_by: frozenset[Channel] = frozenset()


@dataclass(frozen=True, slots=True)
class IncidentSummary:
    """What an incident is known by without its whole story: its newest version and when that was seen, when it was
    closed last (None: never), and who has answered other than through the file.
    """

    incident: Incident
    seen_at: datetime
    closed_at: datetime | None
    answered: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of all that a reader gets of an incident: the title that their first message had.

    `internal` marks that of an outsider for whom there was no `public_title` yet, `placeholder` one that stands for a
    title which was never read, or which outsiders do not read: then it is empty.
    """

    title: str
    internal: bool = False
    placeholder: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Everything the plan may ask about one incident. `incident` is its newest version.

    `started_at` is t0 of the episode (rule 2), `episode` counts from 1; 0 means first seen resolved. `seen_at` is the
    newest version's instant, `changed_at` the newest change that is not just an acknowledgment,
    `severity_changed_at` the episode's start until the severity changes. `read_at` is since when title and severity are
    known, `public_at` since when an entry has a `public` text, `first_accepted_at` when a role was first accepted,
    `eta_since` when the ETA that stands was first seen, `eta_passed_for` the one of whose passing Communications was
    reminded. `acted`: somebody has accepted, passed or written something (rule 28).
    `alert_title` is the title that alerts gave, which nobody has judged fit for outsiders.
    `drill_since` is when what had been real became a drill, `in_earnest_at` the other way round, `taken_back` are
    outsiders who were told that it was one. `digest` names the newest version's bytes. `first_sight` are people whose
    acknowledgment stood in the episode's first version and is still to be judged; `acknowledged_ever` are all entries
    that the file ever had, each with the instant from which it counts, `acknowledged_before` those
    that stood there when a reopening took back the end at `reopened_after` (rule 15);
    `updates_before` are the entries that stood there then, `resolution_before` and `public_resolution_before` what
    was written of the end before, as long as it stands there unchanged. `undated` are entries without an instant of
    their own, and when each was first seen. `news_outdated` and `public_news_outdated` tell that status, impact or ETA
    have changed since the newest entry came, and the newest with a `public` text. `left_groups` are groups that had
    their last word, each with the version that it spoke of, `groups_before` those that heard in earlier episodes.
    `paging_*` tell since when a severity with `page` holds without a break, why, and the services affected then.
    `paged_via` are the channels of the last `page`. `newest_pages` is each person's newest page. `refused` are (reader,
    channel, address), see `refuses`. `undelivered` are (person, instant of the page, channel) of pages that did not
    arrive there, `undelivered_for_good` those of them that would not if tried again, `once_more` those that went there
    again because they were refused by mistake, `lost` are (person, instant of the page) of those that reached nobody.
    `ineffective_acks` are acknowledgments that accepted nothing. `closed_by_mail` hear the end by email instead of SMS
    (rule 58). `closing_owed` are (reader, channel) of pages from elsewhere that came to be known after it was told.
    `subjects` is the subject of all that each reader gets of this incident, in whatever episode. `gone`: its
    file, which was never readable, went away. `never_left` is no fact but what the daemon knows at a look: (person,
    channel) by which pages were decided of which none has left; the plan of a rehearsal knows none.
    """

    incident: Incident | None = None
    episode: int = 0
    reason: Reason = Reason.DECLARED
    started_at: datetime | None = None
    seen_at: datetime | None = None
    changed_at: datetime | None = None
    severity_changed_at: datetime | None = None
    read_at: datetime | None = None
    public_at: datetime | None = None
    first_accepted_at: datetime | None = None
    eta_since: datetime | None = None
    eta_passed_for: datetime | None = None
    acted: bool = False
    alert_title: str = ""
    drill_since: datetime | None = None
    in_earnest_at: datetime | None = None
    taken_back: frozenset[str] = frozenset()
    digest: str = ""
    assessed: Assessed | None = None
    paging_at: datetime | None = None
    paging_reason: Reason = Reason.DECLARED
    paging_services: tuple[str, ...] = ()
    paged_via: tuple[Channel, ...] = ()
    first_sight: tuple[str, ...] = ()
    acknowledged_ever: dict[Acknowledgment, datetime] = field(default_factory=dict)
    acknowledged_before: dict[Acknowledgment, datetime] = field(default_factory=dict)
    reopened_after: datetime | None = None
    updates_before: tuple[UpdateEntry, ...] = ()
    resolution_before: str = ""
    public_resolution_before: str = ""
    undated: tuple[tuple[UpdateEntry, datetime], ...] = ()
    news_outdated: bool = False
    public_news_outdated: bool = False
    roles: dict[str, RoleHistory] = field(default_factory=dict)
    batches: tuple[ResponderBatch, ...] = ()
    responders: tuple[tuple[str, datetime], ...] = ()
    responders_answered: frozenset[str] = NOBODY
    responders_passed: frozenset[str] = NOBODY
    waiting: tuple[WaitingPage, ...] = ()
    groups: dict[str, GroupHistory] = field(default_factory=dict)
    held_groups: dict[str, HeldGroup] = field(default_factory=dict)
    left_groups: dict[str, Incident] = field(default_factory=dict)
    groups_before: frozenset[str] = frozenset()
    reached: dict[str, ReaderHistory] = field(default_factory=dict)
    newest_pages: dict[str, WaitingPage] = field(default_factory=dict)
    refused: frozenset[tuple[str, Channel, str]] = frozenset()
    undelivered: frozenset[tuple[str, datetime, Channel]] = frozenset()
    undelivered_for_good: frozenset[tuple[str, datetime, Channel]] = frozenset()
    once_more: frozenset[tuple[str, datetime, Channel]] = frozenset()
    lost: frozenset[tuple[str, datetime]] = frozenset()
    ineffective_acks: tuple[tuple[str, datetime], ...] = ()
    unreadable_ended: bool = False
    gone: bool = False
    resolved_at: datetime | None = None
    closed: bool = False
    closed_by_mail: tuple[str, ...] = ()
    closing_owed: tuple[tuple[str, Channel], ...] = ()
    verified: bool = False
    verify_asked: int = 0
    verify_people: tuple[tuple[str, datetime], ...] = ()
    review_asked: int = 0
    verify_asked_at: datetime | None = None
    review_asked_at: datetime | None = None
    subjects: dict[str, Subject] = field(default_factory=dict)
    never_left: frozenset[tuple[str, Channel]] = frozenset()

    @property
    def episodes(self) -> frozenset[int]:
        """What pages of this episode may bear as its number: 0 is the first one's while its file could not be read."""
        return frozenset({self.episode, 0} if self.episode <= 1 else {self.episode})

    def channels_heard(self, reader: str) -> tuple[Channel, ...]:
        """The channels by which something has left for a reader, of those that reached them (rule 25)."""
        known = self.reached.get(reader)
        return tuple(via for via in known.channels if (reader, via) not in self.never_left) if known else ()

    def title_for(self, incident: Incident, *, external: bool) -> str:
        """The title of a version as outsiders or insiders read it. Empty for outsiders where only an alert wrote one,
        which may name hosts: they read a neutral one until there is a public title, or a person has changed it.
        """
        if external and not incident.public_title:
            return "" if incident.declared_by_alerts and incident.title == self.alert_title else incident.title
        return incident.public_title if external else incident.title

    @property
    def began_at(self) -> datetime | None:
        """When this episode really began: as its file says, else when it was first seen. An instant that had not come
        when it was read, or that belongs to an earlier episode, is none.
        """
        written = self.incident.started_at if self.incident else None
        if written is None or self.started_at is None or written > (self.seen_at or self.started_at):
            return self.started_at
        return self.started_at if self.reopened_after and written <= self.reopened_after else written

    @property
    def answered(self) -> frozenset[str]:
        """Who holds a role, has passed one, or answered as a responder."""
        roles = self.roles.values()
        holders = (role.holder for role in roles if role.holder)
        passed = (person for role in roles for person in role.passed)
        return self.responders_answered | self.responders_passed | {*holders, *passed}

    def refuses(self, reader: str, via: Channel, address: str) -> bool:
        """Whether this address of the reader was refused for good. One of which only the reader is known was refused
        whatever it was (rule 65).
        """
        return (reader, via, address) in self.refused or (reader, via, "") in self.refused

    def holder(self, role: str) -> str | None:
        """Who accepted the role, or None."""
        known = self.roles.get(role)
        return known.holder if known else None


NEVER_SEEN = History()
"""What has happened to an incident of which nothing came in yet."""
