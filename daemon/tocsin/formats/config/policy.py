"""Entries become the domain's policy: models with checked references in, frozen values with their places out.

Decides defaults that depend on the name. Must not be called with entries that have errors; must not read files.
"""

from tocsin.domain.people import Person, ReachEntry, StakeholderGroup
from tocsin.domain.policy import (
    Cadence,
    Level,
    PagePolicy,
    Policy,
    ReviewPolicy,
    Role,
    Service,
    Severity,
    Span,
    Stream,
    Who,
)
from tocsin.domain.rotation import CalendarEvent, Hours, Override, Rotation, Shift
from tocsin.formats.config.entries import (
    GroupEntry,
    HoursEntry,
    PersonEntry,
    RoleEntry,
    RotationEntry,
    ServiceEntry,
    SeverityEntry,
    StreamEntry,
)
from tocsin.formats.config.fragments import DeclaredEntry, Fragments, M_co
from tocsin.formats.schema.fields import Model
from tocsin.text.yaml import KeyPath


def build_policy(fragments: Fragments, events: dict[str, tuple[CalendarEvent, ...]]) -> Policy:
    """The policy that sound fragments declare, without what `tocsin.yaml` adds. `events` are those of the calendar
    rotations, by name.
    """
    return Policy(
        severities={name: _severity(entry, _sound(entry)) for name, entry in fragments.severities.items()},
        roles={name: _role(entry, _sound(entry)) for name, entry in fragments.roles.items()},
        people=build_people(fragments),
        rotations={
            name: _rotation(entry, _sound(entry), events.get(name, ())) for name, entry in fragments.rotations.items()
        },
        services={name: _service(entry, _sound(entry)) for name, entry in fragments.services.items()},
        stakeholders={name: _group(entry, _sound(entry)) for name, entry in fragments.stakeholders.items()},
        hours={name: _hours(_sound(entry)) for name, entry in fragments.hours.items()},
        operators=(),
        last_resort=(),
        unreadable_severity="",
    )


def build_people(fragments: Fragments) -> dict[str, Person]:
    """The people whose entries are sound."""
    return {name: _person(entry, entry.model) for name, entry in fragments.people.items() if entry.model is not None}


def _sound(entry: DeclaredEntry[M_co]) -> M_co:
    assert entry.model is not None
    return entry.model


def _who(entry: DeclaredEntry[Model], inside: KeyPath, word: str) -> Who:
    rotation, dot, part = word.rpartition(".")
    return Who(rotation, part, entry.at(*inside)) if dot else Who(word, place=entry.at(*inside))


def _chain(entry: DeclaredEntry[Model], inside: KeyPath, chain: list[list[str]]) -> tuple[Level, ...]:
    return tuple(
        Level(
            tuple(_who(entry, (*inside, number, place), word) for place, word in enumerate(level)),
            entry.at(*inside, number),
        )
        for number, level in enumerate(chain)
    )


def _severity(entry: DeclaredEntry[SeverityEntry], model: SeverityEntry) -> Severity:
    page, review = model.page, model.review
    return Severity(
        name=entry.name,
        title=model.title or entry.name,
        meaning=model.meaning,
        page=PagePolicy(
            roles=tuple(page.roles),
            via=tuple(page.via),
            acknowledge_within=page.acknowledge_within,
            rounds=page.rounds,
            hours=page.hours,
            still_there_after=page.still_there_after,
            place=entry.at("page"),
        )
        if page
        else None,
        updates=tuple(
            Stream(tuple(stream.to), _cadence(stream), entry.at("updates", number))
            for number, stream in enumerate(model.updates)
        ),
        remind_before=model.remind_before,
        verify_after=model.verify_after,
        review=ReviewPolicy(review.within, review.remind_every, entry.at("review")) if review else None,
        place=entry.at(),
        closing_by_email=model.closing is not None,
    )


def _cadence(stream: StreamEntry) -> Cadence:
    spans = tuple(Span(span.every, span.for_) for span in stream.every or ())
    return Cadence(spans=spans, cron=stream.cron or "", timezone=stream.timezone)


def _role(entry: DeclaredEntry[RoleEntry], model: RoleEntry) -> Role:
    return Role(
        id=entry.name,
        title=model.title or entry.name,
        duties=model.duties,
        chain=_chain(entry, ("chain",), model.chain),
        place=entry.at(),
    )


def _person(entry: DeclaredEntry[PersonEntry], model: PersonEntry) -> Person:
    return Person(
        id=entry.name,
        name=model.name or entry.name,
        email=model.email,
        phone=model.phone,
        timezone=model.timezone,
        reach=tuple(ReachEntry(reach.via, reach.after) for reach in model.reach or ()),
        language=model.language,
        place=entry.at(),
        closing_by_email=model.closing is not None,
    )


def _rotation(entry: DeclaredEntry[RotationEntry], model: RotationEntry, events: tuple[CalendarEvent, ...]) -> Rotation:
    return Rotation(
        id=entry.name,
        shifts=tuple(
            Shift(
                members=tuple(shift.members),
                handoff=shift.handoff,
                timezone=shift.timezone,
                starts=shift.starts,
                during=tuple(shift.during or ()),
                place=entry.at("shifts", number),
            )
            for number, shift in enumerate(model.shifts or ())
        ),
        overrides=tuple(
            Override(override.person, override.from_, override.to, override.instead_of, entry.at("overrides", number))
            for number, override in enumerate(model.overrides)
        ),
        calendar=model.calendar or "",
        events=events,
        place=entry.at(),
    )


def _service(entry: DeclaredEntry[ServiceEntry], model: ServiceEntry) -> Service:
    return Service(
        id=entry.name,
        title=model.title or entry.name,
        roles=tuple((role, _chain(entry, ("roles", role), chain)) for role, chain in model.roles.items()),
        responders=tuple(
            _who(entry, ("responders", number), word) for number, word in enumerate(model.responders or ())
        ),
        stakeholders=tuple(model.stakeholders or ()),
        place=entry.at(),
        runbook=model.runbook or "",
        links=tuple(model.links.items()),
        bridge=model.bridge or "",
    )


def _group(entry: DeclaredEntry[GroupEntry], model: GroupEntry) -> StakeholderGroup:
    return StakeholderGroup(
        id=entry.name,
        title=model.title or entry.name,
        people=tuple(model.people),
        emails=tuple(model.emails),
        via=tuple(model.via),
        external=model.external,
        first=model.first,
        unsubscribe=model.unsubscribe,
        language=model.language,
        timezone=model.timezone,
        place=entry.at(),
    )


def _hours(model: HoursEntry) -> Hours:
    return Hours(model.timezone, tuple(model.during))
