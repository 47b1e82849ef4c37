"""Twilio's webhooks: what is forged, altered, cut or repeated changes nothing; what is genuine counts once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.formats.settings.providers import EmailSettings, SmsProvider, SmsSettings, SmsTransport
from tocsin.formats.settings.settings import Settings
from tocsin.web.http.site import Site
from tocsin.web.routes.twilio import verified
from tocsin.web.server import application

from tests.fakes.ledger import MemoryLedger
from tests.fakes.twilio_webhooks import ACCOUNT, SID, inbound, signature, status
from tests.unit.web.lives import RecordedLog

TOKEN, PUBLIC = "0123456789abcdef", "https://tocsin.example.com/pager"
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
SAMPLES = [
    (f"{PUBLIC}/twilio/inbound", inbound("ok K7")),
    (f"{PUBLIC}/twilio/inbound", inbound("Déjà vu 🙂 & = + %2B;\nMessageSid=SM1")),
    (f"{PUBLIC}/twilio/inbound?site=eu&x=%20", inbound("")),
    (f"{PUBLIC}/twilio/status?try=1024", status("undelivered", code="30006")),
    ("http://tocsin.example.com/twilio/status?try=7", status("delivered")),
]


TOKENS = {ACCOUNT: [TOKEN]}


def settings(**changes: Any) -> Settings:
    sms = SmsSettings(sender="+15005550006", account_sid=ACCOUNT, auth_token=[SecretStr("old"), SecretStr(TOKEN)])
    given = {"email": EmailSettings(sender="tocsin@example.com"), "sms": sms, "public_url": PUBLIC, **changes}
    return Settings(operators=["olga"], last_resort=["olga"], **given)


class Desk:
    """The site, with what it wrote and said."""

    def __init__(self, client: TestClient[Any, Any], ledger: MemoryLedger, log: RecordedLog) -> None:
        self.client, self.ledger, self.log = client, ledger, log

    async def post(
        self, path: str, values: dict[str, str], *, sign: str | None = None, body: str | None = None, **headers: str
    ) -> tuple[int, str]:
        """Post a form; `sign` is the signature, by default the right one."""
        right = signature(TOKEN, PUBLIC + path, values)
        heads = {"Content-Type": FORM, "X-Twilio-Signature": right if sign is None else sign}
        heads |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = urlencode(values) if body is None else body
        async with self.client.post(path, data=data.encode(), headers=heads) as answer:
            return answer.status, await answer.text()

    @property
    def arrived(self) -> list[Arrival]:
        """What lies in the ledger."""
        return [arrival for arrival, _ in self.ledger.pages.arrivals]


@pytest.fixture
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    ledger, log = MemoryLedger(), RecordedLog()
    clock: Any = SimpleNamespace(now=lambda: NOW)
    nothing: Any = None
    site = Site(settings(**getattr(request, "param", {})), clock, lambda: ledger, nothing, nothing, log)
    async with TestClient(TestServer(application(site))) as client:
        yield Desk(client, ledger, log)


@pytest.mark.parametrize(("url", "values"), SAMPLES)
def test_what_twilio_signed_is_read(url: str, values: dict[str, str]) -> None:
    """The signature of Twilio's documentation is the SDK's; the order of the parameters does not matter."""
    good = signature(TOKEN, url, values)
    assert verified(TOKENS, url, urlencode(values).encode(), [good]) == values
    backwards = dict(reversed(values.items()))
    assert verified(TOKENS, url, urlencode(backwards).encode(), [good]) == values


@pytest.mark.parametrize(("url", "values"), SAMPLES)
def test_no_flipped_bit_is_taken(url: str, values: dict[str, str]) -> None:
    """Whatever single bit of the address, the body or the signature is another one: it is refused. (The case of the
    address's scheme is `public_url`'s own, and means nothing.)
    """
    body, good = urlencode(values).encode(), signature(TOKEN, url, values)
    parts = (url.encode(), body, good.encode())
    taken = []
    for part, data in enumerate(parts):
        for bit in range(0 if part else len("https") * 8, len(data) * 8):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            address, form, sign = (bytes(flipped) if number == part else each for number, each in enumerate(parts))
            if verified(TOKENS, address.decode("latin-1"), form, [sign.decode("latin-1")]) is not None:
                taken.append((part, bit, bytes(flipped)))
    assert not taken


@pytest.mark.parametrize(("url", "values"), SAMPLES)
def test_nothing_else_is_taken(url: str, values: dict[str, str]) -> None:
    """No signature, two, another token's, another address's, a cut or lengthened form: refused."""
    body, good = urlencode(values).encode(), signature(TOKEN, url, values)
    other = url.replace("https:", "HTTP:").replace("http:", "https:").replace("HTTP:", "http:")
    for address, form, signatures in (
        (url, body, []),
        (url, body, [""]),
        (url, body, [good, good]),
        (url, body, [good + " "]),
        (url, body, [good.lower()]),
        (url, body, [signature("another", url, values)]),
        (other, body, [good]),
        (url.replace("tocsin.", "evil."), body, [good]),
        (url + "&try=2", body, [good]),
        (url, body + b"&Extra=1", [good]),
        (url, body + b"&To=%2B15005550006", [good]),
        (url, body[:-1], [good]),
        (url, b"", [good]),
        (url, b"\xff\xfe", [good]),
        (url, b"&".join([b"a=1"] * 10_000), [good]),
    ):
        assert verified(TOKENS, address, form, signatures) is None


@pytest.mark.parametrize(
    "cut",
    [
        {"From": "+14155550102", "ToZip": "{rest}"},
        {"From": "+14155550102", "MessageSid": "SM" + "f" * 32, "ToZip": "{rest}"},
        {"From": "+14155550102", "{rest}": ""},
    ],
)
def test_a_text_cannot_carry_parameters(cut: dict[str, str]) -> None:
    """Twilio signs names and values without anything between them; a text that was cut into a sender is refused."""
    url = f"{PUBLIC}/twilio/inbound"
    fake = {name: value for name, value in cut.items() if "{" not in name + value}
    genuine = inbound("hi" + "".join(name + fake[name] for name in sorted(fake)))
    genuine["Body"] += next((name for name in cut if cut[name] == "{rest}"), "")
    rest = "".join(name + genuine[name] for name in sorted(genuine) if name > "Body")
    before = {name: value for name, value in genuine.items() if name < "Body"}
    forged = before | {"Body": "hi"} | {name.format(rest=rest): value.format(rest=rest) for name, value in cut.items()}
    assert signature(TOKEN, url, forged) == signature(TOKEN, url, genuine)
    assert verified(TOKENS, url, urlencode(forged).encode(), [signature(TOKEN, url, forged)]) is None


async def test_an_sms_is_left_for_the_daemon_once(desk: Desk) -> None:
    """200 and an empty TwiML; the same message again, however often, changes nothing."""
    for _ in range(3):
        assert (await desk.post("/twilio/inbound", inbound("OK k7 🙂")))[0] == 200
    assert desk.arrived == [Arrival(ArrivalKind.SMS, SID, "+14155550101", "OK k7 🙂", NOW)]
    async with desk.client.post("/twilio/inbound") as answer:
        assert answer.status == 415


async def test_a_token_that_is_being_changed(desk: Desk) -> None:
    """While there are two, what either of them signed is taken; of two accounts neither knows, nothing."""
    url = f"{PUBLIC}/twilio/inbound"
    for token, wanted in ((TOKEN, 200), ("old", 200), ("older", 403)):
        assert (await desk.post("/twilio/inbound", inbound("ok"), sign=signature(token, url, inbound("ok"))))[
            0
        ] == wanted


async def test_the_answer_says_nothing(desk: Desk) -> None:
    """Answers leave as messages of our own, through the ledger."""
    status_, text = await desk.post("/twilio/inbound", inbound("ok"))
    assert (status_, text) == (200, '<?xml version="1.0" encoding="UTF-8"?><Response/>')


async def test_each_state_of_a_receipt_is_left_once(desk: Desk) -> None:
    """In whatever order and however often; a state that nobody knows is kept out."""
    for state in ("delivered", "sent", "delivered", "warp", "queued"):
        assert await desk.post("/twilio/status?try=12", status(state)) == (204, "")
    assert await desk.post("/twilio/status?try=13", status("undelivered", code="30006")) == (204, "")
    assert [(each.ref, each.who, each.body) for each in desk.arrived] == [
        (f"{ACCOUNT}/{SID}:delivered", "12", "delivered"),
        (f"{ACCOUNT}/{SID}:sent", "12", "sent"),
        (f"{ACCOUNT}/{SID}:queued", "12", "queued"),
        (f"{ACCOUNT}/{SID}:undelivered", "13", "undelivered 30006"),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.com"},
        {"X_Forwarded_Host": "evil.example.com", "X_Forwarded_Proto": "http", "X_Forwarded_Port": "1"},
        {"Forwarded": "host=evil.example.com;proto=http"},
        {"X_Original_URL": "/twilio/status", "X_Rewrite_URL": "/twilio/status"},
    ],
)
async def test_headers_do_not_say_where_we_are(desk: Desk, headers: dict[str, str]) -> None:
    """The address is `public_url`'s, whatever a request says: a genuine one is taken, one signed for another is not."""
    evil = signature(TOKEN, "http://evil.example.com/twilio/inbound", inbound("ok"))
    assert (await desk.post("/twilio/inbound", inbound("ok"), sign=evil, **headers))[0] == 403
    assert desk.arrived == []
    assert (await desk.post("/twilio/inbound", inbound("ok"), **headers))[0] == 200


