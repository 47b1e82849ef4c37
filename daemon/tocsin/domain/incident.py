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
    `alerts` names the alerts that the file remembers, and is no part of what it says.
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
