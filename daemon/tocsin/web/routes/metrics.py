"""`/metrics`, the ledger's numbers as Prometheus reads them, and their names.

Nothing in them names a person, an address or an incident (machines are named), so whoever reaches the listener may
read them, while no address is public: a proxy that names nobody looks like somebody at this machine. Else, and through
a proxy, whoever knows the token.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from tocsin.app.doctor.machines import LEADING, STANDING_BY
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.domain.people import MAIN, Channel
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.tally import MESSAGE_REFUSED, WAITING, ProviderTally, Sums, Tally
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.cleaning import shown
from tocsin.web.access.guard import require_token, through_proxy
from tocsin.web.http.daemon_health import AWAY, NONE, DaemonHere, daemon_here
from tocsin.web.http.site import CACHE_NEVER, Site

FRESH = timedelta(seconds=5)
"""How old the numbers may be: many may ask, the ledger is asked once."""
COUNTED_WITHIN = 6.0
"""Seconds for the ledger to give them. One that is away must not look as if the web side were."""
SETTLED_AFTER = timedelta(days=1)
"""How long ago what is settled must have begun, to change no more."""
OUTCOMES = ("accepted", "deferred", "refused", MESSAGE_REFUSED, "uncertain")
"""Outcomes that are told for every provider, also before there was one: an alert can then see the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The numbers of a moment. Without a `tally` the ledger could not be read."""

    at: datetime
    tally: Tally | None = None
    healthy_at: datetime | None = None
    policy: Policy | None = None
    here: DaemonHere | None = None

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
        if self.here:
            yield from _of_machines(self.here)
        if self.policy:
            info = GaugeMetricFamily("tocsin_config_info", "The config in force.", labels=["revision"])
            info.add_metric([self.policy.revision], 1)
            yield info


def _of_machines(here: DaemonHere) -> Iterator[Metric]:
    """What this machine's daemon does, and how those fare that share the ledger: who leads, and since when each that
    did not stop cleanly has said nothing. A machine is its name and its folder: one that is silent is not hidden by
    another of its name. Each taking of the lead begins a term, so the terms are the takeovers.
    """
    state = GaugeMetricFamily("tocsin_daemon_state", "What this machine's daemon does.", labels=["state"])
    for word in (LEADING, STANDING_BY, NONE):
        state.add_metric([word], float(here.state == word))
    yield state
    if here.machines is None:
        return
    machines = here.machines
    leads = GaugeMetricFamily("tocsin_machine_leads", "Whether the machine leads.", labels=["machine"])
    silent = GaugeMetricFamily(
        "tocsin_machine_last_word_age_seconds",
        "Since a machine that did not stop spoke last.",
        labels=["machine", "folder"],
    )
    for name in sorted({node.name for node in machines.nodes}):
        leads.add_metric([shown(name)], float(name == here.leader))
    for node in machines.nodes:
        if not node.stopped:
            age = machines.now - (node.last_word or node.since)
            silent.add_metric([shown(node.name), shown(node.folder)], max(0.0, age.total_seconds()))
    yield leads
    yield silent
    clock = GaugeMetricFamily(
        "tocsin_machine_clock_ahead_seconds", "How far this machine's clock is ahead of the database's, at least."
    )
    clock.add_metric([], here.clock_ahead.total_seconds())
    yield clock
    takeovers = CounterMetricFamily("tocsin_takeovers", "Times that a machine took the lead: the epoch of its term.")
    takeovers.add_metric([], machines.epoch)
    yield takeovers
    if machines.oldest_transaction:
        help_ = "Since the oldest transaction of the database began."
        yield _age("tocsin_oldest_transaction_age_seconds", help_, machines.oldest_transaction, machines.now)


def _of_tally(tally: Tally, at: datetime) -> Iterator[Metric]:
    opened = GaugeMetricFamily("tocsin_open_incidents", "Incidents that are not resolved.", labels=["severity"])
    for severity, number in sorted(tally.open.items()):
        opened.add_metric([severity], number)
    yield opened
    oldest = tally.oldest_page_at or at
    yield _age("tocsin_oldest_unsettled_page_age_seconds", "Since the oldest unsettled page was due.", oldest, at)
    yield from _sums("tocsin_notifications", "Messages decided", ["kind", "state"], tally.notifications)
    providers = {(via.value, MAIN): ProviderTally(None, 0) for via in Channel} | dict(tally.providers)
    zeros = {(*provider, outcome): 0 for provider in providers for outcome in OUTCOMES}
    labels = ["channel", "provider", "outcome"]
    yield from _sums("tocsin_attempts", "Tries to send", labels, zeros | dict(tally.attempts))
    yield from _of_providers(providers, at)
    receipts = GaugeMetricFamily(
        "tocsin_receipts", "Tries by what the provider said last.", labels=["channel", "receipt"]
    )
    for (via, receipt), number in sorted(tally.receipts.items()):
        receipts.add_metric([via, receipt], number)
    yield receipts
    yield from _sums("tocsin_arrivals", "What came in from outside", ["kind", "result"], tally.arrivals)
    duplicates = CounterMetricFamily(
        "tocsin_possible_duplicates", "Tries that may be second copies.", labels=["channel"]
    )
    bundled = CounterMetricFamily(
        "tocsin_pages_bundled", "Tries of pages with words made as they left: with others, or anew.", labels=["channel"]
    )
    waiting = GaugeMetricFamily("tocsin_pages_waiting", "Pages decided and not tried yet.", labels=["channel"])
    opt_outs = GaugeMetricFamily("tocsin_opt_outs", "Addresses that want nothing more.", labels=["channel"])
    for family, numbers in (
        (duplicates, tally.duplicates),
        (bundled, tally.bundled),
        (waiting, tally.waiting_pages),
        (opt_outs, tally.opt_outs),
    ):
        for via in Channel:
            family.add_metric([via.value], numbers.get(via.value, 0))
        yield family
    bundles = CounterMetricFamily("tocsin_bundles", "Messages made of pages as they left: of several, or of one anew.")
    bundles.add_metric([], tally.bundles)
    yield bundles


def _of_providers(providers: Mapping[tuple[str, str], ProviderTally], at: datetime) -> Iterator[Metric]:
    """How each provider does: an alert can tell the one that takes nothing while another carries the messages."""
    labels = ["channel", "provider"]
    taken = GaugeMetricFamily(
        "tocsin_provider_taken_age_seconds", "Since the provider last took a message.", labels=labels
    )
    failed = GaugeMetricFamily(
        "tocsin_provider_failures", "Tries that failed since it last took one, within a day.", labels=labels
    )
    for provider, does in sorted(providers.items()):
        if does.taken_at:
            taken.add_metric(provider, abs((at - does.taken_at).total_seconds()))
        failed.add_metric(provider, does.failures)
    yield taken
    yield failed


def _sums(name: str, help_: str, labels: Sequence[str], sums: Sums) -> Iterator[Metric]:
    """What is over as a counter by all labels, what still waits as a gauge beside it, without the last."""
    over = CounterMetricFamily(name, f"{help_}.", labels=labels)
    waiting = GaugeMetricFamily(f"{name}_waiting", f"{help_}, not over yet.", labels=labels[:-1])
    for names, number in sorted(sums.items()):
        if names[-1] == WAITING:
            waiting.add_metric(names[:-1], number)
        else:
            over.add_metric(names, number)
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
        if site.settings.public_url or through_proxy(request):
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
        async with asyncio.timeout(COUNTED_WITHIN):
            ledger = site.ledger()
            tally, healthy_at = await ledger.tally(now - SETTLED_AFTER), await ledger.noticed_at(HEALTHY)
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        return Numbers(now)
    except TimeoutError:
        site.warn("ledger trouble", trouble=f"not counted within {COUNTED_WITHIN:g} s")
        return Numbers(now)
    here = await daemon_here(site)
    try:
        policy = await site.active_policy.policy()
    except LedgerError:
        policy = None
    return Numbers(now, tally, healthy_at, policy, None if here.state == AWAY else here)
