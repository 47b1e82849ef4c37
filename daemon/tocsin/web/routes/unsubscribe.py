"""Unsubscribe: `/unsubscribe/INCIDENT/READER/SIGNATURE`, where a reader of updates asks to be taken off (RFC 8058).

It decides nothing but that the operators hear of it, once a day: who hears what stands in the config, and changes there
only. It must not know how operators are told.
"""

from datetime import timedelta

from aiohttp import web

from tocsin.domain.people import StakeholderGroup
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import shown
from tocsin.web.access.same_origin import REFERRER, want_same_origin
from tocsin.web.access.signed_links import cut_short, parts
from tocsin.web.http.site import Site

PATH = "/unsubscribe/{incident}/{reader:[^/]+}/{signature}"
ONCE_IN = timedelta(days=1)
"""How often the operators hear of the same wish."""


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page; `POST` from its button, or by a mail program's one click."""

    async def look(request: web.Request) -> web.Response:
        incident, reader = parts(site, request, "unsubscribe", "incident", "reader")
        return _page(site, reader, await site.in_force.policy(), asked=await _asked(site, incident, reader))

    async def ask(request: web.Request) -> web.Response:
        incident, reader = parts(site, request, "unsubscribe", "incident", "reader")
        want_same_origin(site, request)
        if (await request.post()).getall("List-Unsubscribe", []) != ["One-Click"]:
            raise web.HTTPBadRequest(text="This asks for nothing. Nothing was changed.")
        policy, now, ledger = await site.in_force.policy(), site.clock.now(), site.ledger()
        groups = _groups(policy, reader)
        if groups and not await _asked(site, incident, reader):
            await ledger.report(f"unsubscribe:{reader}", _wish(incident, reader, groups), now)
            await ledger.claim_notice(_mark(incident, reader), now, ONCE_IN)
        return _page(site, reader, policy, asked=True)

    return [web.get(PATH, look), web.post(PATH, ask), *cut_short(site, "/unsubscribe/")]


def _page(site: Site, reader: str, policy: Policy, *, asked: bool) -> web.Response:
    """The page, to a `POST` too: a redirect would not do (RFC 8058, section 3.1)."""
    page = site.page("unsubscribe", reader=reader, listed=bool(_groups(policy, reader)), asked=asked)
    page.headers.update(REFERRER)
    return page


async def _asked(site: Site, incident: str, reader: str) -> bool:
    """Whether the operators were told of this wish of late."""
    asked_at = await site.ledger().noticed_at(_mark(incident, reader))
    return asked_at is not None and site.clock.now() - asked_at < ONCE_IN


def _mark(incident: str, reader: str) -> str:
    """What the ledger remembers the wish by; another cause than the one under which operators are told."""
    return f"wish:{incident}:{reader}"


def _groups(policy: Policy, reader: str) -> list[StakeholderGroup]:
    """The groups that name the reader."""
    return [each for each in policy.stakeholders.values() if reader in each.people or reader in each.emails]


def _wish(incident: str, reader: str, groups: list[StakeholderGroup]) -> str:
    """What the operators are told, with the place to change."""
    named = " and ".join(f"{each.id} ({each.place})" if each.place else each.id for each in groups)
    said = f"{shown(reader)} asks to be taken off the updates, in one about {shown(incident)}"
    return f"{said}; the config names them in the stakeholders {named}; nothing was changed"
