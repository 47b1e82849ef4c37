"""What a message is about, as plain words that templates put in order.

Incident text comes in as data, cleaned once more. What an outsider may not read is left empty here, so that no
template can give it away; so is whatever differs among readers who share one text. Must not know templates, the
limits of channels, nor how anything is sent.
"""

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import ANSWERED_FOR, NO_REPLY_OFFER, Kind, Notification, Reason, ReplyOffer
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.history.subjects import subject_for
from tocsin.text.cleaning import clean, one_line, shown
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.language.times import dated, moment, time_of_day
from tocsin.wording.message import update_words
from tocsin.wording.message.closing_words import closing_reader, duration, resolution, review_due_at
from tocsin.wording.message.locale import role_title, zone_of
from tocsin.wording.message.page_words import PageWords, contacts, kept_roles, page_words, people_to_call
from tocsin.wording.message.reminder_words import blocked, groups_due, groups_unheard, otherwise
from tocsin.wording.message.update_words import GroupView, News, group_view, standing, status_text

SHARED = frozenset({Kind.UPDATE, Kind.CLOSING})
"""Kinds whose words are the same for every reader of one group, zone and language; of a closing, for those who are
left with the same to do.
"""


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything a template may say: the names here are the names in templates. Empty means there is nothing to say.

    `tag` is the severity's name in capitals, `acknowledge` the command, `acknowledge_line` the line for the incident's
    `file`, empty where it would not count. `code` is what an SMS is answered with, where answers come in; the `_url`s
    are links, where the web side is reached. `holders` are (role, name) pairs; a role nobody holds has no name. `lead`
    is the change, in a sentence; empty where news or the impact are the change. `changes` are sentences, `news` the
    entries not read yet; `impact_new` tells that the impact is among what is new, `impact_was` what it was. `expected`
    says by when it should be fixed, or that it takes longer. A closing's reader was `paged`; `nothing_to_do` tells that
    nothing will be asked of them. `otherwise` is what readers get if a reminder is not followed, `unheard` are the
    groups that get nothing then. `eta`, `next`, `due` and their like come with the day, their `_short` kin as short as
    can be. `language` is the code of the language that the words are in, `direction` (`ltr`, `rtl`) which way that is
    read. `subject_title` is what this reader's mails are called, `told_as` the internal group that an update is for;
    `unsubscribe_url` stands for the reader's own link wherever a click takes effect.
    """

    kind: str
    reason: str
    drill: bool
    external: bool
    title: str
    status: str
    status_text: str = ""
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
    impact_was: str = ""
    eta: str = ""
    eta_short: str = ""
    eta_passed: bool = False
    expected: str = ""
    services: tuple[str, ...] = ()
    since: str = ""
    since_short: str = ""
    unreadable: bool = False
    resolution: str = ""
    duration: str = ""
    ended: str = ""
    ended_short: str = ""
    review_file: str = ""
    review_due: str = ""
    review_due_short: str = ""
    review_overdue: bool = False
    person: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    your_role: str = ""
    your_role_short: str = ""
    duties: tuple[tuple[str, str], ...] = ()
    asked: bool = False
    why: str = ""
    why_short: str = ""
    answer_by: str = ""
    answer_by_short: str = ""
    then: str = ""
    others: tuple[tuple[str, str], ...] = ()
    contacts: tuple[tuple[str, str, str], ...] = ()
    bridge: str = ""
    runbook: str = ""
    links: tuple[tuple[str, str], ...] = ()
    still_asked: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    acknowledge: str = ""
    acknowledge_line: str = ""
    code: str = ""
    answer_url: str = ""
    page_url: str = ""
    holders: tuple[tuple[str, str], ...] = ()
    accepted_by: str = ""
    paged: bool = False
    nothing_to_do: bool = False
    first: bool = False
    reopened: bool = False
    last_word: bool = False
    taken_back: bool = False
    lead: str = ""
    changes: tuple[str, ...] = ()
    severity_means: str = ""
    news: tuple[News, ...] = ()
    last_news: News | None = None
    standing: str = ""
    next: str = ""
    next_short: str = ""
    due: str = ""
    due_short: str = ""
    groups: str = ""
    unheard: str = ""
    blocked: str = ""
    otherwise: str = ""


def wording(  # noqa: PLR0913 - all that words are made of
    notification: Notification,
    incident: Incident,
    history: History,
    policy: Policy,
    offer: ReplyOffer = NO_REPLY_OFFER,
    language: Language = ENGLISH,
    *,
    alone: bool = True,
    after: AfterPages | None = None,
) -> Wording:
    """The words for one notification, in its reader's language. `history` is from before its decision. One of many that
    leave together, not `alone`, does not say who is paged next, nor who else is asked. `after` is `Due.after`.
    """
    zone = zone_of(notification, policy)
    view = group_view(
        incident,
        history,
        notification.group or "",
        external=notification.external,
        zone=zone,
        now=notification.at,
        language=language,
    )
    about = _about(notification, view, history, policy, offer)
    if not notification.external:
        about = _internal(about, notification, view, history, policy)
    if notification.kind is Kind.UPDATE:
        return _to_group(about, notification, view, history, policy)
    if notification.kind is Kind.CLOSING:
        reader = closing_reader(notification, incident, history, policy)
        return replace(about, paged=reader.paged, nothing_to_do=reader.nothing_to_do)
    if notification.kind is Kind.PAGE:
        words = page_words(notification, view, history, policy, alone=alone, known_after=after)
        about = _page(about, words, view, history, policy)
    elif notification.kind in (Kind.VERIFY, Kind.REMINDER):  # who has only a phone calls somebody
        about = replace(about, contacts=people_to_call(history, policy, language, without=notification.to))
    elif notification.kind is Kind.REVIEW:
        about = replace(about, contacts=contacts(history, policy, language, without=notification.to))
    return _personal(about, notification, view, history, policy, offer)


def title_text(title: str, language: Language, *, external: bool) -> str:
    """A title as one line, of which there is always one; an empty one is the neutral title of outsiders."""
    if external and not title:
        return language.say("Service disruption")
    return one_line(clean(title)) or language.say("Untitled incident")


def _line_that_accepts(person: str, incident: Incident) -> str:
    """What somebody may write into the incident's file to accept; empty where it would change nothing, because their
    name stands there already (rule 15), and where the file cannot be read: a line more makes something else of it.
    """
    stands = any(ack.by == person for ack in incident.acknowledged)
    return "" if stands or incident.unreadable else f"acknowledged: [{person}]"


def _answerable(notification: Notification, history: History) -> bool:
    """Whether a link in this message still leads to something when it comes: a late verify's would not."""
    return history.resolved_at is None or notification.at < history.resolved_at + ANSWERED_FOR


