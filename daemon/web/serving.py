"""Serving: the site on its address, until SIGTERM or Ctrl-C. It decides how the process begins and ends."""

import asyncio
import signal

import structlog
from aiohttp import web

from daemon.ports import ServiceManager
from daemon.web.connections import Runner
from daemon.web.server import application
from daemon.web.site import Site

BEATS_EVERY = 10.0
"""Seconds between two signs of life to the service manager; a third of the patience of its unit."""

log = structlog.get_logger()


async def serve(site: Site, manager: ServiceManager) -> None:
    """Serve. Raises OSError when the address cannot be had."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    runner = Runner(application(site), site.sayings)
    await runner.setup()
    beats = asyncio.create_task(_beat(manager), name="signs of life")
    try:
        host, port = site.settings.web.host, site.settings.web.port
        listening = web.TCPSite(runner, host, port)
        await listening.start()
        manager.ready(f"listening on {site.settings.web.listen}")
        log.info("ready", listening=site.settings.web.listen)
        await stop.wait()
        log.info("stopping")
        manager.stopping()
        site.ending.set()
    finally:
        beats.cancel()
        await runner.cleanup()


async def _beat(manager: ServiceManager) -> None:
    """The loop turns: that is all the health that the web side has."""
    while True:
        manager.healthy()
        await asyncio.sleep(BEATS_EVERY)
