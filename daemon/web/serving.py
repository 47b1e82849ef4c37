"""Serving: the site on its address, until SIGTERM or Ctrl-C. It decides how the process begins and ends."""

import asyncio
import signal

import structlog
from aiohttp import web

from daemon.web.server import application
from daemon.web.site import Site

ENDS_WITHIN = 5.0
"""Seconds for requests under way to end."""

log = structlog.get_logger()


async def serve(site: Site) -> None:
    """Serve. Raises OSError when the address cannot be had."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    runner = web.AppRunner(application(site), handle_signals=False, access_log=None)
    await runner.setup()
    try:
        host, port = site.settings.web.host, site.settings.web.port
        listening = web.TCPSite(runner, host, port, shutdown_timeout=ENDS_WITHIN)
        await listening.start()
        log.info("ready", listening=site.settings.web.listen)
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()
