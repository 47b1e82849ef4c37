"""`/incidents` and `/incidents/ID`, for insiders and for outsiders.

The internal view sees whoever knows the token, has an incident's signed link, or tries tocsin out at this machine;
everybody else only what outsiders were told, and nothing at all of an incident of which they were told nothing. Whose
session is over is asked to log in: "nothing is known to be wrong" would be a lie to somebody on call.
"""

from datetime import datetime, timedelta

from aiohttp import web

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.app.incidents.incident_views import IncidentList, IncidentViews, listing, views
from tocsin.app.reply_options import signed_links
from tocsin.formats.incident.file_name import ID
from tocsin.web.access.answer_links import status_incident
from tocsin.web.access.guard import asks_to_be_insider, is_insider
from tocsin.web.access.link_guard import truncated_link_routes, verified_parts
from tocsin.web.access.same_origin import REFERRER
from tocsin.web.http import sessions
from tocsin.web.http.cache import BriefCache
from tocsin.web.http.site import Site
from tocsin.web.routes import login
from tocsin.wording.report.chart import Chart
from tocsin.wording.report.chart_lanes import STATUS_TONES
from tocsin.wording.report.chart_svg import NARROW, WIDE, draw
from tocsin.wording.report.public_view import public_chart

PAGES_MOST = 100
"""Incidents kept for a moment."""
THREADS = 4
"""Pages worked out at once; the end of the process waits for none of them."""
AGAIN_AFTER = 30
"""Seconds after which a page of something open loads itself anew."""
LOOKS_AT = "?view=internal"
"""Where an insider's page looks then: there outsiders are asked to log in."""


class _KeptViews:
    """The views of incidents, kept for a moment."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._views: BriefCache[IncidentViews | None] = BriefCache(PAGES_MOST)
        self.threads = DiskThreads("incident pages", THREADS)

    async def look(self, name: str) -> IncidentViews:
        """The views of the incident of that id. Raises 404."""
        site = self._site
        if not ID.fullmatch(name):
            raise web.HTTPNotFound
        policy, now, limits = await site.active_policy.policy(), site.clock.now(), site.settings.limits
        both_views = await self._views.get(name, lambda: views(name, site.ledger(), policy, limits, now, self.threads))
        if both_views is None:
            raise web.HTTPNotFound
        return both_views


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /incidents`, `/incidents/{id}`, `/incidents/{id}/{signature}`, and `/s/{token}`, by which outsiders follow
    one.
    """
    kept = _KeptViews(site)
    lists: BriefCache[IncidentList] = BriefCache(1)

    async def one(request: web.Request) -> web.Response:
        is_inside = is_insider(site, request)
        if not is_inside and asks_to_be_insider(request):  # whatever the id is: it tells nothing
            return login.login_form(site, request.path, ended=True)
        both_views = await kept.look(request.match_info["id"])
        if is_inside and request.query.get("view") != "public":
            return _internal_page(site, both_views, signed=False)
        return await _public_page(site, both_views)

    async def by_link(request: web.Request) -> web.Response:
        verified_parts(site, request, "incidents", "id")
        return _internal_page(site, await kept.look(request.match_info["id"]), signed=True)

    async def follow(request: web.Request) -> web.Response:
        return await _public_page(site, await kept.look(await status_incident(site, request.match_info["token"])))

    async def every(request: web.Request) -> web.Response:
        is_inside = is_insider(site, request)
        if not is_inside and asks_to_be_insider(request):
            return login.login_form(site, request.path, ended=True)
        policy, now = await site.active_policy.policy(), site.clock.now()
        incidents = await lists.get("", lambda: listing(site.ledger(), policy, now, kept.threads))
        if is_inside and request.query.get("view") != "public":
            return _internal_list(site, incidents, session=sessions.COOKIE in request.cookies)
        return await _public_list(site, incidents)

    return [
        web.get("/incidents", every),
        web.get("/incidents/{id}", one),
        web.get("/incidents/{id}/{signature}", by_link),
        web.get(signed_links.STATUS + "{token}", follow),
        *truncated_link_routes(site, signed_links.STATUS),
    ]


def _internal_list(site: Site, incidents: IncidentList, *, session: bool) -> web.Response:
    """The list for insiders; with a session there is one to end."""
    now = site.clock.now()
    page = site.page(
        "incidents", listing=incidents, now=now, again=AGAIN_AFTER, look=LOOKS_AT, tones=STATUS_TONES, session=session
    )
    page.headers.update(REFERRER)  # for the form that logs out
    return page


async def _public_list(site: Site, incidents: IncidentList) -> web.Response:
    now, has_login = site.clock.now(), site.settings.web.token is not None
    going, over = incidents.public()
    return await site.public_page(
        "public_incidents", going=going, over=over, now=now, again=AGAIN_AFTER, tones=STATUS_TONES, login=has_login
    )


def _internal_page(site: Site, both_views: IncidentViews, *, signed: bool) -> web.Response:
    """The internal view. One who came by a link for one incident is not shown the way to all of them."""
    view, now = both_views.internal, site.clock.now()
    return site.page(
        "incident",
        drill=view.incident.drill,
        view=view,
        now=now,
        again=0 if view.resolved_at else AGAIN_AFTER,
        look="" if signed else LOOKS_AT,
        tones=STATUS_TONES,
        drawings=_drawings(view.chart),
        public=both_views.public is not None,
        signed=signed,
        overdue=_is_overdue(view.next_update_at, now),
    )


async def _public_page(site: Site, both_views: IncidentViews) -> web.Response:
    """What outsiders were told. Raises 404 where that is nothing."""
    view = both_views.public
    if view is None:
        raise web.HTTPNotFound
    now = site.clock.now()
    again = 0 if view.resolved_at else AGAIN_AFTER
    drawings = _drawings(public_chart(view, now))
    return await site.public_page(
        "public_incident", view=view, now=now, again=again, tones=STATUS_TONES, drawings=drawings
    )


def _drawings(chart: Chart) -> tuple[str, str]:
    """For a desk and for a phone; the stylesheet shows one of them."""
    return draw(chart, WIDE, "wide-drawing"), draw(chart, NARROW, "narrow-drawing")


def _is_overdue(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at > timedelta(minutes=1)
