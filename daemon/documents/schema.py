"""The shape of the config fragments, as pydantic models: fields, their types and defaults (product.md section 3).

They decide what one entry may hold, not whether the names in it lead somewhere (`references.py`). Their descriptions
become the JSON Schema's. Must not know places, files, or the domain's values beyond its small ones.
"""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from daemon.documents.fields import (
    Chain,
    Channels,
    Count,
    Delay,
    Duration,
    Email,
    Emails,
    Instant,
    Language,
    LocalTime,
    Model,
    Name,
    Names,
    NamesOnce,
    Phone,
    Text,
    Truth,
    Whos,
    Windows,
    Zone,
    one_or_many,
)
from daemon.domain.people import Channel


class SpanEntry(Model):
    """One stretch of a slowing cadence."""

    every: Duration = Field(description="time between two updates")
    for_: Duration | None = Field(None, alias="for", description="how long this stretch lasts; the last has none")


class StreamEntry(Model):
    """Groups that hear updates together, and how often."""

    to: NamesOnce = Field(description="stakeholder groups")
    every: (
        Annotated[
            list[SpanEntry],
            BeforeValidator(
                lambda value: [{"every": value}] if isinstance(value, str) else value,
                json_schema_input_type=str | list[SpanEntry],
            ),
            Field(min_length=1),
        ]
        | None
    ) = Field(None, description="time between two updates, or stretches of a cadence that slows down")
    cron: Text | None = Field(None, description="five-field cron, instead of `every`")
    timezone: Zone = Field("UTC", description="the zone of `cron`")

    @model_validator(mode="after")
    def _one_cadence(self) -> Self:
        if self.every and self.cron:
            raise ValueError("has both `every` and `cron`; keep one")
        for number, span in enumerate(self.every or (), 1):
            last = number == len(self.every or ())
            if last and span.for_ is not None:
                raise ValueError("the last entry of `every` holds from then on; remove its `for`")
            if not last and span.for_ is None:
                raise ValueError(f"entry {number} of `every` needs `for`: how long it lasts before the next begins")
        return self


class PageEntry(Model):
    """Who is paged and how the ladder climbs."""

    roles: NamesOnce = Field(description="the roles that are paged")
    via: Channels = Field(description="the channels of a page, all at once")
    acknowledge_within: Duration = Field(description="then the next level of the role's chain is paged")
    rounds: Count = Field(1, description="times through the chain before the last resort")
    hours: Text = Field("always", description="`always`, or a name under `hours:`; pages wait for it to open")
    still_there_after: Duration | None = Field(None, description="ask the holder of a silent incident to confirm")


class ReviewEntry(Model):
    """The post-incident review."""

    within: Duration = Field(description="due so long after resolution")
    remind_every: Duration = Field(timedelta(days=1), description="time between two reminders")


class SeverityEntry(Model):
    """How bad it is, and what follows from it."""

    title: Text | None = None
    meaning: Text = ""
    page: PageEntry | None = Field(None, description="absent: nobody is paged")
    updates: list[StreamEntry] = Field(default_factory=list, description="who hears updates, and how often")
    remind_before: Duration | None = Field(None, description="nudge Communications so long before an update is due")
    verify_after: Duration | None = Field(None, description="ask to confirm health so long after resolution")
    review: ReviewEntry | None = None


class RoleEntry(Model):
    """A role in the response."""

    title: Text | None = None
    duties: Text = ""
    chain: Chain = Field(description="who is paged, level 0 first; a list inside pages its members together")


class ReachModel(Model):
    """One way a page reaches a person."""

    via: Channel
    after: Delay = timedelta(0)


class PersonEntry(Model):
    """Somebody who can be reached."""

    name: Text | None = None
    email: Email = ""
    phone: Phone = Field("", description="E.164, such as +14155550101")
    timezone: Zone = "UTC"
    reach: (
        Annotated[
            list[
                Annotated[
                    ReachModel,
                    BeforeValidator(
                        lambda value: {"via": value} if isinstance(value, str) else value,
                        json_schema_input_type=Channel | ReachModel,
                    ),
                ]
            ],
            BeforeValidator(one_or_many),
            Field(min_length=1),
        ]
        | None
    ) = Field(None, description="how a page reaches this person, in order, until they answer")
    language: Language = "en"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.email and not self.phone:
            raise ValueError("has neither `email` nor `phone`; write at least one")
        return self


class ShiftEntry(Model):
    """Members who take turns."""

    members: Names = Field(description="people, in the order of their turns")
    handoff: Text = Field(description="five-field cron; the turn passes at each firing")
    timezone: Zone
    starts: LocalTime = Field(description="local time of the first member's first turn")
    during: Windows | None = Field(None, description="absent: around the clock")


class OverrideEntry(Model):
    """Somebody else takes a span."""

    person: Name
    from_: Instant = Field(alias="from")
    to: Instant
    instead_of: Name | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to <= self.from_:
            raise ValueError("ends before it begins; `to` must be later than `from`")
        return self


class RotationEntry(Model):
    """Who is on call, by shifts or by a calendar file."""

    shifts: list[ShiftEntry] | None = Field(None, min_length=1, description="the first that covers the moment counts")
    overrides: list[OverrideEntry] = Field(default_factory=list)
    calendar: Text | None = Field(None, description="an iCalendar file, relative to this one")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.shifts is None) == (self.calendar is None):
            raise ValueError(
                "needs either `shifts` or `calendar`, not both"
                if self.shifts
                else "has neither `shifts` nor `calendar`; write one"
            )
        return self


class ServiceEntry(Model):
    """Something that can break."""

    title: Text | None = None
    roles: dict[Name, Chain] = Field(default_factory=dict, description="chains that replace a role's own")
    responders: Whos | None = Field(None, description="paged as well")
    stakeholders: NamesOnce | None = Field(None, description="groups told as well")


class GroupEntry(Model):
    """A group that hears updates."""

    title: Text | None = None
    people: NamesOnce | None = None
    emails: Emails = Field(default_factory=list)
    via: Channels = Field(default_factory=lambda: [Channel.EMAIL])
    external: Truth = Field(default=False, description="hears public wording only")
    language: Language = "en"
    timezone: Zone = "UTC"

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.people and not self.emails:
            raise ValueError("names nobody; write `people` or `emails`")
        return self


class HoursEntry(Model):
    """Opening hours."""

    timezone: Zone
    during: Windows


class Fragment(BaseModel):
    """A config fragment: any of these sections, each from name to entry."""

    model_config = ConfigDict(extra="forbid")

    severities: dict[Name, SeverityEntry] = {}
    roles: dict[Name, RoleEntry] = {}
    people: dict[Name, PersonEntry] = {}
    rotations: dict[Name, RotationEntry] = {}
    services: dict[Name, ServiceEntry] = {}
    stakeholders: dict[Name, GroupEntry] = {}
    hours: dict[Name, HoursEntry] = {}


SECTIONS: dict[str, type[Model]] = {
    "severities": SeverityEntry,
    "roles": RoleEntry,
    "people": PersonEntry,
    "rotations": RotationEntry,
    "services": ServiceEntry,
    "stakeholders": GroupEntry,
    "hours": HoursEntry,
}
