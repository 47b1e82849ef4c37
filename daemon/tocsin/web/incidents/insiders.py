"""The pages of incidents for those who work on them: in their own time, with what they can do about them."""

from datetime import datetime, timedelta

from aiohttp import web

from tocsin.app.incidents.incident_search import FoundIncidents, IncidentQuery, Show, words_of
from tocsin.app.incidents.incident_views import IncidentList, IncidentViews
from tocsin.web.access.viewer import Viewer
from tocsin.web.acting.actor import acts_of
from tocsin.web.http.daemon_health import daemon_trouble
from tocsin.web.http.page_times import PageTimes
from tocsin.web.http.site import Site
from tocsin.web.incidents.kept_views import AGAIN_AFTER, drawings
from tocsin.wording.report.chart_lanes import STATUS_TONES
from tocsin.wording.report.places import places
from tocsin.wording.report.review import COUNTED, figure_rows

LOOKS_AT = "?view=internal"
"""Where an insider's page looks when it loads itself anew: there outsiders are led to the sign-in."""
QUERY_MOST = 200
"""Characters that are looked for."""
PAGE_DIGITS = 7
"""Below so many digits a page has a number."""
PROBLEMS_MOST = 20
"""Problems of a file that are named; the rest are counted."""


def asked_query(request: web.Request) -> IncidentQuery | None:
    """What the address looks for; None: nothing in particular."""
    words = words_of(request.query.get("q", "")[:QUERY_MOST])
    show, page = request.query.get("show", ""), request.query.get("page", "")
    if not words and show not in tuple(Show):
        return None
    number = int(page) if page.isascii() and page.isdigit() and len(page) < PAGE_DIGITS else 1
    return IncidentQuery(words, Show(show) if show in tuple(Show) else Show.ALL, number)


async def internal_list(
    site: Site, incidents: IncidentList, query: IncidentQuery | None, found: FoundIncidents | None, *, viewer: Viewer
) -> web.Response:
    """The list for insiders: all that is open and what was resolved of late, or what was `found`."""
    return site.page(
        "incidents/list",
        listing=incidents,
        found=found,
        query=query,
        times=PageTimes(viewer.zone, site.clock.now()),
        again=0 if query else AGAIN_AFTER,
        look=LOOKS_AT,
        tones=STATUS_TONES,
        viewer=viewer,
        away=await daemon_trouble(site),
    )


async def internal_page(
    site: Site, both_views: IncidentViews, *, signed: bool, viewer: Viewer, done: str = ""
) -> web.Response:
    """The internal view. One who came by a link for one incident is not shown the way to all of them; `done` is what
    came of what they just did.
    """
    view, now, policy = both_views.internal, site.clock.now(), await site.active_policy.policy()
    incident, over = view.incident, view.resolved_at is not None
    who: dict[str, object] = {} if signed and viewer.person is None else {"viewer": viewer}
    return site.page(
        "incidents/one",
        200,
        drill=incident.drill,
        view=view,
        times=PageTimes(viewer.zone, now),
        again=0 if over else AGAIN_AFTER,
        look="" if signed else LOOKS_AT,
        tones=STATUS_TONES,
        drawings=drawings(view.chart, viewer.zone),
        public=both_views.public is not None,
        signed=signed,
        **who,
        done=done,
        away=await daemon_trouble(site),
        acts=await acts_of(site, viewer, incident.id),
        places=[] if over else places(incident, policy),
        problems=both_views.problems,
        problems_most=PROBLEMS_MOST,
        troubles=both_views.troubles,
        figures=figure_rows(view.figures, policy, over=over) if view.figures else [],
        counted=COUNTED,
        overdue=_is_overdue(view.next_update_at, now),
        late=incident.eta is not None and incident.eta < now,
    )


def _is_overdue(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at > timedelta(minutes=1)
