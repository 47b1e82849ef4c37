"""`/healthz`, for whoever watches the watcher: how long ago the daemon's last healthy pass was, by the mark that it
leaves in the ledger.
"""

from aiohttp import web

from tocsin.app.lifecycle.health import HEALTHY
from tocsin.ports.ledger import LedgerError
from tocsin.web.http.daemon_health import STALE_AFTER
from tocsin.web.http.site import CACHE_NEVER, Site


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /healthz`: 200 and "ok", or 503 and what is wrong, a line each."""

    async def healthz(_request: web.Request) -> web.Response:
        problems = await _problems(site)
        text = "\n".join(problems or ["ok"]) + "\n"
        return web.Response(text=text, status=503 if problems else 200, headers={"Cache-Control": CACHE_NEVER})

    return [web.get("/healthz", healthz)]


async def _problems(site: Site) -> list[str]:
    """What is wrong, as sentences."""
    try:
        at = await site.ledger().noticed_at(HEALTHY)
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        return ["the ledger cannot be read; has tocsin run made it? The log of tocsin web says why"]
    if at is None:
        return ["the daemon has never made a healthy pass"]
    age = site.clock.now() - at
    if age < -STALE_AFTER:
        ahead = f"the daemon's last healthy pass is noted {int(-age.total_seconds())} s ahead of this machine's clock"
        return [f"{ahead}; is the clock right, and is tocsin run alive?"]
    if age > STALE_AFTER:
        return [f"the daemon's last healthy pass was {int(age.total_seconds())} s ago; is tocsin run alive?"]
    return []
