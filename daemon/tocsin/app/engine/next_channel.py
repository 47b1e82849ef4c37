"""What follows when a page makes no headway on its channel, was delivered, or refused by mistake, and when a mail that
was to tell the end was refused (rules 14, 34, 36 to 38, 58 and 66).

It decides from the incident's state and the policy; it must not know how it failed, nor send anything. There are two
channels, so "the next of rule 13's list, then any other that the person has" is the one that the page has not gone by.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.app.state.incident_state import ChannelDelivered, ChannelFailed, IncidentState, RefusalWithdrawn
from tocsin.domain.facts import ChannelRefused, Closed, Fact, PageLost, ReachSettled, RefusalTakenBack
from tocsin.domain.history import History
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel, Person
from tocsin.domain.policy import Policy
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.reach import open_channels

AGAIN_AFTER = timedelta(seconds=30)
"""How long after it reached nobody a page is tried once more where it was not delivered (rule 66), or after it was
refused by mistake by the only provider (rule 38).
"""


ONCE_MORE = "/once-more"
"""What the key of a message ends with that is sent a second time because its refusal was taken back."""


def choose_next_channel(
    state: IncidentState, failed: ChannelFailed, policy: Policy, now: datetime
) -> tuple[tuple[Fact, ...], Notification | None]:
    """The facts to record, and the page by its next channel, if it has one and is still wanted."""
    page, page_at, history = failed.page, state.page_at(failed.page), state.history
    facts: list[Fact] = []
    if failed.refused and not history.refuses(page.to, page.via, failed.address):
        facts.append(ChannelRefused(now, page.to, page.via, failed.address))
    person = policy.people.get(page.to)
    if page.kind is Kind.CLOSING and person is not None and failed.undelivered:
        return _end_by_sms(history, page, person, now)
    if page.kind is not Kind.PAGE or person is None or why_unwanted(page, history):
        return tuple(facts), None
    if failed.undelivered and (person.id, page_at, page.via) not in history.undelivered:
        facts.append(PageLost(now, person.id, page_at, page.via, for_good=not failed.again))
    left = _channels_left(state, facts, person, page_at)
    if (
        not left
        and (failed.refused or failed.undelivered or failed.stopped)
        and (person.id, page_at) not in history.lost
    ):
        stopped, again = failed.stopped and failed.taken, _once_more(state, failed, now)
        facts.append(PageLost(now, person.id, page_at, again=again, stopped=stopped))
    via = next((via for via in left if via not in state.went_by(page)), None)
    if via is None:
        return tuple(facts), None
    due_at = _waits_until(state, page, via) or now
    facts.append(ReachSettled(now, person.id, page_at, via, due_at, sent=True))
    return tuple(facts), replace(page, key=f"{page.key.rpartition('/')[0]}/{via}", via=via)


def _end_by_sms(
    history: History, mail: Notification, person: Person, now: datetime
) -> tuple[tuple[Fact, ...], Notification | None]:
    """Whoever was to hear the end by email alone hears it by SMS where that mail was refused for its own sake: it did
    not reach them (rule 58). A mailbox that refuses whatever comes is the plan's matter.
    """
    by_mail, ended_at = history.closed_by_mail, history.resolved_at
    waited_for = mail.episode == history.episode and mail.via is Channel.EMAIL and person.id in by_mail
    if not waited_for or ended_at is None or Channel.SMS not in open_channels(person, history):
        return (), None
    others = tuple(name for name in by_mail if name != person.id)
    key = f"{mail.key.rpartition('/')[0]}/{Channel.SMS}"
    return (Closed(ended_at, others),), replace(mail, key=key, via=Channel.SMS, at=now)


def take_back(state: IncidentState, withdrawn: RefusalWithdrawn, now: datetime) -> tuple[Fact, ...]:
    """The address is good again. The person's newest page goes there once more, and only once: in a moment, or now if
    another provider stands by; unless it went there by itself or waits to. Whether it is still wanted is seen then
    (rule 38).
    """
    page, address, history = withdrawn.notification, withdrawn.address, state.history
    newest = history.newest_pages.get(page.to)
    again = page.kind is Kind.PAGE and newest is not None
    if newest is not None and (page.to, newest.at, page.via) in history.once_more:
        again = False
    if again and newest is not None and newest.at != state.page_at(page):
        again = page.via not in state.pages.get((page.to, newest.at), frozenset())
    if any(via is page.via for waits in history.waiting if waits.person == page.to for via, _ in waits.waiting):
        again = False
    if not (again or history.refuses(page.to, page.via, address)):
        return ()
    again_at = now if withdrawn.stand_in else now + AGAIN_AFTER
    return (RefusalTakenBack(now, page.to, page.via, address, again_at if again else None),)


def send_elsewhere(withdrawn: RefusalWithdrawn) -> Notification | None:
    """An update or a closing message that was refused by mistake, for the provider that stands by: once, as a message
    of its own. Whether it is still wanted is seen when it leaves; where nobody stands by the next update
    does (rule 38).
    """
    refused = withdrawn.notification
    if not withdrawn.stand_in or refused.kind not in (Kind.UPDATE, Kind.CLOSING) or refused.key.endswith(ONCE_MORE):
        return None
    return replace(refused, key=refused.key + ONCE_MORE)


def note_delivery(state: IncidentState, delivered: ChannelDelivered, now: datetime) -> tuple[Fact, ...]:
    """Whoever gets a page that had reached nobody counts as reached from now on (rule 66)."""
    page, page_at = delivered.page, state.page_at(delivered.page)
    if (page.to, page_at) not in state.history.lost:
        return ()
    return (PageLost(now, page.to, page_at, page.via, delivered=True),)


def _channels_left(
    state: IncidentState, facts: Sequence[Fact], person: Person, page_at: datetime
) -> tuple[Channel, ...]:
    """The channels by which this page may still arrive, once these facts are known."""
    history = fold_facts(facts, state.history)
    return tuple(
        via
        for via in person.channels
        if not history.refuses(person.id, via, person.address(via))
        and (person.id, page_at, via) not in history.undelivered
    )


def _once_more(state: IncidentState, failed: ChannelFailed, now: datetime) -> tuple[Channel, datetime] | None:
    """Where and when a page that reached nobody is tried once more: where it was not delivered last, or had not been
    before, if that may help (rules 37, 66). A page that goes there by then anyway will do, and a newer page.
    """
    person, page_at, again_at = failed.page.to, state.page_at(failed.page), now + AGAIN_AFTER
    history = state.history
    passing = history.undelivered - history.undelivered_for_good
    before = sorted(via for name, at, via in passing if (name, at) == (person, page_at))
    via = failed.page.via if failed.again else next(iter(before), None)
    newest = state.history.newest_pages.get(person)
    if via is None or newest is None or newest.at != page_at:
        return None
    waiting = (entry for page in state.history.waiting if page.person == person for entry in page.waiting)
    return None if any(entry[0] is via and entry[1] <= again_at for entry in waiting) else (via, again_at)


def _waits_until(state: IncidentState, page: Notification, via: Channel) -> datetime | None:
    """When this page would have gone by that channel anyway, by the person's `reach`."""
    for waiting in state.history.waiting:
        if (waiting.person, waiting.at) == (page.to, state.page_at(page)):
            return next((due_at for channel, due_at in waiting.waiting if channel is via), None)
    return None
