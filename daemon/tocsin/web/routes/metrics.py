"""`/metrics`, the ledger's numbers as Prometheus reads them, and their names.

Nothing in them names a person, an address or an
incident, so whoever reaches the listener may read them; through a proxy, whoever knows the token.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from tocsin.app.lifecycle.health import HEALTHY
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.ports.ledger import LedgerError
from tocsin.ports.tally import WAITING, Sums, Tally
from tocsin.web.access.guard import require_token, through_proxy
from tocsin.web.http.site import CACHE_NEVER, Site

FRESH = timedelta(seconds=5)
"""How old the numbers may be: many may ask, the ledger is asked once."""
SETTLED_AFTER = timedelta(days=1)
"""How long ago what is settled must have begun, to change no more."""
OUTCOMES = ("accepted", "deferred", "refused", "uncertain")
"""Outcomes that are told for every channel, also before there was one: an alert can then see the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The numbers of a moment. Without a `tally` the ledger could not be read."""

    at: datetime
    tally: Tally | None = None
    healthy_at: datetime | None = None
    policy: Policy | None = None

    def collect(self) -> Iterator[Metric]:
        """Each as Prometheus wants it."""
        readable = GaugeMetricFamily("tocsin_ledger_readable", "Whether the ledger could be read.")
        readable.add_metric([], float(self.tally is not None))
        yield readable
        if self.tally:
            yield from _of_tally(self.tally, self.at)
        if self.healthy_at:
            yield _age(
                "tocsin_healthy_pass_age_seconds", "Since the daemon's last healthy pass.", self.healthy_at, self.at
            )
        if self.policy:
            info = GaugeMetricFamily("tocsin_config_info", "The config in force.", labels=["revision"])
            info.add_metric([self.policy.revision], 1)
            yield info


def _of_tally(tally: Tally, at: datetime) -> Iterator[Metric]:
    opened = GaugeMetricFamily("tocsin_open_incidents", "Incidents that are not resolved.", labels=["severity"])
    for severity, number in sorted(tally.open.items()):
        opened.add_metric([severity], number)
    yield opened
    oldest = tally.oldest_page_at or at
    yield _age("tocsin_oldest_unsettled_page_age_seconds", "Since the oldest unsettled page was due.", oldest, at)
    yield from _sums("tocsin_notifications", "Messages decided", "kind", "state", tally.notifications)
    zeros = {(via.value, outcome): 0 for via in Channel for outcome in OUTCOMES}
    yield from _sums("tocsin_attempts", "Tries to send", "channel", "outcome", zeros | dict(tally.attempts))
    receipts = GaugeMetricFamily(
        "tocsin_receipts", "Tries by what the provider said last.", labels=["channel", "receipt"]
    )
    for (via, receipt), number in sorted(tally.receipts.items()):
        receipts.add_metric([via, receipt], number)
    yield receipts
    yield from _sums("tocsin_arrivals", "What came in from outside", "kind", "result", tally.arrivals)
    duplicates = CounterMetricFamily(
        "tocsin_possible_duplicates", "Tries that may be second copies.", labels=["channel"]
    )
    for via in Channel:
        duplicates.add_metric([via.value], tally.duplicates.get(via.value, 0))
    yield duplicates


def _sums(name: str, help_: str, first: str, second: str, sums: Sums) -> Iterator[Metric]:
    """What is over as a counter, what still waits as a gauge beside it."""
    over = CounterMetricFamily(name, f"{help_}.", labels=[first, second])
    waiting = GaugeMetricFamily(f"{name}_waiting", f"{help_}, not over yet.", labels=[first])
    for (one, other), number in sorted(sums.items()):
        if other == WAITING:
            waiting.add_metric([one], number)
        else:
            over.add_metric([one, other], number)
    yield over
    yield waiting


def _age(name: str, help_: str, since: datetime, at: datetime) -> Metric:
    age = GaugeMetricFamily(name, help_)
    age.add_metric([], abs((at - since).total_seconds()))  # noted ahead of the clock it is no sign of life either
    return age


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /metrics`, in the text format or as OpenMetrics, whichever the asker prefers."""
    counting = asyncio.Lock()
    newest: list[Numbers] = []

    async def metrics(request: web.Request) -> web.Response:
        if through_proxy(request):
            require_token(site, request)
        async with counting:
            if not newest or not timedelta(0) <= site.clock.now() - newest[0].at < FRESH:
                newest[:] = [await _numbers(site)]
        registry = CollectorRegistry(auto_describe=False)
        registry.register(newest[0])
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": kind, "Cache-Control": CACHE_NEVER})

    return [web.get("/metrics", metrics)]


async def _numbers(site: Site) -> Numbers:
    now = site.clock.now()
    try:
        ledger = site.ledger()
        tally, healthy_at = await ledger.tally(now - SETTLED_AFTER), await ledger.noticed_at(HEALTHY)
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        return Numbers(now)
    try:
        policy = await site.active_policy.policy()
    except LedgerError:
        policy = None
    return Numbers(now, tally, healthy_at, policy)
