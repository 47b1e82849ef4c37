"""Who looks: somebody who has signed in, a machine with the token, or whoever tries tocsin out at this machine (P8).

A person who has signed in reads and acts; the two others read. What a form does is the daemon's to decide in any case:
it knows the sessions too.
"""

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from tocsin.domain.people import Person, session_digest
from tocsin.web.access.browser import SESSION
from tocsin.web.access.guard import reads_here
from tocsin.web.http.site import CACHE_NEVER, Site

SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. `person`: who has signed in, `session` the id in their cookie, which shows the daemon that; both are
    empty for anybody else. `reads`: they may see what is not for outsiders.
    """

    person: Person | None = None
    session: str = ""
    reads: bool = False

    @property
    def zone(self) -> str:
        """Where the times that they are shown are local."""
        return self.person.timezone if self.person else "UTC"


FORGETS_SESSION = web.RequestKey("forgets_session", bool)
"""Set where a request carries a session that is over: the browser is to forget it."""
_VIEWER = web.RequestKey("viewer", Viewer)


async def viewer(site: Site, request: web.Request) -> Viewer:
    """Who sent this request; found out once. Raises LedgerError."""
    if _VIEWER not in request:
        request[_VIEWER] = await _viewer(site, request)
    return request[_VIEWER]


async def _viewer(site: Site, request: web.Request) -> Viewer:
    if value := request.cookies.get(SESSION, ""):
        session = await site.ledger().session(session_digest(value))
        if session is not None and site.clock.now() < session.ends_at:
            policy = await site.active_policy.policy()
            if person := policy.people.get(session.person):
                return Viewer(person, value, reads=True)
        request[FORGETS_SESSION] = True
    return Viewer(reads=reads_here(site, request))


async def require_reader(site: Site, request: web.Request) -> Viewer:
    """Who looks at what is not for outsiders. Who may not is led to the sign-in by 303, a machine told so by 401.
    Raises LedgerError.
    """
    looker = await viewer(site, request)
    if looker.reads:
        return looker
    if not is_browser(request):
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
    raise led_to_sign_in(request)


def was_reader(request: web.Request) -> bool:
    """Whether somebody who may see nothing was let in before: their session is over, or a page that was theirs looks
    again. What outsiders see would be taken for all that there is. Known once the viewer is.
    """
    return FORGETS_SESSION in request or request.query.get("view") == "internal"


async def require_person(site: Site, request: web.Request) -> Viewer:
    """Who acts: they have signed in. Whoever else is led to the sign-in. Raises LedgerError."""
    actor = await viewer(site, request)
    if actor.person is None:
        raise led_to_sign_in(request)
    return actor


def led_to_sign_in(request: web.Request) -> web.HTTPException:
    """The way there, and from there back to what was asked for; it is said that a session is over."""
    ended = "&ended" if was_reader(request) else ""
    return web.HTTPSeeOther(sign_in_path(str(request.rel_url)) + ended, headers={"Cache-Control": CACHE_NEVER})


def sign_in_path(to: str) -> str:
    """Where one signs in, and from there is led back to a path of ours."""
    return f"{SIGN_IN}?to={quote(to, safe='/')}"


def is_browser(request: web.Request) -> bool:
    """Whether a person is likely to read the answer."""
    return "text/html" in request.headers.get("Accept", "")
