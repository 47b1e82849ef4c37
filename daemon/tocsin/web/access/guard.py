"""Who may see what is not for everybody: somebody at this machine, or whoever knows the token.

Requests through a proxy are nobody's at this machine, and neither are those that a strange web page makes a browser
send under another name (DNS rebinding).
"""

from base64 import b64decode
from ipaddress import ip_address

from aiohttp import web

from tocsin.web.access.tries import TokenTries, TooManyTriesError
from tocsin.web.http import sessions
from tocsin.web.http.site import Site

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""Headers that a proxy adds."""
LOOKING = ("GET", "HEAD")
"""Methods for which a session is enough: a form wants the token itself, or a signed link."""


TRIES = web.AppKey("tries", TokenTries)
"""What an application counts wrong tokens by."""
_HAS_TOKEN = web.RequestKey("has_token", bool)
FORGETS_SESSION = web.RequestKey("forgets_session", bool)
"""Set where a request carries a session that is over: the browser is to forget it."""
AGAIN_AFTER = 60
"""Seconds after which a client that tried too many tokens is told to come again."""


def has_token(site: Site, request: web.Request) -> bool:
    """Whether the request carries the token: as `Authorization: Bearer TOKEN`, as a browser's password, or (to look at
    something) as the cookie of a session. Raises 429 to who has tried too many.
    """
    if _HAS_TOKEN not in request:
        try:
            request[_HAS_TOKEN] = _has_session(site, request) or _gives_token(site, request)
        except TooManyTriesError:
            raise too_many_tries(site) from None
    return request[_HAS_TOKEN]


def too_many_tries(site: Site) -> web.HTTPException:
    """What such a client is told."""
    site.warn("too many wrong tokens")
    return web.HTTPTooManyRequests(headers={"Retry-After": str(AGAIN_AFTER)})


def _has_session(site: Site, request: web.Request) -> bool:
    """Whether there is a session. One that is over counts as a wrong token once: its browser forgets it."""
    value = request.cookies.get(sessions.COOKIE, "")
    token = site.settings.web.token
    if not value or not token or request.method not in LOOKING:
        return False
    if site.sessions.is_valid(value, token.get_secret_value(), site.clock.now()):
        return True
    request[FORGETS_SESSION] = True
    if "Authorization" not in request.headers:
        request.app[TRIES].count_wrong(site.client(request))
    return False


def forget_session(site: Site, answer: web.StreamResponse) -> None:
    """Have the browser forget its session."""
    answer.del_cookie(sessions.COOKIE, path="/", httponly=True, samesite="Strict", secure=is_over_tls(site))


def is_over_tls(site: Site) -> bool:
    """A browser sends the cookie back only over TLS (or on its own machine), unless the site says that it has none."""
    return not (site.settings.public_url or "").startswith("http://")


def _gives_token(site: Site, request: web.Request) -> bool:
    """Whether `Authorization` has the token. One that gives no token at all, or cannot be read, is a wrong one too."""
    token = site.settings.web.token
    if "Authorization" not in request.headers or token is None:
        return False
    given = _credentials(request.headers["Authorization"])
    return request.app[TRIES].is_right(site.client(request), given, token.get_secret_value())


def _credentials(authorization: str) -> str:
    """The token that such a header gives; empty where it gives none."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return b64decode(credentials, validate=True).decode().partition(":")[2].strip()
        except ValueError:
            return ""
    return credentials.strip() if scheme.lower() == "bearer" else ""


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
    is_trial = site.outbox is not None and site.settings.public_url is None
    return has_token(site, request) or (is_trial and at_this_machine(site, request))


def asks_to_be_insider(request: web.Request) -> bool:
    """Whether an outsider's request is that of somebody who was let in before: it carries a session that is over, or
    their page looks again. What outsiders see would be taken for all that there is.
    """
    return FORGETS_SESSION in request or request.query.get("view") == "internal"


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
