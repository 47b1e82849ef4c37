"""Twilio's webhooks, as the daemon checks them: what is forged, altered, cut or repeated is refused, and says why."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from tocsin.app.arrivals.webhooks import UNSIGNED, webhook_arrival
from tocsin.domain.arrival import Arrival, ArrivalKind, WebhookEntry, WebhookRoute
from tocsin.formats.settings.providers import EmailSettings, SmsProvider, SmsSettings, SmsTransport
from tocsin.formats.settings.settings import Settings

from tests.fakes.twilio_webhooks import ACCOUNT, SID, inbound, signature, status

TOKEN, PUBLIC = "0123456789abcdef", "https://tocsin.example.com/pager"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TRY = "019ab0a1-7c00-7123-8abc-0123456789ab"
INBOUND, STATUS = "/twilio/inbound", f"/twilio/status?try={TRY}"
SAMPLES = [
    (INBOUND, inbound("ok K7")),
    (INBOUND, inbound("Déjà vu 🙂 & = + %2B;\nMessageSid=SM1")),
    (INBOUND + "?site=eu&x=%20", inbound("")),
    (STATUS, status("sent")),
    ("/twilio/status?try=1024", status("undelivered", code="30006")),
]
OTHER = "AC" + "1" * 32
BOTH = SmsSettings(
    transport=SmsTransport.TWILIO,
    sender="+15005550006",
    account_sid=ACCOUNT,
    auth_token=[SecretStr(TOKEN)],
    fallbacks={
        "second": SmsProvider(
            transport=SmsTransport.TWILIO,
            sender="+15005550007",
            account_sid=OTHER,
            auth_token=[SecretStr("the other's")],
        )
    },
)


def settings(**changes: Any) -> Settings:
    sms = SmsSettings(sender="+15005550006", account_sid=ACCOUNT, auth_token=[SecretStr("old"), SecretStr(TOKEN)])
    given = {"email": EmailSettings(sender="tocsin@example.com"), "sms": sms, "public_url": PUBLIC, **changes}
    return Settings(operators=["olga"], last_resort=["olga"], **given)


def entry(address: str, values: dict[str, str], sign: str | None = None, token: str = TOKEN) -> WebhookEntry:
    """A webhook, signed as it should be unless `sign` is given."""
    route = WebhookRoute.INBOUND if "inbound" in address else WebhookRoute.STATUS
    right = signature(token, PUBLIC + address, values)
    return WebhookEntry("0123456789", route, address, tuple(values.items()), right if sign is None else sign)


USUAL = settings()


def came(webhook: WebhookEntry, **changes: Any) -> Arrival | str | None:
    return webhook_arrival(webhook, settings(**changes) if changes else USUAL, NOW)


@pytest.mark.parametrize(("address", "values"), SAMPLES)
def test_what_twilio_signed_is_taken(address: str, values: dict[str, str]) -> None:
    """The signature of Twilio's documentation is the SDK's; the order of the parameters does not matter."""
    arrival = came(entry(address, values))
    assert isinstance(arrival, Arrival)
    assert came(entry(address, dict(reversed(values.items())))) == arrival


def test_what_an_sms_says() -> None:
    """Who sent it, what, and the provider's name for it, so that the same message seen by polling counts once; 1,600
    letters at most; a sender of letters, too.
    """
    assert came(entry(INBOUND, inbound("OK k7 🙂"))) == Arrival(ArrivalKind.SMS, SID, "+14155550101", "OK k7 🙂", NOW)
    long = came(entry(INBOUND, inbound("x" * 1700, sender="ACME Bank")))
    assert long == Arrival(ArrivalKind.SMS, SID, "ACME Bank", "x" * 1600, NOW)


def test_what_a_receipt_says() -> None:
    """Each state of each try once; a state that nobody knows means nothing, and is no trouble."""
    states = [came(entry(STATUS, status(state))) for state in ("delivered", "sent")]
    assert states == [
        Arrival(ArrivalKind.RECEIPT, f"{ACCOUNT}/{SID}:{state}", TRY, state, NOW) for state in ("delivered", "sent")
    ]
    failed = came(entry("/twilio/status?try=13", status("undelivered", code="30006")))
    assert failed == Arrival(ArrivalKind.RECEIPT, f"{ACCOUNT}/{SID}:undelivered", "13", "undelivered 30006", NOW)
    assert came(entry(STATUS, status("warp"))) is None


@pytest.mark.parametrize(("address", "values"), SAMPLES)
def test_no_flipped_bit_is_taken(address: str, values: dict[str, str]) -> None:
    """Whatever letter of the address, of a name, of a value or of the signature has a bit flipped: it is refused."""
    genuine = entry(address, values)
    texts = [address, genuine.signature, *(part for pair in genuine.parameters for part in pair)]
    for place, text in enumerate(texts):
        for at in range(len(text)):
            for bit in (at % 7, 5):
                flipped = text[:at] + chr(ord(text[at]) ^ 1 << bit) + text[at + 1 :]
                parts = [*texts[:place], flipped, *texts[place + 1 :]]
                pairs = tuple(zip(parts[2::2], parts[3::2], strict=True))
                assert isinstance(came(replace(genuine, address=parts[0], signature=parts[1], parameters=pairs)), str)


@pytest.mark.parametrize(("address", "values"), SAMPLES)
def test_the_signature_covers_every_parameter(address: str, values: dict[str, str]) -> None:
    """Each value changed, each name changed, each parameter left out or doubled, and other signatures: refused."""
    genuine = entry(address, values)
    for name, value in values.items():
        rest = {other: values[other] for other in values if other != name}
        changed = [values | {name: value + "0"}, rest | {name + "0": value}]
        changed += [rest] if value else []  # an empty one leaves its name behind in what is signed
        for forged in changed:
            assert isinstance(came(entry(address, forged, genuine.signature)), str), (name, forged)
    pairs = genuine.parameters
    assert isinstance(came(replace(genuine, parameters=(*pairs, pairs[0]))), str)
    assert isinstance(came(replace(genuine, parameters=(*pairs, ("Extra", "1")))), str)
    for sign in ("", genuine.signature + " ", genuine.signature.lower(), "x" * 28):
        assert came(replace(genuine, signature=sign)) == UNSIGNED
    for other in (address + "&try=2", "/evil" + address, "//evil.example.com" + address):
        assert isinstance(came(replace(genuine, address=other)), str)


def test_a_receipt_is_no_sms() -> None:
    """What was signed for one address means nothing at the other, whichever the web side says it is."""
    sms, receipt = entry(INBOUND, inbound("ok")), entry(STATUS, status("delivered"))
    assert isinstance(came(replace(sms, route=WebhookRoute.STATUS)), str)
    assert isinstance(came(replace(receipt, route=WebhookRoute.INBOUND)), str)


@pytest.mark.parametrize("token", ["", "older", "the other's"])
def test_another_token_signs_nothing(token: str) -> None:
    """Only the account's own tokens; while there are two, what either of them signed is taken."""
    assert came(entry(INBOUND, inbound("ok"), token=token)) == UNSIGNED
    assert isinstance(came(entry(INBOUND, inbound("ok"), token="old")), Arrival)


