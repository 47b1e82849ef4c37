"""`/oncall` for insiders, and calendars by secret link for applications that subscribe, which fetch nothing again that
has not changed.
"""

import asyncio
from hashlib import sha256

from aiohttp import web

from tocsin.app.incidents.on_call.calendars import feed, owners
from tocsin.app.incidents.on_call.duties import duties, duty_by_role
from tocsin.app.reply_options import signed_links
from tocsin.text.times import dated
from tocsin.web.access.link_guard import verified_parts
from tocsin.web.access.viewer import require_reader
from tocsin.web.http.cache import BriefCache
from tocsin.web.http.page_times import PageTimes
from tocsin.web.http.site import Site

FEEDS_MOST = 200
"""Calendars kept for a moment."""
ICS = ".ics"


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /oncall` and `/oncall/{owner}/{signature}.ics`."""
    feeds: BriefCache[bytes | None] = BriefCache(FEEDS_MOST)

    async def now_and_next(request: web.Request) -> web.Response:
        looker = await require_reader(site, request)
        policy, now = await site.active_policy.policy(), site.clock.now()
        routes = site.reply_routes
        calendar = (
            (lambda owner: routes.public_url + signed_links.calendar(routes.keys, owner) + ICS)
            if routes.links
            else None
        )
        duties_now = await asyncio.to_thread(duties, policy, now)
        by_role = await asyncio.to_thread(duty_by_role, policy, now, looker.person.id if looker.person else "")
        return site.page(
            "oncall",
            duties=duties_now,
            by_role=by_role,
            owners=owners(policy),
            calendar=calendar,
            times=PageTimes(looker.zone, now),
            dated=dated,
            viewer=looker,
        )

    async def ics(request: web.Request) -> web.Response:
        (owner,) = verified_parts(site, request, "oncall", "owner")
        policy, now = await site.active_policy.policy(), site.clock.now()
        data = await feeds.get(owner, lambda: asyncio.to_thread(feed, policy, owner, now))
        if data is None:
            raise web.HTTPNotFound
        tag = sha256(data).hexdigest()[:32]
        headers = {"Cache-Control": "private, no-cache", "ETag": f'"{tag}"'}
        if any(known.value in (tag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers["Content-Disposition"] = f'inline; filename="on-call-{owner}.ics"'
        return web.Response(body=data, content_type="text/calendar", charset="utf-8", headers=headers)

    return [web.get("/oncall", now_and_next), web.get("/oncall/{owner}/{signature}" + ICS, ics)]
