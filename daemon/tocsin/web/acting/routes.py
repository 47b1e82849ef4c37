"""All addresses at which people act: `/incidents/ID/act`, `/incidents/ID/act/ACT`, the same below a signed link,
`/declare`, and the page behind the link. Forms below a link come before it: it takes whatever else begins like it.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from tocsin.web.access.answer_links import answer_address
from tocsin.web.access.same_origin import require_same_origin
from tocsin.web.acting import declare, link
from tocsin.web.acting.actor import Actor, actor_by_link, actor_signed_in
from tocsin.web.acting.acts import Act
from tocsin.web.acting.forms import ActForms
from tocsin.web.acting.given_back import Drafts, Form, pressed
from tocsin.web.http.site import Site

SIGNED_IN = "/incidents/{id}"

FindActor = Callable[[web.Request, bool], Awaitable[Actor]]


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` all that one may do; `GET` a form, `POST` it."""
    drafts = Drafts()
    forms = ActForms(site, drafts)

    async def of_link(request: web.Request, looks: bool) -> Actor:
        address = await answer_address(site, request)
        return await actor_by_link(site, request, address, link.link_base(site, request), looks=looks)

    async def of_session(request: web.Request, _looks: bool) -> Actor:
        return await actor_signed_in(site, request)

    below_links = (route for path in link.LINK_PATHS for route in _below(site, forms, drafts, path, of_link))
    signed_in = _below(site, forms, drafts, SIGNED_IN, of_session)
    return [*below_links, *signed_in, *declare.routes(site, drafts), *link.routes(site)]


def _below(site: Site, forms: ActForms, drafts: Drafts, path: str, find_actor: FindActor) -> list[web.RouteDef]:
    """The forms below one path."""

    async def menu(request: web.Request) -> web.Response:
        return await forms.menu(await find_actor(request, True))

    async def show(request: web.Request) -> web.Response:
        return await forms.show(await find_actor(request, True), _act(request), request)

    async def press(request: web.Request) -> web.Response:
        async def sent(form: Form) -> web.Response:
            require_same_origin(site, request)
            return await forms.press(await find_actor(request, False), _act(request), form)

        return await pressed(site, drafts, request, sent)

    return [
        web.get(f"{path}/act", menu),
        web.get(f"{path}/act/{{act}}", show),
        web.post(f"{path}/act/{{act}}", press),
    ]


def _act(request: web.Request) -> Act:
    """Raises 404."""
    name = request.match_info["act"]
    if name not in tuple(Act):
        raise web.HTTPNotFound
    return Act(name)
