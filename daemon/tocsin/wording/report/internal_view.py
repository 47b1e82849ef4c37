"""An incident as those who work on it see it: what is true now, who has it, when the next update is promised,
and everything that happened.

Decides what stands on the page and what is left out of one that is too long. Must not know how it is laid out, nor
what the plan makes of it: how it stands is handed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain.delivery import Record
from tocsin.domain.facts import Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.planning.after_resolving import why_nobody_is_asked
from tocsin.planning.cadence.first_word import FirstWord
from tocsin.text.cleaning import clean, one_line
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
class RoleStanding:
    """A role: who has it (or is expected to, while `accepted_at` is None), and who was asked since when."""

    title: str
    name: str
    accepted_at: datetime | None
    asked: tuple[str, ...] = ()
    asked_at: datetime | None = None


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
    """What was last written for everybody; the standing sentence where nothing was."""

    text: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InternalView:
    """The internal view. Texts are clean. `since` is when it began, if somebody wrote that, else `declared_at`.
    `left_out` counts the paragraphs between the first and the last shown.
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
    resolved_at: datetime | None
    lasted: str
    episode: int
    latest: LatestWords
    roles: tuple[RoleStanding, ...]
    groups: tuple[GroupStanding, ...]
    next_update_at: datetime | None
    review_at: datetime | None
    timeline: tuple[TimelineMoment, ...]
    timeline_after: tuple[TimelineMoment, ...]
    left_out: int
    chart: Chart

    @property
    def unaccepted(self) -> str:
        """The roles that nobody has accepted, by their titles."""
        return ENGLISH.listed([role.title for role in self.roles if role.accepted_at is None])


def internal_view(
    steps: Sequence[TimelineStep],
    records: Sequence[Record],
    holders: Sequence[tuple[str, str | None, datetime | None]],
    next_update_at: datetime | None,
    policy: Policy,
    now: datetime,
    untold: Sequence[FirstWord] = (),
) -> InternalView:
    """The view. `holders` are (role, person, accepted at) in the severity's order, `untold` the groups that have heard
    nothing yet.
    """
    history = steps[-1].after
    incident = history.incident
    assert incident is not None
    severity = policy.severity(incident.severity)
    declared_at = history.started_at or steps[0].fact.at
    begun = history.began_at or declared_at
    review = severity.review if why_nobody_is_asked(incident, history) is None else None
    waits = promises(records) if history.resolved_at is None else {}
    first, last, left_out = first_and_last(moments(steps, records, policy))
    return InternalView(
        incident=incident,
        title=one_line(clean(incident.title)) or "Untitled incident",
        tag=severity.name.upper(),
        severity=severity.title,
        meaning=severity.meaning,
        tone=severity_tone(incident.severity, policy),
        services=policy.service_titles(incident.services),
        since=begun,
        declared_at=declared_at,
        resolved_at=history.resolved_at,
        lasted=span(max((history.resolved_at or now) - begun, timedelta(0))),
        episode=history.episode,
        latest=_latest(steps, incident),
        roles=tuple(_role(role, person, at, history, policy) for role, person, at in holders if role != RESPONDER),
        groups=(*_groups(history, waits, policy), *_untold(untold, policy)),
        next_update_at=next_update_at,
        review_at=history.resolved_at + review.within if review and history.resolved_at else None,
        timeline=first,
        timeline_after=last,
        left_out=left_out,
        chart=chart(steps, waits, policy, now),
    )


def promises(records: Sequence[Record]) -> dict[str, datetime]:
    """The next update that each group was promised by its newest one."""
    newest: dict[str, tuple[datetime, datetime | None]] = {}
    for update in (record.notification for record in of_messages(records)):
        group = update.group
        if group and (group not in newest or update.at >= newest[group][0]):
            newest[group] = update.at, update.next_update_at
    return {group: at for group, (_, at) in newest.items() if at is not None}


def _role(
    role: str, person: str | None, accepted_at: datetime | None, history: History, policy: Policy
) -> RoleStanding:
    """The role by its title; while it is not accepted, with the people of its newest step."""
    ladder = history.roles.get(role)
    step = ladder.step if ladder and accepted_at is None else None
    title, name = policy.role_title(role), policy.person_name(person)
    if step is None:
        return RoleStanding(title, name, accepted_at)
    return RoleStanding(title, name, accepted_at, tuple(map(policy.person_name, step.people)), step.at)


def _groups(history: History, waits: Mapping[str, datetime], policy: Policy) -> list[GroupStanding]:
    return [
        GroupStanding(policy.group_title(name), group.external, group.last_at, group.updates, waits.get(name))
        for name, group in history.groups.items()
    ]


def _untold(untold: Sequence[FirstWord], policy: Policy) -> list[GroupStanding]:
    return [
        GroupStanding(policy.group_title(word.group), True, None, 0, word.leaves_at, word.waits_for) for word in untold
    ]


def _latest(steps: Sequence[TimelineStep], incident: Incident) -> LatestWords:
    """The newest entry under `updates`, as it stands."""
    versions = [step.fact for step in steps if isinstance(step.fact, Seen)]
    places = {entry: place for place, entry in reversed([*enumerate(incident.updates)])}
    entries = [(at, entry) for at, entry in gathered(versions, lambda version: version.updates) if entry in places]
    if not entries:
        return LatestWords(standing(incident.status, incident.status, ENGLISH))
    at, entry = max(entries, key=lambda dated: (dated[0], places[dated[1]]))
    return LatestWords(clean(entry.text or entry.public), one_line(clean(entry.by)), at)
