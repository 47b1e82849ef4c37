"""`/alertmanager`, where Prometheus Alertmanager's webhook declares and ends incidents.

It leaves what a notification comes to in the inbox, and waits for what the daemon makes of it: 2xx for what is done or
will be, 5xx for what is to be tried again, 409 for what is to be said again later if it is still true. What alerts
mean, and how incident files are written, is `app.alerts`' business.
"""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from tocsin.app.alerts.entries import Rank, alert_entries
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.payload import read_notification
from tocsin.app.alerts.steps import Action
from tocsin.app.alerts.words import KEPT, NOT_NOW
from tocsin.app.arrivals.alert_feed import BROKEN, NOT_TAKEN
from tocsin.domain.arrival import ArrivalKind, Judgement
from tocsin.domain.policy import Policy
from tocsin.formats.settings.settings import AlertmanagerSettings
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.guard import has_token
from tocsin.web.access.same_origin import require_same_origin
from tocsin.web.http.judged import judgement, leave, new_ref
from tocsin.web.http.site import CACHE_NEVER, Site

BODY_MOST = 4 * 1024 * 1024
"""Octets of a notification: some ten thousand alerts. The largest outage must not be what is refused."""
LEAST_TOLD = (Action.CHANGED.value, Action.NOTHING.value, Action.TOO_SOON.value)
"""Of several entries that led to different things the first that is none of these is told, else the first of these."""


def routes(site: Site) -> list[web.RouteDef]:
    """`POST /alertmanager`, where `web.alertmanager` is set; else there is nothing."""
    settings = site.settings.web.alertmanager
    if settings is None:
        return []

    async def receive(request: web.Request) -> web.Response:
        """200 and a sentence once it is on disk, for good."""
        _require_sender(site, request)
        group = await asyncio.to_thread(read_notification, await _body(request))
        if isinstance(group, str):
            raise web.HTTPBadRequest(text=group)
        rank = await _rank(site, settings)
        entries = await asyncio.to_thread(alert_entries, group, settings, rank, iter(new_ref, ""))
        for entry in entries:
            await leave(site, entry)
        judgements = await asyncio.gather(*(judgement(site, ArrivalKind.ALERT, entry.ref) for entry in entries))
        return _answer([judged for judged in judgements if judged], kept=None in judgements)

    return [web.post("/alertmanager", receive)]


async def _rank(site: Site, settings: AlertmanagerSettings) -> Rank:
    """How bad a severity's label is. While the ledger cannot be seen alerts are wanted most, and the daemon judges them
    from memory (rule 54): then by the config that was last seen in force, and all alike if none ever was.
    """
    try:
        policy: Policy | None = await site.active_policy.policy()
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        policy = site.active_policy.last_known
    return Meaning(settings, policy).rank if policy else lambda _: 0


def _answer(judgements: Sequence[Judgement], *, kept: bool) -> web.Response:
    """What the entries of one notification led to together: what was done, else that it waits, else why not. Raises
    409 and 503 for what is to be said again.
    """
    if not_taken := [judged for judged in judgements if judged.result in (NOT_TAKEN, BROKEN)]:
        text = not_taken[0].words or NOT_NOW
        raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "60"})
    if kept:
        return _said(KEPT)
    done = sorted(judgements, key=lambda judged: LEAST_TOLD.index(judged.result) if judged.result in LEAST_TOLD else -1)
    if done[0].result == Action.TOO_SOON:
        raise web.HTTPConflict(text=done[0].words)
    return _said(done[0].words)


def _said(sentence: str) -> web.Response:
    return web.Response(text=f"{sentence}\n", headers={"Cache-Control": CACHE_NEVER})


def _require_sender(site: Site, request: web.Request) -> None:
    """Raises 401 without a token, 403 with a wrong one, or from another site's page."""
    if "Authorization" not in request.headers:
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Bearer realm="tocsin"'})
    if not has_token(site, request):
        raise web.HTTPForbidden(text="The token is wrong.")
    require_same_origin(site, request)


async def _body(request: web.Request) -> bytes:
    """The body, which may be larger here than elsewhere. It is read only after the token."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType
    return await request.clone(client_max_size=BODY_MOST).read()
