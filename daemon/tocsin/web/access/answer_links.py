"""Whom an address is for at which somebody answers: a long one says so itself, of a short one the ledger knows it.

Whatever is not known, or not signed by one of our keys, is told in one way. What the link leads to is not decided here.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from tocsin.app.reply_options import signed_links
from tocsin.domain.notification import AnswerLink
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.link_guard import WRONG, require_links
from tocsin.web.http.site import Site

SHORT_PATH = "/a/{token}"
LONG_PATHS = (
    "/answer/{incident}/{person}/{signature}",
    "/answer/{incident}/{person}/{episode:[1-9][0-9]{0,5}}/{signature}",
)
"""Only later episodes than the first are named (`app/reply_options/signed_links`)."""
_OWN = re.compile(
    rf"/a/(?P<token>[0-9A-Za-z]{{{signed_links.TOKEN_LETTERS}}})(?![^/?#])"
    r"|/answer/(?P<incident>[^/?#]+)/(?P<person>[^/?#]+)/(?:(?P<episode>[1-9][0-9]{0,5})/)?(?P<signature>[^/?#]+)"
)
TOKEN = re.compile(rf"[0-9A-Za-z]{{{signed_links.TOKEN_LETTERS}}}")
CANNOT_SEE = (
    "Whom this link is for cannot be looked up now, and nothing was changed. "
    "Answer by SMS (ok and its code) or call, or try again in a minute."
)


@dataclass(frozen=True, slots=True)
class AnswerAddress:
    """What an address says that one of our keys has signed: `signature` is what shows it, a token where it is short."""

    incident: str
    person: str
    episode: int
    signature: str


async def answer_address(site: Site, request: web.Request) -> AnswerAddress:
    """Whom the address is for. Raises 404 where there are no links, 403 for one that is not known, 503 where nobody can
    see that.
    """
    require_links(site)
    if "token" in request.match_info:
        address = await _short(site, request.match_info["token"])
    else:
        match = request.match_info
        episode = int(match.get("episode", "1"))
        address = AnswerAddress(match["incident"], match["person"], episode, match["signature"])
    keys = site.reply_routes.keys
    if address is None or not signed_links.answer_is_signed(
        keys, address.signature, address.incident, address.person, address.episode
    ):
        raise web.HTTPForbidden(text=WRONG)
    return address


async def own_link(site: Site, path: str) -> AnswerAddress | None:
    """Whom a path of ours is for, or of a page below it; None: it is no such link, or of nobody's. Raises 503."""
    routes = site.reply_routes
    found = _OWN.match(path)
    if found is None or not routes.links:
        return None
    if found["token"]:
        address = await _short(site, found["token"])
    else:
        incident, person, signature = (unquote(found[name]) for name in ("incident", "person", "signature"))
        address = AnswerAddress(incident, person, int(found["episode"] or 1), signature)
    if address is None:
        return None
    signed = address.signature, address.incident, address.person, address.episode
    return address if signed_links.answer_is_signed(routes.keys, *signed) else None


async def _short(site: Site, token: str) -> AnswerAddress | None:
    """Raises 503."""
    link = await _known(site, token)
    return AnswerAddress(link.incident, link.person, link.episode, token) if link and link.person else None


async def status_incident(site: Site, token: str) -> str:
    """The incident that outsiders follow by `/s/TOKEN`. Raises 404 where there are no links, 403 and 503 as above."""
    require_links(site)
    link = await _known(site, token)
    if link is None or link.person:
        raise web.HTTPForbidden(text=WRONG)
    return link.incident


async def _known(site: Site, token: str) -> AnswerLink | None:
    """What the ledger knows of a token. Raises 503."""
    if not TOKEN.fullmatch(token):
        return None
    try:
        return await site.ledger().answer_link(signed_links.token_digest(token))
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        raise web.HTTPServiceUnavailable(text=CANNOT_SEE, headers={"Retry-After": "60"}) from None
