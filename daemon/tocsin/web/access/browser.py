"""What a browser keeps of somebody who signs in: first a secret by which it is known again, then the id of a session.

Both are random, or made of what is, and the daemon learns neither from the inbox: of the secret a proof, of the id its
digest.
"""

import base64
import hashlib
import re
import secrets

from aiohttp import web

from tocsin.domain.people import SESSION_LASTS
from tocsin.web.access.guard import at_this_machine
from tocsin.web.http.site import Site

SESSION = "tocsin_session"
"""The cookie with a session's id."""
BROWSER = "tocsin_browser"
"""The cookie with the secret, for the pages of signing in alone."""
BROWSER_PATH = "/sign-in"
BROWSER_LASTS = 3600
"""Seconds for which a browser keeps it."""
SECRET_OCTETS = 32
_SECRET = re.compile("[A-Za-z0-9_-]{43}")


def browser_secret(request: web.Request, *, new: bool = True) -> str:
    """The secret of the browser that asks; where it has none a new one, or nothing."""
    secret = request.cookies.get(BROWSER, "")
    if _SECRET.fullmatch(secret):
        return secret
    return secrets.token_urlsafe(SECRET_OCTETS) if new else ""


def browser_proof(secret: str) -> str:
    """What shows the daemon that a browser is the one that asked."""
    return hashlib.sha256(b"tocsin browser proof 1:" + secret.encode()).hexdigest()


def session_id(secret: str, ref: str) -> str:
    """The id of the session that a try at a code begins: sent twice, it is the same."""
    digest = hashlib.sha256(f"tocsin session id 1:{ref}:{secret}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def know_browser(site: Site, request: web.Request, answer: web.Response, secret: str) -> None:
    """Have the browser keep its secret."""
    secure = needs_tls(site, request)
    answer.set_cookie(
        BROWSER, secret, max_age=BROWSER_LASTS, path=BROWSER_PATH, httponly=True, samesite="Strict", secure=secure
    )


def begin_session(site: Site, request: web.Request, answer: web.Response, id_: str) -> None:
    """Have the browser keep its session, and forget what it was known by. `Lax`: a link in a mail knows them, too."""
    secure = needs_tls(site, request)
    lasts = int(SESSION_LASTS.total_seconds())
    answer.set_cookie(SESSION, id_, max_age=lasts, path="/", httponly=True, samesite="Lax", secure=secure)
    answer.del_cookie(BROWSER, path=BROWSER_PATH, httponly=True, samesite="Strict", secure=secure)


def forget_session(site: Site, request: web.Request, answer: web.StreamResponse) -> None:
    """Have the browser forget its session."""
    answer.del_cookie(SESSION, path="/", httponly=True, samesite="Lax", secure=needs_tls(site, request))


def needs_tls(site: Site, request: web.Request) -> bool:
    """A browser sends such a cookie over TLS only, but for somebody at this machine, and where the site says that it
    has none.
    """
    return not ((site.settings.public_url or "").startswith("http://") or at_this_machine(site, request))
