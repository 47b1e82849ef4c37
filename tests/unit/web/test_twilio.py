"""Twilio's webhooks at the web side: kept as they came, always answered alike; whether they are genuine only the daemon
can tell.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tocsin.domain.arrival import WebhookEntry, WebhookRoute
from tocsin.ports.inbox import InboxError, InboxFullError
from tocsin.web.http.site import Site
from tocsin.web.server import application

from tests.fakes.clock import StillClock
from tests.fakes.inbox import KeptInbox
from tests.fakes.twilio_webhooks import inbound, status
from tests.unit.web.lives import RecordedLog, settings

FORM = "application/x-www-form-urlencoded"


class Desk:
    """The site, with what it left and said."""

    def __init__(self, client: TestClient[Any, Any], inbox: KeptInbox, log: RecordedLog) -> None:
        self.client, self.inbox, self.log = client, inbox, log

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
    inbox, log, nothing = KeptInbox(), RecordedLog(), None
    ledger: Any = nothing
    unused: Any = nothing
    site = Site(settings(), StillClock(), lambda: ledger, unused, unused, inbox, log)
    async with TestClient(TestServer(application(site))) as client:
        yield Desk(client, inbox, log)


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


@pytest.mark.parametrize("trouble", [InboxError("the disk is full"), InboxFullError("1,000 wait")])
async def test_what_cannot_be_kept_is_not_said_to_be(desk: Desk, trouble: InboxError) -> None:
    """503: nothing is lost in silence."""
    desk.inbox.trouble = trouble
    assert await desk.post("/twilio/inbound", "Body=ok", "a") == 503
    assert ("entry not left", {"kind": "webhook", "trouble": str(trouble)}) in desk.log.lines
