"""Who may see what is not for everybody: somebody at this machine, or whoever knows the token.

Requests through a proxy are nobody's at this machine, and neither are those that a strange web page makes a browser
send under another name (DNS rebinding).
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
"""Methods for which a session is enough: a form wants the token itself, or a signed link."""


def has_token(site: Site, request: web.Request) -> bool:
    """Whether the request carries the token: as `Authorization: Bearer TOKEN`, as a browser's password, or (to look at
    something) as the cookie of a session.
    """
    token = site.settings.web.token
    session = request.cookies.get(sessions.COOKIE, "")
    if (
        token
        and session
        and request.method in LOOKING
        and sessions.is_valid(session, token.get_secret_value(), site.clock.now())
    ):
        return True
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            credentials = b64decode(credentials, validate=True).decode().partition(":")[2]
        except ValueError:
            return False
    elif scheme.lower() != "bearer":
        return False
    secret = token.get_secret_value() if token else ""
    return compare_digest(credentials.strip().encode("utf-8", "replace"), secret.encode()) and bool(secret)


def require_token(site: Site, request: web.Request) -> None:
    """Raises 401 without the token, and 403 where none is set: then nobody may."""
    if site.settings.web.token is None:
        raise web.HTTPForbidden(text="This is closed until TOCSIN_WEB__TOKEN is set.")
    if not has_token(site, request):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="tocsin", charset="UTF-8"'})


def require_token_from_afar(site: Site, request: web.Request) -> None:
    """Like `require_token`, but open to an insider. A proxy on this machine that names nobody looks like somebody at
    it; so where an address is public, nobody at this machine is believed.
    """
    if not is_insider(site, request):
        require_token(site, request)


def is_insider(site: Site, request: web.Request) -> bool:
    """Whether somebody may see what is not for outsiders: with the token, or while tocsin is being tried out: nothing
    really leaves, no address is public, and they sit at this machine.
    """
    is_trial = site.inbox is not None and site.settings.public_url is None
    return has_token(site, request) or (is_trial and at_this_machine(site, request))


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
