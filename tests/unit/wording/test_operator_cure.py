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
        (Channel.SMS, Deferred("Authenticate", "20003", Fault.PROVIDER), "TOCSIN_SMS__AUTH_TOKEN"),
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
        Deferred("relay access denied", "554", Fault.PROVIDER),
    ],
)
def test_nothing_is_guessed(outcome: Outcome) -> None:
    """Else the provider's own words are all there is."""
    assert not provider_cure(Channel.EMAIL, outcome)
