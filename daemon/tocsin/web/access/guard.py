"""Who may see what is not for everybody without having signed in: a machine that knows the token, or somebody at this
machine while tocsin is tried out. Neither of them acts in anybody's name.

Requests through a proxy are nobody's at this machine, and neither are those that a strange web page makes a browser
send under another name (DNS rebinding).
"""

from ipaddress import ip_address

from aiohttp import web

from tocsin.web.access.tries import TokenTries, TooManyTriesError
from tocsin.web.http.site import Site

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers that a proxy adds."""
TRIES = web.AppKey("tries", TokenTries)
"""What an application counts wrong tokens by."""
_HAS_TOKEN = web.RequestKey("has_token", bool)
"""Set where a request carries a session that is over: the browser is to forget it."""
AGAIN_AFTER = 60
"""Seconds after which a client that tried too many tokens is told to come again."""


def has_token(site: Site, request: web.Request) -> bool:
    """Whether the request carries the token, as `Authorization: Bearer TOKEN`. Raises 429 to who has tried too many."""
    if _HAS_TOKEN not in request:
        try:
            request[_HAS_TOKEN] = _gives_token(site, request)
        except TooManyTriesError:
            raise too_many_tries(site) from None
    return request[_HAS_TOKEN]


def too_many_tries(site: Site) -> web.HTTPException:
    """What such a client is told."""
    site.warn("too many wrong tokens")
    return web.HTTPTooManyRequests(headers={"Retry-After": str(AGAIN_AFTER)})


def _gives_token(site: Site, request: web.Request) -> bool:
    """Whether `Authorization` has the token. One that gives no token at all, or cannot be read, is a wrong one too."""
    token = site.settings.web.token
    if "Authorization" not in request.headers or token is None:
        return False
    scheme, _, given = request.headers["Authorization"].partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else ""
    return request.app[TRIES].is_right(site.client(request), given, token.get_secret_value())


def require_token(site: Site, request: web.Request) -> None:
    """Raises 401 without the token, and 403 where none is set: then nobody may."""
    if site.settings.web.token is None:
        raise web.HTTPForbidden(text="This is closed until TOCSIN_WEB__TOKEN is set.")
    if not has_token(site, request):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})


def reads_here(site: Site, request: web.Request) -> bool:
    """Whether somebody may see what is not for outsiders though nobody has signed in: with the token, or on trial."""
    return has_token(site, request) or is_trial_here(site, request)


def is_trial_here(site: Site, request: web.Request) -> bool:
    """Whether tocsin is tried out by somebody at this machine: nothing really leaves, and no address is public. A proxy
    on this machine that names nobody looks like somebody at it; so where an address is public, nobody is believed.
    """
    return site.outbox is not None and site.settings.public_url is None and at_this_machine(site, request)


def through_proxy(request: web.Request) -> bool:
    """Whether somebody passed this request on."""
    return any(name in request.headers for name in FORWARDED)


def at_this_machine(site: Site, request: web.Request) -> bool:
    """Whether we listen to this machine only, and somebody at it asks for this machine by its own name."""
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    return _is_loopback(site.settings.web.host) and _is_loopback(host.strip("[]")) and not through_proxy(request)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
