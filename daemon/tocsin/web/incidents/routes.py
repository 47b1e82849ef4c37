"""`/incidents` and `/incidents/ID`, for insiders and for outsiders.

The internal view sees whoever has signed in, a machine with the token, who has an incident's signed link, or tries
tocsin out at this machine; everybody else only what outsiders were told, and nothing at all of an incident of which
they were told nothing. Whose session is over is led to the sign-in: "nothing is known to be wrong" would be a lie to
somebody on call.
"""

from aiohttp import web

from tocsin.app.reply_options import signed_links
from tocsin.web.access.link_guard import truncated_link_routes, verified_parts
from tocsin.web.access.viewer import led_to_sign_in, viewer, was_reader
from tocsin.web.http.judged import DONE, done_words
from tocsin.web.http.site import Site
from tocsin.web.incidents.insiders import asked_query, internal_list, internal_page
from tocsin.web.incidents.kept_views import KeptViews
from tocsin.web.incidents.outsiders import Outsiders


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /incidents`, `/incidents/{id}`, `/incidents/{id}/{signature}`, and `/s/{token}`, by which outsiders follow
    one.
    """
    kept = KeptViews(site)
    outsiders = Outsiders(site, kept)

    async def one(request: web.Request) -> web.Response:
        looker = await viewer(site, request)
        if not looker.reads and was_reader(request):  # whatever the id is: it tells nothing
            raise led_to_sign_in(request)
        inside = looker.reads and request.query.get("view") != "public"
        done = await done_words(site, request) if inside else ""
        after = request.query.get(DONE, "") if done else ""
        both_views = await kept.look(request.match_info["id"], looker.zone, after)
        if inside:
            return await internal_page(site, both_views, signed=False, viewer=looker, done=done)
        return await outsiders.page(both_views)

    async def by_link(request: web.Request) -> web.Response:
        verified_parts(site, request, "incidents", "id")
        looker = await viewer(site, request)
        both_views = await kept.look(request.match_info["id"], looker.zone)
        return await internal_page(site, both_views, signed=True, viewer=looker)

    async def every(request: web.Request) -> web.Response:
        looker = await viewer(site, request)
        if not looker.reads and was_reader(request):
            raise led_to_sign_in(request)
        if looker.reads and request.query.get("view") != "public":
            query = asked_query(request)
            found = await kept.find(query) if query else None
            return await internal_list(site, await kept.listing(), query, found, viewer=looker)
        return await outsiders.list_page()

    return [
        web.get("/incidents", every),
        web.get("/incidents/{id}", one),
        web.get("/incidents/{id}/{signature}", by_link),
        *outsiders.routes(),
        *truncated_link_routes(site, signed_links.STATUS),
    ]
