"""A webhook as the web side left it, checked: whether Twilio signed it, for an account of the config, and what it says.

Twilio signs the public address and the form's names and values in the order of the names, one after the other with
nothing between them. So a text could be cut into further parameters under the same signature. Then what stood behind
the text has to be somewhere: the message's true id, which nobody knows beforehand, or, where that is in its place, the
true sender in front of it. Both are looked for across the seams of names and values, which may be cut, too. (Names that
are merely new are taken: Twilio adds some without notice, and an answer must not be lost for that.)
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from tocsin.adapters.twilio import responses
from tocsin.adapters.twilio.signature import signed
from tocsin.domain.arrival import Arrival, ArrivalKind, WebhookEntry, WebhookRoute
from tocsin.domain.delivery import Receipt
from tocsin.formats.settings.settings import Settings

TEXT_MOST = 1600
"""Characters of a text that are kept; Twilio takes no longer ones."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
SAME_ID = ("SmsSid", "SmsMessageSid")
"""Where Twilio repeats a message's id."""
ID_NAME = re.compile("[A-Za-z]*(Message|Sms)Sid")
"""A name, Twilio's or one yet to come, that has an id as its value: it names another message (`OriginalReplied…`)."""
NAMED_ID = re.compile("(Message|Sms)Sid" + SID.pattern)
SENDER_NAME = re.compile("From(City|State|Zip|Country)?")
OTHER_CHANNEL = re.compile("From(whatsapp|rcs|messenger):")
"""The sender of what is no SMS, whose other parts (a profile's name, a place's) its sender writes as well."""
NUMBER = re.compile(r"\+?[A-Za-z0-9 ]{1,20}")
TRY = re.compile(r"/twilio/status\?try=([1-9][0-9]{0,17}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""The address of receipts names a try by its id; what was sent before tries had ids, by its number."""

UNSIGNED = "its signature is wrong: is public_url just what the provider was given, and the token that of its account?"


def webhook_arrival(entry: WebhookEntry, settings: Settings, at: datetime) -> Arrival | str | None:
    """What came in by a webhook; a text: why it is refused; None: it is genuine, and means nothing to us."""
    values = dict(entry.parameters)
    if len(values) != len(entry.parameters) or not all(map(NAME.fullmatch, values)):
        return "it is not written as the provider writes: a name twice, or one that is none"
    tokens = _tokens(settings, values.get("AccountSid", ""))
    if settings.public_url is None or not any(_all_tokens(settings)):
        lacking = "public_url" if any(_all_tokens(settings)) else "TOCSIN_SMS__AUTH_TOKEN"
        return f"its signature cannot be checked: {lacking} is not set for the daemon"
    if not tokens:
        return "it names no account of the config"
    if not any(signed(token, settings.public_url + entry.address, values, entry.signature) for token in tokens):
        return UNSIGNED
    inbound = entry.route is WebhookRoute.INBOUND
    return _sms(values, settings, at) if inbound else _receipt(values, entry.address, at)


def _sms(values: Mapping[str, str], settings: Settings, at: datetime) -> Arrival | str:
    """An SMS to us."""
    sid, sender = values.get("MessageSid", ""), values.get("From", "")
    if not (SID.fullmatch(sid) and NUMBER.fullmatch(sender) and "Body" in values):
        return "it is no SMS: it lacks MessageSid, From or Body"
    if _may_be_cut(values):
        return "its text may have been cut into parameters"
    if values.get("To", "") in _numbers_of_others(settings, values["AccountSid"]):
        return "it is signed by one account, and of an SMS to the number of another"
    return Arrival(ArrivalKind.SMS, sid, sender, values["Body"][:TEXT_MOST], at)


def _may_be_cut(values: Mapping[str, str]) -> bool:
    """Whether this may be the form of another message, its text cut into parameters."""
    if any(values.get(name, values["MessageSid"]) != values["MessageSid"] for name in SAME_ID):
        return True
    behind = sorted((name, value) for name, value in values.items() if name > "Body")
    ids = "".join("\n" if ID_NAME.fullmatch(name) and SID.fullmatch(value) else name + value for name, value in behind)
    senders = "".join(
        ("\n" if SENDER_NAME.fullmatch(name) else name) + value
        for name, value in behind
        if "From" <= name < "MessageSid"
    )
    return bool(NAMED_ID.search(ids) or "From" in senders or OTHER_CHANNEL.search(values["Body"] + ids))


def _receipt(values: Mapping[str, str], address: str, at: datetime) -> Arrival | str | None:
    """What became of an SMS of ours. The try is in the address, which is signed too."""
    sid, state = values.get("MessageSid", ""), values.get("MessageStatus", "")
    attempt = TRY.fullmatch(address[address.find("/twilio/") :])
    if not (SID.fullmatch(sid) and state and attempt):
        return "it is no receipt: it lacks MessageSid, MessageStatus or ?try="
    if "ErrorCode" in "".join(("\n" if name == "ErrorCode" else name) + values[name] for name in sorted(values)):
        return "its error code may have been cut off"
    if responses.receipt(state) is Receipt.UNKNOWN:
        return None
    code = values.get("ErrorCode", "")
    body = f"{state} {code}" if re.fullmatch("[0-9]{5}", code) else state
    ref = f"{values['AccountSid']}/{sid}:{state}"  # else another account's could take a true one's place
    return Arrival(ArrivalKind.RECEIPT, ref, attempt[1], body, at)


def _tokens(settings: Settings, account: str) -> Sequence[str]:
    """The tokens that may have signed for an account; one may stand in the config as two providers."""
    providers = settings.sms.providers.values()
    named = [provider for provider in providers if account and provider.account_sid == account]
    return [token for provider in named for secret in provider.auth_token if (token := secret.get_secret_value())]


def _all_tokens(settings: Settings) -> Sequence[str]:
    return [secret.get_secret_value() for provider in settings.sms.providers.values() for secret in provider.auth_token]


def _numbers_of_others(settings: Settings, account: str) -> frozenset[str]:
    """The senders that are other accounts' than this one."""
    providers = settings.sms.providers.values()
    own, others = (
        {
            number
            for provider in providers
            if (provider.account_sid == account) is ours
            for number in provider.by_number.all
        }
        for ours in (True, False)
    )
    return frozenset(others - own)
