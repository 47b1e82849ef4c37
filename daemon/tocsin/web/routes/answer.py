"""`/answer/INCIDENT/PERSON/SIGNATURE`, the page on which one person takes, passes or confirms. Looking changes nothing,
since mail scanners follow links; only the form does.

Whoever has the link may, while the person is in the config, until a day after the resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from tocsin.app.replies.answer_options import AnswerOptions, RoleState, options_for, record_answer
from tocsin.app.reply_options import signed_links
from tocsin.domain.facts import Answer
from tocsin.domain.incident import Status
from tocsin.domain.notification import ANSWERED_FOR
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.planning.current_state import current_state
from tocsin.text.times import clock, span
from tocsin.web.access.link_guard import truncated_link_routes, verified_parts
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.http.site import CACHE_NEVER, Site
from tocsin.wording.message.wording import listed

PATH = "/answer/{incident}/{person}/{signature}"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _OpenLink:
    """A link that leads somewhere."""

    options: AnswerOptions
    person: Person
    policy: Policy
    now: datetime


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page, `POST answer=ok` or `answer=pass`."""

    async def look(request: web.Request) -> web.Response:
        page = _page(site, await _open_link(site, request))
        page.headers.update(REFERRER)
        return page

    async def act(request: web.Request) -> web.Response:
        link = await _open_link(site, request)
        require_same_origin(site, request)
        answer = _answer((await request.post()).getall("answer", []))
        if await record_answer(site.ledger(), link.options, answer, link.now):
            log.info("answered", answer=answer.value, incident=link.options.incident.id, person=link.person.id)
        again = urlsplit(site.reply_routes.public_url).path + request.rel_url.raw_path
        return web.Response(status=303, headers={"Location": again, "Cache-Control": CACHE_NEVER})

    return [web.get(PATH, look), web.post(PATH, act), *truncated_link_routes(site, "/answer/")]


async def _open_link(site: Site, request: web.Request) -> _OpenLink:
    """What the link leads to. Raises 403, 404 and 410, each with a sentence."""
    incident, name = verified_parts(site, request, "answer", "incident", "person")
    policy, now = await site.active_policy.policy(), site.clock.now()
    person = policy.people.get(name)
    if person is None:
        raise web.HTTPForbidden(text="You are no longer in the config, so you cannot answer for this incident.")
    options = await options_for(site.ledger(), incident, name, now)
    if options is None:
        raise web.HTTPNotFound(text="This incident is not known here.")
    resolved_at = options.history.resolved_at
    if resolved_at is not None and now - resolved_at >= ANSWERED_FOR:
        raise web.HTTPGone(text="This incident was resolved more than a day ago. Its links no longer lead anywhere.")
    return _OpenLink(options, person, policy, now)


def _answer(values: Sequence[object]) -> Answer:
    """What the form says: one answer, no more and no other."""
    if len(values) == 1 and values[0] in tuple(Answer):
        return Answer(str(values[0]))
    raise web.HTTPBadRequest(text="An answer is either ok or pass. Nothing was changed.")


def _page(site: Site, link: _OpenLink) -> web.Response:
    options, person, policy, now = link.options, link.person, link.policy, link.now
    incident, history = options.incident, options.history

    def at(moment: datetime | None) -> str:
        return clock(moment, person.timezone, now) if moment else ""

    title, name = policy.role_title, policy.person_name
    open_roles = [
        option.role
        for option in options.roles
        if option.role and option.state is RoleState.OPEN and option.holder is None
    ]
    others = [option for option in options.roles if option.role not in open_roles]
    holdings = current_state(incident, policy, history, now).roles
    lasted = history.resolved_at - history.started_at if history.resolved_at and history.started_at else None
    return site.page(
        "answer",
        options=options,
        incident=incident,
        severity=policy.severity(incident.severity),
        resolved=incident.status is Status.RESOLVED,
        person=person,
        open_roles=listed(tuple(map(title, open_roles))),
        duties=[policy.roles[role].duties for role in open_roles if role in policy.roles],
        roles=[(option.state.value, title(option.role), name(option.holder), at(option.since)) for option in others],
        holdings=[(title(holding.role), name(holding.person), at(holding.accepted_at)) for holding in holdings],
        services=policy.service_titles(incident.services),
        since=at(history.started_at),
        resolved_at=at(history.resolved_at),
        eta="" if incident.status is Status.RESOLVED else at(incident.eta),
        lasted=span(lasted) if lasted is not None else "",
        incident_page=site.reply_routes.public_url + signed_links.page(site.reply_routes.keys, incident.id),
    )
