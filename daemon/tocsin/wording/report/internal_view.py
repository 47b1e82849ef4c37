"""An incident as those who work on it see it: what is true now, who has it, when the next update is promised,
and everything that happened.

Decides what stands on the page and what is left out of one that is too long. Must not know how it is laid out, nor
what the plan makes of it: how it stands is handed in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.delivery import Record
from tocsin.domain.facts import Seen
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.planning.after_resolving import why_nobody_is_asked
from tocsin.planning.cadence.first_word import FirstWord
from tocsin.planning.current_state import CurrentState, NextPages, RoleHolder
from tocsin.planning.history.figures import Figures, figures
from tocsin.text.cleaning import clean, one_line
from tocsin.text.names import author_name
from tocsin.text.times import span
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.update_words import standing
from tocsin.wording.report.chart import Chart, Tone
from tocsin.wording.report.chart_lanes import chart, severity_tone
from tocsin.wording.report.deliveries import of_messages
from tocsin.wording.report.page_timeline import TimelineMoment, first_and_last, moments
from tocsin.wording.report.timeline import TimelineStep
from tocsin.wording.report.versions import gathered


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody by name, with their number (empty: none), and since when they were asked, if they were."""

    name: str
    phone: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleStanding:
    """A role: who has it (or is expected to, while `accepted_at` is None); whom a page asks for it, who has passed, and
    who is asked to take it over; when the next page for it goes, and to whom, if nobody answers. `still_asked_at`: its
    holder was asked then whether they are still there. `unreachable`: nobody is left who could be asked.
    """

    role: str
    title: str
    holder: Contact
    accepted_at: datetime | None
    asked: tuple[Contact, ...] = ()
    passed: tuple[str, ...] = ()
    handover: Contact | None = None
    still_asked_at: datetime | None = None
    next_at: datetime | None = None
    next_people: tuple[Contact, ...] = ()
    next_is_last_resort: bool = False
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """A group: when it heard last, how often it heard, and when it was promised the next update; or that it has heard
    nothing yet, for what it waits, and when it hears at the latest (`next_at`).
    """

    title: str
    external: bool
    last_at: datetime | None
    updates: int
    next_at: datetime | None
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class LatestWords:
    """What was last written for everybody in this episode; how it stands where nothing was."""

    text: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InternalView:
    """The internal view. Texts are clean. `since` is when it began, if somebody wrote that, else `declared_at`.
    `left_out` counts the paragraphs between the first and the last shown. `responders` are those who were asked as
    such and have not answered, `responding` those who have. `next_at` is when the next page goes to anybody.
    """

    incident: Incident
    title: str
    tag: str
    severity: str
    meaning: str
    tone: Tone
    services: tuple[str, ...]
    since: datetime
    declared_at: datetime
    reopened_at: datetime | None
    resolved_at: datetime | None
    lasted: str
    episode: int
    latest: LatestWords
    declared_by: str
    verified_by: str
    roles: tuple[RoleStanding, ...]
    responders: tuple[Contact, ...]
    responding: tuple[Contact, ...]
    groups: tuple[GroupStanding, ...]
    next_update_at: datetime | None
    review_at: datetime | None
    timeline: tuple[TimelineMoment, ...]
    timeline_after: tuple[TimelineMoment, ...]
    left_out: int
    chart: Chart
    figures: Figures | None

    @property
    def unaccepted(self) -> str:
        """The roles that nobody has accepted, by their titles."""
        return ENGLISH.listed([role.title for role in self.roles if role.accepted_at is None])

    @property
    def next_at(self) -> datetime | None:
        """When the next page goes to anybody, if nobody answers."""
        return min((role.next_at for role in self.roles if role.next_at), default=None)


def internal_view(
    steps: Sequence[TimelineStep],
    records: Sequence[Record],
    state: CurrentState,
    coming: Mapping[str, NextPages],
    policy: Policy,
    now: datetime,
    zone: str = "UTC",
) -> InternalView:
    """The view; `coming` is whom the plan pages next for each role, and its timeline is on the clock of `zone`."""
    history = steps[-1].after
    incident = history.incident
    assert incident is not None
    severity = policy.severity(incident.severity)
    opened_at = history.started_at or steps[0].fact.at
    reopened_at = opened_at if history.episode > 1 else None
    begun = history.began_at or opened_at
    review = severity.review if why_nobody_is_asked(incident, history) is None else None
    waits = promises(records) if history.resolved_at is None else {}
    first, last, left_out = first_and_last(moments(steps, records, policy, zone))
    return InternalView(
        incident=incident,
        title=one_line(clean(incident.title)) or "Untitled incident",
        tag=severity.name.upper(),
        severity=severity.title,
        meaning=severity.meaning,
        tone=severity_tone(incident.severity, policy),
        services=policy.service_titles(incident.services),
        since=begun,
        declared_at=steps[0].fact.at if history.episode > 1 else opened_at,
        reopened_at=reopened_at,
        resolved_at=history.resolved_at,
        lasted=span(max((history.resolved_at or now) - begun, timedelta(0))),
        episode=history.episode,
        latest=_latest(steps, incident, reopened_at, policy),
        declared_by=author_name(one_line(clean(incident.declared_by)), policy),
        verified_by=author_name(one_line(clean(incident.verified_by)), policy),
        roles=tuple(_roles(state, coming, history, policy)),
        responders=_responders(history, policy, answered=False),
        responding=_responders(history, policy, answered=True),
        groups=(*_groups(history, waits, policy), *_untold(state.first_words, policy)),
        next_update_at=state.next_update_at,
        review_at=history.resolved_at + review.within if review and history.resolved_at else None,
        timeline=first,
        timeline_after=last,
        left_out=left_out,
        chart=chart(steps, waits, policy, now),
        figures=next(reversed(figures(((step.fact, step.after) for step in steps), now)), None),
    )