@pytest.mark.parametrize(
    ("path", "values", "wanted"),
    [
        ("/twilio/inbound", inbound("ok", sid="SM1"), 400),
        ("/twilio/inbound", inbound("ok", sender=""), 400),
        ("/twilio/inbound", {"Body": "ok"}, 400),
        ("/twilio/status", status("delivered"), 400),
        ("/twilio/status?try=0", status("delivered"), 400),
        ("/twilio/status?try=-1", status("delivered"), 400),
        ("/twilio/status?try=1&try=2", status("delivered"), 400),
        ("/twilio/status?try=99999999999999999999", status("delivered"), 400),
        ("/twilio/status?try=1", {"MessageSid": SID}, 400),
        ("/twilio/status?try=1&bodySHA256=00", status("delivered"), 415),
        ("/twilio/elsewhere", status("delivered"), 404),
    ],
)
async def test_signed_nonsense(desk: Desk, path: str, values: dict[str, str], wanted: int) -> None:
    """Even from Twilio itself what lacks something is one plain sentence and changes nothing."""
    found, text = await desk.post(path, values)
    assert found == wanted
    assert text.count("\n") == 1
    assert desk.arrived == []


async def test_a_wrong_signature_is_one_sentence_and_a_line_in_the_log(desk: Desk) -> None:
    """403; nothing is kept; the log says what to look at, and holds neither token nor signature nor text."""
    assert await desk.post("/twilio/inbound", inbound("secret"), sign="x" * 28) == (
        403,
        "This is not signed as it has to be.\n",
    )
    assert (await desk.post("/twilio/inbound", inbound("secret"), sign=""))[0] == 403
    assert desk.arrived == []
    said = [fields for event, fields in desk.log.lines if event == "webhook refused"]
    assert "public_url" in said[0]["why"]
    assert not any(word in str(desk.log.lines) for word in (TOKEN, "xxxx", "secret"))


