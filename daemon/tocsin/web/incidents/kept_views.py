"""What the pages of incidents show: worked out in threads of their own, kept for a moment, and drawn."""

from aiohttp import web

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.app.incidents.incident_search import FoundIncidents, IncidentQuery, KnownIncident, KnownIncidents, find
from tocsin.app.incidents.incident_views import IncidentList, IncidentViews, listing, views
from tocsin.formats.incident.file_name import ID
from tocsin.web.http.cache import BriefCache
from tocsin.web.http.site import Site
from tocsin.wording.report.chart import Chart
from tocsin.wording.report.chart_svg import NARROW, WIDE, draw

PAGES_MOST = 100
"""Incidents kept for a moment."""
THREADS = 4
"""Pages worked out at once; the end of the process waits for none of them."""
AGAIN_AFTER = 30
"""Seconds after which a page of something open loads itself anew."""


class KeptViews:
    """The views of incidents, and their list, kept for a moment."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._views: BriefCache[IncidentViews | None] = BriefCache(PAGES_MOST)
        self._lists: BriefCache[IncidentList] = BriefCache(1)
        self._all: BriefCache[tuple[KnownIncident, ...]] = BriefCache(1)
        self._known = KnownIncidents()
        self._threads = DiskThreads("incident pages", THREADS)

    async def look(self, name: str, zone: str = "UTC", after: str = "") -> IncidentViews:
        """The views of the incident of that id; insiders read its times in `zone`. What is kept from before an act, the
        one of the reference `after`, is not shown: that would say something else than what was done. Raises 404.
        """
        site = self._site
        if not ID.fullmatch(name):
            raise web.HTTPNotFound
        policy, now, limits = await site.active_policy.policy(), site.clock.now(), site.settings.limits
        both_views = await self._views.get(
            (name, zone, after), lambda: views(name, site.ledger(), policy, limits, now, self._threads, zone)
        )
        if both_views is None:
            raise web.HTTPNotFound
        return both_views

    async def listing(self) -> IncidentList:
        """The list of incidents, for insiders and for outsiders."""
        site = self._site
        policy, now = await site.active_policy.policy(), site.clock.now()
        return await self._lists.get("", lambda: listing(site.ledger(), policy, now, self._threads))

    async def find(self, query: IncidentQuery) -> FoundIncidents:
        """What somebody looks for among all that the ledger has."""
        site, incidents = self._site, await self.listing()
        policy = await site.active_policy.policy()
        known = await self._all.get("", lambda: self._known.look(site.ledger(), incidents.going, policy, self._threads))
        return find(query, incidents, known, policy)


def drawings(chart: Chart, zone: str = "UTC") -> tuple[str, str]:
    """For a desk and for a phone, in the times of a zone; the stylesheet shows one of them."""
    return draw(chart, WIDE, "wide-drawing", zone), draw(chart, NARROW, "narrow-drawing", zone)
