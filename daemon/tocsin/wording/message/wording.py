"""What a message is about, as plain words that templates put in order.

Incident text comes in as data, cleaned once more. What an outsider may not read is left empty here, so that no
template can give it away; so is whatever differs among readers who share one text. Must not know templates, the
limits of channels, nor how anything is sent.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ANSWERED_FOR, NO_REPLY_OFFER, Kind, Notification, Reason, ReplyOffer
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean, one_line
from tocsin.text.times import clock, dated, moment, span
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.message.changes import News, changes, news, standing
from tocsin.wording.message.locale import zone_of
from tocsin.wording.message.page_reason import page_reason

SHARED = frozenset({Kind.UPDATE, Kind.CLOSING})
"""Kinds whose words are the same for every reader of one group, zone and language."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything a template may say: the names here are the names in templates. Empty means there is nothing to say.

    `tag` is the severity's name in capitals, `acknowledge` the command, `acknowledge_line` the line for the incident's
    `file`. `code` is what an SMS is answered with, where answers come in; the `_url`s are links, where the web side is
    reached. `holders` are (role, name) pairs; a role that nobody holds has no name. `changes` are sentences, `news` the
    entries not read yet; `impact_new` tells that the impact is among what is new. `eta`, `next` and `due`
    come with the day, their `_short` kin as short as can be. `language` is the code of the language that the words are
    in, `direction` (`ltr`, `rtl`) which way that is read. `subject_title` is the title as this reader's first mail had
    it, `told_as` the group that an update is for; `unsubscribe_url` stands for the reader's own link wherever a click
    takes effect.
    """

    kind: str
    reason: str
    drill: bool
    external: bool
    title: str
    status: str
    subject_title: str = ""
    language: str = "en"
    direction: str = "ltr"
    organisation: str = ""
    reply_to: str = ""
    told_as: str = ""
    unsubscribe_url: str = ""
    id: str = ""
    file: str = ""
    tag: str = ""
    severity_title: str = ""
    severity_meaning: str = ""
    summary: str = ""
    impact: str = ""
    impact_new: bool = False
    eta: str = ""
    eta_short: str = ""
    services: tuple[str, ...] = ()
    since: str = ""
    unreadable: bool = False
    resolution: str = ""
    duration: str = ""
    review_file: str = ""
    review_due: str = ""
    review_overdue: bool = False
    person: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    your_role: str = ""
    duties: tuple[tuple[str, str], ...] = ()
    why: str = ""
    acknowledge: str = ""
    acknowledge_line: str = ""
    code: str = ""
    answer_url: str = ""
    page_url: str = ""
    holders: tuple[tuple[str, str], ...] = ()
    accepted_by: str = ""
    first: bool = False
    reopened: bool = False
    last_word: bool = False
    changes: tuple[str, ...] = ()
    news: tuple[News, ...] = ()
    standing: str = ""
    next: str = ""
    next_short: str = ""
    due: str = ""
    due_short: str = ""
    groups: str = ""


def wording(
    notification: Notification,
    incident: Incident,
    history: History,
    policy: Policy,
    offer: ReplyOffer = NO_REPLY_OFFER,
    language: Language = ENGLISH,
) -> Wording:
    """The words for one notification, in its reader's language. `history` is from before its decision."""
    subject = history.subjects.get(notification.to) or incident.title_for(external=notification.external)
    about = replace(
        _about(notification, incident, history, zone_of(notification, policy)),
        subject_title=_titled(subject),
        told_as=policy.group_title(notification.group) if notification.group else "",
        page_url=offer.page_url,
        unsubscribe_url=offer.unsubscribe_url,
        language=language.code,
        direction=language.direction,
    )
    if not notification.external:
        about = _internal(about, notification, incident, history, policy)
    if notification.kind in SHARED:
        return _shared(about, notification, incident, history, policy)
    return replace(
        _personal(about, notification, history, policy),
        code=offer.code,
        answer_url=offer.answer_url if _answerable(notification, history) else "",
    )


def _titled(title: str) -> str:
    """A title as one line, of which there is always one."""
    return one_line(clean(title)) or "Untitled incident"


def _answerable(notification: Notification, history: History) -> bool:
    """Whether a link in this message still leads to something when it comes: a late verify's would not."""
    return history.resolved_at is None or notification.at < history.resolved_at + ANSWERED_FOR


def _about(notification: Notification, incident: Incident, history: History, zone: str) -> Wording:
    """What everybody may read of an incident (title, status, impact, ETA)."""
    eta = None if incident.resolved else incident.eta
    return Wording(
        kind=notification.kind.value,
        reason=notification.reason.value,
        drill=incident.drill,
        external=notification.external,
        title=_titled(incident.title_for(external=notification.external)),
        status=incident.status.value,
        impact=clean(incident.impact),
        eta=dated(eta, zone, notification.at) if eta else "",
        eta_short=clock(eta, zone, notification.at) if eta else "",
        duration=_duration(history),
        unreadable=incident.unreadable,
        reopened=notification.episode > 1,
        standing=standing(incident.status, incident.status),
    )


