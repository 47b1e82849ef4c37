"""Pages of an incident that wait for room at their address (rule 45), and until when at the latest.

Only the daemon knows for certain: here it is reckoned from what it recorded, as it does itself after a start. Decides
which pages those are. Nothing is changed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from tocsin.app.incidents.histories import recorded_history
from tocsin.domain.delivery import Attempt, Limit, Record
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.delivery.room import PageSent, room_of
from tocsin.planning.delivery.still_wanted import current_address
from tocsin.ports.ledger import DeliveryLedger, FactLedger, UnreadableError

RECKONED_FROM = timedelta(hours=1)
"""How far back the pages of what is finished are looked at."""


class SentLedger(FactLedger, DeliveryLedger, Protocol):
    """What was sent, and of which incidents."""


class Limits(Protocol):
    """How many pages an address takes."""

    def of(self, via: Channel) -> Limit:
        """By a channel."""
        ...


async def with_room(
    records: Sequence[Record], ledger: SentLedger, policy: Policy, limits: Limits, now: datetime
) -> list[Record]:
    """The same records; pages that wait for room know until when. Raises LedgerError."""
    if not any(map(_is_untried_page, records)):
        return list(records)
    sent = await ledger.sent_pages(now - RECKONED_FROM)
    incidents: dict[str, Incident | None] = {}

    async def incident_of(page: Notification) -> Incident | None:
        if page.incident not in incidents:
            incidents[page.incident] = None
            with suppress(UnreadableError):
                incidents[page.incident] = (await recorded_history(ledger, page.incident))[1].incident
        return incidents[page.incident]

    known = []
    for record in records:
        if not _is_untried_page(record):
            known.append(record)
            continue
        page = record.notification
        there = _first_tries(sent, page, current_address(page, policy))
        for other in (page, *(tried for tried, _ in there)):
            await incident_of(other)
        pages = _pages_sent(page, there, incidents, policy)
        room_at = room_of(pages, limits.of(page.via)).next_at(limits.of(page.via), now)
        known.append(replace(record, room_at=room_at) if room_at > now else record)
    return known


def _is_untried_page(record: Record) -> bool:
    return record.state == "pending" and not record.attempts and record.decided.kind is Kind.PAGE


def _first_tries(
    sent: Sequence[tuple[Notification, Attempt]], page: Notification, address: str
) -> list[tuple[Notification, Attempt]]:
    """The first try of each page that went where this one is to go, oldest first."""
    firsts: dict[str, tuple[Notification, Attempt]] = {}
    for tried, attempt in sent:
        there = attempt.via is page.via and tried.to == page.to and attempt.address.casefold() == address.casefold()
        if there:
            firsts.setdefault(tried.key, (tried, attempt))
    return list(firsts.values())


def _pages_sent(
    page: Notification,
    there: Sequence[tuple[Notification, Attempt]],
    incidents: Mapping[str, Incident | None],
    policy: Policy,
) -> list[PageSent]:
    """As room is reckoned with them: drills and real pages have rooms of their own."""

    def is_drill(notification: Notification) -> bool:
        incident = incidents[notification.incident]
        return incident is not None and bool(incident.drill)

    def severity(notification: Notification) -> int:
        incident = incidents[notification.incident]
        return policy.severity_rank(incident.severity) if incident else len(policy.severities)

    return [
        PageSent(attempt.started_at, tried.incident, tried.episode, severity(tried), attempt.bundle)
        for tried, attempt in there
        if is_drill(tried) is is_drill(page)
    ]
