"""What operators are to hear of a channel's providers, as they fare at this moment (rules 38, 39, 50).

Decides which trouble each is: while another one takes messages it is that provider that is sick, once none does the
channel. Must not know how a provider's state was found out, nor what was told before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ailment:
    """What is wrong with a provider, and since when if that matters: what to do and what it said, as a sentence. The
    `code` tells it from another cause of the same provider.
    """

    sentence: str
    code: str = ""
    since: datetime = NEVER


@dataclass(frozen=True, slots=True)
class ProviderState:
    """How a provider fares: whether it is sick, why it takes no messages, why those that it took are not delivered, why
    it takes none for some. `called` is what people call it.
    """

    name: str
    called: str
    unwell: bool
    refuses: Ailment | None = None
    undelivered: Ailment | None = None
    denies: Ailment | None = None


def sick_notices(via: Channel, providers: Sequence[ProviderState]) -> tuple[OperatorNotice, ...]:
    """What is true of all providers of a channel now."""
    if len(providers) > 1 and all(provider.refuses and provider.unwell for provider in providers):
        notices = [_channel_notice(via, providers)]
    else:
        notices = [_refusal(via, provider, providers) for provider in providers if provider.refuses]
    notices += [_denial(provider, providers) for provider in providers if provider.denies and not provider.refuses]
    undelivered = (provider for provider in providers if provider.undelivered)
    return (*notices, *(_not_delivered(via, provider, providers) for provider in undelivered))


def undelivered_about(via: Channel, provider: ProviderState, *, alone: bool) -> str:
    """What it is that is not delivered."""
    return via.traits.word if alone else f'{via.traits.word} by "{provider.name}"'


def _channel_notice(via: Channel, providers: Sequence[ProviderState]) -> OperatorNotice:
    """Nothing leaves: every provider with what cures it, what came up last first: of that nobody was told yet."""
    ailments = {provider.name: provider.refuses for provider in providers if provider.refuses}
    newest_first = sorted(ailments.values(), key=lambda ailment: ailment.since, reverse=True)
    text = "\n".join(ailment.sentence for ailment in newest_first)
    causes = sorted(f"{name}={ailment.code}" for name, ailment in ailments.items())
    return OperatorNotice(Trouble.PROVIDER_REFUSES, text, about=via.traits.word, aspect=",".join(causes))


def _refusal(via: Channel, provider: ProviderState, providers: Sequence[ProviderState]) -> OperatorNotice:
    """One takes no messages; the others, if there are any, do, or take them and do not deliver."""
    assert provider.refuses is not None
    ailment = provider.refuses
    if len(providers) == 1:
        trouble, about = Trouble.PROVIDER_REFUSES, via.traits.word
        return OperatorNotice(trouble, ailment.sentence, about=about, aspect=ailment.code)
    others = [other for other in providers if other is not provider]
    stand_in = next((other for other in others if not other.unwell), None) or next(
        (other for other in others if not other.refuses), others[0]
    )
    delivers = ", which does not deliver them" if stand_in.undelivered else ""
    text = f'messages leave by "{stand_in.name}" meanwhile{delivers}; {ailment.sentence}'
    return OperatorNotice(Trouble.PROVIDER_UNWELL, text, about=provider.called, aspect=ailment.code)


def _denial(provider: ProviderState, providers: Sequence[ProviderState]) -> OperatorNotice:
    """One takes messages, but none for some recipients."""
    assert provider.denies is not None
    well = next((other.name for other in providers if other is not provider and not other.unwell), "")
    goes = f'those go by "{well}" meanwhile' if well else "pages go to them by other channels meanwhile"
    text = f"{provider.denies.sentence}; {goes}"
    return OperatorNotice(Trouble.RECIPIENT_DENIED, text, about=provider.called, aspect=provider.denies.code)


def _not_delivered(via: Channel, provider: ProviderState, providers: Sequence[ProviderState]) -> OperatorNotice:
    """One takes messages and does not deliver them."""
    assert provider.undelivered is not None
    well = next((other.name for other in providers if other is not provider and not other.unwell), "")
    goes = f'messages leave by "{well}"' if well else "pages go by other channels"
    return OperatorNotice(
        Trouble.SMS_UNDELIVERED,
        f"{provider.undelivered.sentence}; {goes} meanwhile",
        about=undelivered_about(via, provider, alone=len(providers) == 1),
        aspect=provider.undelivered.code,
    )
