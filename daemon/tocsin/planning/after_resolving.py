"""Closing: after the resolution everybody who heard the start hears the end (P5, rules 3, 25)."""

from tocsin.domain.facts import Closed, ReviewAsked, VerifyAsked
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import COMMANDER, SCRIBE, TECHNICAL_LEAD
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import last_resort_people
from tocsin.planning.needed_roles import roles_in_order
from tocsin.planning.reach import channels_of, holder_of, open_channels


def send_closing(draft: Draft) -> None:
    """One closing message to each reader reached in the episode, on each channel that reached them."""
    history = draft.history
    if history.closed:
        return
    assert history.resolved_at is not None
    at, rule = draft.instant(history.resolved_at), draft.severity.place
    for group in history.groups.values():
        if group.held_since is not None:
            draft.hold(Kind.UPDATE, Why.RESOLVED, at, group.group, "the closing message says it", rule)
    people = {reader for reader in history.reached if draft.person(reader)}
    written = {person.email.casefold() for person in map(draft.person, people) if person}
    for reader, reached in history.reached.items():
        if reader not in people and reader.casefold() in written:
            draft.hold(Kind.CLOSING, Why.TOLD_ALREADY, at, reader, "it is somebody's who hears it anyway", rule)
            continue
        channels = _channels(draft, reader, reached.channels)
        for via in channels:
            draft.send(Kind.CLOSING, Reason.RESOLVED, at, reader, via, rule=rule, external=reached.external)
        if not channels:
            draft.hold(Kind.CLOSING, Why.LEFT_CONFIG, at, reader, "no address in the config is left", rule)
    draft.record(Closed(at))


def _channels(draft: Draft, reader: str, reached: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Those that reached the reader and were not refused since; if none is left, whatever they still have."""
    person = draft.person(reader)
    if person is None:
        address = reader.casefold()
        listed = any(
            address == email.casefold() for group in draft.policy.stakeholders.values() for email in group.emails
        )
        return tuple(via for via in reached if listed and (reader, via) not in draft.history.refused)
    left = open_channels(person, draft.history)
    return tuple(via for via in reached if via in left) or left


VERIFY_TIMES = 3


REVIEW_GOES_ON_FOR = 3


def ask_to_verify(draft: Draft) -> None:
    """Ask at resolved + 1, 2, 3 × `verify_after`, until `verified_by` or an `ok`; what was missed is asked once."""
    history, wait = draft.history, draft.severity.verify_after
    if wait is None or history.verified or draft.incident.verified_by or history.verify_asked >= VERIFY_TIMES:
        return
    assert history.resolved_at is not None
    number = min(max((draft.now - history.resolved_at) // wait, 0), VERIFY_TIMES)
    if number > history.verify_asked:
        at = draft.instant(history.resolved_at + number * wait)
        lead = holder_of(draft, TECHNICAL_LEAD)
        people = [lead] if lead else _last_resort(draft)
        draft.record(VerifyAsked(at, number, tuple(person.id for person in people)))
        for person in people:
            for via in channels_of(person, draft.page_via, history):
                draft.send(
                    Kind.VERIFY,
                    Reason.VERIFY_DUE,
                    at,
                    person.id,
                    via,
                    rule=draft.severity.place,
                    roles=(TECHNICAL_LEAD,),
                )
    if number < VERIFY_TIMES:
        draft.look(history.resolved_at + (number + 1) * wait)


def ask_for_review(draft: Draft) -> None:
    """Ask the Scribe and the Commander at the resolution and each `remind_every` until `review` is set, for the last
    time at most three reminders after the due date.
    """
    history, policy = draft.history, draft.severity.review
    if policy is None or draft.incident.review:
        return
    assert history.resolved_at is not None
    last = (policy.within + REVIEW_GOES_ON_FOR * policy.remind_every) // policy.remind_every
    number = min((draft.now - history.resolved_at) // policy.remind_every, last)
    if number >= history.review_asked:
        at = draft.instant(history.resolved_at + number * policy.remind_every)
        owners = _owners(draft)
        draft.record(ReviewAsked(at, number, tuple(person.id for person, _ in owners)))
        for person, roles in owners:
            for via in channels_of(person, (Channel.EMAIL,), history):
                draft.send(Kind.REVIEW, Reason.REVIEW_DUE, at, person.id, via, rule=policy.place, roles=roles)
    if number < last:
        draft.look(history.resolved_at + (number + 1) * policy.remind_every)


def _owners(draft: Draft) -> list[tuple[Person, tuple[str, ...]]]:
    """Whichever of Commander and Scribe has a holder, with the roles each holds; the last resort if neither has."""
    order = [name for name in roles_in_order(draft) if name in (COMMANDER, SCRIBE)]
    owners: dict[str, tuple[Person, tuple[str, ...]]] = {}
    for role in dict.fromkeys((*order, COMMANDER, SCRIBE)):
        person = holder_of(draft, role)
        if person is not None:
            held = owners[person.id][1] if person.id in owners else ()
            owners[person.id] = (person, (*held, role))
    return list(owners.values()) or [(person, ()) for person in _last_resort(draft)]


def _last_resort(draft: Draft) -> list[Person]:
    people = (draft.person(name) for name in last_resort_people(draft, frozenset()))
    return [person for person in people if person is not None]
