"""The people whom the affected services add, asked together until each answers (rules 10, 18).

A batch is the services that came together: those of t0, then each later addition. No chain, no last resort.
"""

from datetime import datetime

from tocsin.domain.facts import RespondersAsked
from tocsin.domain.history import ResponderBatch
from tocsin.domain.notification import Reason
from tocsin.domain.policy import RESPONDER, PagePolicy, Service
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import (
    PageRequest,
    everybody_left,
    everybody_replaced,
    may_be_answered_elsewhere,
    people_named,
    window_after,
)
from tocsin.planning.reach import reachable


def page_responders(draft: Draft) -> list[PageRequest]:
    """Pages for the responders of the affected services: each batch `rounds` times, each person until they answer."""
    page, history = draft.page, draft.history
    if page is None:
        return []
    affected = [draft.policy.services[name] for name in draft.incident.services if name in draft.policy.services]
    known = {name for batch in history.batches for name in batch.services}
    requests: list[PageRequest] = []
    in_earlier: set[str] = set()
    for batch in history.batches:
        services = [service for service in affected if service.id in batch.services]
        requests += _page_next_round(draft, page, batch, services, in_earlier)
        in_earlier |= set(batch.people)
    fresh = [service for service in affected if service.id not in known and service.responders]
    if fresh:
        requests += _page_new_batches(draft, fresh)
    return requests


def _page_new_batches(draft: Draft, fresh: list[Service]) -> list[PageRequest]:
    """Services whose responders were not asked yet: those of t0 together, those added later together."""
    history = draft.history
    assert history.seen_at is not None
    assert history.paging_at is not None
    at_start = [service for service in fresh if service.id in history.paging_services and not history.batches]
    added = [service for service in fresh if service not in at_start]
    since = draft.policy.since
    seen_at = max(history.seen_at, since) if since else history.seen_at
    requests: list[PageRequest] = []
    for services, came_at, reason in (
        (at_start, history.paging_at, history.paging_reason),
        (added, seen_at, Reason.DECLARED),
    ):
        at = draft.open_instant(came_at) if services else None
        if at is not None:
            in_earlier = {name for name, _ in draft.history.responders} if services is added else set()
            requests += _page_batch(draft, services, at, 1, reason, in_earlier)
    return requests


def _page_next_round(
    draft: Draft, page: PagePolicy, batch: ResponderBatch, services: list[Service], in_earlier: set[str]
) -> list[PageRequest]:
    """The next page of a batch, one window after the last, for those whose services are still affected; the last one
    anew, at once, if nobody is left of those who were asked in it (rule 67). A round waits for a ledger that is away
    as a ladder's step does (rule 54).
    """
    anew = _round_is_void(draft, batch)
    if not services or (batch.rounds >= page.rounds and not anew):
        return []
    assert draft.history.seen_at is not None
    due = draft.now if anew else window_after(draft, batch.at, page)
    at = draft.open_instant(due if due > draft.now else max(due, draft.history.seen_at))
    if at is None or (not anew and may_be_answered_elsewhere(draft)):
        return []
    number, reason = (batch.rounds, batch.reason) if anew else (batch.rounds + 1, Reason.REPEATED)
    return _page_batch(draft, services, at, number, reason, in_earlier, batch.services)


def _round_is_void(draft: Draft, batch: ResponderBatch) -> bool:
    """Whether nobody is left of those asked last (rule 67). Who answered goes on, also if others stand in the config
    since, for as long as the config knows them.
    """
    if draft.history.responders_answered.intersection(batch.newest):
        return everybody_left(draft, batch.newest)
    services = (draft.policy.services.get(name) for name in batch.services)
    return everybody_replaced(draft, batch.newest, [who for known in services if known for who in known.responders])


def _page_batch(
    draft: Draft,
    services: list[Service],
    at: datetime,
    number: int,
    reason: Reason,
    without: set[str],
    batch: tuple[str, ...] = (),
) -> list[PageRequest]:
    """Page everybody these services name now, but for those who answered, passed, or belong to another batch."""
    history = draft.history
    out = without | history.responders_answered | history.responders_passed
    people = {
        name: who.place or service.place
        for service in services
        for who in service.responders
        for name in people_named(draft, [who], at)
        if name not in out and reachable(draft, name)
    }
    key = batch or tuple(service.id for service in services)
    draft.record(RespondersAsked(at, key, number, tuple(people), reason))
    return [PageRequest(name, RESPONDER, at, reason, rule, 0, number) for name, rule in people.items()]
