"""The pages of signing in and out: what each asks, and what it says of a fault."""

from dataclasses import dataclass

from aiohttp import web

from tocsin.domain.people import Channel, Person
from tocsin.web.access.answer_links import own_link
from tocsin.web.access.guard import is_trial_here
from tocsin.web.access.same_origin import REFERRER
from tocsin.web.access.viewer import viewer
from tocsin.web.http.site import Site

SAID = ("out", "ended")
"""What the address may ask for to be said: that one is signed out, or not signed in any more."""


@dataclass(frozen=True, slots=True)
class FormFault:
    """Why a form comes back: with which status, and in which words."""

    status: int
    words: str = ""


NO_FAULT = FormFault(200)


async def ask_page(
    site: Site, request: web.Request, to: str, fault: FormFault = NO_FAULT, who: str = "", via: Channel = Channel.SMS
) -> web.Response:
    """Who are you, and where is the code to go? Who comes by their own link is known."""
    looker, person = await viewer(site, request), await _linked_person(site, to)
    return _page(
        site,
        "sign_in",
        fault.status,
        viewer=looker,
        to=to,
        person=person,
        ways=[(each.value, _masked(person, each)) for each in person.channels] if person else [],
        said=next((word for word in SAID if word in request.query), ""),
        fault=fault.words,
        who=who,
        via=via.value,
        trial=is_trial_here(site, request),
    )


def code_page(
    site: Site, request: web.Request, to: str, ref: str, fault: FormFault = NO_FAULT, typed: str = ""
) -> web.Response:
    """Type the code. `ref` is that of the try: the form sent twice is one. With 503 nobody has confirmed it yet."""
    return _page(
        site,
        "sign_in_code",
        fault.status,
        to=to,
        ref=ref,
        fault=fault.words,
        typed=typed,
        waiting=fault.status == 503,
        trial=is_trial_here(site, request),
    )


async def out_page(site: Site, request: web.Request) -> web.Response:
    """Sign out?"""
    return _page(site, "sign_out", viewer=await viewer(site, request), left=False)


def left_page(site: Site) -> web.Response:
    """Nobody has confirmed yet that the session is over."""
    return _page(site, "sign_out", 503, left=True)


async def _linked_person(site: Site, to: str) -> Person | None:
    link = await own_link(site, to)
    return (await site.active_policy.policy()).people.get(link.person) if link else None


def _masked(person: Person, via: Channel) -> str:
    """An address as who has it knows it again, and nobody else can use it."""
    if via is Channel.SMS:
        return f"…{person.phone[-2:]}"
    name, _, host = person.email.rpartition("@")
    return f"{name[:1]}…@{host}"


def _page(site: Site, name: str, status: int = 200, **values: object) -> web.Response:
    page = site.page(name, status, **values)
    page.headers.update(REFERRER)
    return page
