"""Whether the daemon does its work, by the mark that its last healthy pass left in the ledger: a page that says who is
paged next is no true word while nobody pages.
"""

from datetime import timedelta

from tocsin.app.lifecycle.health import HEALTHY
from tocsin.text.times import span
from tocsin.web.http.site import Site

STALE_AFTER = timedelta(seconds=60)
"""How old the daemon's last healthy pass may be."""


async def daemon_trouble(site: Site) -> str:
    """What is wrong, as a sentence for people; empty: nothing. Raises LedgerError."""
    at = await site.ledger().noticed_at(HEALTHY)
    if at is None:
        return "No daemon has made a healthy pass yet: nobody is paged until tocsin run works."
    age = site.clock.now() - at
    if age < -STALE_AFTER:
        return "The daemon's clock and this machine's differ: it cannot be told whether it works."
    if age > STALE_AFTER:
        return f"The daemon has made no healthy pass for {span(age)}: it may be paging nobody."
    return ""
