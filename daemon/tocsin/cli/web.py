"""`tocsin web`: the web side, in the foreground, until SIGTERM or Ctrl-C."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import click

from tocsin.cli.judging import ready_child
from tocsin.cli.options import config_option, fail, folder_of, utc_now
from tocsin.cli.whole_ledger import SharedReading, open_ledger, share_ledger
from tocsin.cli.workspace import open_workspace
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.settings import Settings
from tocsin.ports.ledger.trouble import LedgerError


@click.command("web")
@click.option("--log", "form", type=click.Choice(["text", "json"]), help="Default: text on a terminal, else json.")
@config_option
def command(form: str | None, config: Path | None) -> None:
    r"""Serve health, metrics, incident pages, answers and webhooks on `web.listen`, beside a running `tocsin run`.

    It shares the daemon's ledger and sends nothing itself, so it needs no sending secret. SIGHUP makes it begin anew
    with the settings as they then are; SIGTERM and Ctrl-C let requests under way end (up to 5 s).

    \b
    Examples:
      tocsin web
      TOCSIN_WEB__LISTEN=127.0.0.1:9000 tocsin web
    """
    from tocsin.adapters.clock import WallClock
    from tocsin.adapters.files.disk_threads import DiskThreads
    from tocsin.adapters.inbox.writer import InboxWriter
    from tocsin.adapters.jinja.pages import JinjaPages
    from tocsin.adapters.outbox.reader import OutboxReader
    from tocsin.adapters.systemd import Systemd
    from tocsin.app.configuration.active_policy import ActivePolicy
    from tocsin.app.configuration.config_judge import ConfigJudge
    from tocsin.app.configuration.judge import prepare_judging
    from tocsin.cli.output.log_output import open_log
    from tocsin.web.http import FOLDER
    from tocsin.web.http.site import Site
    from tocsin.web.serving import serve

    async def run(settings: Settings, settings_file: bytes | None) -> bool:
        ledger, clock = await share_ledger(settings.ledger), WallClock()
        policy = ActivePolicy(ledger, folder_of(config), os.environ, clock, judge, settings_file)
        try:
            pages = JinjaPages(FOLDER / "pages")
            outbox = OutboxReader(settings.outbox) if settings.keeps_outbox else None
            inbox = InboxWriter(settings.inbox, clock)
            site = Site(settings, clock, ledger, policy, pages, inbox, outbox=outbox, **_place(settings, ledger))
            return await serve(site, Systemd(os.environ))
        finally:
            await ledger.close()

    prepare_judging()
    judge = ConfigJudge(ready_child(), DiskThreads("config judge"))
    open_log(form)
    again = True
    while again:
        settings, settings_file = asyncio.run(_load_settings(folder_of(config)))
        try:
            again = asyncio.run(run(settings, settings_file))
        except LedgerError as trouble:
            fail([f"the ledger cannot be used: {trouble}"])
        except OSError as fault:
            fail([cannot_listen(settings.web.listen, fault)])


async def _load_settings(folder: Path) -> tuple[Settings, bytes | None]:
    """The settings that count, and tocsin.yaml as it is."""
    async with open_workspace(open_ledger, folder, utc_now()) as workspace:
        return workspace.settings, workspace.loaded.files.get(SETTINGS)


def cannot_listen(listen: str, fault: OSError) -> str:
    """Why an address cannot be listened on, and what to do."""
    if fault.errno == errno.EADDRINUSE:
        return f"{listen} is in use: is another tocsin web running? TOCSIN_WEB__LISTEN=HOST:PORT takes another address"
    return f"cannot listen on {listen}: {os.strerror(fault.errno) if fault.errno and fault.errno > 0 else fault}"


def _place(settings: Settings, ledger: SharedReading) -> dict[str, Any]:
    """Whether the web side is a user of its own, whose the inbox is, where it is another's; who shares the ledger."""
    from tocsin.adapters.files.rights import ours, owner

    host = owner(settings.inbox)
    return {
        "apart": not os.access(settings.state, os.W_OK),
        "meant_for": host if host != ours() else "",
        "machines": ledger.machines,
    }
