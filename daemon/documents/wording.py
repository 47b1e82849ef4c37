"""Wording: what a message is about, as plain words that templates put in order (product.md section 5, "Messages").

Incident text comes in as data. Must not know templates, channels' limits or how anything is sent.
"""

from dataclasses import dataclass
from datetime import timedelta

from daemon.documents.changes import changes, news, standing
from daemon.documents.times import clock, moment, span
from daemon.domain.history import History
from daemon.domain.incident import Incident
from daemon.domain.notification import Kind, Notification, Reason
from daemon.domain.people import Person
from daemon.domain.policy import RESPONDER, Policy, Severity

WHY = {
    Reason.ESCALATED: "Nobody has accepted yet.",
    Reason.REPEATED: "Still nobody has accepted.",
    Reason.LAST_RESORT: "Nobody else answered: you are the last resort.",
    Reason.ASSIGNED: "You were assigned.",
    Reason.SEVERITY_RAISED: "The severity changed.",
    Reason.REOPENED: "It is open again.",
    Reason.DECLINED: "Somebody passed it on.",
    Reason.REACH: "You have not answered yet.",
    Reason.STILL_THERE: "Are you still on it? Please confirm.",
}
"""Why a page comes to this person now, in a few words; a first page needs none."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything a template may say. Texts are as the incident has them; times are the reader's."""

    kind: str
    reason: str
    id: str
    tag: str
    drill: bool
    external: bool
    severity_title: str
    severity_meaning: str
    title: str
    status: str
    summary: str
    impact: str
    eta: str
    services: tuple[str, ...]
    name: str
    person: str
    why: str
    roles: tuple[str, ...]
    your_role: str
    duties: tuple[tuple[str, str], ...]
    holders: tuple[tuple[str, str], ...]
    accepted_by: str
    acknowledge: str
    acknowledge_short: str
    file: str
    first: bool
    last_word: bool
    changes: tuple[str, ...]
    news: tuple[str, ...]
    standing: str
    next: str
    due: str
    resolution: str
    duration: str
    review_file: str
    review_due: str
    since: str
    unreadable: bool


def wording(each: Notification, incident: Incident, history: History, policy: Policy) -> Wording:
    """The words for one notification. `history` is from before its decision."""
    severity = policy.severity(incident.severity)
    person = policy.people.get(each.to)
    zone, known = zone_of(each, policy), history.groups.get(each.group or "")
    told = known.told if known else None
    titles = tuple(_title(policy, role) for role in each.roles)
    first = each.reason is Reason.DECLARED and told is None
    return Wording(
        kind=each.kind.value,
        reason=each.reason.value,
        id=incident.id,
        tag="" if each.external else severity.name.upper(),
        drill=incident.drill,
        external=each.external,
        severity_title="" if each.external else severity.title,
        severity_meaning="" if each.external else severity.meaning,
        title=incident.title,
        status=incident.status.value,
        summary="" if each.external else incident.summary,
        impact=incident.impact,
        eta=clock(incident.eta, zone, each.at) if incident.eta and not incident.resolved else "",
        services=()
        if each.external
        else tuple(policy.services[name].title for name in incident.services if name in policy.services),
        name=person.name if person else "",
        person=each.to,
        why=WHY.get(each.reason, "") if each.kind is Kind.PAGE else "",
        roles=titles,
        your_role=listed(titles),
        duties=_duties(policy, each.roles),
        holders=() if each.external else _holders(history, policy),
        accepted_by=_accepted_by(each, history, policy),
        acknowledge=f"tocsin ack {incident.id} --as {each.to}",
        acknowledge_short="tocsin ack, or acknowledged: in the file",
        file=f"{incident.id}.yaml",
        first=first,
        last_word=each.reason is Reason.SEVERITY_LOWERED,
        changes=changes(incident, told, external=each.external, order=tuple(policy.severities), zone=zone, now=each.at),
        news=news(incident, told, external=each.external),
        standing=standing(incident, told),
        next=clock(each.next_update_at, zone, each.at) if each.next_update_at and each.kind is Kind.UPDATE else "",
        due=clock(each.next_update_at, zone, each.at) if each.next_update_at else "",
        resolution="" if each.external else incident.resolution,
        duration=span(_lasted(history)),
        review_file=f"reviews/{incident.id}.md",
        review_due=_review_due(severity, history, zone),
        since=moment(history.started_at, zone) if history.started_at else "",
        unreadable=incident.unreadable,
    )


def zone_of(each: Notification, policy: Policy) -> str:
    """The reader's zone: the person's, else the group's."""
    person: Person | None = policy.people.get(each.to)
    if person is not None:
        return person.timezone
    group = policy.stakeholders.get(each.group or "")
    return group.timezone if group else "UTC"


def language_of(each: Notification, policy: Policy) -> str:
    """The reader's language: the person's, else the group's."""
    person = policy.people.get(each.to)
    if person is not None:
        return person.language
    group = policy.stakeholders.get(each.group or "")
    return group.language if group else "en"


def listed(names: tuple[str, ...]) -> str:
    """Names as people list them: `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _title(policy: Policy, role: str) -> str:
    if role == RESPONDER:
        return "responder"
    return policy.roles[role].title if role in policy.roles else role


def _services(incident: Incident, policy: Policy) -> tuple[str, ...]:
    return tuple(policy.services[name].title for name in incident.services if name in policy.services)


def _duties(policy: Policy, roles: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    known = (policy.roles[role] for role in roles if role in policy.roles)
    return tuple((role.title, role.duties) for role in known if role.duties)


def _holders(history: History, policy: Policy) -> tuple[tuple[str, str], ...]:
    """Each needed role, and who holds it; "not accepted yet" where nobody does."""
    needed = [role for role in history.roles.values() if role.needed]
    return tuple((_title(policy, role.role), _name(policy, role.holder) or "not accepted yet") for role in needed)


def _accepted_by(each: Notification, history: History, policy: Policy) -> str:
    """Who accepted the roles of a stand-down."""
    holders = (history.holder(role) for role in each.roles)
    return listed(tuple(dict.fromkeys(_name(policy, holder) for holder in holders if holder)))


def _name(policy: Policy, person: str | None) -> str:
    known = policy.people.get(person or "")
    return known.name if known else ""


def _lasted(history: History) -> timedelta:
    """How long the episode lasted, from its start to its resolution."""
    if history.started_at is None or history.resolved_at is None:
        return timedelta(0)
    return history.resolved_at - history.started_at


def _review_due(severity: Severity, history: History, zone: str) -> str:
    if severity.review is None or history.resolved_at is None:
        return ""
    return moment(history.resolved_at + severity.review.within, zone)