def _about(notification: Notification, view: GroupView, history: History, policy: Policy, offer: ReplyOffer) -> Wording:
    """What everybody may read of an incident: title, status, impact, ETA, since when and until when."""
    incident, language = view.incident, view.language
    subject = subject_for(notification.to, history, incident, external=view.external)
    eta = None if incident.resolved else incident.eta
    return Wording(
        kind=notification.kind.value,
        reason=notification.reason.value,
        drill=incident.drill and not view.external,
        external=view.external,
        title=title_text(history.title_for(incident, external=view.external), language, external=view.external),
        status=incident.status.value,
        status_text=status_text(incident.status, language),
        subject_title=title_text(subject.title, language, external=view.external),
        language=language.code,
        direction=language.direction,
        unsubscribe_url=offer.unsubscribe_url,
        page_url=offer.page_url,
        organisation=one_line(clean(policy.organisation)),
        reply_to=policy.reply_to,
        impact=clean(incident.impact),
        eta=_dated(eta, view),
        eta_short=view.time(eta) if eta else "",
        eta_passed=view.eta_passed,
        since=_dated(history.began_at, view),
        since_short=view.time(history.began_at) if history.began_at else "",
        ended=_dated(history.resolved_at, view),
        ended_short=view.time(history.resolved_at) if history.resolved_at else "",
        duration=duration(history, language),
        resolution=resolution(incident, history, external=view.external),
        unreadable=incident.unreadable,
        reopened=notification.episode > 1,
        standing=standing(incident.status, incident.status, language),
    )


def _internal(about: Wording, notification: Notification, view: GroupView, history: History, policy: Policy) -> Wording:
    """What insiders read besides."""
    incident = view.incident
    severity = policy.severity(incident.severity)
    review_at = review_due_at(incident, history, policy)
    needed = [role for role in history.roles.values() if role.needed and role.role]
    return replace(
        about,
        told_as=policy.group_title(notification.group) if notification.group else "",
        id=incident.id,
        file=shown(incident.file),
        tag=severity.name.upper(),
        severity_title=severity.title,
        severity_meaning="" if "severity" in incident.never_read else severity.meaning,
        summary=clean(incident.summary),
        services=policy.service_titles(incident.services),
        review_file=f"reviews/{incident.id}.md",
        review_due=moment(review_at, view.zone, view.language) if review_at else "",
        review_due_short=view.time(review_at) if review_at else "",
        review_overdue=review_at is not None and notification.at > review_at,
        holders=tuple((policy.role_title(role.role), policy.person_name(role.holder)) for role in needed),
    )


