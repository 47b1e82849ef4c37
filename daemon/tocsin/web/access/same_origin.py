"""Whether a form comes from a page of ours, as far as the browser tells.

That is decided from `Sec-Fetch-Site` and `Origin`. Whoever sends neither is no browser, or an old one: the address that
they know is what lets them in. A page with a form needs `REFERRER`, else browsers hide the origin from us too.
"""

from urllib.parse import urlsplit

from aiohttp import web

from tocsin.web.http.site import Site

REFERRER = {"Referrer-Policy": "same-origin"}
"""Nobody else learns the address of the page; we do, and with it the origin of its form."""
OURS = ("same-origin", "none")
"""`none` is somebody at the browser itself, who sends the page's form again."""


def require_same_origin(site: Site, request: web.Request) -> None:
    """Raises 403 for a form that another site's page has sent."""
    relation, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = relation is not None and relation not in OURS
    if origin == "null":  # the browser does not say
        foreign = foreign or relation is None
    elif origin is not None:
        foreign = foreign or _host(origin) not in (_host(site.reply_routes.public_url), request.host.lower())
    if foreign:
        raise web.HTTPForbidden(text="This comes from another site's page. Open the link itself, and press there.")


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""
