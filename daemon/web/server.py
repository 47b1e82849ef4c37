"""Server: what holds for every request: how big and how slow it may be, how errors are said, what browsers may do.

It decides nothing about what is asked for; the route groups do.
"""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from daemon.ports import LedgerTrouble
from daemon.web import health
from daemon.web.site import Site

BODY_MOST = 64 * 1024
"""Octets of a request's body, where a route does not say otherwise."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
    "Server": "tocsin",
}
SENTENCES = {
    400: "This request cannot be understood.",
    401: "This needs a token.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This cannot be done here.",
    408: "This took too long.",
    413: "This is too big.",
    414: "This address is too long.",
    415: "This kind of content is not taken here.",
    429: "This is too often. Try again in a minute.",
    431: "These headers are too big.",
    503: "The ledger cannot be used now. Try again in a minute.",
}
GROUPS: tuple[Callable[[Site], list[web.RouteDef]], ...] = (health.routes,)

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(site: Site) -> web.Application:
    """All routes, with what holds for every one of them."""
    app = web.Application(middlewares=[_plain_errors], client_max_size=BODY_MOST)
    app.on_response_prepare.append(_secured)
    for group in GROUPS:
        app.add_routes(group(site))
    return app


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is one plain sentence, and nothing has changed."""
    try:
        return await handler(request)
    except web.HTTPException as told:
        if told.status < 400:
            raise
        sentence = told.text if told.text and told.text != f"{told.status}: {told.reason}" else ""
        return web.Response(text=(sentence or SENTENCES.get(told.status, told.reason)) + "\n", status=told.status)
    except LedgerTrouble as trouble:
        log.warning("ledger trouble", trouble=str(trouble))
        return web.Response(text=SENTENCES[503] + "\n", status=503)


async def _secured(_request: web.Request, response: web.StreamResponse) -> None:
    """Security headers, unless a route has its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
