"""`/unsubscribe/INCIDENT/READER/SIGNATURE`, where a reader of updates is taken off, or asks to be (RFC 8058).

The wish is left for the daemon, which acts on it where the reader's group says `unsubscribe: one_click`; else the
operators hear of it, once a day: who hears what stands in the config, and changes there only.
"""

from datetime import timedelta

from aiohttp import web

from tocsin.app.replies.unsubscribing import ONCE_IN, groups_naming, wish_mark
from tocsin.domain.arrival import ArrivalKind, WishEntry
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.link_guard import truncated_link_routes, verified_parts
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.http.forms import form
from tocsin.web.http.judged import judgement, leave, new_ref
from tocsin.web.http.site import Site

KEPT = "Your wish is kept, and is seen to as soon as the ledger can be used again."
PATH = "/unsubscribe/{incident}/{reader:[^/]+}/{signature}"


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page; `POST` from its button, or by a mail program's one click."""

    async def look(request: web.Request) -> web.Response:
        incident, reader = verified_parts(site, request, "unsubscribe", "incident", "reader")
        return await _page(site, incident, reader)

    async def ask(request: web.Request) -> web.Response:
        incident, reader = verified_parts(site, request, "unsubscribe", "incident", "reader")
        wish = WishEntry(new_ref(), incident, reader, request.match_info["signature"])
        require_same_origin(site, request)
        fields = await form(request, in_parts=True)
        if fields.get("List-Unsubscribe", []) != ["One-Click"]:
            raise web.HTTPBadRequest(text="This asks for nothing. Nothing was changed.")
        try:
            policy = await site.active_policy.policy()
            one_click = policy.lets_go(reader)
            known = await (_is_off(site, policy, reader) if one_click else _was_passed_on(site, incident, reader))
        except LedgerError as fault:  # a mail program asks once: its reader's wish is not lost for that
            site.warn("ledger trouble", trouble=str(fault))
            await leave(site, wish)
            return web.Response(text=KEPT)
        if not known:
            await leave(site, wish)
            if "page" not in fields and one_click:
                return web.Response(text="You are taken off: your wish is kept, and counts from the next message on.")
            await judgement(site, ArrivalKind.UNSUBSCRIBE, wish.ref)
        return await _page(site, incident, reader, asked=True)

    return [web.get(PATH, look), web.post(PATH, ask), *truncated_link_routes(site, "/unsubscribe/")]


async def _page(site: Site, incident: str, reader: str, *, asked: bool = False) -> web.Response:
    """The page, with what is true now, to a `POST` too: a redirect would not do (RFC 8058, section 3.1)."""
    policy = await site.active_policy.policy()
    page = await site.public_page(
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


async def _is_off(site: Site, policy: Policy, reader: str) -> bool:
    """Whether the daemon has taken the reader off; a person of the config is not taken off by a click."""
    if reader in policy.people:
        return False
    opt_outs = await site.ledger().opt_outs()
    return any((one.via, one.address.casefold()) == (Channel.EMAIL, reader.casefold()) for one in opt_outs)


async def _was_passed_on(site: Site, incident: str, reader: str) -> bool:
    """Whether the operators were told of this wish of late."""
    passed_on_at = await site.ledger().noticed_at(wish_mark(incident, reader))
    return passed_on_at is not None and timedelta(0) <= site.clock.now() - passed_on_at < ONCE_IN
