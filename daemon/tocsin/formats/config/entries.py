"""The shape of the config fragments, as pydantic models: fields, their types and defaults (`docs/behaviour.md`).

They decide what one entry may hold, not whether the names in it lead somewhere (`references`). Their descriptions
become the JSON Schema's. Must not know places, files, or the domain's values beyond its small ones.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator

from tocsin.domain.people import Channel, FirstUpdate, Unsubscribing
from tocsin.domain.policy import ALWAYS, RESPONDER
from tocsin.formats.schema import json_schema, patterns
from tocsin.formats.schema.fields import (
    Called,
    Chain,
    Channels,
    Count,
    Cron,
    Delay,
    Duration,
    Email,
    Emails,
    Instant,
    Language,
    Line,
    Links,
    LocalTime,
    Model,
    Name,
    Names,
    NamesOnce,
    PerhapsNames,
    Phone,
    Text,
    Truth,
    WebAddress,
    Whos,
    Windows,
    Zone,
    one_or_many,
)

_SLOWING: dict[str, JsonValue] = {"contains": {"not": {"required": ["for"]}}, "minContains": 1, "maxContains": 1}
"""Exactly one stretch of a slowing cadence has no end; that it must be the last, only the reader can see."""


class ClosingBy(StrEnum):
    """How somebody hears the end whom both channels reached."""

    EMAIL = "email"


class SpanEntry(Model):
    """One stretch of a slowing cadence."""

    every: Duration = Field(description="time between two updates")
    for_: Duration | None = Field(None, alias="for", description="how long this stretch lasts; the last has none")


class StreamEntry(Model):
    """Groups that hear updates together, and how often."""

    model_config = ConfigDict(json_schema_extra=json_schema.not_both("every", "cron"))

    to: NamesOnce = Field(description="stakeholder groups")
    every: (
        Annotated[
            list[SpanEntry],
            BeforeValidator(
                lambda value: [{"every": value}] if isinstance(value, str) else value,
                json_schema_input_type=Duration
                | Annotated[list[SpanEntry], Field(min_length=1, json_schema_extra=_SLOWING)],
            ),
            Field(min_length=1),
        ]
        | None
    ) = Field(None, description="time between two updates, or stretches of a cadence that slows down")
    cron: Cron | None = Field(None, description="five-field cron, instead of `every`")
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
    hours: Called = Field("always", description="`always`, or a name under `hours:`; pages wait for it to open")
    still_there_after: Duration | None = Field(None, description="ask the holder of a silent incident to confirm")


class ReviewEntry(Model):
    """The post-incident review."""

    within: Duration = Field(description="due so long after resolution")
    remind_every: Duration = Field(timedelta(days=1), description="time between two reminders")


class SeverityEntry(Model):
    """How bad it is, and what follows from it."""

    title: Text | None = Field(None, description="what people call it; absent: its name")
    meaning: Text = Field("", description="when to choose it")
    page: PageEntry | None = Field(None, description="absent: nobody is paged")
    updates: list[StreamEntry] = Field(default_factory=list, description="who hears updates, and how often")
    remind_before: Duration | None = Field(None, description="nudge Communications so long before an update is due")
    verify_after: Duration | None = Field(None, description="ask to confirm health so long after resolution")
    review: ReviewEntry | None = Field(None, description="the post-incident review; absent: none is asked for")
    closing: ClosingBy | None = Field(None, description="email: nobody hears the end by SMS whom an email tells it")


class RoleEntry(Model):
    """A role in the response."""

    title: Text | None = Field(None, description="what people call it; absent: its name")
    duties: Text = Field("", description="what is expected of whoever holds it; pages by email say so")
    chain: Chain = Field(description="who is paged, level 0 first; a list inside pages its members together")


class ReachModel(Model):
    """One way a page reaches a person."""

    via: Channel = Field(description="the channel")
    after: Delay = Field(timedelta(0), description="so long after the page, if it is still wanted then")


ChannelName = Annotated[str, WithJsonSchema(patterns.CHANNEL)]
Reach = Annotated[
    ReachModel,
    BeforeValidator(
        lambda value: {"via": value} if isinstance(value, str) else value,
        json_schema_input_type=ChannelName | ReachModel,
    ),
]


class PersonEntry(Model):
    """Somebody who can be reached."""

    model_config = ConfigDict(json_schema_extra=json_schema.one_at_least("email", "phone"))

    name: Text | None = Field(None, description="full name; absent: the id")
    email: Email = Field("", description="such as ana@example.com")
    phone: Phone = Field("", description="E.164, such as +14155550101; one person's only")
    timezone: Zone = Field("UTC", description="IANA zone; times in this person's messages are local to it")
    reach: (
        Annotated[
            list[Reach],
            BeforeValidator(
                one_or_many, json_schema_input_type=ChannelName | Annotated[list[Reach], Field(min_length=1)]
            ),
            Field(min_length=1),
        ]
        | None
    ) = Field(None, description="how a page reaches this person, in order, until they answer")
    language: Language = Field("en", description="the language of this person's messages, such as en or pt-BR")
    closing: ClosingBy | None = Field(None, description="email: no SMS tells the end that an email tells")

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.email and not self.phone:
            raise ValueError("has neither `email` nor `phone`; write at least one")
        return self


class ShiftEntry(Model):
    """Members who take turns."""

    members: Names = Field(description="people, in the order of their turns")
    handoff: Cron = Field(description="five-field cron; the turn passes at each firing")
    timezone: Zone = Field(description="IANA zone of `handoff`, `starts` and `during`")
    starts: LocalTime = Field(description="local time of the first member's first turn")
    during: Windows | None = Field(None, description="absent: around the clock")


class OverrideEntry(Model):
    """Somebody else takes a span."""

    person: Name = Field(description="who takes it")
    from_: Instant = Field(alias="from", description="from this instant on")
    to: Instant = Field(description="until this instant")
    instead_of: Name | None = Field(None, description="only this person's turns; absent: the whole span")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to <= self.from_:
            raise ValueError("ends before it begins; `to` must be later than `from`")
        return self


class RotationEntry(Model):
    """Who is on call, by shifts or by a calendar file."""

    model_config = ConfigDict(json_schema_extra=json_schema.one_exactly("shifts", "calendar"))

    shifts: list[ShiftEntry] | None = Field(None, min_length=1, description="the first that covers the moment counts")
    overrides: list[OverrideEntry] = Field(default_factory=list, description="spans that others take; the last counts")
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

    title: Text | None = Field(None, description="what people call it; absent: its name")
    roles: dict[Name, Chain] = Field(default_factory=dict, description="chains that replace a role's own")
    responders: Whos | None = Field(None, description="paged as well")
    stakeholders: NamesOnce | None = Field(None, description="groups told as well")
    runbook: WebAddress | None = Field(None, description="what to do: an address that pages name")
    links: Links = Field(default_factory=dict, description="what helps: addresses by their titles; pages name them")
    bridge: Line | None = Field(None, description="where people meet: an address or a number; before tocsin.yaml's")


class GroupEntry(Model):
    """A group that hears updates."""

    model_config = ConfigDict(
        json_schema_extra=json_schema.one_at_least("people", "emails") | json_schema.goes_with("emails", "external")
    )

    title: Text | None = Field(None, description="what people call it; absent: its name")
    people: PerhapsNames = Field(default_factory=list, description="members from `people`, by id")
    emails: Emails = Field(default_factory=list, description="plain addresses, such as a mailing list")
    via: Channels = Field(default_factory=lambda: [Channel.EMAIL], description="how its people hear; absent: email")
    external: Truth = Field(
        default=False, description="true: outsiders, who hear public wording only; to be said of plain `emails`"
    )
    first: FirstUpdate = Field(
        default=FirstUpdate.AT_ONCE,
        description="when an external group hears at first: at_once, accepted (somebody has accepted a role, or one "
        "span of its cadence is over), or public (an update has a public text)",
    )
    unsubscribe: Unsubscribing = Field(
        default=Unsubscribing.OPERATORS,
        description="what one click on unsubscribe does: one_click takes the plain address off every external group, "
        "operators only tells them",
    )
    language: Language = Field("en", description="the language of its messages, such as en or pt-BR")
    timezone: Zone = Field("UTC", description="IANA zone of times in messages to its plain addresses")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.people and not self.emails:
            raise ValueError("names nobody; write `people` or `emails`")
        return self


class HoursEntry(Model):
    """Opening hours."""

    timezone: Zone = Field(description="IANA zone of the windows")
    during: Windows = Field(description="[DAYS ]HH:MM-HH:MM, such as mon-fri 09:00-17:00; the end is excluded")


class Fragment(BaseModel):
    """A config fragment: any of these sections, each from name to entry."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    severities: dict[Name, SeverityEntry] = Field({}, description="how bad it is, and what follows from it")
    roles: dict[Name, RoleEntry] = Field(
        {}, description="who does what, and who is paged for it", json_schema_extra=patterns.reserved(RESPONDER)
    )
    people: dict[Name, PersonEntry] = Field({}, description="everybody who can be paged or told, by id")
    rotations: dict[Name, RotationEntry] = Field({}, description="who is on call, when")
    services: dict[Name, ServiceEntry] = Field({}, description="what can break")
    stakeholders: dict[Name, GroupEntry] = Field({}, description="groups that are kept told")
    hours: dict[Name, HoursEntry] = Field(
        {}, description="named opening hours, for pages that can wait", json_schema_extra=patterns.reserved(ALWAYS)
    )


SECTIONS: dict[str, type[Model]] = {
    "severities": SeverityEntry,
    "roles": RoleEntry,
    "people": PersonEntry,
    "rotations": RotationEntry,
    "services": ServiceEntry,
    "stakeholders": GroupEntry,
    "hours": HoursEntry,
}
