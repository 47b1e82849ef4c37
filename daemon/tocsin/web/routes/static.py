"""The stylesheet, the scripts and the icon, as they came with the program. Which files there are is decided once at the
start: nothing else can be reached.
"""

from hashlib import sha256

from aiohttp import web

from tocsin.web.http import FOLDER
from tocsin.web.http.site import Site

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CACHED = "public, max-age=300"
"""A browser asks again after five minutes, and hears that nothing changed."""


def routes(_site: Site) -> list[web.RouteDef]:
    """`GET /static/NAME`."""
    files = {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in (FOLDER / "static").iterdir()}
    tags = {name: sha256(data).hexdigest()[:16] for name, (data, _) in files.items()}

    async def static(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in files:
            raise web.HTTPNotFound
        headers = {"Cache-Control": CACHED, "ETag": f'"{tags[name]}"'}
        if any(tag.value in (tags[name], "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        data, kind = files[name]
        return web.Response(body=data, content_type=kind, charset="utf-8", headers=headers)

    return [web.get("/static/{name}", static)]
