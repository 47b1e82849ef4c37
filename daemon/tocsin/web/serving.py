"""The site on its address, until a signal: how the process of the web side begins and ends."""

import asyncio
import signal

import structlog

from tocsin.formats.settings.advice import needless_secrets, short_secrets
from tocsin.ports.supervisor import ServiceManager
from tocsin.web.http.connections import listening
from tocsin.web.http.site import Site
from tocsin.web.server import application

BEATS_EVERY = 10.0
"""Seconds between two signs of life to the service manager; a third of the patience of its unit."""

log = structlog.get_logger()


async def serve(site: Site, manager: ServiceManager) -> bool:
    """Serve until a signal. True after SIGHUP: begin anew, with the settings as they then are. Raises OSError when the
    address cannot be had.
    """
    loop = asyncio.get_running_loop()
    end: asyncio.Future[bool] = loop.create_future()

    def stop(anew: bool) -> None:
        if not end.done():
            end.set_result(anew)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number is signal.SIGHUP)
    address = site.settings.web
    for _, trouble in short_secrets(site.settings):
        log.warning("secret too short", trouble=trouble)
    if site.apart and (needless := needless_secrets(site.settings)):
        cure = "the daemon alone needs them: take them out of tocsin-web.service.d"
        log.warning("needless secrets", trouble=f"the web side holds {', '.join(needless)}; {cure}")
    if site.meant_for and not site.apart:
        cure = f"run it as {site.meant_for}: install the units and reload systemd (docs/installing.md, upgrade)"
        log.warning("not apart", trouble=f"the web side may write the ledger, as whoever takes it over; {cure}")
    beats = asyncio.create_task(_beat(manager), name="signs of life")
    try:
        async with listening(application(site), site.log, address.host, address.port, address.proxies):
            manager.ready(f"listening on {address.listen}")
            log.info("ready", listening=address.listen)
            anew = await end
            log.info("beginning anew" if anew else "stopping")
            (manager.reloading if anew else manager.stopping)()
            site.ending.set()
            return anew
    finally:
        beats.cancel()


async def _beat(manager: ServiceManager) -> None:
    """The loop turns: that is all the health that the web side has."""
    while True:
        manager.healthy()
        await asyncio.sleep(BEATS_EVERY)
