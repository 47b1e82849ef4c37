"""`tocsin nodes`: the machines that share the ledger, and which of them leads."""

import asyncio
import json
import socket
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from tocsin.cli.options import config_option, fail, folder_of, utc_now
from tocsin.cli.whole_ledger import open_ledger
from tocsin.cli.workspace import Workspace, open_workspace
from tocsin.planning.machines.clocks import ahead_at_least
from tocsin.ports.leadership import Machines, Node, NodeState
from tocsin.ports.ledger.ledger import Ledger
from tocsin.ports.ledger.trouble import LedgerError


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def command(form: str, config: Path | None) -> None:
    r"""Show the machines that share the ledger: which leads and since when, which stand by, which have fallen silent;
    each one's version, config revision and last word, and what they ought to have alike and do not. With a ledger in
    a file there is one. Exit status 1 when none leads.

    \b
    Examples:
      tocsin nodes
      tocsin nodes --format json
    """
    from tocsin.app.doctor.machines import seen
    from tocsin.cli.output.nodes_lines import document, lines
    from tocsin.cli.output.terminal.show import show

    try:
        machines, clock_ahead = asyncio.run(_machines(folder_of(config)))
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])
    found = seen(machines)
    if form == "json":
        json.dump(document(found), sys.stdout, ensure_ascii=False)
        click.echo()
    else:
        show(lines(found, machines.now, clock_ahead))
    sys.exit(0 if found.leader is not None else 1)


async def _machines(folder: Path) -> tuple[Machines, timedelta]:
    """The machines, and how far this one's clock is ahead of the database's. Raises LedgerError; where nothing can be
    told, that is told and the command ends.
    """
    async with open_workspace(open_ledger, folder, utc_now()) as workspace:
        if workspace.access.machines is None:
            return await _alone(workspace), timedelta(0)
        asked = utc_now()
        machines = await workspace.access.machines()
        return machines, ahead_at_least(asked, machines.now, utc_now())


async def _alone(workspace: Workspace[Ledger]) -> Machines:
    """The one machine of a ledger in a file, as far as its traces tell."""
    from tocsin import __version__
    from tocsin.adapters.ledger.schema import SCHEMA
    from tocsin.app.leadership.this_node import key_fingerprint
    from tocsin.app.lifecycle.health import HEALTHY
    from tocsin.formats.settings.settings import reply_routes

    ledger, settings = workspace.need_ledger("which machines share it is kept there"), workspace.settings
    last_word, kept, now = await ledger.noticed_at(HEALTHY), await ledger.last_good_config(), utc_now()
    runs = workspace.is_served()
    node = Node(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{socket.gethostname()}{settings.database}")),
        name=settings.node or socket.gethostname(),
        folder=str(settings.incidents),
        state=NodeState.LEADING,
        since=_taken_at(settings.database) or last_word or now,
        last_word=last_word,
        version=__version__,
        config=kept.revision if kept else "",
        schema=SCHEMA,
        key=key_fingerprint(reply_routes(settings).keys),
        providers_ok=runs,
        stopped=not runs,
    )
    return Machines(0, node.id if runs else "", now if runs else None, now, (node,))


def _taken_at(ledger: Path | None) -> datetime | None:
    """When the daemon took the lock of a ledger, as the lock's file says."""
    if ledger is None:
        return None
    try:
        return datetime.fromtimestamp(ledger.with_name(f"{ledger.name}.lock").stat().st_mtime, UTC)
    except OSError:
        return None
