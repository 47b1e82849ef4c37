"""What holds for every request: how big, slow and frequent it may be, and how errors are said.

What goes on below a request is `connections`' business, what is asked for the route groups'.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.browser import forget_session
from tocsin.web.access.guard import TRIES
from tocsin.web.access.tries import TokenTries
from tocsin.web.access.viewer import FORGETS_SESSION
from tocsin.web.acting import routes as acting
from tocsin.web.http.connections import Handler, on_connection
from tocsin.web.http.forms import is_legible
from tocsin.web.http.rate_limit import RateLimit
from tocsin.web.http.responses import HEADERS, SERVER, sentence
from tocsin.web.http.site import DEADLINE, Site
from tocsin.web.incidents import routes as incidents
from tocsin.web.refusals import refusal
from tocsin.web.routes import (
    alertmanager,
    health,
    home,
    inbox,
    metrics,
    oncall,
    sign_in,
    static,
    twilio,
    unsubscribe,
)

BODY_MOST = 64 * 1024
"""Octets of a request's body, where a route does not say otherwise."""
ANSWERED_WITHIN = 10.0
"""Seconds for a request's body to come and its answer to be found, where a route does not say otherwise."""
SIGNED = ("/a/", "/answer/", "/unsubscribe/", "/twilio/", "/alertmanager")
"""What carries its own right. Where a proxy names nobody all the world shares one rate: there it is not held up by what
strangers ask for.
"""
HEADERS_KEPT = ("Allow", "WWW-Authenticate", "Retry-After")
"""Headers of a refusal that stay; the sentence has its own."""
LEADING_ON = ("Location", "Cache-Control")
"""The same of an answer that leads on."""
GROUPS: tuple[Callable[[Site], list[web.RouteDef]], ...] = (
    health.routes,
    home.routes,
    acting.routes,
    unsubscribe.routes,
    metrics.routes,
    static.routes,
    inbox.routes,
    incidents.routes,
    oncall.routes,
    sign_in.routes,
    twilio.routes,
    alertmanager.routes,
)


def application(site: Site) -> web.Application:
    """All routes, with what holds for every one of them."""
    app = web.Application(
        middlewares=[on_connection, _forgetting(site), _plain_errors(site), _rate_limited(site), _in_time],
        client_max_size=BODY_MOST,
    )
    app[TRIES] = TokenTries(site.clock)
    app.on_response_prepare.append(_secure)
    for group in GROUPS:
        app.add_routes(group(site))
    return app


def _forgetting(site: Site) -> Middleware:
    """A browser whose session is over forgets it, whatever it is answered."""

    @web.middleware
    async def forgetting(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if FORGETS_SESSION in request and not answer.prepared:
            forget_session(site, request, answer)
        return answer

    return forgetting


def _plain_errors(site: Site) -> Middleware:
    """Whatever goes wrong is one plain sentence, for a browser in a page, and a line in the log that holds nothing of
    the address asked for: addresses carry signatures.
    """

    @web.middleware
    async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refused:
            if refused.status < 400:  # it leads on; a browser may be told something besides
                kept = {name: refused.headers[name] for name in LEADING_ON if name in refused.headers}
                return web.Response(status=refused.status, headers=kept)
            resource = request.match_info.route.resource
            route = resource.canonical if resource else "nothing of ours"
            site.warn(
                "refused",
                status=refused.status,
                method=request.method[:16],
                route=route,
                asker=site.client(request).address,
            )
            headers = {name: refused.headers[name] for name in HEADERS_KEPT if name in refused.headers}
            return await refusal(site, request, refused.status, _text(refused), headers)
        except LedgerError as fault:
            site.warn("ledger trouble", trouble=str(fault))
            return await refusal(site, request, 503, sentence(503), {"Retry-After": "60"})

    return plain_errors


def _text(refused: web.HTTPException) -> str:
    """A route's own sentence, else ours; the library's words are not for people."""
    of_library = {"", f"{refused.status}: {refused.reason}"}
    if refused.status == 413 or not refused.text or refused.text in of_library:
        return sentence(refused.status)
    return refused.text.rstrip("\n") + "\n"


def _rate_limited(site: Site) -> Middleware:
    limit = RateLimit(lambda: site.clock.now().timestamp())

    @web.middleware
    async def rate_limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        client = site.client(request)
        of_all = client.is_proxy and request.path.startswith(SIGNED)
        if not of_all and not limit.allow(client.address):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "60"})
        return await handler(request)

    return rate_limited


@web.middleware
async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A body that does not come whole is 408, one that breaks off or cannot be read is 400."""
    if not is_legible(request):
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(ANSWERED_WITHIN) as deadline:
            request[DEADLINE] = deadline
            return await handler(request)
    except TimeoutError:
        if not deadline.expired():
            raise
        if request.content.is_eof():
            raise LedgerError(f"no answer within {ANSWERED_WITHIN:.0f} s") from None
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, UnicodeDecodeError, ConnectionError):
        raise web.HTTPBadRequest from None
    except RuntimeError:
        if request.transport is not None:
            raise
        raise web.HTTPBadRequest from None  # closed by us in the middle of its body, for another client's sake


async def _secure(_request: web.Request, response: web.StreamResponse) -> None:
    """Security headers, unless a route has its own."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SERVER
