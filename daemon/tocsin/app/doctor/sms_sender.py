"""What an SMS comes from: is it the account's, is it registered, and do the countries take it?"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tocsin.adapters.twilio.account import AccountQuestionError, TwilioAccount
from tocsin.app.doctor.check import Check
from tocsin.app.doctor.sender_countries import AMERICAN, NAMES_REGISTERED, NO_NAMES, TOLL_FREE
from tocsin.wording.delivery.sms_verdicts import SMS_VERDICTS

SENDER, REGISTRATION, COUNTRY = "sms-sender", "sms-registration", "sms-country"
REGISTER = "register brand and campaign for A2P 10DLC in the provider's console, and add the number to that service"
DROPPED = "carriers of the USA drop its SMS"
VERIFY = "have the number verified in the provider's console under Toll-free verification"


@dataclass(frozen=True, slots=True)
class SmsOrigin:
    """A number in E.164, a short code, a name, or the id of a messaging service that picks one."""

    name: str

    @property
    def is_service(self) -> bool:
        """Whether the provider picks from a pool."""
        return re.fullmatch(r"MG[0-9A-Za-z]{10,}", self.name) is not None

    @property
    def is_number(self) -> bool:
        """Whether it is a number in E.164."""
        return self.name.startswith("+")

    @property
    def is_short_code(self) -> bool:
        """Whether it is a short code."""
        return self.name.isdigit()

    @property
    def is_name(self) -> bool:
        """Whether it is a name."""
        return not (self.is_service or self.is_number or self.is_short_code)


async def examine_sender(target: str, setting: str, sender: SmsOrigin, account: TwilioAccount) -> Check:
    """Whether the account may send from it; `setting` names it. Raises AccountQuestionError."""
    if sender.is_name:
        why = f"{sender.name} is a name: nobody can answer it, and the provider tells nothing of it"
        return Check(SENDER, sender.name, True, why)
    if sender.is_service:
        numbers = await account.service_numbers(sender.name)
        if numbers is None:
            return _foreign(sender, target, f"correct {setting}")
        if not numbers:
            return Check(SENDER, sender.name, False, "the messaging service has no sender", "add a number to it")
        return Check(SENDER, sender.name, True, f"the messaging service sends from {', '.join(numbers[:3])}")
    if sender.is_short_code:
        if await account.has_short_code(sender.name):
            return Check(SENDER, sender.name, True, f"the short code {sender.name} is this account's")
        return _foreign(sender, target, f"name another in {setting}")
    owned = await account.number(sender.name)
    if owned is None:
        return _foreign(sender, target, f"name another in {setting}")
    if not owned.sms:
        return Check(
            SENDER, sender.name, False, f"{sender.name} cannot send SMS", f"name a number that can in {setting}"
        )
    return Check(SENDER, sender.name, True, f"{sender.name} is this account's and can send SMS")


def _foreign(sender: SmsOrigin, target: str, cure: str) -> Check:
    return Check(SENDER, sender.name, False, f"{sender.name} is not of account {target}", cure)


async def examine_registration(sender: SmsOrigin, countries: Collection[str], account: TwilioAccount) -> Check:
    """Whether the carriers of the USA let it pass. Raises AccountQuestionError."""
    if sender.name.startswith(TOLL_FREE):
        return await _tollfree(sender, account)
    if not AMERICAN & set(countries):
        return Check(REGISTRATION, sender.name, None, "not tried: no SMS from it goes to a number of the USA")
    if sender.is_number and not sender.name.startswith("+1"):
        return Check(REGISTRATION, sender.name, None, "not tried: it is no number of North America")
    if not (sender.is_number or sender.is_service):
        return Check(REGISTRATION, sender.name, None, "not tried: the provider tells of numbers only")
    services = (sender.name,) if sender.is_service else await account.services_with(sender.name)
    if not services:
        why = f"{sender.name} belongs to no messaging service, so to no campaign: {DROPPED} (30034)"
        return Check(REGISTRATION, sender.name, False, why, REGISTER)
    states = [state for service in services for state in await account.campaigns(service)]
    if "VERIFIED" in states:
        return Check(REGISTRATION, sender.name, True, f"{sender.name} is registered for the USA (A2P 10DLC)")
    if sender.is_service and not states:
        why = "not tried: the service has no campaign, which toll-free numbers and short codes do not need"
        return Check(REGISTRATION, sender.name, None, why, f"if it sends from a local number: {REGISTER}")
    stands = f"its campaign is {states[0].lower().replace('_', ' ')}" if states else "it has no campaign"
    return Check(REGISTRATION, sender.name, False, f"{sender.name}: {stands}: {DROPPED} (30034)", REGISTER)


async def _tollfree(sender: SmsOrigin, account: TwilioAccount) -> Check:
    owned = await account.number(sender.name)
    states = await account.tollfree_states(owned.sid) if owned else ()
    if "TWILIO_APPROVED" in states:
        return Check(REGISTRATION, sender.name, True, f"the toll-free {sender.name} is verified")
    stands = f"is {states[0].lower().replace('_', ' ')}" if states else "was never asked for"
    why = f"{sender.name}: its verification {stands}: {DROPPED} (30032)"
    return Check(REGISTRATION, sender.name, False, why, VERIFY)


async def examine_country(country: str, people: Sequence[str], sender: SmsOrigin, account: TwilioAccount) -> Check:
    """Whether SMS reach the people of a country, from that sender. Raises AccountQuestionError."""
    who = ", ".join(people[:3]) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
    if sender.is_name and country in NO_NAMES:
        why = f"{country} ({who}): carriers there take no SMS from a name such as {sender.name}"
        return Check(COUNTRY, country, False, why, "name a number for them: sms.sender, or sms.senders by prefix")
    try:
        allowed = await account.allows(country)
    except AccountQuestionError as trouble:
        if not trouble.withheld:
            raise
        allowed = None
    if allowed is False:
        return Check(COUNTRY, country, False, f"{country} ({who}) is not allowed", SMS_VERDICTS["21408"].cure)
    registered = f"is {sender.name} registered there? Names that are not are dropped"
    cure = registered if sender.is_name and country in NAMES_REGISTERED else ""
    if allowed is None:
        look = "look in the provider's console under Messaging, Geo permissions"
        return Check(
            COUNTRY, country, None, f"not tried: the provider does not say if {country} ({who}) is allowed", look
        )
    return Check(COUNTRY, country, True, f"{country} ({who}) is allowed", cure)
