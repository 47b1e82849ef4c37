"""`/a/TOKEN` and `/answer/INCIDENT/PERSON/SIGNATURE`, the page on which one person takes, passes or confirms, and from
which they act. Looking changes nothing, since mail scanners follow links; only forms do.

Whoever has the link may, while the person is in the config, in the episode that the link is of, until a week after the
resolution; then it leads to what outsiders were told. The answer is left for the daemon; what is shown as true is what
the daemon has recorded.
"""

import re
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiohttp import web

from tocsin.app.arrivals.link_answers import ACTED, REFUSED
from tocsin.app.incidents.histories import recorded_history
from tocsin.app.reply_options import signed_links
from tocsin.app.reply_options.codes import RESERVED_FOR
from tocsin.domain.arrival import AnswerEntry, ArrivalKind, ReservedCode
from tocsin.domain.facts import Answer
from tocsin.domain.history import History
from tocsin.formats.inbox.names import REF
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.answer_links import LONG_PATHS, SHORT_PATH, AnswerAddress, answer_address
from tocsin.web.access.link_guard import truncated_link_routes
from tocsin.web.access.same_origin import REFERRER, require_same_origin
from tocsin.web.access.viewer import Viewer, viewer
from tocsin.web.acting.actor import actor_by_link, path_before
from tocsin.web.acting.link_page import link_page
from tocsin.web.http.forms import form
from tocsin.web.http.judged import LEFT, LOOKS_AGAIN, done_words, judgement, leave, new_ref, see_other, waits
from tocsin.web.http.site import Site
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.page_words import people_to_call

LINK_PATHS = (SHORT_PATH, *LONG_PATHS)

log = structlog.get_logger()


def routes(site: Site) -> list[web.RouteDef]:
    """`GET` (and `HEAD`) the page, `POST answer=ok` or `answer=pass`."""

    async def look(request: web.Request) -> web.Response:
        link, ref = await answer_address(site, request), request.query.get(LEFT, "")
        if re.fullmatch(REF, ref) and await judgement(site, ArrivalKind.ANSWER, ref, 0) is None:
            return await _waiting(site, link, link_base(site, request), ref)
        try:
            actor = await actor_by_link(site, request, link, link_base(site, request), looks=True)
            looker = await viewer(site, request) if actor.signed_in else Viewer()
            page = await link_page(site, actor, looker, await done_words(site, request))
        except LedgerError as fault:
            site.warn("ledger trouble", trouble=str(fault))
            page = site.page("acting/link_blind", status=503)
        except web.HTTPGone as gone:  # they have just opened it again themselves, and have a new link for that
            done = await done_words(site, request)
            if not done:
                raise
            page = site.page("acting/link_gone", done=done, why=gone.text)
        except web.HTTPNotFound:  # a key of ours has signed it: the daemon knows more than the ledger's file (rule 64)
            page = site.page("acting/link_blind", status=503)
        page.headers.update(REFERRER)
        return page

    async def act(request: web.Request) -> web.Response:
        link = await answer_address(site, request)
        require_same_origin(site, request)
        answer = _answer((await form(request)).get("answer", []))
        here = link_base(site, request)
        with suppress(LedgerError, web.HTTPNotFound):  # what cannot be looked up is judged by the daemon alone
            await actor_by_link(site, request, link, here, looks=False)
        ref = new_ref()
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
        return see_other(here)

    paths = [route for path in LINK_PATHS for route in (web.get(path, look), web.post(path, act))]
    return [*paths, *truncated_link_routes(site, "/answer/"), *truncated_link_routes(site, signed_links.SHORT)]


def link_base(site: Site, request: web.Request) -> str:
    """The path of the link's page, as the browser knows it, from that page and from the forms below it."""
    path = request.rel_url.raw_path
    named = "act" in request.match_info or path.endswith("/act")
    return path_before(site) + (path.rpartition("/act")[0] if named else path)


async def _waiting(site: Site, link: AnswerAddress, here: str, ref: str) -> web.Response:
    """503, and what to do besides: nobody has confirmed the answer. Without a `ref` it could not even be kept; one that
    waits no more and is not judged either was refused, or its outcome cannot be seen. Whom to call is said by what can
    be read, by the last resort of the policy last known where that is all.
    """
    codes, history, policy = tuple[ReservedCode, ...](), History(), site.active_policy.last_known
    with suppress(LedgerError):
        codes = await site.ledger().reserved_codes(site.clock.now() - RESERVED_FOR)
        _, history = await recorded_history(site.ledger(), link.incident)
        policy = await site.active_policy.policy()
    drill, over = history.incident is not None and history.incident.drill, history.resolved_at is not None
    called = people_to_call(history, policy, ENGLISH, without=link.person) if policy else ()
    gone = bool(ref) and not await waits(site, ref, (ArrivalKind.ANSWER,))
    own = [code.given.code for code in codes if (code.incident, code.given.person) == (link.incident, link.person)]
    page = site.page(
        "acting/link_waiting",
        status=503,
        drill=drill,
        over=over,
        kept=bool(ref),
        gone=gone,
        code=own[-1] if own and site.reply_routes.senders else "",
        by_sms=bool(site.reply_routes.senders),
        called=[contact for contact in called if contact[2]],
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
