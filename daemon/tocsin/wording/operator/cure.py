"""What cures a provider that takes no messages, where its answer tells: the setting or the secret to look at."""

from tocsin.domain.delivery import Deferred, Fault, Outcome
from tocsin.domain.people import Channel

LOGIN_CODES = frozenset({"530", "534", "535", "538", "401", "20003"})
"""Codes of mail servers and of Twilio that refuse a login."""
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""How OpenSSL says that nobody whom we trust signed the certificate."""
LOGIN_CURES = {
    Channel.EMAIL: "the login was refused: are TOCSIN_EMAIL__PASSWORD and email.username right?",
    Channel.SMS: "the login was refused: are sms.account_sid and TOCSIN_SMS__AUTH_TOKEN, or TOCSIN_SMS__API_KEY with "
    "TOCSIN_SMS__API_SECRET, right?",
}


def provider_cure(via: Channel, outcome: Outcome) -> str:
    """What to look at; empty where the provider's own words are all that is known."""
    if not isinstance(outcome, Deferred) or outcome.fault is not Fault.PROVIDER:
        return ""
    if outcome.code in LOGIN_CODES:
        return LOGIN_CURES[via]
    if via is Channel.EMAIL and UNTRUSTED in outcome.detail:
        return "its certificate is signed by nobody we trust; name the file of a private authority in email.ca_file"
    return ""
