"""`/a/TOKEN` and `/answer/INCIDENT/PERSON/SIGNATURE`, the page on which one person takes, passes or confirms. Looking
changes nothing, since mail scanners follow links; only the form does.

Whoever has the link may, while the person is in the config, in the episode that the link is of, until a week after the
resolution; then it leads to what outsiders were told. The answer is left for the daemon; what is shown as true is what
the daemon has recorded.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from tocsin.app.arrivals.link_answers import ACTED, GONE, OVER, REFUSED, UNKNOWN_INCIDENT, refusal
from tocsin.app.incidents.incident_views import views
from tocsin.app.replies.answer_options import AnswerOptions, RoleState, options_for
from tocsin.app.replies.duties import next_asked, review_duty, update_duty
from tocsin.app.reply_options import signed_links
from tocsin.domain.arrival import AnswerEntry, ArrivalKind, EntryKind
from tocsin.domain.facts import Answer
from tocsin.domain.incident import Incident, Status
from tocsin.domain.people import Person
from tocsin.domain.policy import Policy
from tocsin.formats.inbox.names import REF
from tocsin.planning.current_state import CurrentState, NextPages, current_state
from tocsin.ports.ledger import LedgerError
from tocsin.text.cleaning import clean, one_line
from tocsin.text.times import clock, span
from tocsin.web.access.answer_links import LONG_PATHS, SHORT_PATH, AnswerAddress, answer_address
from tocsin.web.access.link_guard import truncated_link_routes
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.http.forms import form
from tocsin.web.http.judged import judgement, leave, new_ref
from tocsin.web.http.site import CACHE_NEVER, Site
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.page_words import meeting_place, people_to_call

LEFT = "left"
"""What the page's own address calls an answer that waits to be judged."""
LOOKS_AGAIN = 5
"""Seconds after which a page looks again whether an answer was judged, without scripts."""
ETA_SAMPLE = timedelta(hours=2)
"""How far ahead the instant lies that shows how a new one is written."""

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
        link, ref = await answer_address(site, request), request.query.get(LEFT, "")
        if re.fullmatch(REF, ref) and await judgement(site, ArrivalKind.ANSWER, ref, 0) is None:
            return await _waiting(site, link, _address(site, request), ref)
        try:
            page = await _page(site, await _open_link(site, link, looks=True))
        except LedgerError as fault:
            site.warn("ledger trouble", trouble=str(fault))
            page = site.page("acting/link_blind", status=503)
        except web.HTTPNotFound:  # a key of ours has signed it: the daemon knows more than the ledger's file (rule 64)
            page = site.page("acting/link_blind", status=503)
        page.headers.update(REFERRER)
        return page

    async def act(request: web.Request) -> web.Response:
        link = await answer_address(site, request)
        require_same_origin(site, request)
        answer = _answer((await form(request)).get("answer", []))
        with suppress(LedgerError, web.HTTPNotFound):  # what cannot be looked up is judged by the daemon alone
            await _open_link(site, link, looks=False)
        ref, here = new_ref(), _address(site, request)
        entry = AnswerEntry(ref, link.incident, link.episode, link.person, answer, link.signature)
        try:
            await leave(site, entry)
        except web.HTTPServiceUnavailable:
            return await _waiting(site, link, here, "")
        judged = await judgement(site, ArrivalKind.ANSWER, ref)
        if judged is None:
            return await _waiting(site, link, here, ref)
        if judged.result == REFUSED and judged.words:
            raise web.HTTPGone(text=judged.words)
        if judged.result == ACTED:
            log.info("answered", answer=answer.value, incident=link.incident, person=link.person)
        return web.Response(status=303, headers={"Location": here, "Cache-Control": CACHE_NEVER})

    paths = [route for path in (SHORT_PATH, *LONG_PATHS) for route in (web.get(path, look), web.post(path, act))]
    return [*paths, *truncated_link_routes(site, "/answer/"), *truncated_link_routes(site, signed_links.SHORT)]


def _address(site: Site, request: web.Request) -> str:
    """The path of the page, as the browser knows it."""
    return urlsplit(site.reply_routes.public_url).path + request.rel_url.raw_path


async def _open_link(site: Site, link: AnswerAddress, *, looks: bool) -> _OpenLink:
    """What the link leads to. Raises 403, 404 and 410, each with a sentence; who only looks is led on by 303 at the end
    of its time, to what outsiders were told, if they were.
    """
    policy, now = await site.active_policy.policy(), site.clock.now()
    person = policy.people.get(link.person)
    if person is None:
        raise web.HTTPForbidden(text=GONE)
    options = await options_for(site.ledger(), link.incident, link.person, now)
    if options is None:
        raise web.HTTPNotFound(text=UNKNOWN_INCIDENT)
    if why := refusal(options, link.episode, known_person=True, now=now):
        if looks and why == OVER and await _is_public(site, link.incident, policy, now):
            there = f"{urlsplit(site.reply_routes.public_url).path}/incidents/{link.incident}"
            raise web.HTTPSeeOther(there, headers={"Cache-Control": CACHE_NEVER})
        raise web.HTTPGone(text=why)
    return _OpenLink(options, person, policy, now)


async def _is_public(site: Site, incident: str, policy: Policy, now: datetime) -> bool:
    """Whether there is anything for outsiders."""
    both_views = await views(incident, site.ledger(), policy, site.settings.limits, now)
    return both_views is not None and both_views.public is not None


