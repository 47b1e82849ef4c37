"""`/healthz`, for whoever watches the watcher: what this machine's daemon does, by what it leaves in the ledger."""

from aiohttp import web

from tocsin.text.times import iso_utc
from tocsin.web.http.daemon_health import daemon_here
from tocsin.web.http.site import CACHE_NEVER, Site


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /healthz`: 200 where it leads or stands by and is healthy, else 503; which, as JSON (P7)."""

    async def healthz(_request: web.Request) -> web.Response:
        here = await daemon_here(site)
        at = here.healthy_at and iso_utc(here.healthy_at)
        told = {"state": here.state, "leader": here.leader, "healthy_at": at}
        return web.json_response(told, status=200 if here.works else 503, headers={"Cache-Control": CACHE_NEVER})

    return [web.get("/healthz", healthz)]
