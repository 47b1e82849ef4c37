"""`tocsin run`: the daemon, in the foreground, until SIGTERM or Ctrl-C."""

import asyncio
import os
from pathlib import Path

import click

from tocsin.cli.options import config_option, fail, folder_of


@click.command("run")
@config_option
def command(config: Path | None) -> None:
    r"""Watch the incident folder, page people, tell stakeholders.

    \b
    SIGHUP reloads the config; SIGTERM and Ctrl-C let sends under way end (up to 30 s), a second one stops at once.
    Logs go to stderr: JSON, or key=value on a terminal.
    """
    from tocsin.app.lifecycle.logs import start_logging
    from tocsin.app.lifecycle.startup import StartError
    from tocsin.app.wiring.build import run

    start_logging()
    try:
        asyncio.run(run(folder_of(config), os.environ))
    except StartError as trouble:
        fail(trouble.reasons)
