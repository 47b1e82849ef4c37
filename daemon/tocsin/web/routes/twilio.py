"""What Twilio tells us: `/twilio/inbound` (SMS to us) and `/twilio/status` (what became of ours).

Whether Twilio sent it only the daemon can tell, which holds the token: what is written as a webhook is left for it as
it came, and always answered alike (P8). What is refused there stands in the daemon's log.
"""

import re
from urllib.parse import parse_qsl

from aiohttp import web

from tocsin.domain.arrival import WebhookEntry, WebhookRoute
from tocsin.web.http.judged import leave, new_ref
from tocsin.web.http.site import Site

FORM = "application/x-www-form-urlencoded"
FIELDS_MOST = 200
"""Parameters of one webhook."""
LOOSE = re.compile(r"%(?![0-9A-F]{2})")
"""An escape that Twilio would not write so. What was altered on the way is not taken, even if it means the same."""


def routes(site: Site) -> list[web.RouteDef]:
    """`POST /twilio/inbound` and `POST /twilio/status`: 204, whatever it is, once it is kept."""

    async def receive(request: web.Request) -> web.Response:
        if request.content_type != FORM or "Content-Encoding" in request.headers or "bodySHA256" in _query(request):
            raise web.HTTPUnsupportedMediaType
        entry = _entry(request, await request.read())
        if isinstance(entry, str):
            site.warn("webhook refused", why=entry)
        else:
            await leave(site, entry)
        return web.Response(status=204)

    return [web.post(f"/twilio/{route.value}", receive) for route in WebhookRoute]


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
