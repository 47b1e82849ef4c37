"""`/sign-in`, where a person asks for a code to their own phone or mailbox and types it, and `/sign-out` (P8).

Nothing is decided here: what is asked for and what is typed is left for the daemon, which makes the code, looks whether
it is right and records the session. Whoever is nobody of the config is answered as anybody is, and as soon. From here
one is led to pages of ours only.
"""

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import quote

from aiohttp import web

from tocsin.app.sign_in.judge import ACTED, DIGITS
from tocsin.app.state.sign_in_codes import browser_digest
from tocsin.domain.arrival import ArrivalKind, CodeEntry, LeaveEntry, SignInEntry
from tocsin.domain.people import Channel, session_digest
from tocsin.formats.inbox.names import REF
from tocsin.formats.inbox.signing_in import TYPED_MOST
from tocsin.text.cleaning import clean, one_line
from tocsin.web.access.answer_links import own_link
from tocsin.web.access.browser import (
    SESSION,
    begin_session,
    browser_proof,
    browser_secret,
    forget_session,
    know_browser,
    session_id,
)
from tocsin.web.access.same_origin import require_same_origin
from tocsin.web.access.sign_in_rate import WORDS, SignInRate
from tocsin.web.access.viewer import SIGN_IN, sign_in_path
from tocsin.web.http.forms import form
from tocsin.web.http.judged import judgement, leave, new_ref, see_other
from tocsin.web.http.site import Site
from tocsin.web.routes.sign_in_pages import FormFault, ask_page, code_page, left_page, out_page

HOME = "/incidents"
SIGN_OUT = "/sign-out"
TO_MOST = 500
"""Characters of the page that one came from."""
CODE_MOST = 32
"""Characters that somebody may type as a code, blanks and all."""
ID_MOST = 64
"""Characters of a session's id."""
NOT_HERE = FormFault(
    403,
    "This browser did not ask for that code, or too long ago. Ask for a new one: it is good in the browser that "
    "asked for it, and in no other.",
)
NOBODY = FormFault(400, "Say who you are, as the on-call config has it.")
NO_CODE = FormFault(400, "Type the six digits of the code.")
TOO_OFTEN = FormFault(429, WORDS)
UNCONFIRMED = FormFault(503)
_REF = re.compile(REF)


def routes(site: Site) -> list[web.RouteDef]:
    """`/sign-in`, `/sign-in/{ref}`, `/sign-out`, and `/login`, which leads on."""
    signing = _SigningIn(site)
    return [
        web.get(SIGN_IN, signing.show),
        web.post(SIGN_IN, signing.ask),
        web.get(SIGN_IN + "/{ref}", signing.show_code),
        web.post(SIGN_IN + "/{ref}", signing.enter),
        web.get(SIGN_OUT, signing.ask_out),
        web.post(SIGN_OUT, signing.sign_out),
        web.get("/login", signing.lead_on),
    ]


class _SigningIn:
    """What is asked and left on these pages."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rate = SignInRate(site.clock)

    async def show(self, request: web.Request) -> web.Response:
        """Who are you?"""
        return await ask_page(self._site, request, _to(request.query))

    async def lead_on(self, request: web.Request) -> web.Response:
        """Where one gave the token once."""
        return see_other(sign_in_path(_to(request.query)))

    async def ask(self, request: web.Request) -> web.Response:
        """A code is asked for."""
        site = self._site
        require_same_origin(site, request)
        fields = _first(await form(request))
        to, who = _to(fields), one_line(clean(fields.get("who", ""))).strip()[:TYPED_MOST]
        via = Channel.EMAIL if fields.get("via") == Channel.EMAIL else Channel.SMS
        link = await own_link(site, to)
        if link is None and not who:
            return await ask_page(site, request, to, NOBODY, who, via)
        if not self._rate.allows_request(site.client(request), own=link is not None):
            return await ask_page(site, request, to, TOO_OFTEN, who, via)
        ref, secret = new_ref(), browser_secret(request)
        entry = SignInEntry(ref, who, via, browser_digest(browser_proof(secret)))
        if link is not None:
            of_link = link.incident, link.episode, link.signature
            entry = SignInEntry(ref, link.person, via, entry.browser, *of_link)
        await leave(site, entry)
        answer = see_other(f"{SIGN_IN}/{ref}?to={quote(to, safe='/')}")
        know_browser(site, request, answer, secret)
        return answer

    async def show_code(self, request: web.Request) -> web.Response:
        """What is the code?"""
        _request_ref(request)
        return code_page(self._site, request, _to(request.query), new_ref())

    async def enter(self, request: web.Request) -> web.Response:
        """A code is typed: who typed the right one is signed in afterwards, if the daemon says so."""
        site, asked = self._site, _request_ref(request)
        require_same_origin(site, request)
        fields = _first(await form(request))
        to, typed, ref = _to(fields), _digits(fields.get("code", "")), fields.get("ref", "")
        secret = browser_secret(request, new=False)
        if not (len(typed) == DIGITS and secret and _REF.fullmatch(ref)):
            return code_page(site, request, to, new_ref(), NO_CODE if secret else NOT_HERE, typed)
        if not self._rate.allows_try(site.client(request)):
            return code_page(site, request, to, ref, TOO_OFTEN, typed)
        entry = _ref_of(ref, typed)
        id_ = session_id(secret, entry)
        await leave(site, CodeEntry(entry, asked, typed, browser_proof(secret), session_digest(id_)))
        judged = await judgement(site, ArrivalKind.CODE, entry)
        if judged is None:
            return code_page(site, request, to, ref, UNCONFIRMED, typed)
        if judged.result != ACTED:
            return code_page(site, request, to, new_ref(), FormFault(403, judged.words))
        answer = see_other(to)
        begin_session(site, request, answer, id_)
        return answer

    async def ask_out(self, request: web.Request) -> web.Response:
        """Sign out?"""
        return await out_page(self._site, request)

    async def sign_out(self, request: web.Request) -> web.Response:
        """This browser's session is over. It forgets it in any case."""
        site = self._site
        require_same_origin(site, request)
        over = True
        if id_ := request.cookies.get(SESSION, "")[:ID_MOST]:
            ref = new_ref()
            await leave(site, LeaveEntry(ref, id_))
            over = await judgement(site, ArrivalKind.SIGN_OUT, ref) is not None
        answer = see_other(f"{SIGN_IN}?out") if over else left_page(site)
        forget_session(site, request, answer)
        return answer


def path_of_ours(to: str) -> str:
    """A path of this site, else the list: nobody is sent elsewhere from here."""
    is_plain = to.isascii() and to.isprintable() and "\\" not in to and len(to) <= TO_MOST
    return to if is_plain and to.startswith("/") and not to.startswith(("//", SIGN_IN, SIGN_OUT)) else HOME


def _to(fields: Mapping[str, str]) -> str:
    return path_of_ours(fields.get("to", HOME))


def _first(fields: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in fields.items()}


def _request_ref(request: web.Request) -> str:
    """Raises 404."""
    ref = request.match_info["ref"]
    if not _REF.fullmatch(ref):
        raise web.HTTPNotFound
    return ref


def _ref_of(form_ref: str, typed: str) -> str:
    """The reference of a code that was typed: another one in the same form, as after "back", is another try."""
    return hashlib.sha256(f"{form_ref} {typed}".encode()).hexdigest()[:20]


def _digits(typed: str) -> str:
    """The digits of what somebody typed, in whichever script; empty: there are none, or it is no code."""
    return "".join(str(int(letter)) for letter in typed if letter.isdecimal()) if len(typed) <= CODE_MOST else ""
