"""Whether the daemon does its work, by the marks that it leaves in the ledger: for pages, since one that says who is
paged next is no true word while nobody pages, and for whoever watches this machine from outside.

It must not know how either is told.
"""

import asyncio
import socket
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.app.doctor.machines import LEADING, SILENT_STATE, seen
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.formats.settings.settings import Settings
from tocsin.planning.machines.clocks import ahead_at_least
from tocsin.ports.leadership import Machines
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.times import span
from tocsin.web.http.site import Site

STALE_AFTER = timedelta(seconds=60)
"""How old the daemon's last healthy pass may be."""
SEEN_WITHIN = 3.0
"""Seconds for the ledger to say how the daemon is: who watches does not wait long, and takes no answer for death."""
AWAY, NONE = "away", "none"


@dataclass(frozen=True, slots=True)
class DaemonHere:
    """This machine's daemon (P7): it leads, stands by, none works here, or the ledger does not say (away). `leader` is
    the machine that leads, `healthy_at` when this one was healthy last. `machines`: those that share the ledger; None
    where it lies in a file, or does not say. `clock_ahead`: how far this machine's clock is ahead of the database's.
    """

    state: str
    leader: str | None = None
    healthy_at: datetime | None = None
    machines: Machines | None = None
    clock_ahead: timedelta = timedelta(0)

    @property
    def works(self) -> bool:
        """Whether it leads or stands by, and is healthy."""
        return self.state not in {AWAY, NONE}


async def daemon_here(site: Site) -> DaemonHere:
    """How it is now. A ledger that does not answer soon is away."""
    try:
        async with asyncio.timeout(SEEN_WITHIN):
            if site.machines is not None:
                asked = site.clock.now()
                machines = await site.machines()
                ahead = ahead_at_least(asked, machines.now, site.clock.now())
                return replace(_among(machines, site.settings), clock_ahead=ahead)
            return _alone(await site.ledger().noticed_at(HEALTHY), site)
    except LedgerError as fault:
        site.warn("ledger trouble", trouble=str(fault))
    except TimeoutError:
        site.warn("ledger trouble", trouble=f"no answer within {SEEN_WITHIN:g} s")
    return DaemonHere(AWAY)


def name_of(settings: Settings) -> str:
    """What this machine is called."""
    return settings.node or socket.gethostname()


def _alone(healthy_at: datetime | None, site: Site) -> DaemonHere:
    """The daemon of a ledger in a file, which always leads. A mark of the future is no sign of life (rule 59)."""
    if healthy_at is None or abs(site.clock.now() - healthy_at) > STALE_AFTER:
        return DaemonHere(NONE, None, healthy_at)
    return DaemonHere(LEADING, name_of(site.settings), healthy_at)


def _among(machines: Machines, settings: Settings) -> DaemonHere:
    """The one of several machines that has this one's name and folder. It says that it is there only while it is
    healthy.
    """
    found = seen(machines)
    place = name_of(settings), str(settings.incidents)
    here = next((one for one in found.nodes if (one.node.name, one.node.folder) == place), None)
    if here is None:
        return DaemonHere(NONE, found.leader, None, machines)
    state = NONE if here.state == SILENT_STATE else here.state
    return DaemonHere(state, found.leader, here.node.last_word, machines)


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
