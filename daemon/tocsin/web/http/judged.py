"""What is left for the daemon, and what became of it: a page waits for that, but not for long (P8)."""

import asyncio
import re
import secrets
from collections.abc import Sequence

from aiohttp import web

from tocsin.app.arrivals.link_answers import ACTED
from tocsin.app.edits.words import declared_id
from tocsin.app.reply_options.seals import sealed
from tocsin.domain.arrival import ArrivalKind, EntryKind, InboxEntry, Judgement
from tocsin.formats.inbox.names import REF
from tocsin.ports.inbox import InboxError
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.http.site import CACHE_NEVER, Site

WAITS, LOOKS_EVERY = 5.0, 0.2
"""Seconds for which a page waits until the daemon has judged what it left, and between two looks."""
REF_OCTETS = 10

DONE = "done"
"""What an address calls the act whose outcome its page tells."""
LEFT = "left"
"""What an address calls the act that waits to be judged."""
LOOKS_AGAIN = 5
"""Seconds after which a page looks again whether an act was judged, without scripts."""
JUDGED_APART = {
    ArrivalKind.EDIT: EntryKind.EDIT,
    ArrivalKind.ANSWER: EntryKind.ANSWER,
    ArrivalKind.DECLARE: EntryKind.DECLARE,
}

NOT_LEFT = "This could not be kept now, and counts for nothing. Try again in a minute."


def new_ref() -> str:
    """A reference for an entry, which nobody can guess."""
    return secrets.token_hex(REF_OCTETS)


async def leave(site: Site, entry: InboxEntry) -> None:
    """Leave an entry for the daemon: it is on disk afterwards. Raises 503 where that cannot be."""
    try:
        await site.inbox.leave(sealed(entry, site.reply_routes.keys))
    except InboxError as fault:
        raise not_left(site, entry, fault) from None


def not_left(site: Site, entry: InboxEntry, fault: InboxError) -> web.HTTPServiceUnavailable:
    """The answer where an entry could not be kept, with a line in the log."""
    site.warn("entry not left", kind=entry.kind.value, trouble=str(fault))
    return web.HTTPServiceUnavailable(text=NOT_LEFT, headers={"Retry-After": "60"})


async def judgement(site: Site, kind: ArrivalKind, ref: str, seconds: float | None = None) -> Judgement | None:
    """What became of an entry, waited for (5 s if not said otherwise); None: nobody has judged it yet, or the ledger
    cannot say.
    """
    waits = WAITS if seconds is None else seconds
    for number in range(round(waits / LOOKS_EVERY) + 1):
        if number:
            await asyncio.sleep(LOOKS_EVERY)
        try:
            judged = await site.ledger().outcome(kind, ref)
        except LedgerError as fault:
            site.warn("ledger trouble", trouble=str(fault))
            continue
        if judged is not None:
            return judged
    return None


def kind_of(entry: InboxEntry) -> ArrivalKind:
    """As what an act is judged."""
    return next(kind for kind, left_as in JUDGED_APART.items() if left_as is entry.kind)


async def done_words(site: Site, request: web.Request) -> str:
    """What became of the act that the address names, for the top of the page; empty: of none. Raises nothing."""
    ref = request.query.get(DONE, "")
    if not re.fullmatch(REF, ref):
        return ""
    declared = await judgement(site, ArrivalKind.DECLARE, ref, 0)
    if declared is not None and declared.result == ACTED:
        return declared_id(declared.words)[1]
    judged = declared or await any_judgement(site, ref, (ArrivalKind.EDIT, ArrivalKind.ANSWER))
    return judged.words if judged else ""


async def any_judgement(site: Site, ref: str, kinds: Sequence[ArrivalKind]) -> Judgement | None:
    """What is known by now of an act that may be one of several kinds."""
    for kind in kinds:
        judged = await judgement(site, kind, ref, 0)
        if judged is not None:
            return judged
    return None


async def waits(site: Site, ref: str, kinds: Sequence[ArrivalKind]) -> bool:
    """Whether it still lies in the inbox; or waits in the ledger, where a machine that stands by has handed it in (P9).
    A ledger that cannot say so has nothing that anybody may count on.
    """
    if any([await site.inbox.waits(JUDGED_APART[kind], ref) for kind in kinds]):
        return True
    try:
        return any([await site.ledger().has_arrived(kind, ref) for kind in kinds])
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
        return False


def see_other(path: str) -> web.Response:
    """303, so that a reload presses nothing."""
    return web.Response(status=303, headers={"Location": path, "Cache-Control": CACHE_NEVER})
