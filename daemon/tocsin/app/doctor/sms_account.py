"""The SMS account: does it let us in, may it send, from this sender, to the countries where people are?

Decides what is asked and what the answers mean for the operators. A question that the account's key may not ask, or
that the provider does not answer, says nothing of messages: it counts as not tried.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from tocsin.adapters.twilio.account import AccountQuestionError, TwilioAccount
from tocsin.app.doctor.check import WITH_SECRETS, Check, Resolve, not_tried
from tocsin.app.doctor.sms_sender import SmsOrigin, examine_country, examine_registration, examine_sender
from tocsin.domain.delivery import Deferred, Fault, Refused
from tocsin.domain.people import Channel
from tocsin.formats.settings.senders import SmsSenders
from tocsin.text.contacts import country_of
from tocsin.wording.delivery.answer_words import for_provider, provider_cure

LOGIN, STATE, BALANCE, SENDER, REGISTRATION, CLOCK = CODES = (
    "sms-login", "sms-account", "sms-balance", "sms-sender", "sms-registration", "clock",
)  # fmt: skip
COUNTRY, TRIAL = "sms-country", "sms-trial"
BALANCE_LOW = Decimal(20)
"""Of any currency: some hundred SMS, which a bad week takes."""
SKEW_MOST = timedelta(seconds=60)
"""How far the clocks may differ; beyond it operators are told (docs/operators.md#provider-clock)."""


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """One provider of SMS. `name` is empty for the first; `setting` is where it stands in the settings; `service` is
    its messaging service, if it has one. `account` is None where nobody here has the secret that `secret_lacks` names.
    """

    sid: str
    account: TwilioAccount | None
    senders: SmsSenders
    service: str = ""
    name: str = ""
    setting: str = "sms"
    secret_lacks: str = ""

    def origin(self, phone: str) -> SmsOrigin:
        """What an SMS to a number comes from."""
        return SmsOrigin(self.senders.to(phone) or self.service)

    @property
    def origins(self) -> tuple[SmsOrigin, ...]:
        """All that an SMS may come from."""
        return tuple(map(SmsOrigin, (*self.senders.all, *([self.service] if self.service else []))))

    def setting_of(self, origin: SmsOrigin) -> str:
        """Where that origin is named."""
        if origin.name == self.service:
            return f"{self.setting}.messaging_service_sid"
        prefix = next((prefix for prefix, name in self.senders.prefixes.items() if name == origin.name), "")
        return f"{self.setting}.sender" if origin.name == self.senders.default else f"{self.setting}.senders.{prefix}"

    @property
    def target(self) -> str:
        """What it is called."""
        return f"{self.name} ({self.sid})" if self.name else self.sid


def host_of(api_url: str) -> str:
    """The host that is asked for the account."""
    return urlsplit(api_url).hostname or "api.twilio.com"


async def examine_provider(provider: SmsAccount, phones: Mapping[str, str], host: str, resolve: Resolve) -> list[Check]:
    """All there is to see of an account without sending anything. `phones` are numbers by person; `host` is asked."""
    target, account = provider.target, provider.account
    if account is None:
        return not_tried(CODES, target, f"{provider.secret_lacks} is not known here", WITH_SECRETS)
    found = await resolve(host)
    if isinstance(found, str):
        cure = f"does this machine find other names (getent hosts example.com)? is {provider.setting}.api_url right?"
        return [
            Check(LOGIN, target, False, f"{host} {found}", cure),
            *not_tried(CODES[1:], target, "the provider's name is not found"),
        ]
    try:
        await account.log_in()
        first = Check(
            LOGIN, target, True, "it lets us in, by " + ("an API key" if account.by_key else "its auth token")
        )
        parts = await asyncio.gather(*_questions(provider, account, phones))
        return [first, *(check for part in parts for check in part), _clock(target, account.skew)]
    except AccountQuestionError as trouble:
        return [_not_let_in(provider, trouble), *not_tried(CODES[1:], target, "it does not let us in")]
    finally:
        await account.close()


def _questions(provider: SmsAccount, account: TwilioAccount, phones: Mapping[str, str]) -> list[Awaitable[list[Check]]]:
    """What is asked once it lets us in, all at once."""
    people: dict[str, list[str]] = {}
    senders: dict[SmsOrigin, list[str]] = {origin: [] for origin in provider.origins}
    for person, phone in phones.items():
        people.setdefault(country_of(phone), []).append(person)
        senders.setdefault(provider.origin(phone), []).append(phone)
    questions: list[Awaitable[list[Check]]] = [_state(provider, account, phones), _balance(provider, account)]
    for sender, reached in senders.items():
        countries = {country_of(phone) for phone in reached}
        questions += [
            _asked(SENDER, sender.name, examine_sender(provider.target, provider.setting_of(sender), sender, account)),
            _asked(REGISTRATION, sender.name, examine_registration(sender, countries, account)),
        ]
    for country in sorted(filter(None, people)):
        phone = next(phone for phone in phones.values() if country_of(phone) == country)
        named = examine_country(country, people[country], provider.origin(phone), account)
        questions.append(_asked(COUNTRY, country, named))
    return questions


async def _asked(code: str, target: str, question: Awaitable[Check]) -> list[Check]:
    """A check; one that the provider does not answer for was not tried."""
    try:
        return [await question]
    except AccountQuestionError as trouble:
        return [_unknown(code, target, trouble)]


async def _state(provider: SmsAccount, account: TwilioAccount, phones: Mapping[str, str]) -> list[Check]:
    """Whether the account may send at all; of one on trial, to whom."""
    try:
        state = await account.state()
    except AccountQuestionError as trouble:
        return [_unknown(STATE, provider.target, trouble)]
    if state.status != "active":
        cure = "open the provider's console: it says what it wants (a payment, a document)"
        return [Check(STATE, provider.target, False, f"the account is {state.status}", cure)]
    if not state.trial:
        return [Check(STATE, provider.target, True, "the account is active")]
    cure = "upgrade the account: until then people have to be verified one by one, and its name stands in every SMS"
    first = Check(STATE, provider.target, True, "the account is on trial: it reaches verified numbers only", cure)
    names = [
        Check(SENDER, origin.name, False, f"a trial account sends from no name such as {origin.name}", "name a number")
        for origin in provider.origins
        if origin.is_name
    ]
    verified = await asyncio.gather(*(_verified(account, person, phone) for person, phone in phones.items()))
    return [first, *names, *verified]


async def _verified(account: TwilioAccount, person: str, phone: str) -> Check:
    try:
        verified = await account.is_verified(phone)
    except AccountQuestionError as trouble:
        return _unknown(TRIAL, person, trouble)
    if verified:
        return Check(TRIAL, person, True, f"{phone} is verified")
    cure = "verify it in the provider's console under Verified Caller IDs, or upgrade the account"
    return Check(TRIAL, person, False, f"{phone} is not verified, so a trial account does not reach {person}", cure)


async def _balance(provider: SmsAccount, account: TwilioAccount) -> list[Check]:
    try:
        amount, currency = await account.balance()
    except AccountQuestionError as trouble:
        return [_unknown(BALANCE, provider.target, trouble)]
    left = f"{amount:.2f} {currency}".rstrip()
    if amount <= 0:
        cure = "pay in, and let the provider charge automatically: an empty account sends nothing"
        return [Check(BALANCE, provider.target, False, f"nothing is left on the account ({left})", cure)]
    cure = "pay in, or let the provider charge automatically" if amount < BALANCE_LOW else ""
    return [Check(BALANCE, provider.target, True, f"{'only ' if cure else ''}{left} left", cure)]


def _clock(target: str, skew: timedelta | None) -> Check:
    """How far this machine's clock is from the provider's."""
    if skew is None:
        return Check(CLOCK, target, None, "not tried: the provider does not say what time it is")
    seconds = abs(skew.total_seconds())
    if abs(skew) > SKEW_MOST:
        side = "behind" if skew > timedelta(0) else "ahead of"
        why = f"this machine's clock is {seconds:.0f} s {side} the SMS provider's"
        return Check(CLOCK, target, False, why, "put it right (timedatectl): turns and opening hours are by it")
    return Check(CLOCK, target, True, f"this machine's clock agrees with the SMS provider's (to {seconds:.0f} s)")


def _not_let_in(provider: SmsAccount, trouble: AccountQuestionError) -> Check:
    outcome = trouble.outcome
    passing = isinstance(outcome, Deferred) and outcome.fault is Fault.PASSING and trouble.status == 429
    if passing:
        return Check(LOGIN, provider.target, True, f"not now: {trouble}", "try again in a minute, as tocsin would")
    blamed = (
        Deferred(str(trouble), outcome.code, Fault.PROVIDER) if isinstance(outcome, (Deferred, Refused)) else outcome
    )
    general = "is the provider reached from here (a firewall, a proxy)? are sms.account_sid and sms.api_url right?"
    cure = for_provider(provider_cure(Channel.SMS, blamed) or general, "sms", provider.setting)
    return Check(LOGIN, provider.target, False, f"it does not let us in: {trouble}", cure)


def _unknown(code: str, target: str, trouble: AccountQuestionError) -> Check:
    """A question without an answer."""
    why = "this key may not ask for that" if trouble.withheld else str(trouble)
    return Check(code, target, None, f"not tried: {why}")
