"""What cures a provider that takes no messages: the setting or the secret is named where its answer tells which."""

import pytest
from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Refused
from tocsin.domain.people import Channel
from tocsin.wording.operator.cure import provider_cure

UNTRUSTED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"


@pytest.mark.parametrize(
    ("via", "outcome", "named"),
    [
        (Channel.EMAIL, Deferred("5.7.8 authentication failed", "535", Fault.PROVIDER), "TOCSIN_EMAIL__PASSWORD"),
        (Channel.EMAIL, Deferred(UNTRUSTED, fault=Fault.PROVIDER), "email.ca_file"),
        (Channel.EMAIL, Deferred("Server does not offer STARTTLS", fault=Fault.PROVIDER), "email.security"),
        (Channel.EMAIL, Deferred("554 5.7.1 relay access denied", "554", Fault.PROVIDER), "email.username"),
        (Channel.EMAIL, Deferred("550 5.7.26 unauthenticated", "550", Fault.PROVIDER), "SPF"),
        (Channel.EMAIL, Deferred("550 5.7.1 Sender rejected", "550", Fault.PROVIDER), "email.sender"),
        (Channel.SMS, Deferred("Authenticate", "20003", Fault.PROVIDER), "TOCSIN_SMS__AUTH_TOKEN"),
        (Channel.SMS, Deferred("not allowed", "21408", Fault.PROVIDER), "Geo permissions"),
    ],
)
def test_the_setting_is_named(via: Channel, outcome: Outcome, named: str) -> None:
    """A login that is refused: the secret; a certificate that nobody signed whom we trust: the setting."""
    assert named in provider_cure(via, outcome)


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted("id"),
        Refused("no such user", "550"),
        Deferred("later", "451"),
        Deferred("relay access denied", "554"),
        Deferred("we do not like you", "554", Fault.PROVIDER),
    ],
)
def test_nothing_is_guessed(outcome: Outcome) -> None:
    """Else the provider's own words are all there is."""
    assert not provider_cure(Channel.EMAIL, outcome)
