"""`/unsubscribe/INCIDENT/READER/SIGNATURE`, where a reader of updates asks to be taken off (RFC 8058).

The operators hear of it, once a day; who hears what stands in the config, and changes there only.
"""

from datetime import timedelta

from aiohttp import web

from tocsin.domain.people import StakeholderGroup
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import shown
from tocsin.web.access.link_guard import truncated_link_routes, verified_parts
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.http.site import Site

PATH = "/unsubscribe/{incident}/{reader:[^/]+}/{signature}"
ONCE_IN = timedelta(days=1)
"""How often the operators hear of the same wish."""


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page; `POST` from its button, or by a mail program's one click."""

    async def look(request: web.Request) -> web.Response:
        incident, reader = verified_parts(site, request, "unsubscribe", "incident", "reader")
        return _page(
            site, reader, await site.active_policy.policy(), passed_on=await _was_passed_on(site, incident, reader)
        )

    async def ask(request: web.Request) -> web.Response:
        incident, reader = verified_parts(site, request, "unsubscribe", "incident", "reader")
        require_same_origin(site, request)
        if (await request.post()).getall("List-Unsubscribe", []) != ["One-Click"]:
            raise web.HTTPBadRequest(text="This asks for nothing. Nothing was changed.")
        policy, now, ledger = await site.active_policy.policy(), site.clock.now(), site.ledger()
        groups = _groups(policy, reader)
        if groups and not await _was_passed_on(site, incident, reader):
            await ledger.report(f"unsubscribe:{reader}", _wish(incident, reader, groups), now)
            await ledger.claim_notice(_mark(incident, reader), now, ONCE_IN)
        return _page(site, reader, policy, passed_on=True)

    return [web.get(PATH, look), web.post(PATH, ask), *truncated_link_routes(site, "/unsubscribe/")]


def _page(site: Site, reader: str, policy: Policy, *, passed_on: bool) -> web.Response:
    """The page, to a `POST` too: a redirect would not do (RFC 8058, section 3.1)."""
    page = site.page("unsubscribe", reader=reader, listed=bool(_groups(policy, reader)), passed_on=passed_on)
    page.headers.update(REFERRER)
    return page


async def _was_passed_on(site: Site, incident: str, reader: str) -> bool:
    """Whether the operators were told of this wish of late."""
    passed_on_at = await site.ledger().noticed_at(_mark(incident, reader))
    return passed_on_at is not None and timedelta(0) <= site.clock.now() - passed_on_at < ONCE_IN


def _mark(incident: str, reader: str) -> str:
    """What the ledger remembers the wish by; another cause than the one under which operators are told."""
    return f"wish:{incident}:{reader}"


def _groups(policy: Policy, reader: str) -> list[StakeholderGroup]:
    """The groups that name the reader."""
    return [group for group in policy.stakeholders.values() if reader in group.people or reader in group.emails]


def _wish(incident: str, reader: str, groups: list[StakeholderGroup]) -> str:
    """What the operators are told, with the place to change."""
    names = " and ".join(f"{group.id} ({group.place})" if group.place else group.id for group in groups)
    wish = f"{shown(reader)} asks to be taken off the updates, in one about {shown(incident)}"
    return f"{wish}; the config names them in the stakeholders {names}; nothing was changed"