@pytest.mark.parametrize(
    "cut",
    [
        {"From": "+14155550102", "FromA": "{rest}"},
        {"From": "+14155550102", "FromAFrom": "{tail}"},
        {"From": "+14155550102", "G": "{rest}"},
        {"From": "+14155550102", "FromCity": "{rest}"},
        {"From": "+14155550102", "ToZip": "{rest}"},
        {"From": "+14155550102", "MessageSid": "SM" + "f" * 32, "ToZip": "{rest}"},
        {"From": "+14155550102", "MessageSid": "SM" + "f" * 32, "SmsSid": "SM" + "f" * 32, "a": "{rest}"},
    ],
)
def test_a_text_cannot_carry_parameters(cut: dict[str, str]) -> None:
    """W5: Twilio signs names and values without anything between them. A signed text of a stranger that holds parameters,
    cut into an `ok` of somebody else's number, has the same signature; it is refused, the genuine one is taken.
    """
    absorber = next(name for name, value in cut.items() if value.startswith("{"))
    said = "ok" + "".join(name + value for name, value in sorted(cut.items()) if name < absorber)
    genuine = {
        name: value
        for name, value in inbound("").items()
        if not (name.startswith(("From", "To")) and name not in ("From", "To"))
    }
    genuine["Body"] = said + absorber.removesuffix("From")
    before = {name: value for name, value in genuine.items() if name < "Body"}
    tail = [(name, value) for name, value in sorted(genuine.items()) if name > "Body"]
    whole = absorber.removeprefix(absorber.removesuffix("From")) == "From"
    for taken in range(1, len(tail) + 1):
        absorbed = "".join(name + value for name, value in tail[:taken])
        absorbed = absorbed.removeprefix("From") if whole else absorbed
        forged = before | {"Body": "ok"} | {name: value for name, value in cut.items() if name != absorber}
        forged |= {absorber: absorbed} | dict(tail[taken:])
        sign = signature(TOKEN, PUBLIC + INBOUND, genuine)
        if signature(TOKEN, PUBLIC + INBOUND, forged) == sign:
            assert isinstance(came(entry(INBOUND, forged, sign)), str), forged
    assert isinstance(came(entry(INBOUND, genuine)), Arrival)


