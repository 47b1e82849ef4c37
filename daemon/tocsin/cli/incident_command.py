"""A command that does something to an incident: the incident that is meant, what is done to it, and what is told of it.

Apart from `workspace`, so that who only looks waits for nothing that writes files.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tocsin.adapters.files.incident_writer import FileError, IncidentFiles
from tocsin.app.configuration.load import Configuration
from tocsin.app.incidents.commands import EditRefusedError, IncidentCommands
from tocsin.app.incidents.incident_meant import AmbiguousIncidentError
from tocsin.app.intake.own_writes.catching_up import catch_up
from tocsin.cli.options import fail, folder_of, utc_now
from tocsin.cli.workspace import (
    Workspace,
    incident_named,
    need_answer,
    nobody_watches,
    open_incidents,
    open_workspace,
    warn,
)
from tocsin.domain.arrival import ArrivalKind, CommandAnswerEntry
from tocsin.ports.inbox import InboxError
from tocsin.ports.ledger.recorded import OpenedIncidents
from tocsin.ports.ledger.trouble import LedgerError


def run_command(
    config: Path | None,
    act: Callable[[IncidentCommands, str], Awaitable[str]],
    tell: Callable[[str], None] = warn,
    *,
    anyway: bool,
    incident: str | None = None,
    loaded: Configuration | None = None,
) -> None:
    """Run a command on an incident, which `act` gets by its id (None: on none yet), and tell what it says. A refusal is
    told on stderr and ends with 1. So does a file that was written where no healthy daemon watches (P3), unless that is
    meant (`anyway`): it stays. `loaded` is the config as it was just judged, if it was.
    """

    async def run() -> tuple[str, Path | None, bool]:
        now = utc_now()
        async with open_workspace(open_incidents, folder_of(config), now, loaded=loaded) as workspace:
            await need_answer(workspace.settings.incidents, "nothing was written; to acknowledge, answer a page")
            files, ledger = IncidentFiles(workspace.settings.incidents), workspace.ledger
            id_ = "" if incident is None else await incident_named(incident, files, ledger)

            if id_ and workspace.settings.database is None:  # other machines may have written what is not here yet
                await catch_up(id_, files, ledger)

            async def leave_answer(entry: CommandAnswerEntry) -> str:
                return await left_answer(entry, workspace)

            sentence = await act(IncidentCommands(files, workspace.policy, ledger, now, leave=leave_answer), id_)
            return sentence, files.unwatched(), workspace.access.away

    try:
        sentence, unwatched, away = asyncio.run(run())
        tell(sentence)
        if unwatched and not anyway:
            fail(nobody_watches(unwatched, away=away))
    except (AmbiguousIncidentError, EditRefusedError, FileError, InboxError, ValueError) as refused:
        fail([str(refused)])
    except LedgerError as trouble:
        fail([f"the ledger cannot be used: {trouble}"])


async def left_answer(entry: CommandAnswerEntry, workspace: Workspace[OpenedIncidents]) -> str:
    """Have the daemon judge an answer; why it does not count, or not yet; empty: it does. Raises InboxError and
    LedgerError.
    """
    from tocsin.app.arrivals.link_answers import ACTED
    from tocsin.cli.whole_ledger import NOT_YET, Left, acts_on, leave, open_ledger

    access = await open_ledger(workspace.loaded.ledger, warn)
    try:
        ledger = access.ledger
        if ledger is None:
            raise LedgerError("it was there, and cannot be opened any more")

        async def is_judged() -> bool:
            return await ledger.outcome(ArrivalKind.ANSWER, entry.ref) is not None

        async def is_served() -> bool:
            return await acts_on(workspace.settings, ledger)

        left = await leave(entry, workspace.settings.inbox, is_served, is_judged)
        if left is Left.NO_DAEMON:
            return "NOT yet acknowledged: no healthy daemon runs here; it counts as soon as one does (tocsin run)"
        if left is Left.WAITS:
            return f"NOT yet acknowledged: {NOT_YET}"
        judged = await ledger.outcome(ArrivalKind.ANSWER, entry.ref)
        return judged.words if judged and judged.result != ACTED else ""
    finally:
        await access.close()
