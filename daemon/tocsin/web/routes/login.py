"""`/login`, where a person gives the token once and the browser keeps a cookie made from it (`sessions`). From here one
goes to pages of ours only.
"""

from hmac import compare_digest

from aiohttp import web

from tocsin.web.access import sessions
from tocsin.web.http.rate_limit import RateLimit, client_address
from tocsin.web.http.site import Site

HOME = "/incidents"
TRIES, TRIES_STEADY = 10.0, 1 / 6
"""Tokens that one address may try at once, and each second after that: nobody guesses, people mistype."""
TO_MOST = 200
"""Characters of the page that one came from."""


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` and `POST /login`, `POST /logout`."""
    tries = RateLimit(lambda: site.clock.now().timestamp(), TRIES, TRIES_STEADY)

    async def form(request: web.Request) -> web.Response:
        return login_form(site, request.query.get("to", HOME), 200)

    async def login(request: web.Request) -> web.Response:
        if not tries.allow(client_address(request)):
            site.warn("too many tokens at the login")
            raise web.HTTPTooManyRequests
        fields = await request.post()
        password, to = fields.get("token"), fields.get("to")
        token = _token(site)
        to = _path_of_ours(to if isinstance(to, str) else HOME)
        password = password.strip() if isinstance(password, str) else ""
        if not compare_digest(password.encode("utf-8", "replace"), token.encode()):
            site.warn("a wrong token at the login")
            return login_form(site, to, 403, wrong=True)
        answer = web.Response(status=303, headers={"Location": to, "Cache-Control": "no-store"})
        lasts = int(sessions.LASTS.total_seconds())
        value = sessions.new_session(token, site.clock.now())
        answer.set_cookie(
            sessions.COOKIE, value, max_age=lasts, httponly=True, samesite="Strict", secure=_over_tls(site), path="/"
        )
        return answer

    async def logout(_request: web.Request) -> web.Response:
        answer = web.Response(status=303, headers={"Location": HOME, "Cache-Control": "no-store"})
        answer.del_cookie(sessions.COOKIE, path="/", httponly=True, samesite="Strict", secure=_over_tls(site))
        return answer

    return [web.get("/login", form), web.post("/login", login), web.post("/logout", logout)]


def login_form(site: Site, to: str, status: int = 401, *, wrong: bool = False) -> web.Response:
    """The form, in place of what needs the token. Where no token is set there is nothing to log in to."""
    _token(site)
    return site.page("login", status, to=_path_of_ours(to), wrong=wrong)


def _token(site: Site) -> str:
    token = site.settings.web.token
    if token is None or not token.get_secret_value():
        raise web.HTTPForbidden(text="This is closed until TOCSIN_WEB__TOKEN is set.")
    return token.get_secret_value()


def _path_of_ours(to: str) -> str:
    """A path of this site, else the list: nobody is sent elsewhere from here."""
    is_plain = to.isascii() and to.isprintable() and "\\" not in to and len(to) <= TO_MOST
    return to if is_plain and to.startswith("/") and not to.startswith("//") else HOME


def _over_tls(site: Site) -> bool:
    """A browser sends the cookie back only over TLS (or on its own machine), unless the site says that it has none."""
    return not (site.settings.public_url or "").startswith("http://")