def test_a_text_cannot_be_cut_within_names() -> None:
    """W5: no name that stood behind the text is whole any more; all the same the signature holds."""
    genuine = inbound("okFrom+14155550102MessageSidSM" + "f" * 32 + "ToZip")
    forged = {name: genuine[name] for name in ("AccountSid", "ApiVersion")}
    forged |= {"Body": "ok", "From": "+14155550102", "MessageSid": "SM" + "f" * 32, "ToZip": "Fr"}
    forged |= {"om": "+14155550101Fr", "omCity": "Fr", "omCountry": "USFr", "omState": "Fr", "omZip": "Mes"}
    forged |= {"sageSid": f"{SID}NumMedia0NumSegments1SmsMe"}
    forged |= {"ssageSid": f"{SID}SmsSid{SID}SmsStatusreceivedTo+15005550006ToCityToCountryUSToStateToZip"}
    sign = signature(TOKEN, PUBLIC + INBOUND, genuine)
    assert signature(TOKEN, PUBLIC + INBOUND, forged) == sign
    assert came(entry(INBOUND, forged, sign)) == "its text may have been cut into parameters"
    assert isinstance(came(entry(INBOUND, genuine)), Arrival)


def test_another_channels_words_are_no_parameters() -> None:
    """What somebody calls themselves there stands behind the text as well, and could bring a sender of its own."""
    genuine = inbound("ok\n", sender="whatsapp:+14155550101") | {"Label": "atFrom+14155550102"}
    body = "ok\nFromwhatsapp:+14155550101FromCityFromCountryUSFromStateFromZipLabelat"
    forged = {name: value for name, value in genuine.items() if not name.startswith("From") and name != "Label"}
    forged |= {"Body": body, "From": "+14155550102"}
    sign = signature(TOKEN, PUBLIC + INBOUND, genuine)
    assert signature(TOKEN, PUBLIC + INBOUND, forged) == sign
    assert isinstance(came(entry(INBOUND, forged, sign)), str)


@pytest.mark.parametrize(
    "cut",
    [
        {"ErrorCode30006": ""},
        {"ApiVersion": "2010-04-01Error", "Code30006": ""},
        {"ApiVersion": "2010-04-01ErrorCode30006"},
        {"ErrorCode": "", "ErrorCode30006": ""},
    ],
)
def test_a_receipt_cannot_lose_its_code(cut: dict[str, str]) -> None:
    """The same signature holds for the code as a part of another parameter, and would hide why an SMS was refused."""
    address, genuine = SAMPLES[-1]
    altered = {name: value for name, value in genuine.items() if name != "ErrorCode"} | cut
    for sign in (signature(TOKEN, PUBLIC + address, genuine), signature(TOKEN, PUBLIC + address, altered)):
        assert isinstance(came(entry(address, altered, sign)), str)


OTHER_ID = "MM" + "5" * 32
ADDED = (
    {"OriginalRepliedMessageSid": OTHER_ID, "OriginalRepliedMessageSender": "+15005550006"},
    {"MessagingServiceSid": "MG" + "5" * 32, "OptOutType": "HELP", "MessageType": "text", "NumMedia": "1"},
    {"MediaUrl0": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}/Media/ME1"},
    {"MediaContentType0": "image/png", "AddOns": '{"status":"successful","results":{"From":{}}}'},
    {"ProfileName": "From Bo", "WaId": "14155550101", "ExternalUserId": "x", "ReferralBody": "From 10 Euro"},
    {"ReferralSourceUrl": "https://example.com/?From=1", "ReferralNumMedia": "0", "ReferralCtwaClid": "x"},
    {"ButtonText": "From", "ButtonPayload": "From", "Forwarded": "true", "FrequentlyForwarded": "false"},
    {"Latitude": "1.0", "Longitude": "2.0", "Address": "From Street 1", "Label": "Home", "ListId": "1"},
    {"ChannelMetadata": '{"type":"x","data":{"From":"+1"}}'},
    {
        "ParentMessageSid": OTHER_ID,
        "ReplyFrom": "+15005550006",
        "CarrierFrom": "x",
        "ToCarrier": "From",
        "SmsBody": "ok",
    },
)
"""What Twilio's documentation has for one or the other channel; and, at last, names that it might come to have."""


@pytest.mark.parametrize("added", ADDED)
def test_a_new_parameter_loses_no_answer(added: dict[str, str]) -> None:
    """Twilio adds names without notice: one that can hold nothing of a cut text is taken."""
    for text in ("ok K7", "note From 10 to 12 it was slow; MessageSid is our field"):
        assert isinstance(came(entry(INBOUND, inbound(text) | added)), Arrival)


