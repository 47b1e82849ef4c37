"""What somebody typed is not lost: a form that was refused as a whole gives it back with the sentence that says why;
what cannot be done before they sign in, or before the daemon has judged it, is kept for an hour in this process.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from tocsin.domain.people import session_digest
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.answer_links import answer_address
from tocsin.web.access.browser import SESSION
from tocsin.web.access.same_origin import REFERRER
from tocsin.web.access.viewer import sign_in_path, viewer
from tocsin.web.acting.fields import Typed, typed_fields
from tocsin.web.http.forms import form
from tocsin.web.http.judged import new_ref, see_other
from tocsin.web.http.responses import sentence
from tocsin.web.http.site import Site

BODY_MOST = 4 * 1024 * 1024
"""Octets of a form of whoever holds a link or a session: what is far too long is given back too."""
DRAFT = "draft"
"""What an address calls the typed text that its form is to have again."""
NOT_NOW = "The ledger cannot be seen now, so nothing was changed. Try again in a minute."
SIGNED_OUT = "You are not signed in any more, and nothing was changed. Sign in, and send it once more."

LAST = timedelta(hours=1)
DRAFTS_MOST = 200
"""Drafts kept; the oldest goes first. Only who holds a link or a session leaves any."""
SESSIONS_MOST = 2000
"""Sessions whose person is still known once they are over; the one that was used longest ago goes first."""

Form = dict[str, list[str]]
Press = Callable[[Form], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class _Draft:
    person: str
    typed: Typed
    until: datetime


class Drafts:
    """Drafts by the reference of their form, which nobody can guess; and who opened a form in which session: whoever
    is signed out while they type is still the one for whom their text is kept.
    """

    def __init__(self, most: int = DRAFTS_MOST) -> None:
        self._most = most
        self._drafts: OrderedDict[str, _Draft] = OrderedDict()
        self._people: OrderedDict[str, str] = OrderedDict()

    def know(self, session: str, person: str) -> None:
        """Somebody has opened a form; `session` is the id that their browser shows, and is not kept itself."""
        digest = session_digest(session)
        self._people[digest] = person
        self._people.move_to_end(digest)
        while len(self._people) > SESSIONS_MOST:
            self._people.popitem(last=False)

    def person_of(self, session: str) -> str:
        """Whose session it was; empty: nobody's that has opened a form here."""
        return self._people.get(session_digest(session), "")

    def keep(self, ref: str, person: str, typed: Typed, now: datetime) -> None:
        """Keep what a person typed."""
        self._drafts[ref] = _Draft(person, typed, now + LAST)
        self._drafts.move_to_end(ref)
        while len(self._drafts) > self._most:
            self._drafts.popitem(last=False)

    def find(self, ref: str, person: str, now: datetime) -> Typed | None:
        """What the person had typed; None: it is not here any more."""
        draft = self._drafts.get(ref)
        return draft.typed if draft and draft.person == person and now < draft.until else None


async def pressed(site: Site, drafts: Drafts, request: web.Request, press: Press) -> web.Response:
    """What a form that was sent leads to. One that is refused as a whole gives its text back; whoever's session is over
    signs in and finds it in the form again.
    """
    typed = Typed()
    try:
        proven = bool(drafts.person_of(request.cookies.get(SESSION, ""))) or await _is_proven(site, request)
        sent = await form(request.clone(client_max_size=BODY_MOST) if proven else request)
        typed = typed_fields(sent)
        return await press(sent)
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        return given_back(site, typed, NOT_NOW, 503)
    except web.HTTPSeeOther:
        if not typed.texts:
            raise
        return await _led_to_sign_in(site, drafts, request, typed)
    except web.HTTPException as refusal:
        if refusal.status < 400 or not typed.texts:
            raise
        site.warn("not done", status=refusal.status, asker=site.client(request).address)
        own = refusal.text if refusal.text and not refusal.text.startswith(f"{refusal.status}:") else ""
        return given_back(site, typed, own or sentence(refusal.status).strip(), refusal.status)


def given_back(site: Site, typed: Typed, why: str, status: int, **values: object) -> web.Response:
    """It was not done: why, and what was typed."""
    page = site.page(
        "acting/given_back", status, **{"why": why, "texts": typed.texts, "again": "", "base": ""} | values
    )
    page.headers.update(REFERRER)
    return page


async def _led_to_sign_in(site: Site, drafts: Drafts, request: web.Request, typed: Typed) -> web.Response:
    """Whoever's session is over: their text waits for them."""
    id_ = request.cookies.get(SESSION, "")
    try:
        session = await site.ledger().session(session_digest(id_))
    except LedgerError:
        session = None
    path = str(request.rel_url.with_query({}))
    person = session.person if session else drafts.person_of(id_)
    if not person:
        return given_back(site, typed, SIGNED_OUT, 403, again=path)
    ref = new_ref()
    drafts.keep(ref, person, typed, site.clock.now())
    return see_other(f"{sign_in_path(f'{path}?{DRAFT}={ref}')}&ended")


async def _is_proven(site: Site, request: web.Request) -> bool:
    """Whether the request shows who it is from, so that a large form of it is read."""
    try:
        if "token" in request.match_info or "signature" in request.match_info:
            await answer_address(site, request)
            return True
        return (await viewer(site, request)).person is not None
    except (web.HTTPException, LedgerError):
        return False
