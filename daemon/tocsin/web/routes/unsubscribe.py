"""`/unsubscribe/INCIDENT/READER/SIGNATURE`, where a reader of updates is taken off, or asks to be (RFC 8058).

Where the reader's group says `unsubscribe: one_click` the wish is left for the daemon, which acts on it; else the
operators hear of it, once a day: who hears what stands in the config, and changes there only.
"""

import asyncio
from datetime import timedelta

from aiohttp import web

from tocsin.app.replies.unsubscribing import groups_naming, wish
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.web.access.link_guard import truncated_link_routes, verified_parts
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.http.site import Site

PATH = "/unsubscribe/{incident}/{reader:[^/]+}/{signature}"
ONCE_IN = timedelta(days=1)
"""How often the operators hear of the same wish."""
WAITS, LOOKS_EVERY = 5.0, 0.2
"""Seconds for which the page waits until the daemon has taken somebody off, and between two looks."""


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page; `POST` from its button, or by a mail program's one click."""

    async def look(request: web.Request) -> web.Response:
        incident, reader = verified_parts(site, request, "unsubscribe", "incident", "reader")
        return await _page(site, incident, reader)

    async def ask(request: web.Request) -> web.Response:
        incident, reader = verified_parts(site, request, "unsubscribe", "incident", "reader")
        require_same_origin(site, request)
        form = await request.post()
        if form.getall("List-Unsubscribe", []) != ["One-Click"]:
            raise web.HTTPBadRequest(text="This asks for nothing. Nothing was changed.")
        policy = await site.active_policy.policy()
        by_page = "page" in form
        if policy.lets_go(reader):
            await _take_off(site, incident, reader, waits=WAITS if by_page else 0)
            if not by_page:
                return web.Response(text="You are taken off: your wish is kept, and counts from the next message on.")
        else:
            await _pass_on(site, incident, reader, policy)
        return await _page(site, incident, reader, asked=True)

    return [web.get(PATH, look), web.post(PATH, ask), *truncated_link_routes(site, "/unsubscribe/")]


async def _page(site: Site, incident: str, reader: str, *, asked: bool = False) -> web.Response:
    """The page, with what is true now, to a `POST` too: a redirect would not do (RFC 8058, section 3.1)."""
    policy = await site.active_policy.policy()
    page = site.page(
        "unsubscribe",
        reader=reader,
        listed=bool(groups_naming(policy, reader)),
        off=await _is_off(site, policy, reader),
        one_click=policy.lets_go(reader),
        asked=asked,
        passed_on=await _was_passed_on(site, incident, reader),
    )
    page.headers.update(REFERRER)
    return page


async def _take_off(site: Site, incident: str, reader: str, *, waits: float) -> None:
    """Leave the wish for the daemon, once a minute at most, and give it a moment to act on it."""
    policy, now = await site.active_policy.policy(), site.clock.now()
    if await _is_off(site, policy, reader):
        return
    ref = f"{incident}:{reader}:{now:%Y%m%dT%H%M}"
    await site.ledger().record_arrival(Arrival(ArrivalKind.UNSUBSCRIBE, ref, reader, incident, now))
    for _ in range(round(waits / LOOKS_EVERY)):
        if await _is_off(site, policy, reader):
            return
        await asyncio.sleep(LOOKS_EVERY)


async def _is_off(site: Site, policy: Policy, reader: str) -> bool:
    """Whether the daemon has taken the reader off; a person of the config is not taken off by a click."""
    if reader in policy.people:
        return False
    opt_outs = await site.ledger().opt_outs()
    return any((one.via, one.address.casefold()) == (Channel.EMAIL, reader.casefold()) for one in opt_outs)


async def _pass_on(site: Site, incident: str, reader: str, policy: Policy) -> None:
    """Tell the operators, unless they were told of late."""
    groups, ledger, now = groups_naming(policy, reader), site.ledger(), site.clock.now()
    if groups and not await _was_passed_on(site, incident, reader):
        await ledger.report(f"unsubscribe:{reader}", wish(incident, reader, groups), now)
        await ledger.claim_notice(_mark(incident, reader), now, ONCE_IN)


async def _was_passed_on(site: Site, incident: str, reader: str) -> bool:
    """Whether the operators were told of this wish of late."""
    passed_on_at = await site.ledger().noticed_at(_mark(incident, reader))
    return passed_on_at is not None and timedelta(0) <= site.clock.now() - passed_on_at < ONCE_IN


def _mark(incident: str, reader: str) -> str:
    """What the ledger remembers the wish by; another cause than the one under which operators are told."""
    return f"wish:{incident}:{reader}"
