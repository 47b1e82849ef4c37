"""Pages of an incident that wait for room at their address (rule 45), and until when at the latest.

Only the daemon knows for certain: here it is reckoned from what it recorded, as it does itself after a start. Decides
which pages those are. Nothing is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from tocsin.app.delivery.rooms import RECKONED_FROM, first_tries
from tocsin.domain.delivery import Attempt, Record
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel, Limit
from tocsin.domain.policy import Policy
from tocsin.planning.delivery.room import Admission, PageSent, room_of
from tocsin.planning.delivery.still_wanted import current_address
from tocsin.ports.ledger.reading import SentReader


class PageLimits(Protocol):
    """How many pages an address takes."""

    def of(self, via: Channel) -> Limit:
        """By a channel."""
        ...


async def with_room(
    records: Sequence[Record], ledger: SentReader, policy: Policy, limits: PageLimits, now: datetime
) -> list[Record]:
    """The same records; pages that wait for room know until when. Raises LedgerError."""
    waiting = {record.decided.key: record.notification for record in records if _is_untried_page(record)}
    tries = {
        person: first_tries(await ledger.sent_pages(now - RECKONED_FROM, person))
        for person in {page.to for page in waiting.values()}
    }
    there = {
        key: tries[page.to].get((page.via, page.to, current_address(page, policy).casefold()), [])
        for key, page in waiting.items()
    }
    concerned = {tried.incident for listed in there.values() for tried, _ in listed}
    incidents = await ledger.newest_versions(concerned | {page.incident for page in waiting.values()})
    return [
        replace(record, room_at=_room_at(waiting[key], there[key], now, incidents, policy, limits.of(waiting[key].via)))
        if (key := record.decided.key) in waiting
        else record
        for record in records
    ]


def _room_at(
    page: Notification,
    there: Sequence[tuple[Notification, Attempt]],
    now: datetime,
    incidents: Mapping[str, Incident],
    policy: Policy,
    limit: Limit,
) -> datetime | None:
    """When there is room for a page that was not tried yet; None: it does not wait for that."""
    sent, wanted = _pages_sent(page, there, now, incidents, policy)
    room = room_of(sent, limit)
    waits = room.admission(wanted, limit, others_wait=False) is Admission.WAITS
    return room.next_at(limit, now) if waits else None


def _is_untried_page(record: Record) -> bool:
    return record.state == "pending" and not record.attempts and record.decided.kind is Kind.PAGE


def _pages_sent(
    page: Notification,
    there: Sequence[tuple[Notification, Attempt]],
    now: datetime,
    incidents: Mapping[str, Incident],
    policy: Policy,
) -> tuple[list[PageSent], PageSent]:
    """What was sent there, and the page, as room is reckoned with them. Drills have a room of their own."""

    def as_sent(notification: Notification, at: datetime, bundle: str = "") -> PageSent:
        incident = incidents.get(notification.incident)
        rank = policy.incident_rank(incident) if incident else policy.mildest_rank
        by_alerts = incident is not None and incident.declared_by_alerts
        return PageSent(at, notification.incident, notification.episode, rank, bundle, by_alerts)

    def is_drill(notification: Notification) -> bool:
        incident = incidents.get(notification.incident)
        return incident is not None and bool(incident.drill)

    sent = [
        as_sent(tried, attempt.started_at, attempt.bundle)
        for tried, attempt in there
        if is_drill(tried) is is_drill(page)
    ]
    return sent, as_sent(page, now)
