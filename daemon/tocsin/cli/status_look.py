"""What `tocsin status` shows: the open incidents once, or again and again on a screen."""

import asyncio
import io
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

from tocsin.adapters.clock import SystemClock
from tocsin.adapters.files.disk_threads import DiskThreads, in_time
from tocsin.adapters.files.incident_folder.reading import FolderReading
from tocsin.adapters.files.rights import closed, is_folder
from tocsin.app.configuration.load import Configuration
from tocsin.app.incidents.open_incidents import OpenIncident, open_incidents, without_ledger
from tocsin.cli.options import fail, utc_now
from tocsin.cli.output.status_lines import StatusLook, lines
from tocsin.cli.output.terminal.show import can_paint, show
from tocsin.cli.workspace import open_incidents as open_incidents_of
from tocsin.cli.workspace import open_workspace
from tocsin.ports.folder import Listed
from tocsin.ports.ledger.trouble import LedgerError
from tocsin.text.times import iso_utc

ANSWERS_WITHIN = 5.0
"""Seconds for the incident folder to answer; then the ledger alone is asked."""
LOOKS_EVERY = 2.0
"""Seconds between two looks of --watch."""
STALE = timedelta(seconds=10)
"""After so long --watch says how old its look is."""
STEP = 0.1
"""Seconds in which Ctrl-C, a new size of the terminal and the next second are noticed."""


def watch_incidents(folder: Path, look: StatusLook) -> None:
    """Show it until Ctrl-C: painted anew each second on a terminal, printed with each look elsewhere. The signal only
    leaves a mark: raised as an exception it would be lost wherever Python may not raise one (a finalizer).
    """
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: stopped.append(number))
    looks = _Looks(folder, look)
    looks.start()
    if not can_paint():
        while not stopped:
            printed = looks.newest
            show([*_page(printed), ""])
            while looks.newest is printed and not stopped:
                time.sleep(STEP)
        return
    from tocsin.cli.output.terminal.console import Screen

    with Screen() as screen:
        while not stopped:
            painted = looks.newest, screen.size, _second()
            screen.paint(_page(looks.newest))
            while painted == (looks.newest, screen.size, _second()) and not stopped:
                time.sleep(STEP)
    show(_page(looks.newest))


def _second() -> datetime:
    return utc_now().replace(microsecond=0)


def _page(look: StatusLook) -> Iterator[str]:
    """A look as it is to be read now."""
    now = utc_now()
    yield f"{now:%a %d %b %Y %H:%M:%S} UTC"
    yield ""
    if now - look.at > STALE:
        look = replace(look, troubles=[f"nothing newer is known than of {look.at:%H:%M:%S} UTC", *look.troubles])
    yield from lines(look, now, counting=True)


class _Looks(Thread):
    """Looks again and again, and keeps the newest look. What fails is told with what was seen before."""

    def __init__(self, folder: Path, first: StatusLook) -> None:
        super().__init__(daemon=True)
        self.newest = first
        self._folder, self._good = folder, first

    def run(self) -> None:
        """Until the process ends."""
        while True:
            time.sleep(LOOKS_EVERY)
            self.newest = self._again()

    def _again(self) -> StatusLook:
        """What is to be seen now. Without the ledger, which was there before, it is that; for then nobody could tell
        an incident that nobody has accepted from one that the daemon has not seen.
        """
        said = io.StringIO()
        try:
            with redirect_stderr(said):
                look = look_at(self._folder)
            look.troubles.extend(said.getvalue().splitlines())
            if look.with_ledger or not self._good.with_ledger:
                self._good = look
                return look
            troubles = look.troubles
        except LedgerError as fault:
            troubles = [f"the ledger cannot be used: {fault}"]
        except SystemExit:
            troubles = said.getvalue().splitlines()
        return replace(self._good, troubles=troubles)


def look_at(folder: Path, loaded: Configuration | None = None) -> StatusLook:
    """What is to be seen now, by a config that was `loaded`, or else as it stands in its folder. Raises LedgerError;
    where nothing can be told, that is told and the command ends.
    """
    return asyncio.run(_open_incidents(folder, loaded))


async def _open_incidents(folder: Path, loaded: Configuration | None) -> StatusLook:
    now, troubles = utc_now(), list[str]()
    async with open_workspace(open_incidents_of, folder, now, troubles.append, loaded=loaded) as workspace:
        incidents, policy, ledger = workspace.settings.incidents, workspace.policy, workspace.ledger

        def look() -> tuple[str, Sequence[Listed] | str]:
            if why := closed(incidents):
                return why, f"the incident folder {incidents} {why}"
            return "", FolderReading(incidents, SystemClock()).scan() if is_folder(incidents) else ()

        hangs = f"the incident folder {incidents} does not answer; what follows is what the ledger knows"
        why, listing = await in_time(ANSWERS_WITHIN, DiskThreads("incident folder"), look) or ("", hangs)
        if isinstance(listing, str):
            troubles.append(listing)
        if why and ledger is None:
            fail([*troubles, "what is open cannot be told"])
        if unserved := await workspace.unserved():
            troubles.append(unserved)
        opened = await open_incidents(
            ledger, listing, incidents, policy, now, shared=workspace.settings.database is None
        )
        unseen, barred = "not seen by the daemon yet", workspace.access.barred
        if barred:
            unseen = "as its file says"
            opened = [without_ledger(one, incidents / f"{one.incident.id}.yaml", policy, now) for one in opened]
        partial = barred and workspace.settings.database is None
        return StatusLook(now, opened, policy, troubles, unseen, ledger is not None, barred, partial)


def incident_document(opened: OpenIncident) -> dict[str, Any]:
    """An open incident as JSON (`docs/behaviour.md`)."""
    from tocsin.cli.checking import problem_document

    incident, state = opened.incident, opened.state
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status.value,
        "roles": {
            role.role: {"person": role.person, "accepted": iso_utc(role.accepted_at) if role.accepted_at else None}
            for role in state.roles
        },
        "next_update": iso_utc(state.next_update_at) if state.next_update_at else None,
        "problems": [problem_document(problem) for problem in opened.problems],
    }
