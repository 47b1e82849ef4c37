"""Twilio's webhooks at the web side: kept as they came, always answered alike; whether they are genuine only the daemon
can tell.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tocsin.domain.arrival import WebhookEntry, WebhookRoute
from tocsin.formats.settings.providers import SmsSettings
from tocsin.ports.inbox import InboxError, InboxFullError
from tocsin.web.http.site import Site
from tocsin.web.server import application

from tests.fakes.clock import StillClock
from tests.fakes.inbox import KeptInbox
from tests.fakes.twilio_webhooks import ACCOUNT, inbound, status
from tests.unit.web.lives import RecordedLog, settings

FORM = "application/x-www-form-urlencoded"


class Desk:
    """The site, with what it left and said."""

    def __init__(self, client: TestClient[Any, Any], inbox: KeptInbox, log: RecordedLog, clock: StillClock) -> None:
        self.client, self.inbox, self.log, self.clock = client, inbox, log, clock

    async def post(self, path: str, body: str, *signatures: str, content: str = FORM, **headers: str) -> int:
        """Post a form."""
        heads = [("Content-Type", content), *(("X-Twilio-Signature", sign) for sign in signatures)]
        heads += [(name.replace("_", "-"), value) for name, value in headers.items()]
        async with self.client.post(path, data=body.encode(), headers=heads) as answer:
            text = await answer.text()
            assert not (answer.status == 204 and text)
            return answer.status

    @property
    def left(self) -> list[Any]:
        """What was left for the daemon, without the references."""
        return [(one.route, one.address, one.parameters, one.signature) for one in self.inbox.left if is_webhook(one)]


def is_webhook(one: object) -> bool:
    return isinstance(one, WebhookEntry)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    inbox, log, clock, nothing = KeptInbox(), RecordedLog(), StillClock(), None
    ledger: Any = nothing
    unused: Any = nothing
    account = SmsSettings(sender="+15005550006", account_sid=ACCOUNT)
    site = Site(settings(sms=account), clock, lambda: ledger, unused, unused, inbox, log)
    async with TestClient(TestServer(application(site))) as client:
        yield Desk(client, inbox, log, clock)


async def test_a_webhook_is_left_as_it_came(desk: Desk) -> None:
    """The address with its query as it was asked for, names and values in their order, the signature: unchanged. The
    web side has no token, so it is left whoever signed it, and answered 204.
    """
    for path, values in (("/twilio/inbound?x=%20", inbound("OK k7 🙂\r\n")), ("/twilio/status?try=12", status("sent"))):
        assert await desk.post(path, urlencode(values), "whoever signed it") == 204
    assert desk.left == [
        (
            WebhookRoute.INBOUND,
            "/twilio/inbound?x=%20",
            tuple(inbound("OK k7 🙂\r\n").items()),
            "whoever signed it",
        ),
        (WebhookRoute.STATUS, "/twilio/status?try=12", tuple(status("sent").items()), "whoever signed it"),
    ]
    assert len({one.ref for one in desk.inbox.left}) == 2


@pytest.mark.parametrize(
    ("body", "signatures"),
    [
        ("Body=ok", ()),
        ("Body=ok", ("a", "b")),
        ("Body=%fc", ("a",)),
        ("Body=%ZZ", ("a",)),
        ("Body=é", ("a",)),
        ("&".join(["a=1"] * 201), ("a",)),
        ("", ("a",)),
    ],
)
async def test_what_twilio_never_writes_is_not_kept(desk: Desk, body: str, signatures: tuple[str, ...]) -> None:
    """It costs no place in the inbox, is answered as all are, and stands in the log."""
    assert await desk.post("/twilio/inbound", body, *signatures) == 204
    assert desk.left == []
    assert desk.log.events == ["webhook refused"]


@pytest.mark.parametrize("content", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
async def test_only_forms_are_taken(desk: Desk, content: str) -> None:
    """JSON and the like are no webhook of an SMS."""
    assert await desk.post("/twilio/inbound", "Body=ok", "a", content=content) == 415
    assert await desk.post("/twilio/status?bodySHA256=00", "Body=ok", "a") == 415
    assert await desk.post("/twilio/inbound", "x" * 70_000, "a") == 413
    assert await desk.post("/twilio/elsewhere", "Body=ok", "a") == 404
    assert desk.left == []


async def test_what_cannot_be_kept_is_not_said_to_be(desk: Desk) -> None:
    """503: nothing is lost in silence."""
    desk.inbox.trouble = InboxError("the disk is full")
    assert await desk.post("/twilio/inbound", "Body=ok", "a") == 503
    assert ("entry not left", {"kind": "webhook", "trouble": "the disk is full"}) in desk.log.lines


async def test_a_flood_is_answered_as_all_are(desk: Desk) -> None:
    """204 where the inbox is full (P8), and a line in the log: the provider is asked each minute for what was genuine."""
    desk.inbox.trouble = InboxFullError("1,000 wait")
    assert await desk.post("/twilio/inbound", "Body=ok", "a") == 204
    assert desk.log.lines == [("webhook refused", {"why": "1,000 wait"})]


async def test_one_client_takes_no_place_of_others(desk: Desk) -> None:
    """Somebody who sends forgeries as fast as they can has a share, which grows by half of what the daemon checks."""
    genuine = urlencode(inbound("ok"))
    for _ in range(150):
        assert await desk.post("/twilio/inbound", genuine, "a", X_Forwarded_For="198.51.100.1") == 204
    assert len(desk.left) == 100
    assert await desk.post("/twilio/inbound", genuine, "genuine", X_Forwarded_For="198.51.100.2") == 204
    assert desk.left[-1][-1] == "genuine"
    desk.clock.go(timedelta(seconds=3))
    for _ in range(50):
        await desk.post("/twilio/inbound", genuine, "a", X_Forwarded_For="198.51.100.1")
    assert len(desk.left) == 101 + 30


async def test_what_names_no_account_of_ours_has_a_small_share(desk: Desk) -> None:
    """From whatever addresses it comes: strangers do not know the account. What does name it is taken beside it."""
    for number in range(50):
        body = urlencode(inbound("ok") | {"AccountSid": "AC" + "9" * 32})
        assert await desk.post("/twilio/inbound", body, "a", X_Forwarded_For=f"198.51.100.{number}") == 204
    assert len(desk.left) == 20
    assert await desk.post("/twilio/inbound", urlencode(inbound("ok")), "genuine", X_Forwarded_For="192.0.2.1") == 204
    assert desk.left[-1][-1] == "genuine"
