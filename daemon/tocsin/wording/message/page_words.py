"""What a page says besides what the incident says: why it comes to this person now, by when to answer and who is paged
then, who else is asked, who has what already, where to meet and where to look; and that its machine cannot see the
ledger (R54).

Must not know templates nor channels. A first page needs no reason: the incident says it all.
"""

from dataclasses import dataclass
from datetime import timedelta

from tocsin.domain.delivery import Content
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Notification, Reason, ReplyOffer
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import RESPONDER, Policy, Service
from tocsin.planning.current_state import NextPages, pages_ahead
from tocsin.planning.history.asked_for import asked_for
from tocsin.planning.history.fast_replace import replace
from tocsin.planning.on_call.hours import opening_from
from tocsin.text.cleaning import clean, one_line
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import clock, dated
from tocsin.wording.message.locale import role_title
from tocsin.wording.message.update_words import GroupView, severity_sentence

OTHERS_MOST = 12
"""People paged besides whom a page names; of more only their number is told."""
WAITED_AT_LEAST = timedelta(minutes=5)
"""A page that was held for less than this needs no word about it."""
NAME_MOST = 20
"""Letters of a name in the reason that an SMS gives, which is never cut."""
BARE_REPLY = "ok"
"""What answers a page whose code the ledger may not know."""


@dataclass(frozen=True, slots=True)
class PageWords:
    """The names are those of `Wording`. `asked`: the reader has not accepted yet, so they are asked to be it.
    `still_asked` are the titles of what else waits for their answer, `held` of what else they have: an answer is for
    all of that as well (rules 15 and 16). `guesses` tell what of the file could not be read, and what stands for it.
    """

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


def page_words(
    notification: Notification,
    view: GroupView,
    history: History,
    policy: Policy,
    *,
    alone: bool,
    known_after: AfterPages | None = None,
) -> PageWords:
    """The words for one page. `history` may be from before its decision, or from after it; unless the page is `alone`
    it is from after it, and nothing is foretold. `known_after` is what its plan has found (`Due.after`).
    """
    incident, language = view.incident, view.language
    after, coming = history, None
    if alone:
        after, coming = pages_ahead(incident, policy, history, notification.roles, notification.at, known_after)
    services = [policy.services[name] for name in incident.services if name in policy.services]
    guesses = _guesses(incident, policy, language)
    partly = language.say("File partly unreadable.") if guesses else ""
    still_asked, held = _besides(notification, after)
    return PageWords(
        asked=any(after.holder(role) != notification.to for role in notification.roles),
        why=page_reason(notification, incident, history, policy, language),
        why_short=f"{short_reason(notification, incident, history, policy, language)} {partly}".strip(),
        answer_by=dated(coming.at, view.zone, language, view.now) if coming else "",
        answer_by_short=clock(coming.at, view.zone, view.now, language) if coming else "",
        then=_then(coming, notification.to, policy, language) if coming else "",
        others=_others(notification.to, after, policy, language) if alone else (),
        contacts=contacts(after, policy, language, without=notification.to),
        bridge=meeting_place(incident, policy),
        runbook=next((service.runbook for service in services if service.runbook), ""),
        links=_links(incident, services),
        still_asked=tuple(role_title(role, policy, language) for role in still_asked),
        held=tuple(role_title(role, policy, language) for role in held),
        guesses=guesses,
    )