async def _waiting(site: Site, link: AnswerAddress, here: str, ref: str) -> web.Response:
    """503, and what to do besides: nobody has confirmed the answer. Without a `ref` it could not even be kept; one that
    waits no more and is not judged either was refused, or its outcome cannot be seen.
    """
    now, drill = site.clock.now(), False
    try:
        codes = await site.ledger().reserved_codes(now)
        options = await options_for(site.ledger(), link.incident, link.person, now)
        drill = options is not None and options.incident.drill
    except LedgerError:
        codes = ()
    gone = bool(ref) and not await site.inbox.waits(EntryKind.ANSWER, ref)
    own = [code.given.code for code in codes if (code.incident, code.given.person) == (link.incident, link.person)]
    page = site.page(
        "acting/link_waiting",
        status=503,
        drill=drill,
        kept=bool(ref),
        gone=gone,
        code=own[-1] if own and site.reply_routes.senders else "",
        by_sms=bool(site.reply_routes.senders),
        here=here,
        again=f"{here}?{LEFT}={ref}" if ref else "",
        looks_again=LOOKS_AGAIN,
    )
    page.headers.update(REFERRER)
    return page


def _answer(values: Sequence[object]) -> Answer:
    """What the form says: one answer, no more and no other."""
    if len(values) == 1 and values[0] in tuple(Answer):
        return Answer(str(values[0]))
    raise web.HTTPBadRequest(text="An answer is either ok or pass. Nothing was changed.")


async def _page(site: Site, link: _OpenLink) -> web.Response:
    """What is true for this person now, in their own time. Raises LedgerError."""
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
    state = current_state(incident, policy, history, now)
    coming, review = next_asked(options, policy, now), review_duty(options, policy)
    called = _called(link)
    lasted = history.resolved_at - history.began_at if history.resolved_at and history.began_at else None
    return site.page(
        "acting/link",
        drill=incident.drill,
        options=options,
        incident=incident,
        severity=policy.severity(incident.severity),
        resolved=incident.status is Status.RESOLVED,
        person=person,
        open_roles=ENGLISH.listed([title(role) for role in open_roles]),
        duties=[policy.roles[role].duties for role in open_roles if role in policy.roles],
        roles=[(option.state.value, title(option.role), name(option.holder), at(option.since)) for option in others],
        answer_by=at(coming.at) if coming else "",
        then=_then(coming, person, policy) if coming else "",
        holdings=[(title(holding.role), name(holding.person), at(holding.accepted_at)) for holding in state.roles],
        services=policy.service_titles(incident.services),
        places=[] if history.resolved_at else _places(incident, policy),
        numbers={role: number for role, _, number in called},
        called=called,
        since=at(history.began_at),
        resolved_at=at(history.resolved_at),
        eta="" if incident.status is Status.RESOLVED else at(incident.eta),
        lasted=span(lasted) if lasted is not None else "",
        writes=await _update_values(site, link, state),
        review=review,
        review_due=at(review.due_at) if review else "",
        review_overdue=review is not None and review.due_at is not None and review.due_at < now,
        incident_page=site.reply_routes.public_url + signed_links.page(site.reply_routes.keys, incident.id),
    )


def _places(incident: Incident, policy: Policy) -> list[tuple[str, str, str]]:
    """Where to meet and where to look: a word for it, what is read, and where it leads; empty: nowhere."""
    services = [policy.services[name] for name in incident.services if name in policy.services]
    bridge = meeting_place(incident, policy)
    runbook = next((service.runbook for service in services if service.runbook), "")
    links = dict(pair for pairs in (*(service.links for service in services), incident.links) for pair in pairs)
    places = [("Meet", bridge, _leads_to(bridge)), ("Runbook", runbook, _leads_to(runbook))]
    places += [("Link", one_line(clean(title)), _leads_to(address)) for title, address in links.items()]
    return [place for place in places if place[1]]


def _leads_to(place: str) -> str:
    """Where a browser or a phone gets to it, as a mail has it; empty: it is words alone."""
    if place.startswith(("https://", "http://", "tel:")):
        return place
    number = re.sub("[ -]", "", place)
    return f"tel:{number}" if re.fullmatch(r"\+[0-9]+", number) else ""


def _called(link: _OpenLink) -> list[tuple[str, str, str]]:
    """Whom somebody with only a phone calls: role, name and number. Once it is resolved, only who is still asked for
    something has to.
    """
    options = link.options
    if options.history.resolved_at and not options.confirms and review_duty(options, link.policy) is None:
        return []
    people = people_to_call(options.history, link.policy, ENGLISH, without=link.person.id)
    return [contact for contact in people if contact[2]]


def _then(coming: NextPages, person: Person, policy: Policy) -> str:
    """Who is asked next, in words."""
    names = ["you again" if name == person.id else policy.person_name(name) for name in coming.people]
    listed = ENGLISH.listed(names)
    return f"the last resort ({listed})" if coming.last_resort else listed


async def _update_values(site: Site, link: _OpenLink, state: CurrentState) -> dict[str, object] | None:
    """For whom the updates are to write: when the next one is promised, and what outsiders have read last."""
    duty, zone, now = update_duty(link.options, state, link.now), link.person.timezone, link.now
    if duty is None:
        return None
    both_views = await views(link.options.incident.id, site.ledger(), link.policy, site.settings.limits, now)
    latest = both_views.public.latest if both_views and both_views.public else None
    return {
        "next": clock(duty.next_at, zone, now) if duty.next_at else "",
        "overdue": duty.next_at is not None and duty.next_at < now,
        "eta_passed": duty.eta_passed,
        "eta_sample": f"{now + ETA_SAMPLE:%Y-%m-%dT%H}:00Z",
        "read": (*latest.changes, *latest.words) if latest else (),
        "read_at": clock(latest.at, zone, now) if latest else "",
        "outsiders": any(group.external for group in link.policy.stakeholders.values()),
    }
