"""Answer: `/answer/INCIDENT/PERSON/SIGNATURE`, the page on which one person takes, passes or confirms (product.md
section 8). Looking changes nothing, since mail scanners follow links; only the form does.

It decides who may: whoever has the link, while the person is in the config, until a day after the resolution. It must
not know what an answer does to an incident.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from tocsin.app.replies import answer_options
from tocsin.app.replies.answer_options import Asked, Place
from tocsin.app.reply_options import links
from tocsin.domain.facts import Answer
from tocsin.domain.incident import Status
from tocsin.domain.notification import ANSWERED_FOR
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import current_state
from tocsin.text.times import clock, span
from tocsin.web.access.same_origin import REFERRER, want_same_origin
from tocsin.web.access.signed_links import cut_short, parts
from tocsin.web.http.site import CACHE_NEVER, Site
from tocsin.wording.message.wording import listed

PATH = "/answer/{incident}/{person}/{signature}"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Open:
    """A link that leads somewhere."""

    found: Asked
    person: Person
    policy: Policy
    now: datetime


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page, `POST answer=ok` or `answer=pass`."""

    async def look(request: web.Request) -> web.Response:
        page = _page(site, await _open(site, request))
        page.headers.update(REFERRER)
        return page

    async def act(request: web.Request) -> web.Response:
        opened = await _open(site, request)
        want_same_origin(site, request)
        answer = _answer((await request.post()).getall("answer", []))
        if await answer_options.record(site.ledger(), opened.found, answer, opened.now):
            log.info("answered", answer=answer.value, incident=opened.found.incident.id, person=opened.person.id)
        again = urlsplit(site.reply_routes.public_url).path + request.rel_url.raw_path
        return web.Response(status=303, headers={"Location": again, "Cache-Control": CACHE_NEVER})

    return [web.get(PATH, look), web.post(PATH, act), *cut_short(site, "/answer/")]


async def _open(site: Site, request: web.Request) -> _Open:
    """What the link leads to. Raises 403, 404 and 410, each with a sentence."""
    incident, name = parts(site, request, "answer", "incident", "person")
    policy, now = await site.in_force.policy(), site.clock.now()
    person = policy.people.get(name)
    if person is None:
        raise web.HTTPForbidden(text="You are no longer in the config, so you cannot answer for this incident.")
    found = await answer_options.asked(site.ledger(), incident, name, now)
    if found is None:
        raise web.HTTPNotFound(text="This incident is not known here.")
    resolved_at = found.history.resolved_at
    if resolved_at is not None and now - resolved_at >= ANSWERED_FOR:
        raise web.HTTPGone(text="This incident was resolved more than a day ago. Its links no longer lead anywhere.")
    return _Open(found, person, policy, now)


def _answer(given: Sequence[object]) -> Answer:
    """What the form says: one answer, no more and no other."""
    if len(given) == 1 and given[0] in tuple(Answer):
        return Answer(str(given[0]))
    raise web.HTTPBadRequest(text="An answer is either ok or pass. Nothing was changed.")


def _page(site: Site, opened: _Open) -> web.Response:
    found, person, policy, now = opened.found, opened.person, opened.policy, opened.now
    incident, history = found.incident, found.history

    def at(moment: datetime | None) -> str:
        return clock(moment, person.timezone, now) if moment else ""

    title, name = policy.role_title, policy.person_name
    wanted = [seat.role for seat in found.seats if seat.role and seat.place is Place.OPEN and seat.holder is None]
    others = [seat for seat in found.seats if seat.role not in wanted]
    holdings = current_state(incident, policy, history, now).roles
    lasted = history.resolved_at - history.started_at if history.resolved_at and history.started_at else None
    return site.page(
        "answer",
        found=found,
        incident=incident,
        severity=policy.severity(incident.severity),
        resolved=incident.status is Status.RESOLVED,
        person=person,
        wanted=listed(tuple(map(title, wanted))),
        duties=[policy.roles[role].duties for role in wanted if role in policy.roles],
        seats=[(seat.place.value, title(seat.role), name(seat.holder), at(seat.since)) for seat in others],
        holdings=[(title(each.role), name(each.person), at(each.accepted_at)) for each in holdings],
        services=policy.service_titles(incident.services),
        since=at(history.started_at),
        resolved_at=at(history.resolved_at),
        eta="" if incident.status is Status.RESOLVED else at(incident.eta),
        lasted=span(lasted) if lasted is not None else "",
        incident_page=site.reply_routes.public_url + links.page(site.reply_routes.keys, incident.id),
    )
