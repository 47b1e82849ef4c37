"""Guard: who may see what is not for everybody: somebody at this machine, or whoever knows the token.

It decides who asks from where. It must not know what is asked for. Requests through a proxy are nobody's at this
machine, and neither are those that a strange web page makes a browser send under another name (DNS rebinding).
"""

from base64 import b64decode
from hmac import compare_digest
from ipaddress import ip_address

from aiohttp import web

from tocsin.web.access import sessions
from tocsin.web.http.site import Site

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers that a proxy adds."""
LOOKING = ("GET", "HEAD")


def authorized(site: Site, request: web.Request) -> bool:
    """Whether the request carries the token: as `Authorization: Bearer TOKEN`, as a browser's password, or (to look at
    something) as the cookie of a session.
    """
    token = site.settings.web.token
    session = request.cookies.get(sessions.NAME, "")
    if (
        token
        and session
        and request.method in LOOKING
        and sessions.holds(session, token.get_secret_value(), site.clock.now())
    ):
        return True
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = b64decode(given, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    elif scheme.lower() != "bearer":
        return False
    wanted = token.get_secret_value() if token else ""
    return compare_digest(given.strip().encode("utf-8", "replace"), wanted.encode()) and bool(wanted)


def want_token(site: Site, request: web.Request) -> None:
    """Raises 401 without the token, and 403 where none is set: then nobody may."""
    if site.settings.web.token is None:
        raise web.HTTPForbidden(text="This is closed until TOCSIN_WEB__TOKEN is set.")
    if not authorized(site, request):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="tocsin", charset="UTF-8"'})


def want_token_from_afar(site: Site, request: web.Request) -> None:
    """Like `want_token`, but open to an insider. A proxy on this machine that names nobody looks like somebody at it;
    so where an address is public, nobody at this machine is believed.
    """
    if not insider(site, request):
        want_token(site, request)


def insider(site: Site, request: web.Request) -> bool:
    """Whether somebody may see what is not for outsiders: with the token, or while tocsin is being tried out: nothing
    really leaves, no address is public, and they sit at this machine.
    """
    trying = site.inbox is not None and site.settings.public_url is None
    return authorized(site, request) or (trying and at_this_machine(site, request))


def through_proxy(request: web.Request) -> bool:
    """Whether somebody passed this request on."""
    return any(name in request.headers for name in FORWARDED)


def at_this_machine(site: Site, request: web.Request) -> bool:
    """Whether we listen to this machine only, and somebody at it asks for this machine by its own name."""
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    return _loopback(site.settings.web.host) and _loopback(host.strip("[]")) and not through_proxy(request)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
