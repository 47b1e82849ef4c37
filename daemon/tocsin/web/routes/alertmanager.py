"""`/alertmanager`, where Prometheus Alertmanager's webhook declares and ends incidents.

It answers 2xx for what is done, 5xx for what is to be tried again, 409 for what is to be said again later if it is
still true. What alerts mean, and how incident files are written, is `app.alerts`' business.
"""

import asyncio

from aiohttp import web

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.payload import read_notification
from tocsin.app.alerts.steps import Action
from tocsin.app.incidents.commands import EditRefusedError
from tocsin.web.access.guard import has_token
from tocsin.web.access.same_origin import require_same_origin
from tocsin.web.http.site import CACHE_NEVER, Site

BODY_MOST = 4 * 1024 * 1024
"""Octets of a notification: some ten thousand alerts. The largest outage must not be what is refused."""
UNKNOWN_MOST = 5
"""Unknown services that are named."""


def routes(site: Site) -> list[web.RouteDef]:
    """`POST /alertmanager`, where `web.alertmanager` is set; else there is nothing."""
    settings = site.settings.web.alertmanager
    if settings is None:
        return []
    incidents = AlertIncidents(IncidentFiles(site.settings.incidents))

    async def receive(request: web.Request) -> web.Response:
        """200 and a sentence once it is on disk."""
        _require_sender(site, request)
        group = await asyncio.to_thread(read_notification, await _body(request))
        if isinstance(group, str):
            raise web.HTTPBadRequest(text=group)
        policy = await site.active_policy.policy()
        meaning = Meaning(settings, policy)
        try:
            result = await incidents.apply(group, meaning, policy, site.ledger(), site.clock.now())
        except (FileError, EditRefusedError) as fault:
            site.warn("alerts not taken", trouble=str(fault))
            text = "The incident file cannot be written now. Try again in a minute."
            raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "60"}) from None
        unknown = meaning.unknown(group.firing)[:UNKNOWN_MOST] if result.action is not Action.NOTHING else ()
        if result.action is not Action.NOTHING or result.why != "it is known":
            site.warn(
                "alerts",
                did=result.action.value,
                incident=result.incident,
                why=result.why,
                unknown_services=[name[:64] for name in unknown],
            )
        if result.action is Action.TOO_SOON:
            sentence = f"{result.incident}: {result.why}. If they still fire, say so again in a minute."
            raise web.HTTPConflict(text=sentence)
        why = f" ({result.why})" if result.why else ""
        left_out = f"; there is no service {', '.join(name[:64] for name in unknown)}" if unknown else ""
        sentence = f"{result.incident or 'no incident'}: {result.action.value}{why}{left_out}"
        return web.Response(text=f"{sentence}\n", headers={"Cache-Control": CACHE_NEVER})

    return [web.post("/alertmanager", receive)]


def _require_sender(site: Site, request: web.Request) -> None:
    """Raises 401 without a token, 403 with a wrong one, or from another site's page."""
    if "Authorization" not in request.headers:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Bearer realm="tocsin"'})
    if not has_token(site, request):
        raise web.HTTPForbidden(text="The token is wrong.")
    require_same_origin(site, request)


async def _body(request: web.Request) -> bytes:
    """The body, which may be larger here than elsewhere. It is read only after the token."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType
    return await request.clone(client_max_size=BODY_MOST).read()
