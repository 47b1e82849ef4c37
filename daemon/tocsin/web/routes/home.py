"""`/`, the address that people type: it leads where they may go. Who may see nothing, because outsiders are told of no
incident here, reads whose site it is and where to sign in.
"""

from aiohttp import web

from tocsin.web.access.viewer import led_to_sign_in, viewer, was_reader
from tocsin.web.http.site import CACHE_NEVER, Site

LIST = "/incidents"


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /`."""

    async def home(request: web.Request) -> web.Response:
        looker, policy = await viewer(site, request), await site.active_policy.policy()
        if not looker.reads and was_reader(request):
            raise led_to_sign_in(request)
        if looker.reads or any(group.external for group in policy.stakeholders.values()):
            raise web.HTTPSeeOther(LIST, headers={"Cache-Control": CACHE_NEVER})
        return await site.public_page("home")

    return [web.get("/", home)]
