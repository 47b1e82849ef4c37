"""Alertmanager: `/alertmanager`, where Prometheus Alertmanager's webhook declares and ends incidents (product.md 8).

It decides who may tell, and what is answered: 2xx is done, 5xx is to be tried again, 409 to be said again later if it
is still true. It must not know what alerts mean, nor how incident files are written.
"""

import asyncio

from aiohttp import web

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.alerts import payload as alertmanager
from tocsin.app.alerts.apply import Alerts
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.steps import Did
from tocsin.app.incidents.commands import EditRefusedError
from tocsin.web.access.guard import authorized
from tocsin.web.access.same_origin import want_same_origin
from tocsin.web.http.site import CACHE_NEVER, Site

BODY_MOST = 4 * 1024 * 1024
"""Octets of a notification: some ten thousand alerts. The largest outage must not be what is refused."""
TOLD_MOST = 5
"""Unknown services that are named."""


def routes(site: Site) -> list[web.RouteDef]:
    """`POST /alertmanager`, where `web.alertmanager` is set; else there is nothing."""
    settings = site.settings.web.alertmanager
    if settings is None:
        return []
    alerts = Alerts(IncidentFiles(site.settings.incidents))

    async def take(request: web.Request) -> web.Response:
        """200 and a sentence once it is on disk."""
        _want_sender(site, request)
        group = await asyncio.to_thread(alertmanager.read, await _body(request))
        if isinstance(group, str):
            raise web.HTTPBadRequest(text=group)
        policy = await site.in_force.policy()
        meaning = Meaning(settings, policy)
        try:
            taken = await alerts.take(group, meaning, policy, site.ledger(), site.clock.now())
        except (FileError, EditRefusedError) as trouble:
            site.say("alerts not taken", trouble=str(trouble))
            text = "The incident file cannot be written now. Try again in a minute."
            raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "60"}) from None
        unknown = meaning.unknown(group.firing)[:TOLD_MOST] if taken.did is not Did.NOTHING else ()
        if taken.did is not Did.NOTHING or taken.why != "it is known":
            site.say(
                "alerts",
                did=taken.did.value,
                incident=taken.incident,
                why=taken.why,
                unknown_services=[name[:64] for name in unknown],
            )
        if taken.did is Did.TOO_SOON:
            raise web.HTTPConflict(text=f"{taken.incident}: {taken.why}. If they still fire, say so again in a minute.")
        left_out = f"; there is no service {', '.join(name[:64] for name in unknown)}" if unknown else ""
        said = f"{taken.incident or 'no incident'}: {taken.did.value}{f' ({taken.why})' if taken.why else ''}{left_out}"
        return web.Response(text=f"{said}\n", headers={"Cache-Control": CACHE_NEVER})

    return [web.post("/alertmanager", take)]


def _want_sender(site: Site, request: web.Request) -> None:
    """Raises 401 without a token, 403 with a wrong one, or from another site's page."""
    if "Authorization" not in request.headers:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Bearer realm="tocsin"'})
    if not authorized(site, request):
        raise web.HTTPForbidden(text="The token is wrong.")
    want_same_origin(site, request)


async def _body(request: web.Request) -> bytes:
    """The body, which may be larger here than elsewhere. It is read only after the token."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType
    return await request.clone(client_max_size=BODY_MOST).read()
