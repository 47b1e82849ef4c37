"""Twilio's codes, one row a code: what it means as the answer to a create, and as the error of a message that was not
delivered (rules 37, 38, 39). The list of every code: https://www.twilio.com/docs/api/errors

A code that does not stand here is the provider's in a 3xx or 4xx answer, and may pass where it comes with a receipt.
"""

from tocsin.domain.delivery import Fault, Outcome, Refused
from tocsin.domain.people import Channel
from tocsin.wording.delivery.verdict import Verdict

_CORRECT = "correct it in the config"
_MOBILE = "give a mobile number"
_LOGIN = "are sms.account_sid and TOCSIN_SMS__AUTH_TOKEN, or TOCSIN_SMS__API_KEY with TOCSIN_SMS__API_SECRET, right?"
_SENDER = "name another in sms.sender"
_SERVICE = "put a sender into that service in the provider's console, or name another in sms.messaging_service_sid"
_SLOW = "have the account's limit raised, or send by a second account"
_10DLC = "register the sender for A2P 10DLC (brand and campaign) in the provider's console, or use another"
_SHORTER = "shorten the template or what was written"


def _address(meaning: str, cure: str) -> Verdict:
    return Verdict(Fault.ADDRESS, meaning, cure)


def _message(meaning: str, cure: str) -> Verdict:
    return Verdict(Fault.MESSAGE, meaning, cure)


def _provider(meaning: str, cure: str) -> Verdict:
    return Verdict(Fault.PROVIDER, meaning, cure)


def _passing(meaning: str, cure: str = "") -> Verdict:
    return Verdict(Fault.PASSING, meaning, cure)


SMS_VERDICTS = {
    "401": _provider("the login was refused", _LOGIN),
    "429": _passing("too many requests at once"),
    "20003": _provider("the login was refused", _LOGIN),
    "20005": _provider("the account is not active", "open the provider's console: pay, or lift the suspension"),
    "20404": _provider("there is no such account", "is sms.account_sid right, and sms.api_url?"),
    "20429": _passing("too many requests at once"),
    "21211": _address("the provider takes it for no valid number", _CORRECT),
    "21214": _address("the provider knows no phone behind the number", _CORRECT),
    "21217": _address("the provider takes it for no valid number", _CORRECT),
    "21265": _address("it is a short code, which takes no messages", _CORRECT),
    "21408": _provider(
        "the country is not allowed",
        "allow the number's country in the provider's console (Messaging, Geo permissions)",
    ),
    "21602": _message("it has no text", "mend the template"),
    "21603": _provider("there is no sender", "name one in sms.sender"),
    "21605": _message("it is too long", _SHORTER),
    "21606": _provider("sms.sender is no sender of this account that may send SMS", _SENDER),
    "21608": _provider(
        "a trial account writes to verified numbers only",
        "verify the number in the provider's console, or upgrade the account",
    ),
    "21610": _address("the number is opted out", "a text START from that phone to our sender opts it in again"),
    "21611": _passing("the sender's queue is full", _SLOW),
    "21612": _provider(
        "the sender cannot reach numbers of that country", "name a sender for it in sms.senders, or another sms.sender"
    ),
    "21614": _address("the number takes no text messages (a landline?)", _MOBILE),
    "21617": _message("it is too long", _SHORTER),
    "21635": _address("the number takes no text messages (a landline?)", _MOBILE),
    "21657": _provider("the country takes no messages from such a sender", _SENDER),
    "21659": _provider("sms.sender is no number of this account", _SENDER),
    "21660": _provider("sms.sender belongs to another account", "name one of this in sms.sender"),
    "21661": _provider("sms.sender is a number that cannot send SMS", _SENDER),
    "21703": _provider("the messaging service has no sender", _SERVICE),
    "21704": _provider("the messaging service has no sender for SMS", _SERVICE),
    "21705": _provider("there is no such messaging service", "is sms.messaging_service_sid right?"),
    "30001": _passing("the provider's queue is full", _SLOW),
    "30002": _provider("the account is suspended", "open the provider's console: pay, or lift the suspension"),
    "30003": _passing("the phone is off or out of reach"),
    "30004": _message(
        "the number or its carrier blocks our messages", "ask its owner to unblock the sender, or give another number"
    ),
    "30005": _address("the provider knows no phone behind the number", _CORRECT),
    "30006": _address("the number takes no text messages (a landline?)", _MOBILE),
    "30007": _message(
        "a carrier filtered it as unwanted",
        "look at the sender's registration in the provider's console, and write to its support",
    ),
    "30008": _passing("the carrier gave no reason"),
    "30019": _message("it is too long for the carrier", _SHORTER),
    "30022": _passing("carriers allow no more messages a second", _SLOW),
    "30023": _provider("the brand's messages for the day are used up", "have the limit raised, or wait for tomorrow"),
    "30024": _provider(
        "the carrier does not know the sender",
        "ask the provider's support to provision the sender with the carrier, or use another",
    ),
    "30027": _provider("T-Mobile takes no more of them today", "have the limit raised, or wait for tomorrow"),
    "30032": _provider(
        "the toll-free sender is not verified, so carriers drop what it sends",
        "have the toll-free number verified in the provider's console, or use another sender",
    ),
    "30033": _provider("the sender's A2P 10DLC campaign is suspended", "write to the provider's support"),
    "30034": _provider("the sender is not registered for A2P 10DLC, so carriers drop what it sends", _10DLC),
    "30035": _provider("the sender's A2P 10DLC registration is pending", "wait for it, or use another sender"),
    "30036": _passing("it waited too long at the provider", _SLOW),
    "30037": _provider("the account may not send", "write to the provider's support"),
    "30042": _provider("carriers do not take such a sender", _SENDER),
    "30410": _passing("the carrier did not answer the provider"),
    "30450": _passing("the provider blocks messages to the number for half an hour"),
    "63038": _provider("the account's messages for the day are used up", "have the limit raised, or wait for tomorrow"),
}
"""By Twilio's code, or by the status of an answer that has none."""
BY_NUMBER = frozenset({"21408", "21606", "21608", "21612", "21657", "21659", "21660", "21661"})
"""What the provider answers of the number's country, or of the sender that writes there; others may go all the same."""
OPTED_OUT = "21610"
"""The number answered STOP: that is its owner's word, and says nothing of the provider."""
FILTERED = "30007"
"""One message that a carrier filtered is that message's fault; a second number in a row is the provider's (rule 37)."""


def says_stop(via: Channel, outcome: Outcome | None) -> bool:
    """Whether a provider refused because the number answered STOP (rule 51)."""
    return via is Channel.SMS and isinstance(outcome, Refused) and outcome.code == OPTED_OUT


def sms_verdict(code: str) -> Verdict | None:
    """What a code means; None for one that is not known here."""
    return SMS_VERDICTS.get(code)