def _page(about: Wording, words: PageWords, view: GroupView, history: History, policy: Policy) -> Wording:
    """What a page says besides."""
    since = history.began_at
    return replace(
        about,
        since_short=time_of_day(since, view.zone, view.now, view.language) if since else "",
        news=update_words.news(replace(view, previous=None), policy)[-1:],
        **{name: getattr(words, name) for name in PageWords.__slots__},
    )


def _personal(
    about: Wording, notification: Notification, view: GroupView, history: History, policy: Policy, offer: ReplyOffer
) -> Wording:
    """What is for one person: their roles, and what they are asked to do."""
    due_at, language = notification.next_update_at, view.language
    titles = tuple(role_title(role, policy, language) for role in notification.roles)
    known = (policy.roles[role] for role in notification.roles if role in policy.roles)
    holders = (history.holder(role) for role in notification.roles)
    named, short = (*titles, *about.still_asked) if notification.via.traits.short else titles, ""
    further = len(named) - 1
    if further > 0:
        short = language.count("{role} +{number} role", "{role} +{number} roles", further, role=named[0])
    if notification.kind is Kind.STAND_DOWN:
        still_asked, held = kept_roles(notification, history, policy, language)
        about = replace(about, still_asked=still_asked, held=held)
    return replace(
        about,
        person=notification.to,
        name=policy.person_name(notification.to),
        roles=titles,
        your_role=language.listed(named),
        your_role_short=short,
        duties=tuple((role.title, role.duties) for role in known if role.duties),
        acknowledge=f"tocsin ack {about.id} --as {notification.to}",
        acknowledge_line=_line_that_accepts(notification.to, view.incident),
        code=offer.code,
        answer_url=offer.answer_url if _answerable(notification, history) else "",
        accepted_by=language.listed(tuple(dict.fromkeys(policy.person_name(holder) for holder in holders if holder))),
        due=_dated(due_at, view),
        due_short=view.time(due_at) if due_at else "",
        groups=language.listed(groups_due(notification, history, policy)),
        unheard=language.listed(groups_unheard(notification, history, policy)),
        blocked=blocked(notification, history, policy, language),
        otherwise=otherwise(notification, history, policy, view.zone, language),
    )


def _to_group(about: Wording, notification: Notification, view: GroupView, history: History, policy: Policy) -> Wording:
    """What a group has not heard yet, what is true besides, and when it hears next."""
    previous, at = view.previous, notification.next_update_at
    changed = update_words.changes(view, policy)
    pace = update_words.pace(view, notification.group or "", policy)
    first = previous is None
    if view.external and view.incident.drill:
        return _taken_back(about, view.language)
    reopened = first and about.reopened and notification.group in history.groups_before
    return replace(
        about,
        first=first,
        lead=update_words.lead(view, changed, reopened=reopened),
        changes=(*changed, pace) if pace else changed,
        severity_means=update_words.severity_means(view, policy),
        expected=update_words.expected(view),
        standing=standing(view.incident.status, previous.status if previous else None, view.language),
        last_word=notification.reason is Reason.SEVERITY_LOWERED,
        impact_new=bool(view.incident.impact) and (previous is None or previous.impact != view.incident.impact),
        impact_was=update_words.impact_was(view),
        news=update_words.news(view, policy),
        last_news=update_words.last_news(view, policy),
        next=_dated(at, view),
        next_short=view.time(at) if at else "",
    )


def _taken_back(about: Wording, language: Language) -> Wording:
    """What outsiders hear when it turns out to be an exercise: that, and nothing that sounds as if it went on."""
    return replace(
        about,
        taken_back=True,
        lead=(sentence := language.say("This was an exercise of ours: there is no disruption.")),
        standing=sentence,
        status_text=language.say("an exercise"),
        impact="",
        eta="",
        eta_short="",
        eta_passed=False,
        since="",
        since_short="",
    )


def _dated(at: datetime | None, view: GroupView) -> str:
    """An instant for a text that is read later; empty for none."""
    return dated(at, view.zone, view.language, view.now) if at else ""
