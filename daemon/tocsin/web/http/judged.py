"""What is left for the daemon, and what became of it: a page waits for that, but not for long (P8)."""

import asyncio
import secrets

from aiohttp import web

from tocsin.app.reply_options.seals import sealed
from tocsin.domain.arrival import ArrivalKind, InboxEntry, Judgement
from tocsin.ports.inbox import InboxError
from tocsin.ports.ledger import LedgerError
from tocsin.web.http.site import Site

WAITS, LOOKS_EVERY = 5.0, 0.2
"""Seconds for which a page waits until the daemon has judged what it left, and between two looks."""
REF_OCTETS = 10

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
