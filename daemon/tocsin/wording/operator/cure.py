"""What cures a provider that takes no messages, where its answer tells: a setting, a secret, a record (rule 39)."""

import re

from tocsin.domain.delivery import Deferred, Fault, Outcome
from tocsin.domain.people import Channel

SMS_CURES = {
    "20005": "the account is not active: open the provider's console",
    "21408": "the country is not allowed: tick it in the provider's console under Messaging, Geo permissions",
    "21603": "sms.sender is missing or wrong",
    "21606": "sms.sender is no sender of this account that may send SMS: name another",
    "21659": "sms.sender is no number of this account: name another",
    "21660": "sms.sender belongs to another account: name one of this",
    "63038": "the account's limit for the day is reached: have it raised, or wait for tomorrow",
} | dict.fromkeys(
    ("20003", "401"),
    "the login was refused: are sms.account_sid and TOCSIN_SMS__AUTH_TOKEN, or TOCSIN_SMS__API_KEY with "
    "TOCSIN_SMS__API_SECRET, right?",
)
"""By Twilio's code."""

_LOGIN = "are TOCSIN_EMAIL__PASSWORD and email.username right?"
_RECORDS = "publish SPF and DKIM for the domain of email.sender (docs/installing.md#mail-that-arrives)"
EMAIL_CODE_CURES = {"535": f"the login was refused: {_LOGIN}"} | dict.fromkeys(
    ("530", "534", "538"), f"the server wants a login, or another kind of it: {_LOGIN}"
)
"""By the reply's code."""
EMAIL_CURES = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is signed by nobody we trust; name the file of a private authority in email.ca_file",
    ),
    ("STARTTLS", "are email.port and email.security right?"),
    (r"\b5\.7\.(20|21|22|23|24|26|27|29)\b", _RECORDS),
    (r"\b5\.7\.25\b", "the address of this machine needs a name in DNS that leads back to it"),
    (
        r"\brelay",
        "the server takes nothing from us for others: log in (email.username, TOCSIN_EMAIL__PASSWORD), or have it let "
        "this machine send",
    ),
    ("sender", "the server does not take email.sender: use an address of a domain that it sends for"),
)
"""By what stands in the answer, in any case; the first that fits."""


def provider_cure(via: Channel, outcome: Outcome) -> str:
    """What to look at; empty where the provider's own words are all that is known."""
    if not isinstance(outcome, Deferred) or outcome.fault is not Fault.PROVIDER:
        return ""
    if via is Channel.SMS:
        return SMS_CURES.get(outcome.code, "")
    if outcome.code in EMAIL_CODE_CURES:
        return EMAIL_CODE_CURES[outcome.code]
    fitting = (cure for words, cure in EMAIL_CURES if re.search(words, outcome.detail, re.IGNORECASE))
    return next(fitting, "")


def ledger_trouble(why: str) -> str:
    """That the ledger cannot be written, in the ledger's words, and who holds it if it is only that."""
    held = ": another program holds it, and `fuser -v tocsin.db` names it" if is_lock(why) else ""
    return f"the ledger cannot be written ({why}){held}; pages go out from memory"


def is_lock(why: str) -> bool:
    """Whether another program holds the ledger, in SQLite's words."""
    return "is locked" in why
