"""The pages of incidents for those who work on them."""

from datetime import datetime, timedelta

from aiohttp import web

from tocsin.app.incidents.incident_views import IncidentList, IncidentViews
from tocsin.web.access.same_origin import REFERRER
from tocsin.web.http.site import Site
from tocsin.web.incidents.kept_views import AGAIN_AFTER, drawings
from tocsin.wording.report.chart_lanes import STATUS_TONES

LOOKS_AT = "?view=internal"
"""Where an insider's page looks when it loads itself anew: there outsiders are asked to log in."""


def internal_list(site: Site, incidents: IncidentList, *, session: bool) -> web.Response:
    """The list for insiders; with a session there is one to end."""
    now = site.clock.now()
    page = site.page(
        "incidents/list",
        listing=incidents,
        now=now,
        again=AGAIN_AFTER,
        look=LOOKS_AT,
        tones=STATUS_TONES,
        session=session,
    )
    page.headers.update(REFERRER)  # for the form that logs out
    return page


def internal_page(site: Site, both_views: IncidentViews, *, signed: bool) -> web.Response:
    """The internal view. One who came by a link for one incident is not shown the way to all of them."""
    view, now = both_views.internal, site.clock.now()
    return site.page(
        "incidents/one",
        drill=view.incident.drill,
        view=view,
        now=now,
        again=0 if view.resolved_at else AGAIN_AFTER,
        look="" if signed else LOOKS_AT,
        tones=STATUS_TONES,
        drawings=drawings(view.chart),
        public=both_views.public is not None,
        signed=signed,
        overdue=_is_overdue(view.next_update_at, now),
    )


def _is_overdue(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at > timedelta(minutes=1)
