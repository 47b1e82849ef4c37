"""Health: `/healthz`, for whoever watches the watcher (product.md section 8).

It decides from the mark that the daemon leaves in the ledger after each healthy pass. It must not know how the daemon
judges itself.
"""

from datetime import timedelta

from aiohttp import web

from tocsin.app.lifecycle.health import HEALTHY
from tocsin.ports.ledger import LedgerError
from tocsin.web.http.site import CACHE_NEVER, Site

STALE_AFTER = timedelta(seconds=60)
"""How old the daemon's last healthy pass may be."""


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /healthz`: 200 and "ok", or 503 and what is wrong, a line each."""

    async def healthz(_request: web.Request) -> web.Response:
        wrong = await _wrong(site)
        text = "\n".join(wrong or ["ok"]) + "\n"
        return web.Response(text=text, status=503 if wrong else 200, headers={"Cache-Control": CACHE_NEVER})

    return [web.get("/healthz", healthz)]


async def _wrong(site: Site) -> list[str]:
    """What is wrong, as sentences."""
    try:
        at = await site.ledger().noticed_at(HEALTHY)
    except LedgerError as trouble:
        site.say("ledger trouble", trouble=str(trouble))
        return ["the ledger cannot be read; has tocsin run made it? The log of tocsin web says why"]
    if at is None:
        return ["the daemon has never made a healthy pass"]
    age = site.clock.now() - at
    if age > STALE_AFTER:
        return [f"the daemon's last healthy pass was {int(age.total_seconds())} s ago; is tocsin run alive?"]
    return []