@pytest.mark.parametrize("content", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
async def test_only_forms_are_taken(desk: Desk, content: str) -> None:
    """JSON and the like are no webhook of an SMS, signed or not."""
    assert (await desk.post("/twilio/inbound", inbound("ok"), Content_Type=content))[0] == 415
    assert (await desk.post("/twilio/inbound", inbound("ok"), body="x" * 70_000))[0] == 413
    assert desk.arrived == []


@pytest.mark.parametrize(
    ("desk", "lacking"),
    [
        ({"sms": SmsSettings(sender="+15005550006")}, "TOCSIN_SMS__AUTH_TOKEN"),
        ({"sms": SmsSettings(sender="+15005550006", auth_token=[SecretStr("")])}, "TOCSIN_SMS__AUTH_TOKEN"),
        ({"public_url": None}, "public_url"),
    ],
    indirect=["desk"],
)
async def test_without_token_or_address_nothing_is_taken(desk: Desk, lacking: str) -> None:
    """What cannot be checked is refused, and the log names what is missing."""
    for sign in (None, signature("", f"{PUBLIC}/twilio/inbound", inbound("ok"))):
        assert (await desk.post("/twilio/inbound", inbound("ok"), sign=sign))[0] == 403
    assert desk.arrived == []
    assert lacking in desk.log.lines[0][1]["why"]


async def test_a_ledger_in_trouble_is_503(desk: Desk) -> None:
    """Then the provider may ask again; nothing is taken as kept."""
    desk.ledger.trouble = "disk full"
    assert (await desk.post("/twilio/inbound", inbound("ok")))[0] == 503


@pytest.mark.parametrize(
    ("path", "values"), [("/twilio/inbound", inbound("ok K7")), ("/twilio/status?try=1", status("sent"))]
)
async def test_the_signature_covers_every_parameter(desk: Desk, path: str, values: dict[str, str]) -> None:
    """Each value changed, each name changed, each parameter left out: refused, and nothing is kept."""
    sign = signature(TOKEN, PUBLIC + path, values)
    for name, value in values.items():
        rest = {other: values[other] for other in values if other != name}
        changed = [values | {name: value + "0"}, rest | {name + "0": value}]
        changed += [rest] if value else []  # an empty one leaves its name behind in what is signed
        for forged in changed:
            assert (await desk.post(path, forged, sign=sign))[0] == 403, (name, forged)
    assert desk.arrived == []
    assert (await desk.post(path, values, sign=sign))[0] in (200, 204)
    assert len(desk.arrived) == 1


async def test_a_text_is_kept_up_to_what_twilio_takes(desk: Desk) -> None:
    """1,600 letters; from an address of letters too; who sent it and what it said is never mixed up."""
    values = inbound("x" * 1700, sender="ACME Bank")
    assert (await desk.post("/twilio/inbound", values))[0] == 200
    assert desk.arrived == [Arrival(ArrivalKind.SMS, SID, "ACME Bank", "x" * 1600, NOW)]
    for sender in ("+1415555010112345678901", "<script>", "+1 415\n555"):
        assert (await desk.post("/twilio/inbound", inbound("ok", sender=sender)))[0] == 400


OTHER = "AC" + "1" * 32
FALLBACK = SmsProvider(
    transport=SmsTransport.TWILIO, sender="+15005550007", account_sid=OTHER, auth_token=[SecretStr("the other's")]
)
BOTH = SmsSettings(
    transport=SmsTransport.TWILIO,
    sender="+15005550006",
    account_sid=ACCOUNT,
    auth_token=[SecretStr(TOKEN)],
    fallbacks={"second": FALLBACK},
)


@pytest.mark.parametrize("desk", [{"sms": BOTH}], indirect=True)
@pytest.mark.parametrize(
    ("account", "token", "taken"),
    [
        (ACCOUNT, TOKEN, 200),
        (OTHER, "the other's", 200),
        (ACCOUNT, "the other's", 403),
        (OTHER, TOKEN, 403),
        ("AC" + "2" * 32, TOKEN, 403),
    ],
)
async def test_each_account_signs_with_its_own_token(desk: Desk, account: str, token: str, taken: int) -> None:
    """Rules 42, 49: webhooks come from every SMS provider of the config; the account says whose token counts."""
    values = inbound("ok") | {"AccountSid": account, "To": "+15005550007" if account == OTHER else "+15005550006"}
    sign = signature(token, f"{PUBLIC}/twilio/inbound", values)
    assert (await desk.post("/twilio/inbound", values, sign=sign))[0] == taken
    assert len(desk.arrived) == (taken == 200)


@pytest.mark.parametrize("desk", [{"sms": BOTH}], indirect=True)
async def test_a_receipt_is_left_as_the_word_of_the_account_that_signed_it(desk: Desk) -> None:
    """Rule 42: the daemon judges whose message it is; what another account says takes no true one's place."""
    path = "/twilio/status?try=12"
    for account, token in ((OTHER, "the other's"), (ACCOUNT, TOKEN), ("", "the other's")):
        values = status("delivered", account=account)
        if not account:
            del values["AccountSid"]
        right = signature(token, PUBLIC + path, values)
        assert (await desk.post(path, values, sign=right))[0] == 204
    refs = [f"{account}/{SID}:delivered" for account in (OTHER, ACCOUNT)]
    assert [arrival.ref for arrival in desk.arrived] == refs


@pytest.mark.parametrize("desk", [{"sms": BOTH}], indirect=True)
async def test_an_sms_to_another_accounts_number_is_not_taken(desk: Desk) -> None:
    """Rule 42: `to` and account tell which; what came to the account's own number, or one that nobody names, is."""
    for number, wanted in (("+15005550006", 403), ("+15005550007", 200), ("+15005550008", 200)):
        values = inbound("ok", "SM" + number[-1] * 32) | {"AccountSid": OTHER, "To": number}
        right = signature("the other's", f"{PUBLIC}/twilio/inbound", values)
        assert (await desk.post("/twilio/inbound", values, sign=right))[0] == wanted
    assert [arrival.ref[-1] for arrival in desk.arrived] == ["7", "8"]
