"""`tocsin pull`: the config repository follows its upstream; a refused pull is told to the operators by the daemon."""

import asyncio
import os
import secrets
import sys
from datetime import datetime
from pathlib import Path

import click

from tocsin.app.configuration.pull import PullResult
from tocsin.cli.judging import bounded_child
from tocsin.cli.options import config_option, fail, folder_of, utc_now
from tocsin.ports.inbox import InboxError

WORD_MOST = 1900
"""Characters of what operators are told."""


@click.command()
@config_option
def command(config: Path | None) -> None:
    r"""Fetch the upstream of the git branch that the config folder is in, and move forward to it if its config is good.
    The running daemon notices and reloads. Meant for a timer: systemd/tocsin-pull.timer.

    \b
    Nothing is touched, the exit status is 1, and operators are told when
      the config of the new commit has errors (read before it is checked out);
      the new commit is no fast-forward;
      files with local changes would be overwritten;
      the fetch has failed three times in a row.
    Exit status 0 when there was nothing new, or the pull went well.

    \b
    Example:
      tocsin pull --config /etc/tocsin
    """
    from tocsin.adapters.files.rights import closed
    from tocsin.app.configuration.pull import pull

    folder, now = folder_of(config), utc_now()
    if why := closed(folder):
        fail([f"the config folder {folder} {why}"])
    pulled = pull(bounded_child(), folder, now, os.environ)
    for line in pulled.lines:
        click.echo(line, err=not pulled.good)
    if pulled.word:
        asyncio.run(_notify(pulled, folder, now))
    sys.exit(0 if pulled.good else 1)


async def _notify(pulled: PullResult, folder: Path, now: datetime) -> None:
    """Leave word for the operators in the inbox of the config in force, where the daemon finds it."""
    from tocsin.adapters.clock import WallClock
    from tocsin.adapters.files.rights import is_folder
    from tocsin.adapters.inbox.writer import InboxWriter
    from tocsin.app.configuration.judge import load
    from tocsin.domain.arrival import WordEntry
    from tocsin.formats.settings.settings import DEFAULT_INBOX
    from tocsin.text.cleaning import cut

    loaded = load(bounded_child(), folder, now, os.environ)
    files = [place.file for place in (loaded.ledger, *loaded.elsewhere) if place.file]
    nearby = [file.parent / "inbox" for file in files] or [folder / DEFAULT_INBOX]
    inbox = loaded.settings.inbox if loaded.settings else next(filter(is_folder, nearby), nearby[0])
    try:
        entry = WordEntry(secrets.token_hex(10), pulled.cause[:100], cut(pulled.word, WORD_MOST))
        await InboxWriter(inbox, WallClock()).leave(entry)
    except InboxError as trouble:
        click.echo(f"the operators are not told: {trouble}", err=True)
