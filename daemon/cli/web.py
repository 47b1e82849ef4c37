"""`tocsin web`: the web side, in the foreground, until SIGTERM or Ctrl-C."""

import asyncio
import os
from pathlib import Path

import click

from daemon.cli.options import config_option, fail, folder_of, moment, open_policy


@click.command("web")
@config_option
def command(config: Path | None) -> None:
    r"""Serve health, metrics, incident pages, answers and webhooks on `web.listen`, beside a running `tocsin run`.

    It shares the daemon's ledger and sends nothing itself, so it needs no sending secret.

    \b
    Examples:
      tocsin web
      TOCSIN_WEB__LISTEN=127.0.0.1:9000 tocsin web
    """
    from daemon.adapters.clock import SystemClock
    from daemon.adapters.jinja.pages import Pages
    from daemon.adapters.ledger.shared import SharedLedger
    from daemon.app.in_force import InForce
    from daemon.app.logs import start_logging
    from daemon.web import FOLDER
    from daemon.web.serving import serve
    from daemon.web.site import Site

    settings = open_policy(config, moment()).settings
    start_logging()

    async def run() -> None:
        ledger, clock = SharedLedger(settings.database), SystemClock()
        in_force = InForce(ledger, folder_of(config), os.environ, clock)
        try:
            await serve(Site(settings, clock, ledger, in_force, Pages(FOLDER / "pages")))
        finally:
            await ledger.close()

    try:
        asyncio.run(run())
    except OSError as trouble:
        fail([f"cannot listen on {settings.web.listen}: {trouble.strerror or trouble}"])
