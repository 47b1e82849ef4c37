"""The pages of incidents for those who are told about them, and the same for programs: no word that they were not told.

Where there are signed links an incident goes by `/s/TOKEN`: its id may be made of words for insiders. What is for
outsiders alone may be kept by whoever stands between, for some seconds; `/incidents`, where insiders see theirs, never.
"""

import hmac
from hashlib import sha256

from aiohttp import web

from tocsin.adapters.files.disk_threads import DiskThreads
from tocsin.app.incidents.incident_views import IncidentViews
from tocsin.app.incidents.public.listing import PublicIncidents, PublicList
from tocsin.app.reply_options import signed_links
from tocsin.text.cleaning import clean, one_line
from tocsin.web.access.answer_links import status_incident
from tocsin.web.http.cache import BriefCache
from tocsin.web.http.site import Site
from tocsin.web.incidents.feeds import ATOM, JSON, Publisher, atom_list, atom_one, json_list, json_one
from tocsin.web.incidents.kept_views import AGAIN_AFTER, KeptViews, drawings
from tocsin.wording.report.chart_lanes import STATUS_TONES
from tocsin.wording.report.public.view import PublicView, public_chart

LIST, LIST_JSON, LIST_ATOM = "/incidents", "/incidents.json", "/incidents.atom"
KEPT_FOR = 15
"""Seconds for which others may keep what is for outsiders alone."""
KEPT = {"Cache-Control": f"public, max-age={KEPT_FOR}"}
READ_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""Other sites may show what was told to the world."""
THREADS = 2
"""Incidents worked out at once."""
TOKEN_PATH = signed_links.STATUS + "{token:[0-9A-Za-z]+}"


class Outsiders:
    """The public pages of one site."""

    def __init__(self, site: Site, kept: KeptViews) -> None:
        self._site = site
        self._kept = kept
        self._incidents = PublicIncidents(DiskThreads("public pages", THREADS))
        self._lists: BriefCache[PublicList] = BriefCache(1)

    def routes(self) -> list[web.RouteDef]:
        """What nobody but outsiders asks for."""
        return [
            web.get(LIST_JSON, self._list_json),
            web.get(LIST_ATOM, self._list_atom),
            web.get(f"{TOKEN_PATH}.json", self._one_json),
            web.get(f"{TOKEN_PATH}.atom", self._one_atom),
            web.get(signed_links.STATUS + "{token}", self._follow),
        ]

    async def list_page(self) -> web.Response:
        """What outsiders were told is going on, and what is over."""
        site, incidents = self._site, await self._list()
        return await site.public_page(
            "incidents/public_list",
            going=[(view, self._path(view)) for view in incidents.going],
            over=[(view, self._path(view)) for view in incidents.over],
            now=site.clock.now(),
            again=AGAIN_AFTER,
            tones=STATUS_TONES,
            feeds=(LIST_ATOM, LIST_JSON),
        )

    async def page(self, both_views: IncidentViews) -> web.Response:
        """What outsiders were told of one. Raises 404 where that is nothing."""
        site, view = self._site, _public(both_views)
        now, path = site.clock.now(), self._path(view)
        return await site.public_page(
            "incidents/public_one",
            view=view,
            now=now,
            again=0 if view.resolved_at else AGAIN_AFTER,
            tones=STATUS_TONES,
            drawings=drawings(public_chart(view, now)),
            feeds=(f"{path}.atom", f"{path}.json") if path.startswith(signed_links.STATUS) else (),
        )

    async def _follow(self, request: web.Request) -> web.Response:
        page = await self.page(await self._followed(request))
        page.headers.update(KEPT)
        return page

    async def _list_json(self, request: web.Request) -> web.Response:
        entries = [(view, self._path(view)) for view in (await self._list()).all]
        return _kept(request, json_list(await self._publisher(), entries, LIST), JSON)

    async def _list_atom(self, request: web.Request) -> web.Response:
        entries = [(view, self._path(view)) for view in (await self._list()).all]
        return _kept(request, atom_list(await self._publisher(), entries, LIST, LIST_ATOM), ATOM)

    async def _one_json(self, request: web.Request) -> web.Response:
        view = _public(await self._followed(request))
        return _kept(request, json_one(await self._publisher(), (view, self._path(view))), JSON)

    async def _one_atom(self, request: web.Request) -> web.Response:
        view = _public(await self._followed(request))
        path = self._path(view)
        return _kept(request, atom_one(await self._publisher(), (view, path), f"{path}.atom"), ATOM)

    async def _list(self) -> PublicList:
        """The list, found anew at most each second or two. Raises LedgerError."""
        site = self._site
        policy, now = await site.active_policy.policy(), site.clock.now()
        return await self._lists.get("", lambda: self._incidents.look(site.ledger(), policy, now))

    async def _publisher(self) -> Publisher:
        policy = await self._site.active_policy.policy()
        routes = self._site.reply_routes
        return Publisher(one_line(clean(policy.organisation)), policy.reply_to, routes.public_url or "")

    def _path(self, view: PublicView) -> str:
        """Where an incident is: by a token that tells nothing of it, where there are such links."""
        routes = self._site.reply_routes
        token = signed_links.status_token(routes.keys[0], view.id) if routes.links else ""
        return signed_links.STATUS + token if token else f"{LIST}/{view.id}"

    async def _followed(self, request: web.Request) -> IncidentViews:
        """The views of the incident that a token stands for. One that no message has carried, since the key is new, is
        known by those that are listed. Raises 403, 404 and 503.
        """
        token = request.match_info["token"]
        try:
            name = await status_incident(self._site, token)
        except web.HTTPForbidden:
            name = self._listed(token, await self._list())
            if not name:
                raise
        return await self._kept.look(name)

    def _listed(self, token: str, incidents: PublicList) -> str:
        octets, keys = token.encode("utf-8", "replace"), self._site.reply_routes.keys
        tokens = ((signed_links.status_token(key, view.id), view.id) for view in incidents.all for key in keys)
        return next((id_ for known, id_ in tokens if hmac.compare_digest(known.encode(), octets)), "")


def _public(both_views: IncidentViews) -> PublicView:
    """Raises 404 where outsiders were told nothing."""
    if both_views.public is None:
        raise web.HTTPNotFound
    return both_views.public


def _kept(request: web.Request, text: str, content_type: str) -> web.Response:
    """A document that may be kept and asked for anew (304 where it is the same)."""
    body = text.encode("utf-8", "replace")
    tag = sha256(body).hexdigest()[:32]
    headers = {**KEPT, **READ_ANYWHERE, "ETag": f'"{tag}"'}
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