def kept_roles(
    notification: Notification, history: History, policy: Policy, language: Language
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The titles of what still waits for an answer of somebody who is stood down, and of what they still have."""
    asked, held = _besides(notification, history)
    reader = notification.to
    if reader in history.responders_answered and reader not in history.responders_passed:
        held.append(RESPONDER)
    titles = (tuple(role_title(role, policy, language) for role in roles) for roles in (asked, held))
    return next(titles), next(titles)


def _besides(notification: Notification, history: History) -> tuple[list[str], list[str]]:
    """The roles that wait for an answer of the reader besides those of the page, and those that they have."""
    reader = notification.to
    asked = [role for role in asked_for(history, reader).roles if role and role not in notification.roles]
    roles = [role for role in history.roles.values() if role.needed and role.holder == reader]
    return asked, [role.role for role in roles if role.role not in notification.roles]


def _guesses(incident: Incident, policy: Policy, language: Language) -> tuple[str, ...]:
    """What was taken for a title or a severity that no version gave yet (rule 31)."""
    if incident.unreadable or not incident.never_read:
        return ()
    title, severity = one_line(clean(incident.title)), policy.severity(incident.severity).name.upper()
    said = {
        "title": language.say("The title could not be read: “{title}” is the name of the file.", title=title),
        "severity": language.say("The severity could not be read: it is treated as {severity}.", severity=severity),
    }
    return tuple(said[name] for name in incident.never_read if name in said)


def _links(incident: Incident, services: list[Service]) -> tuple[tuple[str, str], ...]:
    """The incident's links, then those of its services, each address once."""
    titles = {address: title for service in reversed(services) for title, address in service.links}
    own = {address: title for title, address in incident.links}
    return tuple((one_line(clean(title)), address) for address, title in {**own, **titles, **own}.items())


def contacts(history: History, policy: Policy, language: Language, *, without: str) -> tuple[tuple[str, str, str], ...]:
    """Who has accepted what: role (as a label), name and number (empty where there is none)."""
    holders = [(role.role, role.holder) for role in history.roles.values() if role.needed and role.role]
    responders = [(RESPONDER, name) for name, _ in history.responders if name in history.responders_answered]
    people = (
        (_label(role, policy, language), policy.people.get(holder or "")) for role, holder in (*holders, *responders)
    )
    return tuple((role, person.name, person.phone) for role, person in people if person and person.id != without)


def people_to_call(
    history: History, policy: Policy, language: Language, *, without: str
) -> tuple[tuple[str, str, str], ...]:
    """Whom somebody calls who has only a phone: who has accepted something, those with a number first; where no number
    is among them, the last resort as well.
    """
    holders = contacts(history, policy, language, without=without)
    called = tuple(sorted(holders, key=lambda contact: not contact[2]))
    if called and called[0][2]:
        return called
    people = [policy.people[name] for name in policy.last_resort if name in policy.people and name != without]
    last_resort = tuple((language.say("Last resort"), person.name, person.phone) for person in people if person.phone)
    return (*last_resort, *called)


def _label(role: str, policy: Policy, language: Language) -> str:
    """A role's title as a label: the config's as it stands there, ours with a capital."""
    title = role_title(role, policy, language)
    return title[:1].upper() + title[1:] if role == RESPONDER else title


def meeting_place(incident: Incident, policy: Policy) -> str:
    """Where people meet: as the incident says, else the first affected service that has a place, else the config's."""
    of_services = (policy.services[name].bridge for name in incident.services if name in policy.services)
    return one_line(clean(incident.bridge or next(filter(None, of_services), "") or policy.bridge))


def page_reason(
    notification: Notification, incident: Incident, history: History, policy: Policy, language: Language
) -> str:
    """Why it comes now, in a sentence, or nothing. `history` is from before the decision."""
    say = language.say
    if incident.unreadable:
        return ""
    match notification.reason:
        case Reason.ESCALATED:
            return say("Nobody has accepted yet.")
        case Reason.REPEATED:
            alone = notification.roles == (RESPONDER,)  # whom others' answers do not relieve
            return say("You have not answered yet.") if alone else say("Still nobody has accepted.")
        case Reason.LAST_RESORT:
            return say("Nobody else answered: you are the last resort.")
        case Reason.ASSIGNED:
            former = _former_holder(notification, history, policy)
            taken_over = say("You take over from {name}, who has it until you accept.", name=former)
            return taken_over if former else say("You were assigned.")
        case Reason.SEVERITY_RAISED:
            before = _severity_before(incident, history)
            if not before:  # the config changed, and not the file
                return say("The severity changed.")
            return severity_sentence(before, incident.severity, policy, language)
        case Reason.REOPENED:
            return say("It is open again.")
        case Reason.DECLINED:
            return say("Somebody passed it on.")
        case Reason.REACH:
            return _reach_reason(notification, history, language)
        case Reason.STILL_THERE:
            return say("Nothing was heard for a while. Are you still on it? Please confirm.")
        case _:
            real = notification.reason is Reason.DECLARED and history.in_earnest_at
            return (
                say("No exercise any more: it is real.")
                if real
                else _held(notification, incident, history, policy, language)
            )


def _held(notification: Notification, incident: Incident, history: History, policy: Policy, language: Language) -> str:
    """That a first page has waited for opening hours (rule 11), where it did so for some minutes."""
    page, since = policy.severity(incident.severity).page, history.started_at
    hours = policy.hours.get(page.hours) if page else None
    if hours is None or since is None or notification.at - since < WAITED_AT_LEAST:
        return ""
    held = notification.reason is Reason.DECLARED and opening_from(hours, since) == notification.at
    return language.say("It waited for opening hours.") if held else ""


def short_reason(
    notification: Notification, incident: Incident, history: History, policy: Policy, language: Language
) -> str:
    """The same in a word or two, for an SMS, where it is never cut."""
    say = language.say
    if incident.unreadable:
        return ""
    match notification.reason:
        case Reason.ESCALATED:
            return say("Escalated.")
        case Reason.REPEATED:
            alone = notification.roles == (RESPONDER,)
            return say("No answer yet.") if alone else say("Still unanswered.")
        case Reason.LAST_RESORT:
            return say("Last resort.")
        case Reason.ASSIGNED:
            former = _former_holder(notification, history, policy)[:NAME_MOST].rstrip()
            return say("Take over from {name}.", name=former) if former else say("Assigned to you.")
        case Reason.SEVERITY_RAISED:
            before = _severity_before(incident, history).upper()[:NAME_MOST]
            return say("Was {severity}.", severity=before) if before else say("Severity changed.")
        case Reason.REOPENED:
            return say("Open again.")
        case Reason.DECLINED:
            return say("Passed on to you.")
        case Reason.REACH:
            return say("Earlier page lost.") if _failed(notification, history) else say("No answer yet.")
        case Reason.STILL_THERE:
            return say("Still on it?")
        case _:
            real = notification.reason is Reason.DECLARED and history.in_earnest_at
            return say("No exercise any more.") if real else ""


def _former_holder(notification: Notification, history: History, policy: Policy) -> str:
    """The name of who has a role that the page hands over."""
    holders = (policy.people.get(history.holder(role) or "") for role in notification.roles)
    return next((person.name for person in holders if person and person.id != notification.to), "")


def _severity_before(incident: Incident, history: History) -> str:
    """The severity that was judged last, if it is another one."""
    before = history.assessed.severity if history.assessed else ""
    return before if before != incident.severity else ""


def _reach_reason(notification: Notification, history: History, language: Language) -> str:
    """Why an earlier page goes by this channel: it reached nobody, did not arrive here, or was not answered."""
    if any(person == notification.to for person, _ in history.lost):
        return language.say("An earlier page did not reach you.")
    if _failed(notification, history):
        channel = language.say(notification.via.traits.word)
        return language.say("An earlier page by {channel} did not reach you.", channel=channel)
    return language.say("You have not answered yet.")


def _failed(notification: Notification, history: History) -> bool:
    """Whether an earlier page failed to reach its person, at all or by this channel."""
    to, via = notification.to, notification.via
    lost = any(person == to for person, _ in history.lost)
    undelivered = any((person, channel) == (to, via) for person, _, channel in history.undelivered)
    return lost or undelivered or any((reader, channel) == (to, via) for reader, channel, _ in history.refused)


def _then(coming: NextPages, reader: str, policy: Policy, language: Language) -> str:
    """Whom the next pages go to, in words."""
    names = [policy.person_name(person) for person in coming.people if person != reader]
    if not names:
        return language.say("you again")
    if reader in coming.people:
        names.append(language.say("you"))
    listed = language.listed(names)
    return language.say("the last resort ({people})", people=listed) if coming.last_resort else listed


def _others(reader: str, history: History, policy: Policy, language: Language) -> tuple[tuple[str, str], ...]:
    """Who else is asked now, each with what for; roles that somebody has are asked of nobody."""
    asked: dict[str, list[str]] = {}
    for role in history.roles.values():
        if role.needed and role.role and role.holder is None:
            relieved = role.declining | role.left_out
            for name, _ in role.first_pages:
                if name not in relieved:
                    asked.setdefault(name, []).append(policy.role_title(role.role))
    relieved = history.responders_answered | history.responders_passed
    for name, _ in history.responders:
        if name not in relieved:
            asked.setdefault(name, []).append(role_title(RESPONDER, policy, language))
    others = [name for name in asked if name != reader and name in policy.people]
    pairs = [(policy.people[name].name, language.listed(asked[name])) for name in others[:OTHERS_MOST]]
    more = len(others) - len(pairs)
    if more:
        pairs.append((language.count("{number} more person", "{number} more people", more), ""))
    return tuple(pairs)


def unseen_warning(offer: ReplyOffer, language: Language) -> str:
    """That others may know more than the machine that says this (R54)."""
    return language.say("{machine} cannot see the ledger; perhaps answered already.", machine=offer.unseen_by)


def behind(text: str, warning: str) -> str:
    """A short text with a sentence behind it. No template can leave it out."""
    text = text.rstrip()
    return f"{text} {warning}" if text.endswith((".", "!", "?", "…")) else f"{text}. {warning}"


def in_front(content: Content, offer: ReplyOffer, language: Language) -> Content:
    """The same mail, plain, with the warning in front of it."""
    warning = unseen_warning(offer, language)
    if offer.bare_reply:
        how = language.say("To answer by SMS, send: {word}", word=BARE_REPLY)
        warning = f"{warning} {how}"
    return replace(content, text=f"{warning}\n\n{content.text}", html="")
