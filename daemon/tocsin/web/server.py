"""Server: what holds for every request: how big, slow and frequent it may be, and how errors are said.

It decides nothing about what is asked for; the route groups do. What goes on below a request is `connections`'.
"""

import asyncio
import codecs
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from tocsin.ports.ledger import LedgerError
from tocsin.web.http.connections import Handler, on_connection
from tocsin.web.http.rate_limit import Rates, asker
from tocsin.web.http.responses import HEADERS, SERVER, sentence
from tocsin.web.http.site import LASTING, Site
from tocsin.web.routes import (
    alertmanager,
    answer,
    health,
    inbox,
    incidents,
    login,
    metrics,
    oncall,
    static,
    twilio,
    unsubscribe,
)

BODY_MOST = 64 * 1024
"""Octets of a request's body, where a route does not say otherwise."""
ANSWERED_WITHIN = 10.0
"""Seconds for a request's body to come and its answer to be found, where a route does not say otherwise."""
KEPT = ("Allow", "WWW-Authenticate", "Retry-After")
"""Headers of a refusal that are told; the sentence has its own."""
GROUPS: tuple[Callable[[Site], list[web.RouteDef]], ...] = (
    health.routes,
    answer.routes,
    unsubscribe.routes,
    metrics.routes,
    static.routes,
    inbox.routes,
    incidents.routes,
    oncall.routes,
    login.routes,
    twilio.routes,
    alertmanager.routes,
)


def application(site: Site) -> web.Application:
    """All routes, with what holds for every one of them."""
    app = web.Application(
        middlewares=[on_connection, _plainly(site), _often(site), _in_time], client_max_size=BODY_MOST
    )
    app.on_response_prepare.append(_secured)
    for group in GROUPS:
        app.add_routes(group(site))
    return app


def _plainly(site: Site) -> Middleware:
    """Whatever goes wrong is one plain sentence, and a line in the log that holds nothing of the address asked for:
    addresses carry signatures.
    """

    @web.middleware
    async def plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as told:
            if told.status < 400:
                raise
            resource = request.match_info.route.resource
            route = resource.canonical if resource else "nothing of ours"
            site.say("refused", status=told.status, method=request.method[:16], route=route, asker=asker(request))
            kept = {name: told.headers[name] for name in KEPT if name in told.headers}
            return web.Response(text=_said(told), status=told.status, headers=kept)
        except LedgerError as trouble:
            site.say("ledger trouble", trouble=str(trouble))
            return web.Response(text=sentence(503), status=503, headers={"Retry-After": "60"})

    return plainly


def _said(told: web.HTTPException) -> str:
    """A route's own sentence, else ours; the library's words are not for people."""
    of_library = {"", f"{told.status}: {told.reason}"}
    if told.status == 413 or not told.text or told.text in of_library:
        return sentence(told.status)
    return told.text.rstrip("\n") + "\n"


def _often(site: Site) -> Middleware:
    rates = Rates(lambda: site.clock.now().timestamp())

    @web.middleware
    async def often(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not rates.allow(asker(request)):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "60"})
        return await handler(request)

    return often


@web.middleware
async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A body that does not come whole is 408, one that breaks off or cannot be read is 400."""
    if request.charset and not _known(request.charset):
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(ANSWERED_WITHIN) as deadline:
            request[LASTING] = deadline
            return await handler(request)
    except TimeoutError:
        if not deadline.expired():
            raise
        if request.content.is_eof():
            raise LedgerError(f"no answer within {ANSWERED_WITHIN:.0f} s") from None
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, UnicodeDecodeError, ConnectionError):
        raise web.HTTPBadRequest from None


def _known(charset: str) -> bool:
    try:
        return bool(codecs.lookup(charset))
    except LookupError:
        return False


async def _secured(_request: web.Request, response: web.StreamResponse) -> None:
    """Security headers, unless a route has its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER
