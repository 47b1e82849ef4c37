"""What follows when a page makes no headway on its channel (rules 14, 34 and 36 to 38).

It decides from the incident's state and the policy; it must not know how it failed, nor send anything. There are two
channels, so "the next of rule 13's list, then any other that the person has" is the one that the page has not gone by.
"""

from dataclasses import replace
from datetime import datetime

from tocsin.app.state.incident_state import ChannelFailed, IncidentState
from tocsin.domain.facts import ChannelRefused, Fact, PageLost, ReachSettled
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.delivery.still_wanted import why_unwanted


def choose_next_channel(
    state: IncidentState, failed: ChannelFailed, policy: Policy, now: datetime
) -> tuple[tuple[Fact, ...], Notification | None]:
    """The facts to record, and the page by its next channel, if it has one and is still wanted."""
    page, refused = failed.page, state.history.refused
    facts: list[Fact] = []
    if failed.refused and (page.to, page.via) not in refused:
        facts.append(ChannelRefused(now, page.to, page.via))
        refused |= {(page.to, page.via)}
    person = policy.people.get(page.to)
    if page.kind is not Kind.PAGE or person is None or why_unwanted(page, state.history):
        return tuple(facts), None
    left = [via for via in person.channels if (person.id, via) not in refused]
    if not left and failed.refused:
        facts.append(PageLost(now, person.id, state.page_at(page)))
    via = next((via for via in left if via not in state.went_by(page)), None)
    if via is None:
        return tuple(facts), None
    due_at = _waits_until(state, page, via) or now
    facts.append(ReachSettled(now, person.id, state.page_at(page), via, due_at, sent=True))
    return tuple(facts), replace(page, key=f"{page.key.rpartition('/')[0]}/{via}", via=via)


def _waits_until(state: IncidentState, page: Notification, via: Channel) -> datetime | None:
    """When this page would have gone by that channel anyway, by the person's `reach`."""
    for waiting in state.history.waiting:
        if (waiting.person, waiting.at) == (page.to, state.page_at(page)):
            return next((due_at for channel, due_at in waiting.waiting if channel is via), None)
    return None