def promises(records: Sequence[Record]) -> dict[str, datetime]:
    """The next update that each group was promised by its newest one."""
    newest: dict[str, tuple[datetime, datetime | None]] = {}
    for update in (record.notification for record in of_messages(records)):
        group = update.group
        if group and (group not in newest or update.at >= newest[group][0]):
            newest[group] = update.at, update.next_update_at
    return {group: at for group, (_, at) in newest.items() if at is not None}


def _roles(
    state: CurrentState, coming: Mapping[str, NextPages], history: History, policy: Policy
) -> Iterator[RoleStanding]:
    """Every role in its order; of a file that cannot be read (rule 32) whoever is paged for that."""
    for held in state.roles:
        if held.role != RESPONDER:
            yield _role(held, coming.get(held.role), history, policy)
    if history.incident is not None and history.incident.unreadable and not history.unreadable_ended:
        yield from (_role(RoleHolder(name, None, None), coming.get(name), history, policy) for name in history.roles)


def _role(held: RoleHolder, coming: NextPages | None, history: History, policy: Policy) -> RoleStanding:
    """The role by its title; while nobody has it, with everybody who is asked for it and whoever is asked next."""
    ladder = history.roles.get(held.role) or RoleHistory(held.role)
    title = policy.role_title(held.role) if held.role else "Whoever can mend the file"
    holder = _contact(held.person, policy)
    if history.resolved_at is not None:
        return RoleStanding(held.role, title, holder, held.accepted_at)
    step, handover = ladder.step, ladder.handover
    if held.accepted_at is not None:
        return RoleStanding(
            role=held.role,
            title=title,
            holder=holder,
            accepted_at=held.accepted_at,
            handover=_contact(handover.person, policy, handover.asked_at) if handover else None,
            still_asked_at=ladder.still_asked_at,
        )
    return RoleStanding(
        role=held.role,
        title=title,
        holder=holder,
        accepted_at=None,
        asked=tuple(_contact(name, policy, _asked_at(name, ladder)) for name in people_asked(ladder)),
        passed=tuple(policy.person_name(name) for name in sorted(ladder.declining)),
        next_at=coming.at if coming else None,
        next_people=tuple(_contact(name, policy) for name in coming.people) if coming else (),
        next_is_last_resort=coming.last_resort if coming else False,
        unreachable=step is not None and step.last_resort and not step.people,
    )


def people_asked(ladder: RoleHistory) -> tuple[str, ...]:
    """Who was paged for a role and neither passed, was left out nor stood down since, in the order of their pages."""
    gone = ladder.declining | ladder.left_out | ladder.stood_down
    return tuple(name for name, _ in ladder.first_pages if name not in gone)


def _asked_at(person: str, ladder: RoleHistory) -> datetime | None:
    """Since when somebody is asked: their newest page for the role, as far as that is known."""
    if ladder.step and person in ladder.step.people:
        return ladder.step.at
    return dict(ladder.first_pages).get(person)


def _responders(history: History, policy: Policy, *, answered: bool) -> tuple[Contact, ...]:
    """Those of the services' responders who have answered, or who have not."""
    if history.resolved_at is not None:
        return ()
    told = history.responders_answered if answered else history.responders_answered | history.responders_passed
    return tuple(_contact(name, policy, at) for name, at in history.responders if (name in told) is answered)


def _contact(person: str | None, policy: Policy, at: datetime | None = None) -> Contact:
    known = policy.people.get(person or "")
    return Contact(policy.person_name(person), known.phone if known else "", at)


def _groups(history: History, waits: Mapping[str, datetime], policy: Policy) -> list[GroupStanding]:
    return [
        GroupStanding(policy.group_title(name), group.external, group.last_at, group.updates, waits.get(name))
        for name, group in history.groups.items()
    ]


def _untold(untold: Sequence[FirstWord], policy: Policy) -> list[GroupStanding]:
    return [
        GroupStanding(policy.group_title(word.group), True, None, 0, word.leaves_at, word.waits_for) for word in untold
    ]


def _latest(
    steps: Sequence[TimelineStep], incident: Incident, reopened_at: datetime | None, policy: Policy
) -> LatestWords:
    """The newest entry under `updates`, as it stands, by the name of who wrote it; none from before it
    was opened again.
    """
    versions = [step.fact for step in steps if isinstance(step.fact, Seen)]
    places = {entry: place for place, entry in reversed([*enumerate(incident.updates)])}
    entries = [(at, entry) for at, entry in gathered(versions, lambda version: version.updates) if entry in places]
    if reopened_at is not None:
        entries = [(at, entry) for at, entry in entries if at >= reopened_at]
    if not entries and reopened_at is not None:
        again = ENGLISH.say("This incident is open again.")
        return LatestWords(f"{again} {standing(incident.status, None, ENGLISH)}")
    if not entries:
        return LatestWords(standing(incident.status, incident.status, ENGLISH))
    at, entry = max(entries, key=lambda dated: (dated[0], places[dated[1]]))
    return LatestWords(clean(entry.text or entry.public), author_name(one_line(clean(entry.by)), policy), at)
