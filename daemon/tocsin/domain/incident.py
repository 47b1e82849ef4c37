"""An incident as its file declares it, after reading: names are ids, instants are aware UTC, and free text is data,
never a template.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

ALERTMANAGER = "Alertmanager"
"""Who declares what alerts declare."""


class Status(StrEnum):
    """Where the response stands. Only RESOLVED ends an incident (P4)."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class UpdateEntry:
    """One entry under `updates:`. `at` is None when the file gives none: it counts from when first seen."""

    text: str = ""
    public: str = ""
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class TimelineNote:
    """One of the Scribe's notes under `timeline:`."""

    text: str = ""
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """One entry under `acknowledged:`. `by` is a person's id; a bare name has no `at`."""

    by: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One version of an incident file.

    `severity` is a severity's name as the config writes it, or the file's own word when the config has none
    like it. `roles` are (role, person) pairs as written. `review` is empty, "done" or a link. `unreadable` marks a
    file that was never readable: `summary` then holds its first lines (rule 32). `public_title` and
    `public_resolution` are for outsiders; `bridge` and `links`, (title, address) pairs, for insiders only (P4).
    `started_at` is when it really began, if somebody wrote that. A drill that is `reviewed_drill` asks for health
    and review as well (rule 28).
    `never_read` are those of title and severity that no version gave yet, so that something else stands in for them;
    `alerts` names the alerts that the file remembers, and `odd_name` how the file is called where that is not ID.yaml;
    neither is a part of what it says.
    """

    id: str
    title: str
    severity: str
    status: Status = Status.INVESTIGATING
    summary: str = ""
    impact: str = ""
    services: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    acknowledged: tuple[Acknowledgment, ...] = ()
    eta: datetime | None = None
    declared_at: datetime | None = None
    declared_by: str = ""
    updates: tuple[UpdateEntry, ...] = ()
    timeline: tuple[TimelineNote, ...] = ()
    resolution: str = ""
    verified_by: str = ""
    review: str = ""
    drill: bool = False
    unreadable: bool = False
    public_title: str = ""
    public_resolution: str = ""
    bridge: str = ""
    links: tuple[tuple[str, str], ...] = ()
    started_at: datetime | None = None
    reviewed_drill: bool = False
    never_read: tuple[str, ...] = ()
    alerts: str = field(default="", compare=False)
    odd_name: str = field(default="", compare=False)

    @property
    def file(self) -> str:
        """How the file is called."""
        return self.odd_name or f"{self.id}.yaml"

    @property
    def has_placeholder(self) -> bool:
        """Whether no version of the file gave a title yet, so that the file's name stands for it."""
        return self.unreadable or "title" in self.never_read

    def assigned(self, role: str) -> str | None:
        """The person the file names for a role, or None."""
        return next((person for name, person in self.roles if name == role), None)

    @property
    def declared_by_alerts(self) -> bool:
        """Whether alerts declared it, and no person."""
        return self.declared_by.casefold() == ALERTMANAGER.casefold()

    @property
    def resolved(self) -> bool:
        """Whether this version says that the incident is over."""
        return self.status is Status.RESOLVED


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be added to an incident's file, or set in it; what is None stays as it is. Names are as the config
    writes them.
    """

    acknowledgment: Acknowledgment | None = None
    entry: UpdateEntry | None = None
    role: tuple[str, str] | None = None
    status: Status | None = None
    eta: datetime | None = None
    resolution: str | None = None
    public_resolution: str | None = None
    """What outsiders hear of the end; the text that is there stays."""
    severity: str | None = None
    services: tuple[str, ...] | None = None
    """Services to add to those that are there."""
    summary: str | None = None
    links: tuple[tuple[str, str], ...] | None = None
    """Links to add to those that are there: title and address."""
    note: TimelineNote | None = None
    """A note to add to the timeline."""
    impact: str | None = None
    public_title: str | None = None
    review: str | None = None
    """`done`, or a link."""
    verified_by: str | None = None
    no_eta: bool = False
    """The estimate is taken out: nobody knows any more."""

    @property
    def keys(self) -> frozenset[str]:
        """The top-level keys of the file that it touches."""
        named = {
            "acknowledged": self.acknowledgment,
            "updates": self.entry,
            "roles": self.role,
            "status": self.status,
            "eta": self.eta or self.no_eta or None,
            "resolution": self.public_resolution if self.resolution is None else self.resolution,
            "severity": self.severity,
            "services": self.services or None,
            "summary": self.summary,
            "links": self.links or None,
            "timeline": self.note,
            "impact": self.impact,
            "public_title": self.public_title,
            "review": self.review,
            "verified_by": self.verified_by,
        }
        return frozenset(key for key, value in named.items() if value is not None)
