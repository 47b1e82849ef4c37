"""The providers of each channel, in the order of the config, and which of them a message goes to (rules 49, 50).

It decides by how each one fared. Whether a failed message goes on to the next is `planning.delivery.same_try`'s to say,
what is tried again and when `planning.delivery.retry`'s. Must not know whose message it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tocsin.app.delivery.provider_health import ProviderHealth
from tocsin.app.delivery.transports import Transports
from tocsin.app.state.notices import Notices
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Fate, Message, Outcome, Receipt, Uncertain
from tocsin.domain.notification import Kind
from tocsin.domain.people import MAIN, Channel
from tocsin.planning.delivery import same_try
from tocsin.ports.clock import Clock
from tocsin.ports.transport import Transport

PROBED_EVERY = timedelta(seconds=60)
"""How often a sick provider gets one message, to see whether it is well again."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Provider:
    """One provider of a channel: what carries its messages, how it fares, and when a message last went to it although
    it was sick.
    """

    name: str
    transport: Transport
    health: ProviderHealth
    probed_at: datetime = NEVER

    def is_due(self, now: datetime) -> bool:
        """Whether it is sick and may be well again."""
        return self.health.unwell and now - max(self.probed_at, self.health.failed_at or NEVER) >= PROBED_EVERY

    def is_well(self, now: datetime) -> bool:
        """Whether it is neither sick nor has just run into a deadline: nothing waits for such a one (rule 70)."""
        return not self.health.unwell and not self.health.hangs(now)


class Providers:
    """By channel; how they fare is kept while the config that names them changes."""

    def __init__(self, clock: Clock, transports: Transports, notices: Notices) -> None:
        self._clock = clock
        self._transports = transports
        self._notices = notices
        self._known: dict[Channel, dict[str, Provider]] = {via: {} for via in Channel}
        self._made_of: dict[Channel, Mapping[str, Transport]] = {}
        self._health: dict[Channel, dict[str, ProviderHealth]] = {via: {} for via in Channel}

    def of(self, via: Channel) -> Mapping[str, Provider]:
        """Every provider of a channel by its name, in the order of the config."""
        by_name, known = self._transports.by_name(via), self._known[via]
        if self._made_of.get(via) is by_name:
            return known
        self._made_of[via] = by_name
        if any(name not in known or known[name].transport is not by_name[name] for name in by_name):
            peers = self._health[via]
            for name in by_name:
                peers.setdefault(name, ProviderHealth(via, self._notices, name, peers))
            self._known[via] = known = {
                name: replace(known[name], transport=transport)
                if name in known
                else Provider(name, transport, peers[name])
                for name, transport in by_name.items()
            }
        return known

    def choose(
        self,
        via: Channel,
        kind: Kind,
        now: datetime,
        tried: Collection[str] = (),
        attempts: Sequence[Attempt] = (),
        *,
        others_wait: bool = False,
    ) -> Provider | None:
        """Who gets the next message, of those that have not just failed it: the first that is well; a sick one that is
        due for a message, where a try begins (a page only if none of the `others_wait`); once all are sick the one
        that failed longest ago. None: nobody is left for this try. Those that left it unanswered in one of its
        `attempts` get no copy while another one is well. Who refused it there is nobody it could go to, however well:
        the one that is left is tried, sick or not.
        """
        providers = self._takers(via, attempts)
        unanswered = same_try.unanswered_by(attempts)
        left = [provider for provider in providers if provider.name not in tried]
        if any(provider.name not in unanswered and provider.is_well(now) for provider in left):
            left = [provider for provider in left if provider.name not in unanswered]
        if all(provider.health.unwell for provider in providers):
            return min(left, key=lambda provider: provider.health.failed_at or NEVER, default=None)
        due = [provider for provider in left if provider.is_due(now)]
        if due and not tried and not (kind is Kind.PAGE and others_wait):
            due[0].probed_at = now
            return due[0]
        well = [provider for provider in left if not provider.health.unwell]
        return next((provider for provider in well if provider.is_well(now)), well[0] if well else None)

    def hangs(self, via: Channel) -> bool:
        """Whether whatever is sent now would wait for a provider that has just run into its deadline."""
        now, providers = self._clock.now(), self.of(via).values()
        hanging = any(provider.health.hangs(now) for provider in providers)
        return hanging and not any(provider.is_well(now) for provider in providers)

    def is_another_well(self, attempt: Attempt) -> bool:
        """Whether somebody else than the provider of that try can take its message now."""
        now, name = self._clock.now(), attempt.provider or MAIN
        return any(one.name != name and one.is_well(now) for one in self.of(attempt.via).values())

    def _takers(self, via: Channel, attempts: Sequence[Attempt]) -> list[Provider]:
        """The providers that have not refused the message of these attempts for its own sake (rule 37)."""
        refused_by = same_try.refused_by(attempts)
        return [provider for provider in self.of(via).values() if provider.name not in refused_by]

    async def send(self, provider: Provider, message: Message, attempts: Sequence[Attempt] = ()) -> Outcome:
        """Try once. A provider that has fallen sick while the message waited for its turn is spared where another one
        is well, which has not refused this message: this try would only wait for it, too.
        """
        now = self._clock.now()
        sick = not provider.is_well(now) and provider.probed_at < (provider.health.failed_at or NEVER)
        if sick and any(other.is_well(now) for other in self._takers(message.via, attempts)):
            return Deferred(SPARED)
        return await provider.transport.send(message)

    def on_attempt(self, attempt: Attempt) -> bool:
        """Take note of how a try ended; whether its provider is well again by that, or is known to be well only now."""
        provider = self._of(attempt)
        if provider is None or attempt.outcome == Deferred(SPARED):
            return False
        sick = provider.health.unwell or not provider.health.met
        provider.health.on_attempt(attempt)
        return sick and isinstance(attempt.outcome, Accepted)

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Know what the process before knew, from its tries, oldest first."""
        now = self._clock.now()
        for via in Channel:
            for name, provider in self.of(via).items():
                provider.health.recall(
                    [one for one in attempts if one.via is via and (one.provider or MAIN) == name], now
                )

    def health_of(self, attempt: Attempt) -> ProviderHealth | None:
        """How the provider of that try fares; None when the config has it no more."""
        provider = self._of(attempt)
        return provider.health if provider else None

    def gives_receipts(self, attempt: Attempt) -> bool:
        """Whether the provider of that try tells later what became of its message."""
        provider = self._of(attempt)
        return provider is not None and provider.transport.receipts

    async def find(self, attempt: Attempt, message: Message) -> Outcome:
        """Ask the provider that a try of uncertain fate went to."""
        provider = self._of(attempt)
        if provider is None:
            return Uncertain(f'the config has no provider "{attempt.provider}" any more that could be asked')
        return await provider.transport.find(message, attempt.started_at)

    async def fate(self, attempt: Attempt, provider_id: str) -> Fate:
        """Ask the provider that has a message what became of it."""
        provider = self._of(attempt)
        return await provider.transport.fate(provider_id) if provider else Fate(Receipt.UNKNOWN)

    def _of(self, attempt: Attempt) -> Provider | None:
        """The provider that a try went to; None when the config has it no more."""
        return self.of(attempt.via).get(attempt.provider or MAIN)


SPARED = "not tried: the provider had just failed other messages"
"""Why a try ended before it began."""
