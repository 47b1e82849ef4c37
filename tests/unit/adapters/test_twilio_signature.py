"""Whether Twilio signed a webhook: every parameter, the address and the token count."""

import pytest
from tocsin.adapters.twilio.signature import signed

from tests.fakes.twilio_webhooks import inbound, signature

URL, TOKEN = "https://tocsin.example.com/twilio/inbound?a=1", "12345"
FORM = inbound("ok K7")
GOOD = signature(TOKEN, URL, FORM)


def test_a_known_one() -> None:
    """The sample of Twilio's documentation."""
    values = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signed("12345", url, values, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert signed(TOKEN, URL, FORM, GOOD)


@pytest.mark.parametrize("name", FORM)
def test_every_parameter_counts(name: str) -> None:
    """One that is changed, left out or renamed is none that Twilio signed."""
    rest = {other: value for other, value in FORM.items() if other != name}
    assert not signed(TOKEN, URL, {**FORM, name: FORM[name] + "1"}, GOOD)
    assert not signed(TOKEN, URL, rest, GOOD)
    assert not signed(TOKEN, URL, {**rest, name + "x": FORM[name]}, GOOD)


@pytest.mark.parametrize(
    ("token", "url", "values", "sign"),
    [
        ("1234", URL, FORM, GOOD),
        ("", URL, FORM, GOOD),
        (TOKEN, URL.replace("a=1", "a=2"), FORM, GOOD),
        (TOKEN, URL.replace("https:", "http:"), FORM, GOOD),
        (TOKEN, URL.replace("tocsin.", "evil."), FORM, GOOD),
        (TOKEN, URL, {**FORM, "Extra": "1"}, GOOD),
        (TOKEN, URL, {}, GOOD),
        (TOKEN, URL, FORM, ""),
        (TOKEN, URL, FORM, GOOD[:-1]),
        (TOKEN, "https://[", FORM, GOOD),
    ],
)
def test_so_does_the_rest(token: str, url: str, values: dict[str, str], sign: str) -> None:
    """Another token, another address or none, more or no parameters, another signature or none."""
    assert not signed(token, url, values, sign)