@pytest.mark.parametrize(
    ("address", "values"),
    [
        (INBOUND, inbound("ok", sid="SM1")),
        (INBOUND, inbound("ok", sender="")),
        (INBOUND, inbound("ok", sender="+1415555010112345678901")),
        (INBOUND, inbound("ok", sender="<script>")),
        (INBOUND, inbound("ok", sender="+1 415\n555")),
        (INBOUND, {name: value for name, value in inbound("ok").items() if name != "Body"}),
        (INBOUND, {"Body": "ok", "AccountSid": ACCOUNT}),
        ("/twilio/status", status("delivered")),
        ("/twilio/status?try=0", status("delivered")),
        ("/twilio/status?try=-1", status("delivered")),
        ("/twilio/status?try=1&try=2", status("delivered")),
        ("/twilio/status?try=99999999999999999999", status("delivered")),
        (STATUS.upper(), status("delivered")),
        (STATUS[:-1], status("delivered")),
        (STATUS + "0", status("delivered")),
        (STATUS.replace("-", ""), status("delivered")),
        (STATUS, {"MessageSid": SID, "AccountSid": ACCOUNT}),
    ],
)
def test_signed_nonsense(address: str, values: dict[str, str]) -> None:
    """Even from Twilio itself what lacks something is refused, and the log says what."""
    why = came(entry(address, values))
    assert isinstance(why, str)
    assert "lacks" in why


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"sms": SmsSettings(sender="+15005550006", account_sid=ACCOUNT)}, "TOCSIN_SMS__AUTH_TOKEN"),
        (
            {"sms": SmsSettings(sender="+15005550006", account_sid=ACCOUNT, auth_token=[SecretStr("")])},
            "TOCSIN_SMS__AUTH_TOKEN",
        ),
        ({"public_url": None}, "public_url"),
    ],
)
def test_without_token_or_address_nothing_is_taken(changes: dict[str, Any], lacking: str) -> None:
    """What cannot be checked is refused, and the reason names what is missing."""
    for sign in (None, signature("", PUBLIC + INBOUND, inbound("ok"))):
        why = came(entry(INBOUND, inbound("ok"), sign), **changes)
        assert isinstance(why, str)
        assert lacking in why


def test_no_refusal_repeats_what_came() -> None:
    """The log holds neither token nor signature nor text."""
    for webhook in (entry(INBOUND, inbound("secret"), "x" * 28), entry(INBOUND, inbound("secret", sid="SMx"))):
        assert not any(word in str(came(webhook)) for word in (TOKEN, "xxxx", "secret", "SMx"))


@pytest.mark.parametrize(
    ("account", "token", "taken"),
    [
        (ACCOUNT, TOKEN, True),
        (OTHER, "the other's", True),
        (ACCOUNT, "the other's", False),
        (OTHER, TOKEN, False),
        ("AC" + "2" * 32, TOKEN, False),
        ("", TOKEN, False),
    ],
)
def test_each_account_signs_with_its_own_token(account: str, token: str, taken: bool) -> None:
    """Rules 42, 49: webhooks come from every SMS provider of the config; the account says whose token counts, and one
    that is not ours, or not named, signs nothing.
    """
    values = inbound("ok") | {"AccountSid": account, "To": "+15005550007" if account == OTHER else "+15005550006"}
    if not account:
        del values["AccountSid"]
    assert isinstance(came(entry(INBOUND, values, token=token), sms=BOTH), Arrival) is taken


def test_a_receipt_is_the_word_of_the_account_that_signed_it() -> None:
    """Rule 42: what another account says takes no true one's place."""
    refs = []
    for account, token in ((OTHER, "the other's"), (ACCOUNT, TOKEN)):
        arrival = came(entry(STATUS, status("delivered", account=account), token=token), sms=BOTH)
        assert isinstance(arrival, Arrival)
        refs.append(arrival.ref)
    assert refs == [f"{account}/{SID}:delivered" for account in (OTHER, ACCOUNT)]


def test_an_sms_to_another_accounts_number_is_not_taken() -> None:
    """Rule 42: `to` and account tell which; what came to the account's own number, or one that nobody names (a former
    one of ours), is.
    """
    taken = {}
    for number in ("+15005550006", "+15005550007", "+15005550008"):
        values = inbound("ok") | {"AccountSid": OTHER, "To": number}
        taken[number[-1]] = isinstance(came(entry(INBOUND, values, token="the other's"), sms=BOTH), Arrival)
    assert taken == {"6": False, "7": True, "8": True}
