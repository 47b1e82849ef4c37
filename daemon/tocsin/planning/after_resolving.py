"""Everybody who was reached hears the end (P5, rules 3, 25), and afterwards some are asked to verify
that it is well and to write the review (rule 27).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.domain.facts import Closed, ReviewAsked, VerifyAsked
from tocsin.domain.history import History, ReaderHistory
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import COMMANDER, SCRIBE, TECHNICAL_LEAD
from tocsin.planning.draft import NOTHING_LEFT, Draft
from tocsin.planning.escalation import last_resort_people
from tocsin.planning.reach import channels_of, holder_of, open_channels

VERIFY_TIMES = 3
"""How often health is asked for, `verify_after` apart."""
UNDECLARED_TOLD_WITHIN = timedelta(days=1)
"""How late the end of what was never declared is told to who was paged for it: before 0.5 nobody was, and an edit of
such a file months later must not say so.
"""
REMINDERS_AFTER_DUE = 3
"""How many reminders of a review still go after it was due."""


def send_closing(draft: Draft) -> None:
    """One closing message to each reader reached in the episode, on each channel that reached them, and one at most to
    an address: a plain one that is somebody's hears it from them, if they hear it there (rule 25).
    """
    history = draft.history
    if history.closed:
        _close_late(draft)
        _close_by_sms_after_all(draft)
        return
    assert history.resolved_at is not None
    at, rule = draft.instant(history.resolved_at), draft.severity.place
    by_mail: tuple[str, ...] = ()
    if not history.episode and draft.now - history.resolved_at > UNDECLARED_TOLD_WITHIN:
        _close_in_silence(draft, at)
    else:
        by_mail = _close(draft, at, rule)
    draft.record(Closed(at, by_mail))


def _close_by_sms_after_all(draft: Draft) -> None:
    """Whoever was to hear the end by email alone, and whose mailbox refused it, hears it by SMS (P5, rule 58). When it
    ended stays as it is.
    """
    left, rule = [], draft.severity.place
    for reader in draft.history.closed_by_mail:
        person = draft.person(reader)
        if person is None or not draft.history.refuses(reader, Channel.EMAIL, person.email):
            left.append(reader)
            continue
        external = draft.history.reached[reader].external
        if Channel.SMS in open_channels(person, draft.history):
            draft.send(Kind.CLOSING, Reason.RESOLVED, draft.now, reader, Channel.SMS, rule=rule, external=external)
        else:
            draft.suppress(Kind.CLOSING, *_why_unreached(draft, reader, draft.now, external=external), rule)
    if len(left) < len(draft.history.closed_by_mail):
        draft.record(Closed(draft.history.resolved_at or draft.now, tuple(left)))


def _close_late(draft: Draft) -> None:
    """Whoever is only known since the end was told to have been paged elsewhere hears it now: by the channels that
    reached them so, or by what they have if they had heard nothing by any other. When it ended stays as it is.
    """
    owed: dict[str, tuple[Channel, ...]] = {}
    for reader, via in draft.history.closing_owed:
        owed[reader] = (*owed.get(reader, ()), via)
    by_mail, at, rule = list(draft.history.closed_by_mail), draft.now, draft.severity.place
    for reader, late in owed.items():
        reached = draft.history.reached[reader]
        heard = [via for via in draft.history.channels_heard(reader) if via not in late]
        usable = _closing_channels(draft, reader, replace(reached, channels=late))
        by_email = Channel.EMAIL in (*heard, *usable) and _closed_by_email(draft, draft.person(reader))
        for via in [via for via in usable if via not in heard]:
            if via is Channel.SMS and by_email:
                draft.suppress(Kind.CLOSING, Why.TOLD_ALREADY, at, reader, "closing: email, and the mail says it", rule)
                by_mail.append(reader)
            else:
                draft.send(Kind.CLOSING, Reason.RESOLVED, at, reader, via, rule=rule, external=reached.external)
        if not usable:
            draft.suppress(Kind.CLOSING, *_why_unreached(draft, reader, at, external=reached.external), rule)
    if owed:
        draft.record(Closed(draft.history.resolved_at or at, tuple(dict.fromkeys(by_mail))))


def _close_in_silence(draft: Draft, at: datetime) -> None:
    for reader in draft.history.reached:
        draft.suppress(Kind.CLOSING, Why.LATE, at, reader, "it was over long before", draft.severity.place)


def _close(draft: Draft, at: datetime, rule: str) -> tuple[str, ...]:
    """Tell the end; who hears it by email alone, though an SMS reached them too."""
    history, by_mail = draft.history, list[str]()
    for group in history.groups.values():
        if group.held_since is not None:
            draft.suppress(Kind.UPDATE, Why.RESOLVED, at, group.group, "the closing message says it", rule)
    for name in history.held_groups:
        draft.suppress(Kind.CLOSING, Why.NEVER_TOLD, at, name, "it was over before their first update", rule)
    _tell_what_nobody_is_asked(draft, at)
    told: set[tuple[Channel, str]] = set()
    for reader, reached in sorted(history.reached.items(), key=lambda known: draft.person(known[0]) is None):
        heard = history.channels_heard(reader)
        if not heard:
            draft.suppress(Kind.CLOSING, Why.NO_LONGER_WANTED, at, reader, NOTHING_LEFT, rule)
            continue
        if draft.incident.drill and reader in history.taken_back:
            draft.suppress(Kind.CLOSING, Why.DRILL, at, reader, "they were told that it was an exercise", rule)
            continue
        channels = _closing_channels(draft, reader, replace(reached, channels=heard))
        person = draft.person(reader)
        for via in channels:
            address = (person.address(via) if person else reader).casefold()
            if via is Channel.SMS and Channel.EMAIL in channels and _closed_by_email(draft, person):
                detail = "closing: email, and the mail says it"
                draft.suppress(Kind.CLOSING, Why.TOLD_ALREADY, at, reader, detail, rule)
                by_mail.append(reader)
                continue
            if (via, address) in told:
                detail = "it is somebody's who hears it there anyway"
                draft.suppress(Kind.CLOSING, Why.TOLD_ALREADY, at, reader, detail, rule)
            else:
                draft.send(Kind.CLOSING, Reason.RESOLVED, at, reader, via, rule=rule, external=reached.external)
            told.add((via, address))
        if not channels:
            draft.suppress(Kind.CLOSING, *_why_unreached(draft, reader, at, external=reached.external), rule)
    return tuple(by_mail)


def ask_to_verify(draft: Draft) -> None:
    """Ask at the resolution + 1, 2 and 3 × `verify_after`, until `verified_by` or an `ok`. What was missed is asked
    once (rule 4).
    """
    history, verify_after = draft.history, draft.severity.verify_after
    if verify_after is None or history.verified or draft.incident.verified_by or history.verify_asked >= VERIFY_TIMES:
        return
    assert history.resolved_at is not None
    number = min(max((draft.now - history.resolved_at) // verify_after, 0), VERIFY_TIMES)
    if number > history.verify_asked:
        at = draft.instant(history.resolved_at + number * verify_after)
        lead = holder_of(draft, TECHNICAL_LEAD)
        people = [lead] if lead else _last_resort(draft)
        draft.record(VerifyAsked(at, number, tuple(person.id for person in people)))
        rule, roles = draft.severity.place, (TECHNICAL_LEAD,)
        for person in people:
            for via in channels_of(person, draft.page_via, history):
                draft.send(Kind.VERIFY, Reason.VERIFY_DUE, at, person.id, via, rule=rule, roles=roles)
    if number < VERIFY_TIMES:
        draft.look_at(history.resolved_at + (number + 1) * verify_after)


def ask_for_review(draft: Draft) -> None:
    """Ask for the review at the resolution and each `remind_every` until `review` is set, the last time at the due date
    + 3 × `remind_every`.
    """
    history, policy = draft.history, draft.severity.review
    if policy is None or draft.incident.review:
        return
    assert history.resolved_at is not None
    last = (policy.within + REMINDERS_AFTER_DUE * policy.remind_every) // policy.remind_every
    number = min((draft.now - history.resolved_at) // policy.remind_every, last)
    if number >= history.review_asked:
        at = draft.instant(history.resolved_at + number * policy.remind_every)
        owners = _review_owners(draft)
        draft.record(ReviewAsked(at, number, tuple(person.id for person, _ in owners)))
        for person, roles in owners:
            for via in channels_of(person, (Channel.EMAIL,), history):
                draft.send(Kind.REVIEW, Reason.REVIEW_DUE, at, person.id, via, rule=policy.place, roles=roles)
    if number < last:
        draft.look_at(history.resolved_at + (number + 1) * policy.remind_every)


def why_nobody_is_asked(incident: Incident, history: History) -> Why | None:
    """Why nobody is asked to verify or to write the review: it was a drill that wants none, or what alerts had declared
    ended before anybody had done anything (rule 28). None where people are asked.
    """
    if incident.drill and not incident.reviewed_drill:
        return Why.DRILL
    return Why.NOBODY_ACTED if incident.declared_by_alerts and not history.acted else None


def _tell_what_nobody_is_asked(draft: Draft, at: datetime) -> None:
    why, severity = why_nobody_is_asked(draft.incident, draft.history), draft.severity
    if why is None or not draft.history.episode:
        return
    detail = "drill: review would ask" if why is Why.DRILL else "alerts declared it"
    if severity.verify_after:
        draft.suppress(Kind.VERIFY, why, at, "", detail, severity.place)
    if severity.review and not draft.incident.review:
        draft.suppress(Kind.REVIEW, why, at, "", detail, severity.review.place)


def _closed_by_email(draft: Draft, person: Person | None) -> bool:
    """Whether somebody whom the closing reaches by email hears it by email alone (rule 58)."""
    return draft.severity.closing_by_email or (person is not None and person.closing_by_email)


def _closing_channels(draft: Draft, reader: str, reached: ReaderHistory) -> tuple[Channel, ...]:
    """Those that reached the reader and were not refused since; if none is left, whatever they still have. A plain
    address that was unsubscribed has none.
    """
    person = draft.person(reader)
    if person is None:
        listed = _is_listed(draft, reader) and not (reached.external and draft.policy.unsubscribed(reader))
        return tuple(via for via in reached.channels if listed and not draft.history.refuses(reader, via, reader))
    usable = open_channels(person, draft.history)
    return tuple(via for via in reached.channels if via in usable) or usable


def _why_unreached(draft: Draft, reader: str, at: datetime, *, external: bool) -> tuple[Why, datetime, str, str]:
    """Why somebody who was reached hears no end: why, when, who, and the same in words."""
    person = draft.person(reader)
    if person is None and external and draft.policy.unsubscribed(reader):
        return Why.OPTED_OUT, at, reader, "it was unsubscribed"
    if person is None and not _is_listed(draft, reader):
        return Why.LEFT_CONFIG, at, reader, "no address in the config is left"
    if person is not None and person.stopped:
        return Why.OPTED_OUT, at, reader, "their number answered STOP, and nothing else takes messages"
    return Why.NO_CHANNEL, at, reader, "it was refused wherever they have an address"


def _is_listed(draft: Draft, address: str) -> bool:
    """Whether a stakeholder group of the config still names the plain address."""
    emails = (email for group in draft.policy.stakeholders.values() for email in group.emails)
    return any(address.casefold() == email.casefold() for email in emails)


def _review_owners(draft: Draft) -> list[tuple[Person, tuple[str, ...]]]:
    """Whichever of Commander and Scribe has a holder, with the roles each holds; the last resort if neither has."""
    order = [role for role in draft.roles if role in (COMMANDER, SCRIBE)]
    owners: dict[str, tuple[Person, tuple[str, ...]]] = {}
    for role in dict.fromkeys((*order, COMMANDER, SCRIBE)):
        person = holder_of(draft, role)
        if person is not None:
            roles = owners[person.id][1] if person.id in owners else ()
            owners[person.id] = (person, (*roles, role))
    return list(owners.values()) or [(person, ()) for person in _last_resort(draft)]


def _last_resort(draft: Draft) -> list[Person]:
    people = (draft.person(name) for name in last_resort_people(draft, without=frozenset()))
    return [person for person in people if person is not None]
