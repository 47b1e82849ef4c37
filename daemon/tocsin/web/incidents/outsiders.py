"""The pages of incidents for those who are told about them: no word that they were not told."""

from aiohttp import web

from tocsin.app.incidents.incident_views import IncidentList, IncidentViews
from tocsin.web.http.site import Site
from tocsin.web.incidents.kept_views import AGAIN_AFTER, drawings
from tocsin.wording.report.chart_lanes import STATUS_TONES
from tocsin.wording.report.public.view import public_chart


async def public_list(site: Site, incidents: IncidentList) -> web.Response:
    """What outsiders were told is going on, and what is over."""
    now = site.clock.now()
    going, over = incidents.public()
    return await site.public_page(
        "incidents/public_list", going=going, over=over, now=now, again=AGAIN_AFTER, tones=STATUS_TONES
    )


async def public_page(site: Site, both_views: IncidentViews) -> web.Response:
    """What outsiders were told of one. Raises 404 where that is nothing."""
    view = both_views.public
    if view is None:
        raise web.HTTPNotFound
    now = site.clock.now()
    return await site.public_page(
        "incidents/public_one",
        view=view,
        now=now,
        again=0 if view.resolved_at else AGAIN_AFTER,
        tones=STATUS_TONES,
        drawings=drawings(public_chart(view, now)),
    )
