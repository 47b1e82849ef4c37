"""`/login`, where a person gives the token once and the browser keeps the cookie of a session (`sessions`), which ends
at `/logout`. Both take forms of our own pages only, and from here one goes to pages of ours only.
"""

from aiohttp import web

from tocsin.web.access.guard import TRIES, forget_session, is_over_tls, too_many_tries
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.access.tries import TooManyTriesError
from tocsin.web.http import sessions
from tocsin.web.http.forms import form
from tocsin.web.http.site import CACHE_NEVER, Site

HOME = "/incidents"
TO_MOST = 200
"""Characters of the page that one came from."""


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` and `POST /login`, `POST /logout`."""

    async def show(request: web.Request) -> web.Response:
        return login_form(site, request.query.get("to", HOME), 200)

    async def login(request: web.Request) -> web.Response:
        require_same_origin(site, request)
        fields = await form(request)
        password, to = fields.get("token", [""])[0].strip(), _path_of_ours(fields.get("to", [HOME])[0])
        token = _token(site)
        try:
            right = request.app[TRIES].is_right(site.client(request), password, token)
        except TooManyTriesError:
            raise too_many_tries(site) from None
        if not right:
            site.warn("a wrong token at the login")
            return login_form(site, to, 403, wrong=True)
        answer = _go_to(to)
        answer.set_cookie(
            sessions.COOKIE,
            site.sessions.begin(token, site.clock.now()),
            max_age=int(sessions.LASTS.total_seconds()),
            httponly=True,
            samesite="Strict",
            secure=is_over_tls(site),
            path="/",
        )
        return answer

    async def logout(request: web.Request) -> web.Response:
        require_same_origin(site, request)
        token = site.settings.web.token
        site.sessions.end(request.cookies.get(sessions.COOKIE, ""), token.get_secret_value() if token else "")
        answer = _go_to(HOME)
        forget_session(site, answer)
        return answer

    return [web.get("/login", show), web.post("/login", login), web.post("/logout", logout)]


def _go_to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path, "Cache-Control": CACHE_NEVER})


def login_form(site: Site, to: str, status: int = 401, *, wrong: bool = False, ended: bool = False) -> web.Response:
    """The form, in place of what needs the token; `ended`: of what was shown until the session was over. Where no token
    is set there is nothing to log in to.
    """
    _token(site)
    page = site.page("login", status, to=_path_of_ours(to), wrong=wrong, ended=ended)
    page.headers.update(REFERRER)
    return page


def _token(site: Site) -> str:
    token = site.settings.web.token
    if token is None or not token.get_secret_value():
        raise web.HTTPForbidden(text="This is closed until TOCSIN_WEB__TOKEN is set.")
    return token.get_secret_value()


def _path_of_ours(to: str) -> str:
    """A path of this site, else the list: nobody is sent elsewhere from here."""
    is_plain = to.isascii() and to.isprintable() and "\\" not in to and len(to) <= TO_MOST
    return to if is_plain and to.startswith("/") and not to.startswith("//") else HOME
