"""What a request's address says, once one of our keys is known to have signed it. Whatever is wrong with a signature is
told in one way.
"""

from aiohttp import web

from tocsin.app.reply_options import signed_links
from tocsin.web.http.site import Site

WRONG = (
    "This link is not valid. Open it from the message as it stands there, whole. "
    "If it is whole, it is from before a change of our keys; "
    "a page is then answered by SMS (ok and its code) or by a call."
)


def verified_parts(site: Site, request: web.Request, purpose: str, *names: str) -> list[str]:
    """The parts of the address that were signed. Raises 404 where there are no links, 403 for a wrong signature."""
    require_links(site)
    routes = site.reply_routes
    parts = [request.match_info[name] for name in names]
    if not signed_links.verified(routes.keys, request.match_info["signature"], purpose, *parts):
        raise web.HTTPForbidden(text=WRONG)
    return parts


def require_links(site: Site) -> None:
    """Raises 404 where there are no links."""
    if not site.reply_routes.links:
        raise web.HTTPNotFound


def truncated_link_routes(site: Site, path: str) -> list[web.RouteDef]:
    """What answers whatever else begins with `path`: an address that lost a part on its way."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden(text=WRONG) if site.reply_routes.links else web.HTTPNotFound

    return [web.get(path + "{rest:.*}", refuse), web.post(path + "{rest:.*}", refuse)]