def _internal(
    about: Wording, notification: Notification, incident: Incident, history: History, policy: Policy
) -> Wording:
    """What insiders read besides."""
    severity, zone = policy.severity(incident.severity), zone_of(notification, policy)
    review_at = history.resolved_at + severity.review.within if severity.review and history.resolved_at else None
    needed = [role for role in history.roles.values() if role.needed and role.role]
    is_page = notification.kind is Kind.PAGE
    return replace(
        about,
        id=incident.id,
        file=f"{incident.id}.yaml",
        tag=severity.name.upper(),
        severity_title=severity.title,
        severity_meaning=severity.meaning,
        summary=clean(incident.summary),
        services=policy.service_titles(incident.services),
        since=dated(history.started_at, zone, notification.at) if history.started_at else "",
        resolution=clean(incident.resolution) if incident.resolved else "",
        review_file=f"reviews/{incident.id}.md",
        review_due=moment(review_at, zone) if review_at else "",
        review_overdue=review_at is not None and notification.at > review_at,
        holders=tuple((policy.role_title(role.role), policy.person_name(role.holder)) for role in needed),
        why=page_reason(notification, incident, history, policy) if is_page else "",
        news=news(incident, None, external=False, zone=zone, now=notification.at) if is_page else (),
    )


def _personal(about: Wording, notification: Notification, history: History, policy: Policy) -> Wording:
    """What is for one person: their roles, and what they are asked to do."""
    due_at, zone = notification.next_update_at, zone_of(notification, policy)
    titles = tuple(policy.role_title(role) for role in notification.roles)
    known = (policy.roles[role] for role in notification.roles if role in policy.roles)
    holders = (history.holder(role) for role in notification.roles)
    return replace(
        about,
        person=notification.to,
        name=policy.person_name(notification.to),
        roles=titles,
        your_role=listed(titles),
        duties=tuple((role.title, role.duties) for role in known if role.duties),
        acknowledge=f"tocsin ack {about.id} --as {notification.to}",
        acknowledge_line=f"acknowledged: [{notification.to}]",
        accepted_by=listed(tuple(dict.fromkeys(policy.person_name(holder) for holder in holders if holder))),
        due=dated(due_at, zone, notification.at) if due_at else "",
        due_short=clock(due_at, zone, notification.at) if due_at else "",
        groups=_groups_due(notification, history, policy),
    )


def _shared(
    about: Wording, notification: Notification, incident: Incident, history: History, policy: Policy
) -> Wording:
    """What a group has not heard yet, and when it hears next."""
    if notification.kind is Kind.CLOSING:
        return about
    group, at = history.groups.get(notification.group or ""), notification.next_update_at
    previous, zone = group.told_version if group else None, zone_of(notification, policy)
    return replace(
        about,
        first=previous is None,
        standing=standing(incident.status, previous.status if previous else None),
        last_word=notification.reason is Reason.SEVERITY_LOWERED,
        impact_new=bool(incident.impact) and (previous is None or previous.impact != incident.impact),
        changes=changes(incident, previous, policy, external=notification.external, zone=zone, now=notification.at),
        news=news(incident, previous, external=notification.external, zone=zone, now=notification.at),
        next=dated(at, zone, notification.at) if at else "",
        next_short=clock(at, zone, notification.at) if at else "",
    )


def listed(names: tuple[str, ...]) -> str:
    """Names as people list them: `a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _groups_due(notification: Notification, history: History, policy: Policy) -> str:
    """The groups whose update a reminder speaks of: those whose interval since their last update ends then."""
    due_at = notification.next_update_at
    if notification.kind is not Kind.REMINDER or due_at is None or history.incident is None:
        return ""
    streams = policy.severity(history.incident.severity).updates
    named = {group: stream.cadence for stream in reversed(streams) for group in stream.to}
    titles = []
    for group, known in history.groups.items():
        cadence = named.get(group) or (streams[0].cadence if streams else None)
        spans = cadence.spans if cadence else ()
        if group in policy.stakeholders and any(known.last_at + step.every == due_at for step in spans):
            titles.append(policy.stakeholders[group].title)
    return listed(tuple(titles))


def _duration(history: History) -> str:
    """How long the episode lasted, from its start to its resolution."""
    if history.started_at is None or history.resolved_at is None:
        return ""
    return span(max(history.resolved_at - history.started_at, timedelta(0)))
