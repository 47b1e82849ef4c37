"""What Twilio tells us: `/twilio/inbound` (SMS to us) and `/twilio/status` (what became of ours).

Whether Twilio sent it only the daemon can tell, which holds the token: what is written as a webhook is left for it as
it came, and always answered alike (P8). What is refused there stands in the daemon's log.

Anybody can write what looks like a webhook, and the daemon checks 20 a second. So a client has a share, and what names
no account of the config another, small one: what is beyond them takes no place of those that are genuine.
"""

import re
from urllib.parse import parse_qsl

from aiohttp import web

from tocsin.domain.arrival import WebhookEntry, WebhookRoute
from tocsin.ports.inbox import InboxError, InboxFullError
from tocsin.web.http.judged import new_ref, not_left
from tocsin.web.http.rate_limit import RateLimit
from tocsin.web.http.site import Site

BEYOND = "there were too many of its kind, or of its client"
FORM = "application/x-www-form-urlencoded"
FIELDS_MOST = 200
"""Parameters of one webhook."""
LOOSE = re.compile(r"%(?![0-9A-F]{2})")
"""An escape that Twilio would not write so. What was altered on the way is not taken, even if it means the same."""
BURST, STEADY = 100.0, 10.0
"""Webhooks that a client may bring at once, and a second after that: half of what the daemon checks."""
ODD_BURST, ODD_STEADY = 20.0, 1.0
"""The same for all together that name no account which is known here."""


def routes(site: Site) -> list[web.RouteDef]:
    """`POST /twilio/inbound` and `POST /twilio/status`: 204, whatever it is, once it is kept."""
    shares = _Shares(site)

    async def receive(request: web.Request) -> web.Response:
        if request.content_type != FORM or "Content-Encoding" in request.headers or "bodySHA256" in _query(request):
            raise web.HTTPUnsupportedMediaType
        entry = _entry(request, await request.read())
        if isinstance(entry, str) or not shares.allow(request, entry):
            site.warn("webhook refused", why=entry if isinstance(entry, str) else BEYOND)
            return web.Response(status=204)
        try:
            await site.inbox.leave(entry)
        except InboxFullError as fault:
            site.warn("webhook refused", why=str(fault))
        except InboxError as fault:
            raise not_left(site, entry, fault) from None
        return web.Response(status=204)

    return [web.post(f"/twilio/{route.value}", receive) for route in WebhookRoute]


class _Shares:
    """How many webhooks may take a place in the inbox."""

    def __init__(self, site: Site) -> None:
        def seconds() -> float:
            return site.clock.now().timestamp()

        self._site = site
        self._of_clients = RateLimit(seconds, BURST, STEADY)
        self._of_odd = RateLimit(seconds, ODD_BURST, ODD_STEADY)
        self._accounts = {provider.account_sid for provider in site.settings.sms.providers.values()}

    def allow(self, request: web.Request, entry: WebhookEntry) -> bool:
        """Whether this one may. Where a proxy names nobody its clients cannot be told apart, and have no shares."""
        client = self._site.client(request)
        if not client.is_proxy and not self._of_clients.allow(client.address):
            return False
        return self._may_be_genuine(entry) or self._of_odd.allow("")

    def _may_be_genuine(self, entry: WebhookEntry) -> bool:
        """Whether it names an account of the config; the daemon alone may know it, then any may be."""
        return not all(self._accounts) or dict(entry.parameters).get("AccountSid") in self._accounts


def _entry(request: web.Request, body: bytes) -> WebhookEntry | str:
    """The webhook as it came, or why it cannot be one."""
    signatures = [value for name, value in request.headers.items() if name.lower() == "x-twilio-signature"]
    if len(signatures) != 1:
        return f"it has {len(signatures) or 'no'} signature{'s' if signatures else ''}"
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS_MOST
        )
    except ValueError:
        return "it is no form"
    if not pairs or LOOSE.search(text):
        return "its form is not written as the provider writes it"
    route = WebhookRoute(request.path.rpartition("/")[2])
    return WebhookEntry(new_ref(), route, request.raw_path, tuple(pairs), signatures[0])


def _query(request: web.Request) -> str:
    """The query as it came over the wire."""
    return request.raw_path.partition("?")[2]
